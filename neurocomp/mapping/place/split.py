"""Two halves of some cores that talk little across (Kernighan and Lin 1970).

Besides each other, cores are drawn to either half by those outside.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from neurocomp.mapping.place.board import Bools, Floats, Ints
from neurocomp.mapping.place.spectral import coordinates

ANGLES = 16  # directions in the plane of the two coordinates, along which cores are sorted
SMALLEST = 24  # cores for which coordinates are worth their time
PASSES = 6
PATIENCE = 40  # exchanges without a new best before a pass ends
LEAST = 1e-9  # of all messages: less is no saving


def split(messages: csr_array, drawn: Floats, apart: float, first: int) -> Bools:
    """Whether each core is in the second half, so that few messages go far.

    Args:
        messages: between the cores, symmetric.
        drawn: what each core saves in the second half by what it exchanges with those outside.
        apart: what a message between the halves costs.
        first: cores of the first half.
    """
    n = len(drawn)
    orders = [np.zeros(n), drawn]
    if n >= SMALLEST and messages.nnz:
        turns = np.arange(ANGLES) * 2 * np.pi / ANGLES
        waves = coordinates(messages)
        orders += [waves @ direction for direction in np.stack([np.cos(turns), np.sin(turns)], 1)]
    signs = np.full((n, len(orders)), 1.0)
    for column, order in enumerate(orders):
        signs[np.argsort(np.round(order, 9), kind="stable")[:first], column] = -1.0
    costs = -(signs * (messages @ signs)).sum(axis=0) * apart / 4 - drawn @ (signs > 0)
    return _exchanged(messages, drawn, apart, signs[:, int(np.round(costs, 9).argmin())])


def _exchanged(messages: csr_array, drawn: Floats, apart: float, sign: Floats) -> Bools:
    """Exchange cores of the halves while a chain of exchanges saves."""
    least = LEAST * (messages.sum() * apart + np.abs(drawn).sum())
    for _ in range(PASSES):
        chain, saved = _chain(messages, drawn, apart, sign.copy())
        if saved <= least:
            break
        sign[chain] *= -1
    return sign > 0


def _chain(messages: csr_array, drawn: Floats, apart: float, sign: Floats) -> tuple[Ints, float]:
    """The best beginning of a chain of exchanges, each core once, and what it saves."""
    force = apart * (messages @ sign) + drawn  # towards the second half
    leave = np.where(sign < 0, force, -np.inf)
    enter = np.where(sign > 0, -force, -np.inf)
    chain: list[int] = []
    saved = best = 0.0
    length = 0
    row = np.zeros(len(sign))
    for _ in range(min(int((sign < 0).sum()), int((sign > 0).sum()))):
        i = int(leave.argmax())
        near, much = _row(messages, i)
        row[near] = 2 * apart * much
        j = int((enter - row).argmax())
        saved += leave[i] + enter[j] - row[j]
        chain += [i, j]
        leave += row
        enter -= row
        row[near] = 0.0
        near, much = _row(messages, j)
        leave[near] -= 2 * apart * much
        enter[near] += 2 * apart * much
        leave[i] = enter[j] = -np.inf
        if saved > best:
            best, length = saved, len(chain)
        elif len(chain) - length >= 2 * PATIENCE:
            break
    return np.array(chain[:length], np.intp), best


def _row(messages: csr_array, i: int) -> tuple[Ints, Floats]:
    part = slice(messages.indptr[i], messages.indptr[i + 1])
    return messages.indices[part], messages.data[part]
