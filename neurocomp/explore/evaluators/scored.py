"""Eq. 1 of a candidate's network, or of a smaller one that stands for it."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean

from neurocomp.arch import Candidate, Task, build
from neurocomp.errors import InputError
from neurocomp.explore.outcome import Outcome, finite
from neurocomp.ir import Array
from neurocomp.score import Kind, Scorer

VERSION = 1  # to be raised with every change after which the same candidate gets another value


@dataclass(frozen=True)
class Scored:
    """The training-free score on some samples.

    Attributes:
        task: what the candidates are for.
        values: input integers (batches·B, C, H, W), or (batches·B, T, C, H, W).
        narrower: factor by which the scored network's channels and hidden neurons are fewer.
        smaller: factor by which its images are smaller, by averaging.
        draws: how often the weights are drawn; the mean counts.
    """

    task: Task
    values: Array
    kind: Kind = "paper"
    batches: int = 1
    seed: int = 0
    narrower: int = 1
    smaller: int = 1
    draws: int = 1

    @property
    def about(self) -> str:
        """Normalisation, samples, size of the scored network, seed, version."""
        digest = hashlib.sha256(self.values.tobytes()).hexdigest()[:10]
        size = "" if self.narrower == self.smaller == 1 else f", /{self.narrower} /{self.smaller}"
        each = len(self.values) // self.batches
        size += f", {self.draws} draws" if self.draws > 1 else ""
        return f"{self.kind} {VERSION}, {self.batches} × {each} of {digest}{size}, seed {self.seed}"

    def knows(self, candidate: Candidate) -> bool:
        """Every candidate."""
        return True

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        """Eq. 1 on a share of the batches, one at least; None where it is not finite."""
        stand_in = replace(
            candidate,
            channels=max(candidate.channels // self.narrower, 1),
            hidden=candidate.hidden and max(candidate.hidden // self.narrower, 1),
            final_pool=candidate.final_pool and max(candidate.final_pool // self.smaller, 1),
        )
        graph, batches = build(stand_in, self._small), max(math.ceil(share * self.batches), 1)
        found = [one(graph, prune=candidate.prune, batches=batches) for one in self._scorers]
        return Outcome(finite(fmean(s.value for s in found)), fmean(s.spikes for s in found))

    @cached_property
    def _small(self) -> Task:
        channels, height, width = self.task.shape
        if height % self.smaller or width % self.smaller:
            raise InputError(
                f"search.proxy.smaller: images of {height}×{width} pixels cannot be made smaller "
                f"by {self.smaller}; choose a divisor of both"
            )
        shape = channels, height // self.smaller, width // self.smaller
        return replace(self.task, shape=shape)

    @cached_property
    def _scorers(self) -> list[Scorer]:
        channels, height, width = self._small.shape
        lead = self.values.shape[:-3]
        cut = self.values.reshape(*lead, channels, height, self.smaller, width, self.smaller)
        values, first = cut.mean(axis=(-3, -1)), self.seed * self.draws
        return [
            Scorer(values, kind=self.kind, seed=first + k, batches=self.batches)
            for k in range(self.draws)
        ]

    def __getstate__(self) -> dict[str, object]:
        """What another process needs; what was computed here stays here."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
