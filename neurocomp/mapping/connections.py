"""Which slice sends to which core: the partition's slices against the projections' fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import product
from typing import NamedTuple, TypeAlias

from neurocomp.hw.fields import Region, region
from neurocomp.ir import Graph, Input, Shape
from neurocomp.mapping.model import Partition

Interval: TypeAlias = tuple[int, int]
Touched: TypeAlias = Callable[[int, int], list[tuple[int, Interval]]]  # axis, positions as a mask


class Connection(NamedTuple):
    """The neurons of one slice that have targets on one core through one projection.

    Attributes:
        source: logical core of the slice, None for an input population.
        region: neurons of the slice that are listened to.
    """

    projection: str
    population: str
    source: int | None
    target: int
    region: Region


class _Index:
    """Slices of one population, found by the intervals they take along each axis."""

    def __init__(self) -> None:
        self.cores: dict[tuple[Interval, Interval, Interval], int | None] = {}
        self.intervals: tuple[set[Interval], set[Interval], set[Interval]] = (set(), set(), set())

    def add(self, start: Shape, stop: Shape, core: int | None) -> None:
        key = ((start[0], stop[0]), (start[1], stop[1]), (start[2], stop[2]))
        self.cores[key] = core
        for axis, interval in zip(self.intervals, key, strict=True):
            axis.add(interval)


def connections(graph: Graph, partition: Partition) -> Iterator[Connection]:
    """Every connection, projections in the graph's order, then by target core and source slice.

    The work grows with the number of slices that meet, not with neurons.
    """
    indices = _indices(graph, partition)
    targets: dict[str, list[tuple[int, tuple[Shape, Shape]]]] = {}
    for core, slices in enumerate(partition.cores):
        for s in slices:
            targets.setdefault(s.population, []).append((core, (s.start, s.stop)))
    for e in graph.projections:
        source, target = graph.population(e.source).shape, graph.population(e.target).shape
        index = indices[e.source]
        axes = [sorted(axis) for axis in index.intervals]
        touched = cache(partial(_touched, axes))
        met: dict[Region, list[tuple[Region, int | None]]] = {}
        for core, box in targets[e.target]:
            field = region(e.op, source, target, box)
            if field not in met:
                met[field] = list(_meeting(field, axes[0], touched, index))
            for part, sender in met[field]:
                yield Connection(e.name, e.source, sender, core, part)


def _indices(graph: Graph, partition: Partition) -> dict[str, _Index]:
    indices = {p.name: _Index() for p in graph.populations}
    for p in graph.populations:
        if isinstance(p.neuron, Input):
            indices[p.name].add((0, 0, 0), p.shape, None)
    for core, slices in enumerate(partition.cores):
        for s in slices:
            indices[s.population].add(s.start, s.stop, core)
    return indices


def _meeting(
    field: Region, channels: list[Interval], touched: Touched, index: _Index
) -> Iterator[tuple[Region, int | None]]:
    """The slices that a field touches, with the touched part of each."""
    ends = [
        (max(a, field.channels[0]), min(b, field.channels[1]), (a, b))
        for a, b in channels
        if a < field.channels[1] and field.channels[0] < b
    ]
    rows, columns = touched(1, field.rows), touched(2, field.columns)
    for (c0, c1, c), (y_set, y), (x_set, x) in product(ends, rows, columns):
        if (c, y, x) in index.cores:
            yield Region((c0, c1), y_set, x_set), index.cores[c, y, x]


def _touched(axes: list[list[Interval]], axis: int, mask: int) -> list[tuple[int, Interval]]:
    """The intervals of an axis that a set of positions touches, with the touched part of each."""
    parts = ((_cut(mask, i), i) for i in axes[axis])
    return [(part, i) for part, i in parts if part]


def _cut(mask: int, interval: Interval) -> int:
    start, stop = interval
    return mask >> start << start & (1 << stop) - 1
