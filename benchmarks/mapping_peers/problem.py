"""A network as the graph and the hypergraph that partitioners take, fine or coarse.

A net is a source vertex with everything that listens to it, weighted with its spikes: the
connectivity of a partition (λ − 1) is then its number of messages. For partitioners of graphs a net
is a star. Two kinds of vertex:

- atoms: the neurons of a block of 16 channels (more in large layers) at one position. Their
  synapses are alike, so telling them apart would gain little; hundreds of millions of synapses
  become a few hundred thousand edges. What kernels take on a core is not seen.
- grains: boxes that fit a core several times, weighted with the share of a core that each needs
  alone. That grains on a core share kernels is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from mapping_peers.neurons import Cores, heard, neuron_cores, taps
from neurocomp.hw.demand import need
from neurocomp.hw.layer import Layer, layer_of
from neurocomp.hw.tiles import boxes
from neurocomp.ir import Conv, Graph, Input, Projection, Shape, Slice
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.model import Partition
from neurocomp.spec.target import Target

Ints: TypeAlias = npt.NDArray[np.int64]
SMALLEST_BLOCK = 16  # channels of an atom
MOST_ATOMS = 4096  # of a population; blocks are doubled until there are no more
GRAIN_SHARE = 0.34  # of a core: three grains fit one
WHOLE = 1000  # weight of a grain that needs a whole core


class Problem(NamedTuple):
    """What a partitioner is given.

    Attributes:
        sizes: weight of each vertex; parts are balanced in it.
        nets: source vertex and target vertices of each net, the source first.
        spikes: weight of each net.
    """

    sizes: Ints
    nets: list[list[int]]
    spikes: npt.NDArray[np.float64]


def subproblem(problem: Problem, vertices: Ints) -> Problem:
    """The problem of some of the vertices, numbered anew in their order."""
    number = {vertex: i for i, vertex in enumerate(vertices.tolist())}
    inside = [[number[pin] for pin in net if pin in number] for net in problem.nets]
    kept = [i for i, net in enumerate(inside) if len(net) > 1]
    return Problem(problem.sizes[vertices], [inside[i] for i in kept], problem.spikes[kept])


class Atoms(NamedTuple):
    """The atoms of one population.

    Attributes:
        block: channels of an atom.
        numbers: vertex numbers, (blocks, rows, columns).
        sizes, spikes: neurons of each atom, and their spikes per step, in the same shape.
    """

    block: int
    numbers: Ints
    sizes: Ints
    spikes: npt.NDArray[np.float64]


def atoms_of(graph: Graph, rates: Rates) -> dict[str, Atoms]:
    """Atoms of every population that lives on cores, numbered through."""
    found: dict[str, Atoms] = {}
    first = 0
    for p in graph.neurons:
        channels, height, width = p.shape
        block = SMALLEST_BLOCK
        while -(-channels // block) * height * width > MOST_ATOMS and block < channels:
            block *= 2
        starts = np.arange(0, channels, block)
        numbers = first + np.arange(len(starts) * height * width).reshape(-1, height, width)
        lengths = np.minimum(block, channels - starts)
        sizes = np.broadcast_to(lengths[:, None, None], numbers.shape)
        each = np.broadcast_to(np.asarray(rates.values[p.name], np.float64), p.shape)
        spikes = np.add.reduceat(each, starts, axis=0)
        found[p.name] = Atoms(block, numbers, sizes, spikes)
        first += numbers.size
    return found


def atom_problem(graph: Graph, atoms: dict[str, Atoms]) -> Problem:
    """Atoms balanced in neurons."""
    parts = [
        part
        for e in graph.projections
        if not isinstance(graph.population(e.source).neuron, Input)
        for part in _pairs(graph, e, atoms[e.source], atoms[e.target])
    ]
    pairs = np.unique(np.concatenate(parts), axis=0)
    starts = np.flatnonzero(np.r_[True, np.diff(pairs[:, 0]) != 0])
    nets = [
        [int(own), *(other for other in pins.tolist() if other != own)]
        for own, pins in zip(pairs[starts, 0], np.split(pairs[:, 1], starts[1:]), strict=True)
    ]
    sizes, spikes = (
        np.concatenate([getattr(a, key).ravel() for a in atoms.values()])
        for key in ("sizes", "spikes")
    )
    return Problem(sizes, nets, spikes[pairs[starts, 0]])


def _pairs(graph: Graph, e: Projection, source: Atoms, target: Atoms) -> Iterator[Ints]:
    """(source atom, target atom) of everything that a projection connects."""
    if not isinstance(e.op, Conv):
        grid = np.meshgrid(source.numbers, target.numbers)
        yield np.stack([axis.ravel() for axis in grid], axis=1)
        return
    ends = graph.population(e.source).shape, graph.population(e.target).shape
    i, j = np.nonzero(_connected_blocks(e.op, ends, source.block, target.block))
    for out, into in taps(e.op, ends):
        a, b = source.numbers[i][:, into[0], into[1]], target.numbers[j][:, out[0], out[1]]
        yield np.stack([a.ravel(), b.ravel()], axis=1)


def _connected_blocks(op: Conv, ends: tuple[Shape, Shape], source: int, target: int) -> Ints:
    """Pairs of connected channels between blocks, (source blocks, target blocks)."""
    channels_in, channels_out = ends[0][0], ends[1][0]
    group_in = np.arange(channels_in) * op.groups // channels_in
    group_out = np.arange(channels_out) * op.groups // channels_out
    pairs = (group_in[:, None] == group_out).astype(np.int64)
    pairs = np.add.reduceat(pairs, np.arange(0, channels_in, source), axis=0)
    return np.asarray(np.add.reduceat(pairs, np.arange(0, channels_out, target), axis=1))


def cores_of_atoms(graph: Graph, atoms: dict[str, Atoms], part: Ints) -> Cores:
    """The core of every neuron from the part of every atom."""
    return {
        p.name: np.repeat(part[atoms[p.name].numbers], atoms[p.name].block, axis=0)[: p.shape[0]]
        for p in graph.neurons
    }


def grains_of(graph: Graph, target: Target) -> Partition:
    """Every layer in boxes that need a third of a core or the least possible; one per core."""
    return Partition(
        tuple(
            (Slice(p.name, *box),)
            for p in graph.neurons
            for box in boxes(p.shape, _grain(layer_of(graph, p.name, target), target))
        )
    )


def _grain(layer: Layer, target: Target) -> Shape:
    """Channels are halved until one row and column is small enough, then rows, then columns."""
    tile = [*layer.shape]
    while tile[0] > 1 and _share(layer, target, (tile[0], 1, 1)) > GRAIN_SHARE:
        tile[0] = -(-tile[0] // 2)
    for axis in (1, 2):
        while tile[axis] > 1 and _share(layer, target, (tile[0], tile[1], tile[2])) > GRAIN_SHARE:
            tile[axis] = 1 << (tile[axis] - 1).bit_length() - 1
    return tile[0], tile[1], tile[2]


def _share(layer: Layer, target: Target, tile: Shape) -> float:
    """Greatest share of a core's resource that a box in the middle needs."""
    start = [(n - t) // 2 for n, t in zip(layer.shape, tile, strict=True)]
    stop = [a + t for a, t in zip(start, tile, strict=True)]
    counts = need(layer, [((start[0], start[1], start[2]), (stop[0], stop[1], stop[2]))], target)
    pairs = zip(counts, target.limits, strict=True)
    return max(used / limit for used, limit in pairs if limit)


def grain_problem(graph: Graph, grains: Partition, target: Target, rates: Rates) -> Problem:
    """Grains balanced in the share of a core that each needs; nets as exact as the neurons are."""
    layers = {p.name: layer_of(graph, p.name, target) for p in graph.neurons}
    sizes = []
    for (s,) in grains.cores:
        counts = need(layers[s.population], [(s.start, s.stop)], target)
        pairs = zip(counts, target.limits, strict=True)
        sizes.append(max(1, round(WHOLE * max(used / limit for used, limit in pairs if limit))))
    numbers = neuron_cores(graph, grains)
    nets: dict[tuple[int, bytes], float] = {}
    for p in graph.neurons:
        if graph.outgoing(p.name):
            listeners = heard(graph, p.name, numbers, len(sizes))
            _collect(nets, listeners, numbers[p.name], rates, p.name)
    pins = [
        [own, *(i for i in _unpacked(row, len(sizes)) if i != own)] for own, row in sorted(nets)
    ]
    return Problem(np.array(sizes, np.int64), pins, np.array([nets[key] for key in sorted(nets)]))


def _collect(
    nets: dict[tuple[int, bytes], float],
    listeners: npt.NDArray[np.bool_],
    own: Ints,
    rates: Rates,
    name: str,
) -> None:
    """Add up the spikes of the neurons with equal vertex and equal listeners."""
    rows = np.packbits(listeners, axis=-1)
    distinct, kind = np.unique(rows.reshape(-1, rows.shape[-1]), axis=0, return_inverse=True)
    kinds = np.broadcast_to(kind.reshape(listeners.shape[:3]), own.shape)
    each = np.broadcast_to(np.asarray(rates.values[name], np.float64), own.shape)
    keys = own.ravel() * len(distinct) + kinds.ravel()
    found, place = np.unique(keys, return_inverse=True)
    for key, spikes in zip(found.tolist(), np.bincount(place, each.ravel()), strict=True):
        vertex, number = divmod(key, len(distinct))
        nets[vertex, distinct[number].tobytes()] = float(spikes)


def _unpacked(row: bytes, n: int) -> list[int]:
    return [int(i) for i in np.flatnonzero(np.unpackbits(np.frombuffer(row, np.uint8), count=n))]


def partition_of_grains(grains: Partition, part: Ints) -> Partition:
    """The grains of each part on one core; parts without any are gone."""
    cores: dict[int, list[Slice]] = {}
    for (s,), number in zip(grains.cores, part.tolist(), strict=True):
        cores.setdefault(number, []).append(s)
    return Partition(tuple(tuple(sorted(cores[number])) for number in sorted(cores)))
