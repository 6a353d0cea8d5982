"""How much is tried. All limits are counts, so that the clock changes no result."""

from __future__ import annotations

from dataclasses import dataclass

from neurocomp.errors import InputError


@dataclass(frozen=True, slots=True)
class Effort:
    """Limits of the searches.

    Attributes:
        weights: of the cores, for one descent after the other beside the policy's own.
        kicks: further descents, each from a changed best choice.
        work: classes of bundles that are planned; no descent begins after that.
        members: choices that are packed.
        plain: pack the best tiling of single layers, too.
        passes: over all slices, when they are exchanged between cores.
    """

    weights: tuple[float, ...]
    kicks: int
    work: int
    members: int
    plain: bool
    passes: int


EFFORTS = {
    "fast": Effort(weights=(), kicks=2, work=30_000, members=1, plain=False, passes=1),
    "quality": Effort(
        weights=(8, 1 / 4, 2), kicks=10, work=300_000, members=4, plain=True, passes=4
    ),
}


def effort_named(name: str) -> Effort:
    """An effort by name; `InputError` lists the known ones otherwise."""
    if name not in EFFORTS:
        raise InputError(InputError.unknown("effort", name, list(EFFORTS)))
    return EFFORTS[name]
