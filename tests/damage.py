"""Files that are cut off or have wrong bytes, for every reader of binary files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from neurocomp.errors import InputError

TRIES = 60
WRONG_BYTES = 8


def require_clear_errors(read: Callable[[Path], object], whole: Path) -> None:
    """Every truncation is refused; wrong bytes are, too, or the reader takes what they say."""
    content = whole.read_bytes()
    file = whole.with_name(f"damaged{whole.suffix}")
    for size in range(0, len(content), 997):
        file.write_bytes(content[:size])
        with pytest.raises(InputError):
            read(file)
    rng = np.random.default_rng(0)
    for _ in range(TRIES):
        damaged = bytearray(content)
        for i in rng.integers(0, len(content), WRONG_BYTES):
            damaged[i] ^= int(rng.integers(1, 256))
        file.write_bytes(damaged)
        try:
            read(file)
        except InputError:
            continue
