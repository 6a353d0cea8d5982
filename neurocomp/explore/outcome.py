"""What an evaluator says about a candidate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from neurocomp.arch import Candidate

FULL = 1.0  # share of an evaluator's effort


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an evaluator said about a candidate.

    Attributes:
        score: greater is better; None where the evaluator gave no finite number.
        spikes: per sample, where the evaluator saw any.
        seconds: that the evaluation took.
    """

    score: float | None
    spikes: float | None = None
    seconds: float = 0.0


class Evaluator(Protocol):
    """Says how good a candidate is; it can be pickled, and is the same in every process.

    Attributes:
        about: everything that its values depend on besides the candidate, in words.
    """

    @property
    def about(self) -> str: ...

    def knows(self, candidate: Candidate) -> bool:
        """Whether it can say anything about a candidate."""
        ...

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        """The outcome, its seconds left out, for a share (0 to 1) of the full effort."""
        ...


def finite(score: float) -> float | None:
    """The number, or None where it is infinite or none."""
    return score if math.isfinite(score) else None
