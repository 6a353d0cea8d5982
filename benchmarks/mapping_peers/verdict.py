"""The table of a case and what it says about the aims."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mapping_peers.cut import OURS
from mapping_peers.judge import Score

HEADER = (
    f"  {'':24}{'cores':>6}{'messages':>11}{'hops':>11}{'max link':>10}{'NoC nJ':>9}{'cpu s':>8}"
)
TILES, COMPILER, CHUNKS = "tiles+ours", "compiler", ("chunks",)
METIS = ("metis+hilbert", "metis-grains+hilbert")
DEFAULT = "balanced"
ROUNDING = 1e-9  # of sums in another order


class Aim(NamedTuple):
    """A figure beside what it must reach, and what it would be at its best.

    Attributes:
        void: the baseline is no mapping, as it breaks limits; the figure is only shown.
    """

    what: str
    value: float
    limit: float
    stretch: float | None = None
    void: bool = False

    @property
    def reached(self) -> bool:
        """Whether the limit is kept."""
        return self.value <= self.limit


def line(score: Score) -> str:
    """A score as a line of the table."""
    return (
        f"  {score.name:24}{score.cores:6,}{score.messages:11,.0f}{score.hops:11,.0f}"
        f"{score.max_link:10,.0f}{score.energy_pj / 1000:9,.0f}{score.seconds:8.2f}"
        + (f"  illegal: {score.broken}" if score.broken else "")
    )


def verdict(ours: list[Score], baselines: list[Score], bound: int) -> Iterator[str]:
    """The ratios of every policy of ours against the legal baselines, and who dominates it.

    The aims are those of the default policy; of the others the ratios are only shown.

    Args:
        bound: cores that any mapping needs.
    """
    for own in ours:
        for aim in aims(own, baselines):
            stretch = f", stretch {aim.stretch}" if aim.stretch is not None else ""
            word = "   " if aim.void or own.name != DEFAULT else "yes" if aim.reached else "NO "
            yield f"  {word} {own.name:12} {aim.what} = {aim.value:.3f} (≤ {aim.limit}{stretch})"
        better = [s.name for s in baselines if s.legal and dominates(s, own)]
        word = "NO " if better else "yes"
        yield f"  {word} {own.name:12} dominated by {', '.join(better) or 'none'}"
        yield f"      {own.name:12} cores / lower bound = {own.cores / bound:.3f} (stretch 1.10)"


def aims(own: Score, baselines: list[Score]) -> Iterator[Aim]:
    """The figures of one mapping that the baselines allow to tell."""
    for tiles in _rivals(baselines, TILES):
        yield Aim(f"cores / {tiles.name}", own.cores / tiles.cores, 0.92)
        yield Aim(f"messages / {tiles.name}", own.messages / tiles.messages, 1.03)
    for names in (CHUNKS, METIS):
        found = _rivals(baselines, *names)
        if found:
            rival = min(found, key=lambda s: s.hops)
            ratio = own.hops / rival.hops
            yield Aim(f"hops / {_label(rival)}", ratio, 0.60, 0.45, not rival.legal)
    placed = [s for s in baselines if s.legal and s.name.endswith(OURS)]
    if placed:
        best = min(placed, key=lambda s: s.energy_pj)
        yield Aim(f"NoC energy / {best.name}", own.energy_pj / best.energy_pj, 0.97)
    for compiler in _rivals(baselines, COMPILER):
        yield Aim(f"cores / {compiler.name}", own.cores / compiler.cores, 1.0)


def _rivals(baselines: list[Score], *names: str) -> list[Score]:
    """The baselines of some names: the legal ones, or where none is, the others."""
    found = [s for s in baselines if s.name in names]
    return [s for s in found if s.legal] or found


def _label(score: Score) -> str:
    return score.name if score.legal else f"{score.name} (illegal)"


def dominates(a: Score, b: Score) -> bool:
    """Whether a is as good as b in cores, messages and hops, and better in one of them."""
    pairs = ((a.cores, b.cores), (a.messages, b.messages), (a.hops, b.hops))
    return all(x <= y * (1 + ROUNDING) for x, y in pairs) and any(
        x < y * (1 - ROUNDING) for x, y in pairs
    )
