"""Where a search for places begins: the best of some placements that are made at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.optimize import quadratic_assignment
from scipy.sparse import csr_array

from neurocomp.mapping.effort import Effort
from neurocomp.mapping.place.board import Board, Ints
from neurocomp.mapping.place.halves import halved

MAX_ASSIGNED = 160  # places up to which a quadratic assignment is solved; the work is their cube


class Start(NamedTuple):
    """A placement by the places of the cores, and Σ messages × distance there."""

    cost: float
    places: Ints


def starts(both: csr_array, board: Board, n: int, effort: Effort) -> list[Start]:
    """The given order, and while there is time cores and places halved, and assigned; best first.

    Args:
        both: messages of both directions between the ``n`` cores, symmetric.
    """
    found = []
    for ends in _made(both, board, n):
        found.append(Start(cost(both, board, ends), ends))
        if effort.over:
            break
    return sorted(found, key=lambda start: start.cost)


def cost(both: csr_array, board: Board, places: Ints) -> float:
    """Σ messages × distance."""
    pairs, points = both.tocoo(), board.points[places]
    way = np.abs(points[pairs.row] - points[pairs.col]).sum(axis=1)
    return float(pairs.data @ way) / 2


def _made(both: csr_array, board: Board, n: int) -> Iterator[Ints]:
    yield np.arange(n)
    yield halved(both, board, n)
    if 1 < len(board.points) <= MAX_ASSIGNED:
        yield assigned(both, board, n)


def assigned(both: csr_array, board: Board, n: int) -> Ints:
    """A quadratic assignment solved approximately (FAQ, Vogelstein et al. 2015)."""
    points = board.points
    distance = np.abs(points[:, None] - points).sum(axis=2)
    messages = np.zeros_like(distance)
    messages[:n, :n] = both.toarray()
    options = {"rng": np.random.default_rng(0)}  # unused by this start; else NumPy's global one
    solved = quadratic_assignment(messages, distance, options=options)
    return np.asarray(solved.col_ind[:n], np.intp)
