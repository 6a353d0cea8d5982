"""Which slice listens to which, and through how many synapses, in closed form.

A projection connects axis by axis: channels by groups, rows and columns by stride, padding and
dilation. So the synapses between two boxes are a product of three counts, each of a pair of
intervals; no neuron is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from neurocomp.ir import Conv, Graph, Projection, Shape
from neurocomp.mapping.check.tables import Ints, Table

PAIRS_AT_ONCE = 1 << 22  # keeps the arrays small, however many slices there are


class Heard(NamedTuple):
    """Pairs of slices with synapses between them, through one projection.

    Attributes:
        source, target: rows of the tables of the two populations.
        synapses: between the two slices.
        extent: (pairs, axes): source indices along each axis that are listened to.
    """

    projection: Projection
    source: Ints
    target: Ints
    synapses: Ints
    extent: Ints


def heard_by_all(graph: Graph, tables: dict[str, Table]) -> Iterator[Heard]:
    """Who listens to whom through every projection."""
    for e in graph.projections:
        yield _heard(graph, e, tables[e.source], tables[e.target])


def synapse_faults(graph: Graph, heard: list[Heard]) -> Iterator[str]:
    """Projections of which not every synapse lies between two slices exactly once."""
    for h in heard:
        e = h.projection
        ends = graph.population(e.source).shape, graph.population(e.target).shape
        whole = [np.array([[0, n]], np.int64) for n in (*ends[0], *ends[1])]
        want = 1
        for axis in range(3):
            want *= int(pair_counts(e, ends, axis, whole[axis], whole[3 + axis])[0, 0])
        have = int(h.synapses.sum())
        if have != want:
            yield f"projection '{e.name}': {have} synapses lie between slices, it has {want}"


def indices(e: Projection, ends: tuple[Shape, Shape], axis: int, start: int, stop: int) -> Ints:
    """Source indices along an axis that target indices ``start ≤ o < stop`` listen to."""
    size = ends[0][axis]
    if not isinstance(e.op, Conv):
        return np.arange(size)
    if axis == 0:
        per_group = size // e.op.groups
        group_out = ends[1][0] // e.op.groups
        return np.arange(start // group_out * per_group, -(-stop // group_out) * per_group)
    i = axis - 1
    first = np.arange(start, stop) * e.op.stride[i] - e.op.padding[i]
    reached = first[:, None] + np.arange(e.op.kernel[i]) * e.op.dilation[i]
    marked = np.zeros(size, np.bool_)
    marked[reached[(reached >= 0) & (reached < size)]] = True
    return np.flatnonzero(marked)


def _heard(graph: Graph, e: Projection, sources: Table, targets: Table) -> Heard:
    ends = graph.population(e.source).shape, graph.population(e.target).shape
    synapses, extents, rows, columns = [], [], [], []
    for axis in range(3):
        from_, row = np.unique(targets.boxes[:, axis], axis=0, return_inverse=True)
        into, column = np.unique(sources.boxes[:, axis], axis=0, return_inverse=True)
        synapses.append(pair_counts(e, ends, axis, into, from_))
        extents.append(_extents(e, ends, axis, into, from_))
        rows.append(row.ravel())
        columns.append(column.ravel())
    found = []
    n = max(1, PAIRS_AT_ONCE // max(1, len(sources.cores)))
    for first in range(0, len(targets.cores), n):
        part = [row[first : first + n] for row in rows]
        count = synapses[0][part[0]][:, columns[0]]
        for axis in (1, 2):
            count = count * synapses[axis][part[axis]][:, columns[axis]]
        target, source = np.nonzero(count)
        found.append(np.stack([first + target, source, count[target, source]]))
    target, source, total = np.concatenate(found, axis=1)
    extent = [extents[axis][rows[axis][target], columns[axis][source]] for axis in range(3)]
    return Heard(e, source, target, total, np.stack(extent, axis=1))


def pair_counts(
    e: Projection, ends: tuple[Shape, Shape], axis: int, sources: Ints, targets: Ints
) -> Ints:
    """Connected (target index, source index) pairs of intervals, (targets, sources).

    Rows and columns: tap k joins o with ``o·stride − padding + k·dilation``, so that a source
    interval is reached by an interval of targets for each tap.
    """
    if not isinstance(e.op, Conv):
        return np.outer(_length(targets), _length(sources))
    if axis == 0:
        return _per_group(targets, ends[1][0], e.op) @ _per_group(sources, ends[0][0], e.op).T
    i = axis - 1
    count = np.zeros((len(targets), len(sources)), np.int64)
    for tap in range(e.op.kernel[i]):
        shift = e.op.padding[i] - tap * e.op.dilation[i]
        reached = -(-(sources + shift) // e.op.stride[i])
        low = np.maximum(targets[:, None, 0], reached[:, 0])
        high = np.minimum(targets[:, None, 1], reached[:, 1])
        count += np.maximum(high - low, 0)
    return count


def _extents(
    e: Projection, ends: tuple[Shape, Shape], axis: int, sources: Ints, targets: Ints
) -> Ints:
    """Source indices of each interval that each target interval listens to, (targets, sources)."""
    before = np.zeros((len(targets), ends[0][axis] + 1), np.int64)
    for row, (start, stop) in enumerate(targets.tolist()):
        before[row, indices(e, ends, axis, start, stop) + 1] = 1
    np.cumsum(before, axis=1, out=before)
    return np.asarray(before[:, sources[:, 1]] - before[:, sources[:, 0]])


def _per_group(intervals: Ints, channels: int, op: Conv) -> Ints:
    """How much of each group lies in each interval of channels."""
    edges = np.arange(op.groups + 1) * (channels // op.groups)
    low = np.maximum(intervals[:, None, 0], edges[:-1])
    high = np.minimum(intervals[:, None, 1], edges[1:])
    return np.asarray(np.maximum(high - low, 0))


def _length(intervals: Ints) -> Ints:
    return np.asarray(intervals[:, 1] - intervals[:, 0])
