"""Peers that run in environments of their own, all below one folder."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

SCRIPT = """
import sys
from importlib.metadata import version
print(*map(version, sys.argv[1:]))
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment.

    Attributes:
        name: of its folder.
        packages: the libraries that are measured.
    """

    name: str
    packages: tuple[str, ...]

    def python(self, peers: Path) -> Path:
        """Its interpreter; ``peers`` is the folder of all environments."""
        return peers / self.name / "bin" / "python"

    def available(self, peers: Path | None) -> bool:
        """Whether it is there."""
        return peers is not None and self.python(peers).is_file()

    def version(self, peers: Path) -> str:
        """The libraries with their versions, as they are there."""
        code = (
            "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
        )
        words = [self.python(peers), "-c", code, *self.packages]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        pairs = zip(self.packages, done.stdout.split(), strict=True)
        return ", ".join(" ".join(pair) for pair in pairs)
