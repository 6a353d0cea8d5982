"""Predictors that look at a candidate alone: counts, and how its LIFs are driven."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from neurocomp.arch import Candidate
from neurocomp.arch.features import depth, drive
from neurocomp.explore.outcome import Outcome

VERSION = 1  # to be raised with every change after which the same candidate gets another value
COUNTS: dict[str, Callable[[Candidate], float]] = {
    "convolutions": lambda candidate: float(candidate.convolutions),
    "depth": depth,
    "drive": drive,
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A predictor by name, one of `COUNTS`."""

    kind: str

    @property
    def about(self) -> str:
        """The predictor and its version."""
        return f"{self.kind} {VERSION}"

    def knows(self, candidate: Candidate) -> bool:
        """Every candidate."""
        return True

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        """The predictor's number; it takes no effort worth sharing."""
        return Outcome(COUNTS[self.kind](candidate))
