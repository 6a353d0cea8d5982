"""Smooth coordinates of a graph: what its slowest waves say about who belongs together.

The second and third eigenvectors of the normalised Laplacian (Hall 1970; Shi and Malik 2000) by
Lanczos' method with full reorthogonalisation. It starts from a fixed vector, takes a fixed number
of steps and stops early where the space is exhausted, as it is after a few steps among equals:
nothing depends on chance, on the clock or on what was computed before.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.sparse import csr_array, diags_array

from neurocomp.mapping.place.board import Floats

STEPS = 64
EXHAUSTED = 1e-9
DIGITS = 6  # of a coordinate whose greatest is 1; what rounding leaves is no difference


def coordinates(messages: csr_array) -> Floats:
    """Two coordinates of each core, (cores, 2); those who talk much are close together.

    Args:
        messages: between the cores, symmetric.
    """
    degree = np.asarray(messages.sum(axis=1), np.float64)
    scale = 1 / np.sqrt(np.where(degree > 0, degree, 1.0))
    around = csr_array(diags_array(scale) @ messages @ diags_array(scale))
    known = [_unit(np.where(degree > 0, 1 / scale, 1.0))]
    for _ in range(2):
        known.append(_slowest(around, known))
    waves = np.stack(known[1:], axis=1) * scale[:, None]
    greatest = max(float(np.abs(waves).max()), EXHAUSTED)
    return np.asarray(np.round(waves / greatest, DIGITS), np.float64)


def _slowest(around: csr_array, known: list[Floats]) -> Floats:
    """The eigenvector of the greatest eigenvalue that is orthogonal to the known ones."""
    n = around.shape[0]
    steps = min(STEPS, n - len(known))
    basis = np.zeros((len(known) + steps, n))
    basis[: len(known)] = known
    start = np.random.default_rng(len(known)).standard_normal(n)
    q = _unit(start - basis.T @ (basis @ start))
    diagonal: list[float] = []
    beside: list[float] = []
    for step in range(len(known), len(basis)):
        basis[step] = q
        ahead = around @ q
        diagonal.append(float(q @ ahead))
        for _ in range(2):
            ahead = ahead - basis.T @ (basis @ ahead)
        length = float(np.linalg.norm(ahead))
        if length < EXHAUSTED:
            break
        beside.append(length)
        q = ahead / length
    m = len(diagonal)
    _, vectors = eigh_tridiagonal(
        np.array(diagonal), np.array(beside[: m - 1]), select="i", select_range=(m - 1, m - 1)
    )
    return _unit(basis[len(known) : len(known) + m].T @ vectors[:, 0])


def _unit(vector: Floats) -> Floats:
    return vector / max(float(np.linalg.norm(vector)), EXHAUSTED)
