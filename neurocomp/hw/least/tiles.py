"""Least numbers of tiles, from neurons and from channels that fit a core."""

from __future__ import annotations

from functools import lru_cache

from neurocomp.hw.layer import NO_LIMIT
from neurocomp.hw.tiles import cuts, even_cuts
from neurocomp.ir import Shape


def cores(amount: int, limit: int | None, units: int = 1) -> int:
    """Cores for an amount that every one of them holds a part of, each part of whole units."""
    if limit is None:
        return 1
    return cuts(amount, limit // units) if limit >= units else NO_LIMIT


@lru_cache(maxsize=1 << 14)
def tiles(shape: Shape, neurons: int, channels: int, padded: bool) -> int:
    """Fewest tiles that hold at most so many neurons and channels each.

    Args:
        padded: columns are powers of two and count as such.
    """
    height, width = shape[1:]
    if neurons < 1 or channels < 1:
        return NO_LIMIT
    widths = (
        [1 << i for i in range((width - 1).bit_length() + 1)] if padded else [*even_cuts(width)]
    )
    best = NO_LIMIT
    for x in widths:
        for c in even_cuts(shape[0], cuts(shape[0], min(channels, shape[0]))):
            rows = min(neurons // (x * c), height)
            if rows:
                best = min(best, cuts(shape[0], c) * cuts(height, rows) * cuts(width, x))
    return best
