"""Sigma-delta neurons, signed values, delays per synapse and events in the engine and in Lava."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from backend_networks import projection, run_engines, running, spread
from hypothesis import given, settings
from hypothesis import strategies as st
from netx_files import conv, dense, layer, lif, sdnn, write

from neurocomp import backend
from neurocomp.backend.emit import emit
from neurocomp.backend.emit.program import Synapses
from neurocomp.backend.engine import kernels
from neurocomp.backend.engine.events import (
    ConvEvents,
    EventCosts,
    dense_events,
    is_sparse,
)
from neurocomp.errors import InputError
from neurocomp.formats.netx import read_netx
from neurocomp.ir import (
    Conv,
    Delta,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Neuron,
    Population,
    Projection,
    Sigma,
    SigmaDelta,
    Slice,
    skip,
)
from neurocomp.ir.schedule import components
from neurocomp.ir.shapes import conv_extent
from neurocomp.quant import reference
from neurocomp.quant.check import check
from neurocomp.quant.reference import Watch

TIMEOUT_S = 60.0


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


def values(graph: Graph, samples: int, steps: int, seed: int = 0) -> np.ndarray:
    """Values that walk, so that changes are small and many are kept back as residues."""
    rng = np.random.default_rng(seed)
    walk = rng.integers(-3, 4, (samples, steps, *graph.inputs[0].shape)).cumsum(axis=1)
    return np.clip(walk + rng.integers(-100, 100, walk[:, :1].shape), -256, 255)


@pytest.mark.parametrize("window", [None, 7])
@pytest.mark.parametrize("block", [1, 3, None])
@pytest.mark.parametrize(("cuts", "chips"), [((1, 1, 1), 1), ((2, 2, 2), 3)])
def test_engines_equal_the_reference(
    window: int | None, block: int | None, cuts: tuple[int, int, int], chips: int
) -> None:
    """Messages and all states in every step, in blocks of 1, 3 and all 7 steps."""
    graph = sigma_delta(window)
    watch = Watch(tuple(p.name for p in graph.neurons), every_step=True)
    batches = [values(graph, n, 7, seed=n) for n in (2, 2, 1)]
    program = emit(graph, spread(graph, cuts, chips))
    traces = run_engines(graph, program, batches, block=block, watch=watch)
    for given_, trace in zip(batches, traces, strict=True):
        expected = reference.run(graph, given_, watch)
        assert not any(trace.mismatches(expected).values())
        assert trace.states["s.residue"].any()
        assert 0.05 < (expected.spikes["s"] != 0).mean() < 0.95


@pytest.mark.parametrize("name", ["lava", "stock"])
@pytest.mark.parametrize("window", [None, 5])
def test_sigma_delta_in_lava(name: str, window: int | None) -> None:
    graph = sigma_delta(window)
    mapping = spread(graph, (2, 1, 1)) if name == "lava" else None
    watch = Watch(("d", "s", "t", "out"))
    shown = values(graph, 2, 5)
    trace = backend.run(graph, mapping, shown, backend=name, watch=watch, timeout_s=TIMEOUT_S)
    assert trace.states.keys() >= {"d.residue", "d.act", "s.sigma", "out.sigma"}
    assert not any(trace.mismatches(reference.run(graph, shown, watch)).values())


@pytest.mark.parametrize("name", ["lava", "stock"])
def test_currents_and_membranes_of_every_step(name: str) -> None:
    graph = running()
    watch = Watch(("a", "b"), every_step=True)
    shown = (np.random.default_rng(1).random((2, 6, 6, 1, 1)) < 0.4).astype(np.uint8)
    mapping = spread(graph) if name == "lava" else None
    trace = backend.run(graph, mapping, shown, backend=name, watch=watch, timeout_s=TIMEOUT_S)
    assert trace.states["a.u"].shape == (2, 6, 10, 1, 1)
    assert not any(trace.mismatches(reference.run(graph, shown, watch)).values())


def encoder(neuron: Neuron, bits: int, weight: int, op: Dense | Conv) -> Graph:
    """One value, one synapse, one neuron."""
    populations = (
        Population("in", (1, 1, 1), Input(bits, signed=True)),
        Population("n", (1, 1, 1), neuron),
    )
    shape = (1, 1, 1, 1) if isinstance(op, Conv) else (1, 1)
    e = Projection("e", "in", "n", op, 8, np.full(shape, weight), delay=1)
    return check(Graph("one", populations, (e,), "n", readout="spikes"))


@pytest.mark.parametrize("name", ["lava", "stock", "reference"])
def test_states_are_words_of_32_bits(name: str) -> None:
    """16 bits · 64 · 2^12: 20,000 · 2^18 = 5,242,880,000 = 947,912,704 + 2^32, sent >> 6."""
    graph = encoder(Delta(vth=0), 16, 64, skip(1))
    shown = np.array([20000, 20000, 0]).reshape(1, 3, 1, 1, 1)
    mapping = spread(graph) if name == "lava" else None
    trace = backend.run(graph, mapping, shown, backend=name, timeout_s=TIMEOUT_S)
    assert trace.spikes["n"].ravel().tolist() == [0, 947_912_704 >> 6, 0]


@pytest.mark.parametrize(
    ("op", "total"), [(Conv((1, 1)), 16_645_636 - 2**24), (Dense(), 16_645_636)]
)
def test_only_a_convolution_wraps_at_24_bits(op: Dense | Conv, total: int) -> None:
    """2 · 254 · 32,767 = 16,645,636 is beyond 2^23."""
    populations = (
        Population("in", (2, 1, 1), Input(16, signed=True)),
        Population("n", (1, 1, 1), Sigma()),
    )
    shape = (1, 2, 1, 1) if isinstance(op, Conv) else (1, 2)
    e = Projection("e", "in", "n", op, 8, np.full(shape, 254), 1, delay=1)
    graph = check(Graph("wide", populations, (e,), "n", readout="spikes"))
    shown = np.full((1, 2, 2, 1, 1), 32_767)
    (trace,) = run_engines(graph, emit(graph, spread(graph)), [shown])
    assert trace.spikes["n"].ravel().tolist() == [0, total]
    assert reference.run(graph, shown).spikes["n"].ravel().tolist() == [0, total]


def test_sums_beyond_float32_are_exact() -> None:
    """5 · 127 · 32,767 = 20,807,045 is odd and beyond 2^24, where float32 has even numbers only."""
    assert np.float32(20_807_045) == 20_807_044
    populations = (
        Population("in", (5, 1, 1), Input(16, signed=True)),
        Population("n", (1, 1, 1), Sigma()),
    )
    e = Projection("e", "in", "n", Dense(), 8, np.full((1, 5), 127))
    graph = check(Graph("loud", populations, (e,), "n", timesteps=1))
    shown = np.full((1, 5, 1, 1), 32_767)
    (trace,) = run_engines(graph, emit(graph, spread(graph)), [shown])
    assert trace.readout.tolist() == [[20_807_045]]


def test_sums_that_no_lif_neuron_of_lava_holds() -> None:
    """64 · 2^24 and a current of 2^23 leave 31 bits; 255 · 65,535 · 2 does not keep to it."""
    populations = (
        Population("in", (2, 1, 1), Input(16)),
        Population("n", (1, 1, 1), LoihiLif(vth=9, du=0)),
    )
    e = Projection("e", "in", "n", Dense(), 8, np.full((1, 2), 255))
    graph = Graph("loud", populations, (e,), "n", timesteps=1, readout="spikes")
    with pytest.raises(
        InputError, match=r"'n': its synapses can sum to 33422850, .* hold 16777216"
    ):
        check(graph)


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    rate=st.sampled_from([0.0, 0.1, 1.0]),
    seed=st.integers(0, 999),
)
def test_events_sum_what_the_dense_form_sums(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    rate: float,
    seed: int,
) -> None:
    """Any convolution of messages, few or many, is the same event by event."""
    rng = np.random.default_rng(seed)
    op = Conv(kernel, stride, (0, 0), dilation)
    height, width = (conv_extent(6, kernel[i], stride[i], 0, dilation[i]) for i in (0, 1))
    weight = rng.integers(-9, 10, (4, 3, *kernel))
    source, target = Slice("s", (0, 0, 0), (3, 6, 6)), Slice("t", (0, 0, 0), (4, height, width))
    synapses = Synapses(target, source, None, op, weight, 1, 0, 1)
    seen = rng.integers(-4, 5, (2, 6, 6, 3)) * (rng.random((2, 6, 6, 3)) < rate)
    sums = np.zeros((2, height, width, 4), np.float32)
    form = kernels.ConvKernel(synapses, op, weight.astype(np.float32))
    form(seen, sums, add=False)
    flat = weight.transpose(2, 3, 1, 0).reshape(-1, 4).astype(np.float32)
    assert (ConvEvents(op, 3)(seen, flat, sums.shape) == sums).all()
    rows = seen.reshape(2, -1)
    matrix = rng.integers(-9, 10, (rows.shape[1], 5)).astype(np.float64)
    assert (dense_events(rows, matrix) == rows @ matrix).all()


def test_events_below_the_crossover_only() -> None:
    """100 rows × 10 values × 40 targets, with 5 more to fetch a weight: 42,000 products; of these
    2,000 to begin and 1,000 · 10 to look leave 30,000. A message of 1,000 values costs
    20 + 1 · 40 = 60, so 499 of them are worth it and 500 are not."""
    costs = EventCosts(begin=2000, look=10, meet=20, add=1)
    seen, weight = np.zeros((100, 1, 1, 10), np.uint8), np.zeros((10, 40), np.float32)
    seen.reshape(-1)[:499] = 9
    assert is_sparse(seen, 100, weight, costs)
    seen.reshape(-1)[499] = 1
    assert not is_sparse(seen, 100, weight, costs)
    assert not is_sparse(0 * seen, 100, weight, replace(costs, begin=32_000))


def test_networks_run_event_by_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole network with events wherever there is a form for them."""
    monkeypatch.setattr(kernels, "is_sparse", lambda *_: True)
    graph = sigma_delta()
    shown = values(graph, 2, 6)
    (trace,) = run_engines(graph, emit(graph, spread(graph, (2, 2, 1))), [shown])
    assert not any(trace.mismatches(reference.run(graph, shown)).values())


def test_components_by_hand() -> None:
    """b and c form a loop through a delayed projection; a comes before, d behind them."""
    names = ("in", "d", "a", "c", "b")
    ends = ("in-a", "a-b", "b-c", "c-b", "c-d")
    neuron = LoihiLif(vth=1)
    populations = tuple(Population(n, (1, 1, 1), Input() if n == "in" else neuron) for n in names)
    projections = tuple(
        Projection(e, *e.split("-"), skip(1), 8, np.ones((1, 1, 1, 1), int), delay=int(e == "c-b"))
        for e in ends
    )
    graph = Graph("loop", populations, projections, "d", timesteps=2, readout="spikes")
    assert components(graph) == (("a",), ("b", "c"), ("d",))


def test_stock_lava_cannot_hold_a_bias_back() -> None:
    graph = sigma_delta(window=5)
    biased = tuple(
        replace(p, bias=np.array([1, 2, 3])) if p.name == "s" else p for p in graph.populations
    )
    graph = graph.with_parts(biased, graph.projections)
    with pytest.raises(InputError, match="'s': Lava's sigma-delta processes cannot wait"):
        backend.run(graph, None, values(graph, 1, 5), backend="stock")


@pytest.mark.parametrize("name", ["lava", "reference"])
def test_only_populations_of_neurons_are_watched(name: str) -> None:
    graph = running()
    shown = np.zeros((1, 2, 6, 1, 1), np.uint8)
    with pytest.raises(InputError, match=r"unknown population 'in' \(known: a, b\)"):
        backend.run(graph, spread(graph), shown, backend=name, watch=Watch(("in",)))


def test_a_block_has_a_step() -> None:
    with pytest.raises(InputError, match="a block must have at least 1 step, got 0"):
        backend.stream(running(), None, [], block=0)


def test_netx_needs_a_file() -> None:
    with pytest.raises(InputError, match="running: backend 'netx' runs a netx file"):
        backend.stream(running(), None, [], backend="netx")


class TestNetx:
    """lava-dl's own loader, in our runtime: every layer, every step, u and v."""

    pytestmark = pytest.mark.slow  # importing lava-dl alone takes seconds

    @staticmethod
    def compare(file: Path, shown: np.ndarray) -> None:
        graph = read_netx(file)
        watch = Watch(tuple(p.name for p in graph.neurons), every_step=True)
        expected = reference.run(graph, shown, watch)
        assert all(spikes.any() for spikes in expected.spikes.values())
        for name in ("netx", "lava", "stock"):
            trace = backend.run(
                graph,
                spread(graph) if name == "lava" else None,
                shown,
                backend=name,
                file=file,
                watch=watch,
                timeout_s=TIMEOUT_S,
            )
            assert not any(trace.mismatches(expected).values()), name

    def test_spiking(self, tmp_path: Path) -> None:
        """An input layer with neurons and a bias, a convolution, a recurrent dense layer."""
        rng = np.random.default_rng(3)

        def even(*shape: int) -> np.ndarray:
            return rng.integers(-20, 21, shape) * 2

        file = write(
            tmp_path / "x.net",
            layer("input", (2, 4, 4), neuron=lif(90), weight=8, bias=11),
            conv((3, 2, 2), even(3, 2, 3, 3), neuron=lif(20, 900, 300)),
            layer("flatten", (12, 1, 1)),
            dense(even(5, 12), "dense_rec", weight_rec=even(5, 5), neuron=lif(15)),
        )
        self.compare(file, rng.integers(0, 20, (2, 12, 2, 4, 4)))

    def test_sigma_delta(self, tmp_path: Path) -> None:
        rng = np.random.default_rng(4)
        file = write(
            tmp_path / "x.net",
            layer("input", (1, 4, 4), neuron=sdnn(6), bias=5),
            conv((2, 2, 2), rng.integers(-9, 10, (2, 1, 3, 3)) * 2, bias=[3, -1], neuron=sdnn(4)),
            layer("flatten", (8, 1, 1)),
            dense(rng.integers(-9, 10, (3, 8)) * 2, neuron=sdnn(sigma_output=True)),
        )
        self.compare(file, rng.integers(0, 9, (2, 12, 1, 4, 4)))

    def test_an_input_layer_with_current(self, tmp_path: Path) -> None:
        file = write(
            tmp_path / "x.net",
            layer("input", (1, 2, 2), neuron=lif(6, i_decay=100)),
            conv((1, 2, 2), np.full((1, 1, 1, 1), 2)),
        )
        graph = read_netx(file)
        shown = np.zeros((1, 2, 1, 2, 2), np.uint8)
        with pytest.raises(InputError, match="input layer: with iDecay other than 4096"):
            backend.run(graph, None, shown, backend="netx", file=file)
