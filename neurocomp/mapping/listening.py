"""Who listens to whom, from the convolution's index arithmetic: for the limits of cores."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.hw.demand import FORMATS
from neurocomp.hw.layer import layer_of
from neurocomp.ir import Conv, Graph, Input, Projection, Shape, Slice, whole
from neurocomp.mapping.model import Partition
from neurocomp.spec.target import Target

Interval: TypeAlias = tuple[int, int]
Held: TypeAlias = dict[tuple[Interval, ...], int | None]  # a slice's intervals → its core


class Listening(NamedTuple):
    """A slice on a core listens to neurons of a source slice.

    Attributes:
        source: core of the source slice, None for an input population.
        held: the source slice, as an interval per axis.
        channels: source channels listened to; positions: how many (row, column) places.
    """

    projection: str
    population: str
    source: int | None
    held: tuple[Interval, ...]
    target: int
    channels: Interval
    positions: int


def listening(graph: Graph, partition: Partition) -> Iterator[Listening]:
    """Every pair of a source slice and a target slice between which there are synapses."""
    held: dict[str, Held] = {p.name: {} for p in graph.populations}
    for p in graph.populations:
        if isinstance(p.neuron, Input):
            held[p.name][_intervals(whole(p))] = None
    listeners: dict[str, list[tuple[int, Slice]]] = {p.name: [] for p in graph.populations}
    for core, slices in enumerate(partition.cores):
        for s in slices:
            held[s.population][_intervals(s)] = core
            listeners[s.population].append((core, s))
    for e in graph.projections:
        yield from _through(graph, e, held[e.source], listeners[e.target])


def _intervals(s: Slice) -> tuple[Interval, ...]:
    return tuple(zip(s.start, s.stop, strict=True))


def _through(
    graph: Graph, e: Projection, held: Held, listeners: list[tuple[int, Slice]]
) -> Iterator[Listening]:
    source, target = graph.population(e.source).shape, graph.population(e.target).shape
    axes = [sorted({intervals[axis] for intervals in held}) for axis in range(3)]
    found: dict[tuple[int, Interval], list[tuple[Interval, int, int]]] = {}
    for core, s in listeners:
        for axis, interval in enumerate(_intervals(s)):
            if (axis, interval) not in found:
                indices = heard(e, source, target, axis, *interval)
                found[axis, interval] = list(_meeting(indices, axes[axis]))
        c, y, x = (found[axis, interval] for axis, interval in enumerate(_intervals(s)))
        for (channels, first, n), (rows, _, n_rows), (columns, _, n_columns) in product(c, y, x):
            key = (channels, rows, columns)
            if key in held:
                span = (first, first + n)
                yield Listening(e.name, e.source, held[key], key, core, span, n_rows * n_columns)


def heard(
    e: Projection, source: Shape, target: Shape, axis: int, start: int, stop: int
) -> npt.NDArray[np.int64]:
    """Source indices along an axis that target indices ``start ≤ o < stop`` listen to, ascending.

    Channels of a convolution: those of the same groups. Rows and columns:
    ``o·stride − padding + k·dilation`` for every tap k, as far as they exist. Dense: all.
    """
    if not isinstance(e.op, Conv):
        return np.arange(source[axis])
    outputs = np.arange(start, stop)
    if axis == 0:
        groups = np.unique(outputs * e.op.groups // target[0])
        per_group = source[0] // e.op.groups
        return np.ravel(groups[:, None] * per_group + np.arange(per_group))
    i = axis - 1
    taps = np.arange(e.op.kernel[i]) * e.op.dilation[i]
    indices = np.unique(outputs[:, None] * e.op.stride[i] - e.op.padding[i] + taps)
    return indices[(indices >= 0) & (indices < source[axis])]


def _meeting(
    indices: npt.NDArray[np.int64], intervals: list[Interval]
) -> Iterator[tuple[Interval, int, int]]:
    """The intervals that hold some of the indices, the first index in each and how many."""
    for start, stop in intervals:
        a, b = np.searchsorted(indices, (start, stop))
        if a < b:
            yield (start, stop), int(indices[a]), int(b - a)


def reach(
    graph: Graph, target: Target, partition: Partition, heard: list[Listening]
) -> list[dict[str, int]]:
    """Axon entries of every core by projection, as `neurocomp.hw.demand` takes them.

    Loihi 2 lists a whole slice for each destination core; on Loihi 1 a neuron or position has an
    axon to each target slice that hears it.
    """
    layers = {p.name: layer_of(graph, p.name, target) for p in graph.neurons}
    ends = {e.name: (layer, e) for layer in layers.values() for e in layer.outgoing}
    chosen = FORMATS[target.core.format]
    entries = [{name: 0 for name in ends} for _ in partition.cores]
    listed: set[tuple[str, tuple[Interval, ...], int]] = set()
    for h in heard:
        if h.source is None:
            continue
        channels, positions = h.channels, h.positions
        if chosen.whole_lists:
            key = (h.projection, h.held, h.target)
            if key in listed:
                continue
            listed.add(key)
            channels, (y0, y1), (x0, x1) = h.held
            positions = (y1 - y0) * (x1 - x0)
        layer, e = ends[h.projection]
        entries[h.source][h.projection] += chosen.entries(layer, e, target, *channels, positions)
    return entries
