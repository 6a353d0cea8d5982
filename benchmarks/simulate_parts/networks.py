"""Networks with seeded weights and thresholds at which every layer is active, and a mapping."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from neurocomp.ir import (
    Array,
    Conv,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Op,
    Population,
    Projection,
    Slice,
)
from neurocomp.ir.shapes import conv_output, weight_shape
from neurocomp.mapping.model import CoreAddress, Mapping, Partition, Placement, Route
from neurocomp.quant import reference
from neurocomp.quant.check import check
from neurocomp.quant.fixed import MAX_VTH

RATE = 0.05  # share of neurons that fire
Layer = tuple[str, Op, int]  # name, operation, channels or neurons


def pilot_network(steps: int) -> tuple[Graph, Array]:
    """200 × 66 × 3 spikes, five convolutions, four dense layers: PilotNet's 118,909 neurons."""
    convolutions = [
        (24, Conv((3, 3), (2, 2))),
        (36, Conv((3, 3), (2, 2))),
        (48, Conv((3, 3), (2, 2))),
        (64, Conv((3, 3), (2, 1), (1, 0))),
        (64, Conv((3, 3))),
    ]
    layers: list[Layer] = [(f"conv{i}", op, n) for i, (n, op) in enumerate(convolutions)]
    layers += [(f"fc{i}", Dense(), n) for i, n in enumerate((100, 50, 10, 1))]
    rng = np.random.default_rng(0)
    values = (rng.random((1, steps, 3, 66, 200)) < 2 * RATE).astype(np.uint8)
    source = Population("in", (3, 66, 200), Input())
    graph = network(rng, "pilot", source, layers)
    return check(lively(graph, values[:, :16])), values


def vgg_network() -> Graph:
    """32 × 32 × 3 values of 4 bits, seven convolutions and two dense layers, T = 4."""
    convolutions = [(64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (256, 1)]
    layers: list[Layer] = [
        (f"conv{i}", Conv((3, 3), (stride, stride), (1, 1)), n)
        for i, (n, stride) in enumerate(convolutions)
    ]
    layers += [("fc0", Dense(), 768), ("fc1", Dense(), 10)]
    rng = np.random.default_rng(0)
    graph = network(rng, "vgg", Population("in", (3, 32, 32), Input(4)), layers, timesteps=4)
    graph = lively(graph, rng.integers(0, 16, (4, 3, 32, 32)).astype(np.uint8), rate=2 * RATE)
    last = replace(graph.population("fc1"), neuron=LoihiLif(MAX_VTH, dv=0))
    graph = graph.with_parts((*graph.populations[:-1], last), graph.projections)
    return check(replace(graph, readout="membrane"))


def dense_network(sizes: tuple[int, ...]) -> Graph:
    """Dense layers of those sizes behind as many spikes as the first says."""
    rng = np.random.default_rng(0)
    layers: list[Layer] = [(f"fc{i}", Dense(), n) for i, n in enumerate(sizes[1:])]
    graph = network(rng, "dense", Population("in", (sizes[0], 1, 1), Input()), layers)
    values = (rng.random((1, 12, sizes[0], 1, 1)) < 0.1).astype(np.uint8)
    return check(lively(graph, values))


def network(
    rng: np.random.Generator,
    name: str,
    source: Population,
    layers: list[Layer],
    timesteps: int | None = None,
) -> Graph:
    """Layers one behind the other, with even weights of 8 bits; thresholds are still to be set."""
    populations, projections = [source], []
    for layer, op, n in layers:
        before = populations[-1]
        shape = conv_output(op, before.shape, n) if isinstance(op, Conv) else (n, 1, 1)
        form = weight_shape(op, before.shape, shape)
        weight = (rng.integers(-32, 33, form) * 2).astype(np.int32)
        delay = 1 if timesteps is None else 0
        populations.append(Population(layer, shape, LoihiLif(vth=100, dv=1024)))
        projections.append(
            Projection(f"{before.name}-{layer}", before.name, layer, op, 8, weight, 1, delay=delay)
        )
    last = populations[-1].name
    return Graph(name, tuple(populations), tuple(projections), last, timesteps, "spikes")


def lively(graph: Graph, values: Array, rate: float = RATE) -> Graph:
    """The graph with thresholds at which each layer, in turn, fires at about a rate."""
    populations = [graph.populations[0]]
    for i, p in enumerate(graph.neurons):
        low, high = 0, 2**14
        while high - low > 1:
            vth = (low + high) // 2
            tried = (*populations, replace(p, neuron=replace(p.neuron, vth=vth)))
            edges = graph.projections[: i + 1]
            part = Graph("part", tried, edges, p.name, graph.timesteps, "spikes")
            late = reference.run(part, values).spikes[p.name][:, -3:]
            low, high = (vth, high) if late.mean() > rate else (low, vth)
        populations.append(replace(p, neuron=replace(p.neuron, vth=high)))
    return graph.with_parts(tuple(populations), graph.projections)


def synapses(graph: Graph) -> int:
    """Synapses of all neurons, those of a convolution counted at every position."""
    shape = {p.name: p.shape for p in graph.populations}
    return sum(
        int(e.weight.size)
        * (shape[e.target][1] * shape[e.target][2] if isinstance(e.op, Conv) else 1)
        for e in graph.projections
        if e.weight is not None
    )


def weight_bytes(graph: Graph) -> int:
    """Memory of the weights as the graph holds them."""
    return sum(e.weight.nbytes for e in graph.projections if e.weight is not None)


def cut(graph: Graph, n_cores: int) -> Mapping:
    """A mapping by hand: every layer along its longest axis, about evenly, on one chip."""
    total = sum(p.size for p in graph.neurons)
    cores: list[tuple[Slice, ...]] = []
    for p in graph.neurons:
        pieces = max(1, round(n_cores * p.size / total))
        axis = max(range(3), key=p.shape.__getitem__)
        edges = sorted({round(i * p.shape[axis] / pieces) for i in range(pieces + 1)})
        for a, b in itertools.pairwise(edges):
            start, stop = [0, 0, 0], list(p.shape)
            start[axis], stop[axis] = a, b
            cores.append((Slice(p.name, tuple(start), tuple(stop)),))
    if n_cores == 1:
        cores = [tuple(s for core in cores for s in core)]
    everyone = tuple(range(len(cores)))
    routes = [Route(graph.inputs[0].name, None, everyone)]
    routes += [Route(s.population, i, everyone) for i, core in enumerate(cores) for s in core]
    return Mapping(
        graph.name, graph.digest(), "by hand", "by hand", 0, Partition(tuple(cores)),
        Placement(tuple(CoreAddress(0, i) for i in everyone)), tuple(routes),
    )  # fmt: skip
