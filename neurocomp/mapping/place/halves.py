"""A start for the placers: cores and places are halved together, chips first.

The places of the board are cut at a border of chips as long as there is one, then across their
longer side; the cores are split into halves of the same sizes that talk little across. Where the
others are, as far as it is known, draws a core to one side (Dunlop and Kernighan 1985).
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from neurocomp.mapping.place.board import Board, Bools, Floats, Ints
from neurocomp.mapping.place.split import split

REGIONS = 1600  # about as many are halved: of more cores the last few stand in their order


def halved(both: csr_array, places: Board, n: int) -> Ints:
    """The place of each core.

    Args:
        both: messages of both directions between cores, symmetric.
    """
    points = places.points
    used = _near(points, n)
    where = np.tile(points[used].mean(axis=0), (n, 1))
    found, few = np.empty(n, np.intp), n // REGIONS + 1
    regions = [(np.arange(n), used)]
    while regions:
        halves = []
        for cores, room in regions:
            cut = _cut(points[room], places.chips[room]) if len(cores) > few else None
            if cut is None:
                found[cores] = room
                continue
            far = _far(both, where, cores, points[room], cut)
            where[cores[~far]] = points[room[~cut]].mean(axis=0)
            where[cores[far]] = points[room[cut]].mean(axis=0)
            halves += [(cores[~far], room[~cut]), (cores[far], room[cut])]
        regions = halves
    return found


def _near(points: Floats, n: int) -> Ints:
    """The places nearest to the middle of all, so many."""
    distance = np.abs(points - np.median(points, axis=0)).sum(axis=1)
    return np.sort(np.argsort(np.round(distance, 6), kind="stable")[:n])


def _cut(points: Floats, chips: Ints) -> Bools | None:
    """The places beyond the cut that halves some places best; None on a single tile."""
    extent = np.ptp(points, axis=0)
    if not extent.any():
        return None
    spread = np.ptp(chips, axis=0)
    axis = int(np.argmax(extent * (spread > 0) if spread.any() else extent))
    along = chips[:, axis] if spread.any() else points[:, axis]
    borders = np.unique(along)[1:]
    sizes = (along[:, None] >= borders).sum(axis=0)
    return np.asarray(along >= borders[np.abs(2 * sizes - len(along)).argmin()])


def _far(both: csr_array, where: Floats, cores: Ints, points: Floats, cut: Bools) -> Bools:
    """Whether each core of a region goes beyond the cut."""
    near, far = points[~cut].mean(axis=0), points[cut].mean(axis=0)
    rows = both[cores]
    local = np.full(len(where), -1)
    local[cores] = np.arange(len(cores))
    column, row = local[rows.indices], np.repeat(np.arange(len(cores)), np.diff(rows.indptr))
    inside = column >= 0
    others = where[rows.indices[~inside]]
    nearer = np.abs(others - near).sum(axis=1) - np.abs(others - far).sum(axis=1)
    pull = rows.data[~inside] * nearer
    drawn = np.bincount(row[~inside], pull, minlength=len(cores)).astype(np.float64)
    among = csr_array(
        (rows.data[inside], (row[inside], column[inside])), shape=(len(cores), len(cores))
    )
    apart = float(np.abs(near - far).sum())
    return split(among, drawn, apart, int((~cut).sum()))
