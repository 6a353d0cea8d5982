"""Partitions that give every neuron its own core number: their messages, and what they break.

Messages are counted neuron by neuron over arrays, apart from the mapper's counting of boxes; on a
partition of boxes both give the same (`agree`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from neurocomp.hw.demand import demand
from neurocomp.ir import Conv, Graph, Input, Projection, Shape, Slice
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.flow import Flow, flow
from neurocomp.mapping.model import Partition
from neurocomp.spec.target import Target

Ints: TypeAlias = npt.NDArray[np.int64]
Cores: TypeAlias = dict[str, Ints]  # of each neuron (channel, row, column)
Places: TypeAlias = tuple[Ints, Ints]  # rows and columns


def neuron_flow(graph: Graph, cores: Cores, n: int, rates: Rates) -> Flow:
    """Messages between cores per step: each neuron's rate to every other core with a target."""
    between = csr_array((n, n), dtype=np.float64)
    inputs = np.zeros(n)
    for p in graph.populations:
        if not graph.outgoing(p.name):
            continue
        listeners = heard(graph, p.name, cores, n)
        wide = csr_array(listeners.reshape(-1, n).astype(np.float64))
        rate = np.broadcast_to(np.asarray(rates.values[p.name], np.float64), p.shape).ravel()
        place = np.arange(p.size) % wide.shape[0]
        if isinstance(p.neuron, Input):
            inputs += np.bincount(place, rate, wide.shape[0]) @ wide
            continue
        spikes = csr_array((rate, (cores[p.name].ravel(), place)), shape=(n, wide.shape[0]))
        between = between + spikes @ wide
    between = between.tolil()
    between.setdiag(0.0)
    between = csr_array(between)
    between.eliminate_zeros()
    return Flow(n, between, inputs)


def heard(graph: Graph, name: str, cores: Cores, n: int) -> npt.NDArray[np.bool_]:
    """Whether a core holds a target of a neuron, (channels, rows, columns, cores).

    One entry stands for all channels where they are alike.
    """
    channels, height, width = graph.population(name).shape
    outgoing = graph.outgoing(name)
    grouped = any(isinstance(e.op, Conv) and e.op.groups > 1 for e in outgoing)
    found = np.zeros((channels if grouped else 1, height, width, n), np.bool_)
    for e in outgoing:
        targets = cores[e.target]
        if not isinstance(e.op, Conv):
            found[..., np.unique(targets)] = True
            continue
        _add(graph, e, e.op, targets, found)
    return found


def _add(
    graph: Graph,
    e: Projection,
    op: Conv,
    targets: Ints,
    listeners: npt.NDArray[np.bool_],
) -> None:
    """Mark the cores of a convolution's targets at their source positions."""
    ends = graph.population(e.source).shape, graph.population(e.target).shape
    own = targets.reshape(op.groups, -1, *targets.shape[1:])  # (group, its channels, rows, columns)
    group_in = ends[0][0] // op.groups
    where = np.zeros((op.groups, *targets.shape[1:], listeners.shape[-1]), np.bool_)
    g, _, y, x = np.indices(own.shape, sparse=True)
    where[g, y, x, own] = True
    for out, into in taps(op, ends):
        found = where[:, out[0], out[1]]  # (group, positions, cores)
        if listeners.shape[0] == 1:
            listeners[0, into[0], into[1]] |= found[0]
        else:
            listeners[:, into[0], into[1]] |= np.repeat(found, group_in, axis=0)


def taps(op: Conv, ends: tuple[Shape, Shape]) -> Iterator[tuple[Places, Places]]:
    """For every kernel tap: (rows, columns) of the targets, and of the sources that they hear."""
    (_, height, width), (_, rows, columns) = ends
    y, x = (grid.ravel() for grid in np.mgrid[0:rows, 0:columns])
    for ky, kx in np.ndindex(op.kernel):
        sy = y * op.stride[0] - op.padding[0] + ky * op.dilation[0]
        sx = x * op.stride[1] - op.padding[1] + kx * op.dilation[1]
        inside = (sy >= 0) & (sy < height) & (sx >= 0) & (sx < width)
        yield (y[inside], x[inside]), (sy[inside], sx[inside])


def neuron_cores(graph: Graph, partition: Partition) -> Cores:
    """The core of every neuron of a partition of boxes."""
    cores = {p.name: np.full(p.shape, -1, np.int64) for p in graph.neurons}
    for core, slices in enumerate(partition.cores):
        for s in slices:
            (c0, y0, x0), (c1, y1, x1) = s.start, s.stop
            cores[s.population][c0:c1, y0:y1, x0:x1] = core
    return cores


def agree(graph: Graph, partition: Partition, rates: Rates) -> bool:
    """Whether counting neurons and counting boxes give the same messages between all cores."""
    boxes = flow(graph, partition, rates)
    single = neuron_flow(graph, neuron_cores(graph, partition), boxes.n, rates)
    same = np.allclose(boxes.between.toarray(), single.between.toarray(), rtol=1e-9)
    return bool(same and np.allclose(boxes.inputs, single.inputs, rtol=1e-9))


def excess(
    graph: Graph, cores: Iterable[Sequence[Slice]], target: Target
) -> list[dict[str, float]]:
    """How many times its limits each core uses, of the resources that it passes.

    Every slice counts with one destination, so that it is a lower bound.
    """
    found = [demand(graph, own, target).excess() for own in cores]
    return [{name: use.used / (use.limit or 1) for name, use in one.items()} for one in found]


def boxes_of(graph: Graph, cores: Cores, n: int) -> list[list[Slice]]:
    """The neurons of each core as boxes."""
    slices: list[list[Slice]] = [[] for _ in range(n)]
    for p in graph.neurons:
        for core in np.unique(cores[p.name]):
            slices[core] += (Slice(p.name, *box) for box in _boxes(cores[p.name] == core))
    return slices


def _boxes(
    inside: npt.NDArray[np.bool_],
) -> Iterator[tuple[tuple[int, int, int], tuple[int, int, int]]]:
    """A set of neurons as boxes: equal runs of columns in rows and channels in a row are joined."""
    left = inside.copy()
    while left.any():
        c, y, x = (int(i) for i in np.unravel_index(left.argmax(), left.shape))
        x1 = x + _run(left[c, y, x:])
        y1 = y + _run(left[c, y:, x:x1].all(axis=1))
        c1 = c + _run(left[c:, y:y1, x:x1].all(axis=(1, 2)))
        left[c:c1, y:y1, x:x1] = False
        yield (c, y, x), (c1, y1, x1)


def _run(values: npt.NDArray[np.bool_]) -> int:
    """How many are true before the first that is not."""
    return int(values.argmin()) if not values.all() else len(values)
