"""Integer networks and mappings for the tests of the backends, and a run without Lava."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from neurocomp.backend.emit.boxes import field_of_view, intersect
from neurocomp.backend.emit.program import Program
from neurocomp.backend.engine.chip import Engine
from neurocomp.backend.execution import formed, opened
from neurocomp.backend.mapped import ChipNetwork
from neurocomp.ir import (
    Array,
    Conv,
    Delta,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Op,
    Population,
    Projection,
    Sigma,
    SigmaDelta,
    Slice,
    average_pool,
    skip,
    whole,
)
from neurocomp.mapping.model import CoreAddress, Mapping, Partition, Placement, Route
from neurocomp.quant import reference
from neurocomp.quant.check import check
from neurocomp.quant.fixed import MAX_VTH, level_range
from neurocomp.quant.reference import UNWATCHED, Watch

READOUT = LoihiLif(vth=MAX_VTH, dv=0)


def weights(
    rng: np.random.Generator, shape: tuple[int, ...], bits: int = 4, exponent: int = 0
) -> np.ndarray:
    """Random levels of a width, in units of 2**exponent."""
    low, high = level_range(bits)
    return rng.integers(low, high + 1, shape) << exponent


def projection(
    rng: np.random.Generator,
    source: str,
    target: str,
    op: Op,
    shape: tuple[int, ...],
    *,
    bits: int = 4,
    exponent: int = 0,
    kept: float = 1.0,
    delay: int = 0,
    name: str = "",
) -> Projection:
    """A projection with random weights; ``kept`` below 1 prunes synapses by a mask."""
    weight = weights(rng, shape, bits, exponent)
    mask = None
    if kept < 1:
        mask = rng.random(shape) < kept
        weight = weight * mask
    return Projection(
        name or f"{source}-{target}", source, target, op, bits, weight, exponent, mask, delay
    )


def lively(graph: Graph, values: Array, rate: float = 0.2) -> Graph:
    """The graph with each threshold set so that its population fires at about ``rate``."""
    for p in graph.neurons:
        if p.name == graph.output and graph.readout == "membrane":
            continue
        low, high = 0, 2**11
        while high - low > 1:
            vth = (low + high) // 2
            graph = _with_threshold(graph, p.name, vth)
            fires = float(reference.run(graph, values).spikes[p.name].mean())
            low, high = (vth, high) if fires > rate else (low, vth)
        graph = _with_threshold(graph, p.name, high)
    return graph


def _with_threshold(graph: Graph, name: str, vth: int) -> Graph:
    def changed(p: Population) -> Population:
        assert isinstance(p.neuron, LoihiLif)
        return replace(p, neuron=replace(p.neuron, vth=vth))

    populations = tuple(changed(p) if p.name == name else p for p in graph.populations)
    return graph.with_parts(populations, graph.projections)


def images(graph: Graph, n: int, seed: int = 0, steps: int | None = None) -> np.ndarray:
    """Random input values: one frame per sample, or one per step."""
    source = graph.inputs[0]
    assert isinstance(source.neuron, Input)
    lead = (n,) if steps is None else (n, steps)
    values = np.random.default_rng(seed).integers(0, 2**source.neuron.bits, (*lead, *source.shape))
    return values.astype(np.uint8 if source.neuron.bits <= 8 else np.uint16)


@cache
def chain(readout: str = "membrane") -> Graph:
    """4-bit input (1, 6, 6) · conv 3×3 · strided conv with bias · dense readout; T = 4."""
    rng = np.random.default_rng(1)
    output = READOUT if readout == "membrane" else LoihiLif(vth=20, dv=1024)
    populations = (
        Population("in", (1, 6, 6), Input(4)),
        Population("a", (4, 6, 6), LoihiLif(0)),
        Population("b", (3, 3, 3), LoihiLif(0, dv=1365), np.array([-3, 0, 5])),
        Population("out", (5, 1, 1), output),
    )
    projections = (
        projection(rng, "in", "a", Conv((3, 3), padding=(1, 1)), (4, 1, 3, 3)),
        projection(rng, "a", "b", Conv((3, 3), (2, 2), (1, 1)), (3, 4, 3, 3), bits=2, exponent=2),
        projection(rng, "b", "out", Dense(), (5, 27), bits=8),
    )
    graph = Graph("chain", populations, projections, "out", timesteps=4, readout=readout)
    return lively(graph, images(graph, 2))


@cache
def dag() -> Graph:
    """Everything at once, T = 6.

    4-bit input · stem (8 bits, bias) · n1 sums a 1-bit convolution, a pruned 4-bit 5×5 one and a
    depthwise skip · n2 (slow current) sums average pooling of n1, a grouped dilated convolution of
    the stem that waits one step, and itself one step before · pool with a two-step delay from
    n1 · dense · membrane readout.
    """
    rng = np.random.default_rng(7)
    cell = (4, 8, 8)
    populations = (
        Population("in", (2, 8, 8), Input(4)),
        Population("stem", cell, LoihiLif(0), np.array([0, 7, -9, 30])),
        Population("n1", cell, LoihiLif(0, dv=1024)),
        Population("n2", cell, LoihiLif(0, du=1000, dv=3000)),
        Population("pool", (4, 4, 4), LoihiLif(0, du=2047, dv=4095)),
        Population("fc", (12, 1, 1), LoihiLif(0, dv=0), rng.integers(-8, 9, 12)),
        Population("out", (5, 1, 1), READOUT),
    )
    same3, same5 = Conv((3, 3), padding=(1, 1)), Conv((5, 5), padding=(2, 2))
    dilated = Conv((3, 3), padding=(2, 2), dilation=(2, 2), groups=2)
    pooled = average_pool(4, 3, 1, 1)
    projections = (
        projection(rng, "in", "stem", same3, (4, 2, 3, 3), bits=8),
        projection(rng, "stem", "n1", same3, (4, 4, 3, 3), bits=1, exponent=3, name="one-bit"),
        projection(rng, "stem", "n1", same5, (4, 4, 5, 5), kept=0.6, name="pruned"),
        Projection("skip", "stem", "n1", skip(4), 8, np.full((4, 1, 1, 1), 40)),
        Projection("average", "n1", "n2", pooled, 8, np.full((4, 1, 3, 3), 7)),
        projection(rng, "stem", "n2", dilated, (4, 2, 3, 3), bits=2, exponent=2, name="grouped"),
        projection(rng, "n2", "n2", skip(4), (4, 1, 1, 1), bits=8, delay=1, name="again"),
        Projection("down", "n2", "pool", average_pool(4, 2, 2), 8, np.full((4, 1, 2, 2), 16)),
        projection(rng, "n1", "pool", Conv((2, 2), (2, 2)), (4, 4, 2, 2), delay=2, name="late"),
        projection(rng, "pool", "fc", Dense(), (12, 64), bits=4),
        projection(rng, "fc", "out", Dense(), (5, 12), bits=8, kept=0.7),
    )
    graph = Graph("dag", populations, projections, "out", timesteps=6)
    return lively(graph, images(graph, 2))


@cache
def running() -> Graph:
    """A network without a window: every projection has a delay, one is recurrent."""
    rng = np.random.default_rng(3)
    populations = (
        Population("in", (6, 1, 1), Input(1)),
        Population("a", (10, 1, 1), LoihiLif(0, du=1200, dv=300)),
        Population("b", (8, 1, 1), LoihiLif(0)),
    )
    projections = (
        projection(rng, "in", "a", Dense(), (10, 6), delay=1),
        projection(rng, "a", "a", Dense(), (10, 10), delay=1),
        projection(rng, "a", "b", Dense(), (8, 10), delay=3),
    )
    graph = Graph("running", populations, projections, "b", readout="spikes")
    return lively(graph, images(graph, 4, steps=12))


@cache
def sigma_delta(window: int | None = None) -> Graph:
    """Signed 9-bit values · Delta encoder with a bias · convolution · dense with delays per
    synapse · Sigma; free-running, or with a window and without biases."""
    rng = np.random.default_rng(2)
    delay = 1 if window is None else 0
    populations = (
        Population("in", (2, 5, 5), Input(9, signed=True)),
        Population("d", (2, 5, 5), Delta(6), None if window else np.array([3, -2])),
        Population("s", (3, 5, 5), SigmaDelta(9), None if window else np.array([7, 0, -90])),
        Population("t", (6, 1, 1), SigmaDelta(20)),
        Population("out", (4, 1, 1), Sigma()),
    )
    weight = np.full((2, 1, 1, 1), 64)
    late = projection(rng, "s", "t", Dense(), (6, 75), delay=delay)
    projections = (
        Projection("in-d", "in", "d", skip(2), 8, weight, delay=delay),
        projection(rng, "d", "s", Conv((3, 3), padding=(1, 1)), (3, 2, 3, 3), delay=delay),
        replace(late, delays=rng.integers(0, 3, (6, 75))),
        projection(rng, "t", "out", Dense(), (4, 6), bits=8, delay=delay),
    )
    return check(Graph("sigma-delta", populations, projections, "out", window))


def walk(graph: Graph, samples: int, steps: int, seed: int = 0) -> np.ndarray:
    """Values that walk, so that changes are small and many are kept back as residues."""
    rng = np.random.default_rng(seed)
    moved = rng.integers(-3, 4, (samples, steps, *graph.inputs[0].shape)).cumsum(axis=1)
    return np.clip(moved + rng.integers(-100, 100, moved[:, :1].shape), -256, 255)


def tiles(population: Population, cuts: tuple[int, int, int]) -> list[Slice]:
    """A population cut into about equal boxes, ``cuts`` along each axis."""
    edges = [
        sorted({round(i * size / n) for i in range(n + 1)})
        for size, n in zip(population.shape, cuts, strict=True)
    ]
    return [
        Slice(population.name, (c, y, x), (c2, y2, x2))
        for c, c2 in zip(edges[0][:-1], edges[0][1:], strict=True)
        for y, y2 in zip(edges[1][:-1], edges[1][1:], strict=True)
        for x, x2 in zip(edges[2][:-1], edges[2][1:], strict=True)
    ]


def mapped(graph: Graph, cores: list[tuple[Slice, ...]], chips: list[int]) -> Mapping:
    """A mapping of given cores onto given chips, with all the routes that it needs."""
    routes = []
    for p in graph.populations:
        senders = [None] if isinstance(p.neuron, Input) else range(len(cores))
        for sender in senders:
            sent = (
                [whole(p)]
                if sender is None
                else [s for s in cores[sender] if s.population == p.name]
            )
            targets = tuple(
                i
                for i, held in enumerate(cores)
                if any(
                    _meets(graph, e, box, s)
                    for e in graph.outgoing(p.name)
                    for box in sent
                    for s in held
                    if s.population == e.target
                )
            )
            if targets:
                routes.append(Route(p.name, sender, targets))
    addresses = tuple(CoreAddress(chip, i) for i, chip in enumerate(chips))
    return Mapping(
        graph.name, graph.digest(), "hand", "hand", 0,
        Partition(tuple(cores)), Placement(addresses), tuple(routes),
    )  # fmt: skip


def _meets(graph: Graph, e: Projection, sent: Slice, target: Slice) -> bool:
    source, channels = graph.population(e.source), graph.population(e.target).shape[0]
    view = field_of_view(e.op, target, channels, source.name, source.shape)
    return intersect(view, sent) is not None


def spread(graph: Graph, cuts: tuple[int, int, int] = (2, 2, 1), chips: int = 1) -> Mapping:
    """Every population cut alike, a slice to a core, cores dealt out to the chips in turn."""
    cores = [(s,) for p in graph.neurons for s in tiles(p, cuts)]
    return mapped(graph, cores, [i % chips for i in range(len(cores))])


def pair() -> tuple[Graph, Mapping]:
    """Two inputs drive one neuron each, both drive the readout with weights 3 and 5; T = 2.

    A core for each neuron and one for the readout: 0, 1 and 2.
    """
    populations = (
        Population("in", (2, 1, 1), Input(1)),
        Population("a", (2, 1, 1), LoihiLif(vth=0, dv=4095)),
        Population("out", (1, 1, 1), READOUT),
    )
    projections = (
        Projection("in-a", "in", "a", Dense(), 8, np.eye(2, dtype=np.int64)),
        Projection("a-out", "a", "out", Dense(), 8, np.array([[3, 5]])),
    )
    graph = Graph("pair", populations, projections, "out", timesteps=2)
    cores = [(s,) for p in graph.neurons for s in tiles(p, (2, 1, 1))]
    return graph, mapped(graph, cores, [0, 0, 1])


def run_engines(
    graph: Graph,
    program: Program,
    batches: list[Array],
    *,
    block: int | None = None,
    watch: Watch = UNWATCHED,
) -> list[reference.Trace]:
    """What the chips' engines give for batches back to back, in this process, without Lava.

    Args:
        block: network steps at a time; None takes a whole window.
    """
    form, _ = opened(graph, batches, watch)
    assert form is not None
    form = replace(form, block=min(block or form.window, form.window))
    network = ChipNetwork(graph, program, form)
    engines = [Engine(program, c, form) for c in program.chips]
    traces = []
    for values in batches:
        words = network.encode(formed(graph, form, values))
        reports = [
            _block(program, engines, words[min(i, len(words) - 1)]) for i in range(form.blocks)
        ]
        data = np.concatenate([r for chip in zip(*reports, strict=True) for r in chip])
        traces.append(network.decode(data, len(values)))
    return traces


def _block(program: Program, engines: list[Engine], words: Array) -> list[Array]:
    """All chips make one block; returns their reports."""
    runs = [
        engine.run(words if chip.reads(program.input[0]) else None)
        for engine, chip in zip(engines, program.chips, strict=True)
    ]
    sender = {chip.chip: e for chip, e in zip(program.chips, engines, strict=True)}
    for exchanges in zip(*runs, strict=True):
        for engine, chip, exchange in zip(engines, program.chips, exchanges, strict=True):
            for link in chip.receives:
                engine.hear(link, exchange, sender[link.source].tell(link, exchange))
    return [engine.report() for engine in engines]
