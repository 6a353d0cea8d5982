"""Least numbers of tiles, from neurons and from channels that fit a core."""

from __future__ import annotations

from functools import lru_cache

from neurocomp.hw.layer import ENDLESS
from neurocomp.hw.tiles import cuts, even_cuts
from neurocomp.ir import Shape


def cores(amount: int, limit: int | None, units: int = 1) -> int:
    """Cores for an amount that every one of them holds a part of, each part of whole units."""
    if limit is None:
        return 1
    return cuts(amount, limit // units) if limit >= units else ENDLESS


@lru_cache(maxsize=1 << 14)
def tiles(shape: Shape, neurons: int, channels: int, padded: bool) -> int:
    """Fewest tiles that hold at most so many neurons and channels each.

    Args:
        padded: columns are powers of two and count as such.
    """
    most, height, width = shape
    if neurons < 1 or channels < 1:
        return ENDLESS
    powers = range((width - 1).bit_length(), -1, -1)
    widths = (1 << i for i in powers) if padded else even_cuts(width)
    first = cuts(most, min(channels, most))
    best = ENDLESS
    for x in widths:
        columns = cuts(width, x)
        for c in even_cuts(most, first):
            pieces = columns * cuts(most, c)
            if pieces >= best:
                break
            rows = min(neurons // (x * c), height)
            if rows:
                best = min(best, pieces * cuts(height, rows))
    return best
