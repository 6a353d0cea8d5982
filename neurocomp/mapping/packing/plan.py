"""A plan of what shares cores: first fit, a whole class of equal bundles at a time.

Equal tiles fall into a few classes (full tiles and what is left at the ends), so the plan counts
with classes and costs the same for a thousand bundles as for ten million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.hw.layer import UNLIMITED, Counts
from neurocomp.hw.tiles import cuts
from neurocomp.spec.target import Limits

Vector: TypeAlias = npt.NDArray[np.int64]


class Class(NamedTuple):
    """Equal bundles: how many there are, and what each needs of a core.

    Attributes:
        turn: all of an earlier turn get their cores first.
    """

    number: int
    needs: Counts
    turn: int = 0


class Fill(NamedTuple):
    """A layer that may be cut anywhere along its channels, to fill what others leave free.

    Attributes:
        sizes: channels of the pieces that fit a core, descending.
        needs: (sizes, resources), what a piece of each size needs.
        least: no smaller piece is worth its messages; only the last one may be.
    """

    channels: int
    sizes: Vector
    needs: Vector
    least: int

    def need(self, channels: int) -> Vector:
        """What a piece of so many channels needs, or of a few more."""
        return np.asarray(self.needs[np.flatnonzero(self.sizes >= channels)[-1]])


class Step(NamedTuple):
    """Bundles of one class onto some cores of a group, which become a group of their own.

    Attributes:
        kind: number of the class; those of the fills follow.
        group: where the cores come from, None = unused ones; groups are numbered by the steps
            that make them.
        n_each: bundles, or channels of a fill's piece, on each core.
    """

    kind: int
    group: int | None
    n_cores: int
    n_each: int


def vector(counts: Sequence[int | None]) -> Vector:
    """Counts or limits as numbers to calculate with."""
    return np.array([UNLIMITED if n is None else n for n in counts], np.int64)


def plan(classes: Sequence[Class], limits: Limits, fills: Sequence[Fill] = ()) -> list[Step]:
    """First fit, the largest bundles of a turn first; every bundle must fit a core alone.

    Fills come last.
    That slices on a core can share kernels is not counted: the plan is legal without.
    """
    cores = _Cores(vector(limits))
    needs = np.array([c.needs for c in classes], np.int64).reshape(-1, len(limits))
    share = (needs / cores.limit).max(axis=1)
    for kind in sorted(range(len(classes)), key=lambda i: (classes[i].turn, -share[i], i)):
        cores.place(kind, classes[kind].number, needs[kind])
    for i, fill in enumerate(fills):
        cores.fill(len(classes) + i, fill)
    return cores.steps


def n_cores(steps: Sequence[Step]) -> int:
    """Cores that a plan uses."""
    return sum(step.n_cores for step in steps if step.group is None)


class _Cores:
    """Groups of equally filled cores, in the making."""

    def __init__(self, limit: Vector) -> None:
        self.limit = limit
        self.steps: list[Step] = []
        self._free = np.empty((64, len(limit)), np.int64)
        self._count = np.zeros(64, np.int64)

    @property
    def free(self) -> Vector:
        """(groups, resources): what is left of a core of each group."""
        return self._free[: len(self.steps)]

    @property
    def count(self) -> Vector:
        """Cores of each group."""
        return self._count[: len(self.steps)]

    def place(self, kind: int, left: int, need: Vector) -> None:
        """As many bundles as fit onto the cores in use, the rest onto new ones."""
        (used,) = need.nonzero()
        need_used = need[used]
        per_core = (self.free[:, used] // need_used).min(axis=1)
        per_core[self.count == 0] = 0
        for group in per_core.nonzero()[0].tolist():
            for step in _steps(kind, group, left, int(per_core[group]), int(self._count[group])):
                self._take(step, step.n_each * need)
                left -= step.n_cores * step.n_each
            if not left:
                return
        for step in _steps(kind, None, left, int((self.limit[used] // need_used).min()), left):
            self._take(step, step.n_each * need)

    def fill(self, kind: int, fill: Fill) -> None:
        """Pieces onto the cores in use as far as that saves new cores, then full pieces."""
        fits = (fill.needs[None] <= self.free[:, None]).all(axis=2)
        sizes = np.where(fits.any(axis=1), fill.sizes[fits.argmax(axis=1)], 0)
        sizes[(sizes < fill.least) | (self.count == 0)] = 0
        left, full = fill.channels, int(fill.sizes[0])
        new = cuts(max(left - int(sizes @ self.count), 0), full)
        for group in sorted(np.flatnonzero(sizes).tolist(), key=lambda g: (-sizes[g], g)):
            missing = max(left - new * full, 0)
            most = int(self._count[group])
            for step in _steps(kind, group, min(left, missing), int(sizes[group]), most):
                self._take(step, fill.need(step.n_each))
                left -= step.n_cores * step.n_each
        for step in _steps(kind, None, left, full, left):
            self._take(step, fill.need(step.n_each))

    def _take(self, step: Step, need: Vector) -> None:
        """Carry a step out."""
        n = len(self.steps)
        if n == len(self._free):
            self._free = np.concatenate([self._free, self._free])
            self._count = np.concatenate([self._count, self._count])
        if step.group is None:
            self._free[n] = self.limit - need
        else:
            self._free[n] = self._free[step.group] - need
            self._count[step.group] -= step.n_cores
        self._count[n] = step.n_cores
        self.steps.append(step)


def _steps(kind: int, group: int | None, left: int, each: int, most: int) -> list[Step]:
    """Full cores first, then one that takes the rest."""
    full, rest = divmod(min(left, each * most), each)
    shares = ((full, each), (1, rest))
    return [Step(kind, group, n, k) for n, k in shares if n and k]
