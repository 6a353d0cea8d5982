"""Torch on one thread and waiting threads asleep: tests run side by side on few cores.

Ctrl-C works as in a terminal, also where the tests run in the background, which ignores it.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def logging_goes_on() -> Iterator[None]:
    """Ctrl-C between two lines of Python's own logging leaves its lock taken for other threads."""
    yield
    lock = logging._lock  # type: ignore[attr-defined]
    while lock._is_owned():
        lock.release()
