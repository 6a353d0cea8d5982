"""A lower bound of the hops of any placement."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from neurocomp.mapping.flow import Flow
from neurocomp.spec.target import Target


def fewest_hops(flow: Flow, target: Target) -> float:
    """Σ messages × hops if every core had those it talks to most nearest, on an endless mesh.

    A tile has ``4·d`` tiles at distance d. Every pair of cores is counted from both its ends, so
    half the sum bounds the hops of all (Gilmore 1962, without the assignment).
    """
    both = csr_array(flow.between + flow.between.T)
    degrees = np.diff(both.indptr)
    if not both.nnz:
        return 0.0
    sender = np.repeat(np.arange(flow.n), degrees)
    busiest = np.lexsort((-both.data, sender))
    rank = np.arange(both.nnz) - np.repeat(both.indptr[:-1], degrees)
    distances = _nearest(int(degrees.max()), target.mesh.cores_per_tile.value)
    return float(both.data[busiest] @ distances[rank] / 2)


def _nearest(n: int, cores_per_tile: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Hops to the nearest cores, ascending."""
    at = np.zeros(cores_per_tile - 1, np.int64)
    d = 0
    while len(at) < n:
        d += 1
        at = np.append(at, np.full(4 * d * cores_per_tile, d))
    return at[:n]
