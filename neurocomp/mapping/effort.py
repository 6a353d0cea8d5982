"""How much is tried. The limits are counts, so that the clock changes no result; or it may."""

from __future__ import annotations

from dataclasses import dataclass, replace
from time import monotonic

from neurocomp.errors import InputError


@dataclass(frozen=True, slots=True)
class Effort:
    """Limits of the searches.

    Attributes:
        kicks: further descents for each policy, each from a changed best choice.
        work: classes of bundles that are planned for each policy; no descent begins after that.
        members: choices that are packed for each policy.
        hypergraph: pack the choices with the hypergraph partitioner, too, where it is installed.
        passes: over all slices, when they are exchanged between cores.
        runs: of the placer, of which the best one counts.
        swaps: times n^(4/3) that n cores are moved at each temperature of a run.
        until: `time.monotonic` after which nothing more is tried; None = the clock has no say.
    """

    kicks: int
    work: int
    members: int
    hypergraph: bool
    passes: int
    runs: int
    swaps: float
    until: float | None = None

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self.until is not None and monotonic() > self.until

    def share(self, part: float) -> Effort:
        """The same for a part of the time that is left."""
        if self.until is None:
            return self
        now = monotonic()
        return replace(self, until=now + part * (self.until - now))


EFFORTS = {
    "fast": Effort(
        kicks=2,
        work=10_000,
        members=1,
        hypergraph=False,
        passes=1,
        runs=1,
        swaps=0.5,
    ),
    "quality": Effort(
        kicks=10,
        work=100_000,
        members=2,
        hypergraph=True,
        passes=4,
        runs=4,
        swaps=1.0,
    ),
}


def effort_named(name: str, seconds: float | None = None) -> Effort:
    """An effort by name, to be spent within so many seconds from now.

    Raises:
        InputError: an unknown name, with the known ones.
    """
    if name not in EFFORTS:
        raise InputError.unknown("effort", name, list(EFFORTS))
    return replace(EFFORTS[name], until=None if seconds is None else monotonic() + seconds)
