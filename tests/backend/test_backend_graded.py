"""Sigma-delta neurons, signed values and delays per synapse in the engine and in Lava."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from backend_networks import run_engines, running, sigma_delta, spread, walk

from neurocomp import backend
from neurocomp.backend.emit import emit
from neurocomp.errors import InputError
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
    skip,
)
from neurocomp.quant import reference
from neurocomp.quant.check import check
from neurocomp.quant.reference import Watch

TIMEOUT_S = 60.0


@pytest.mark.parametrize("window", [None, 7])
@pytest.mark.parametrize("block", [1, 3, None])
@pytest.mark.parametrize(("cuts", "chips"), [((1, 1, 1), 1), ((2, 2, 2), 3)])
def test_engines_equal_the_reference(
    window: int | None, block: int | None, cuts: tuple[int, int, int], chips: int
) -> None:
    """Messages and all states in every step, in blocks of 1, 3 and all 7 steps."""
    graph = sigma_delta(window)
    watch = Watch(tuple(p.name for p in graph.neurons), every_step=True)
    batches = [walk(graph, n, 7, seed=n) for n in (2, 2, 1)]
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
    shown = walk(graph, 2, 5)
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


def test_stock_lava_cannot_hold_a_bias_back() -> None:
    graph = sigma_delta(window=5)
    biased = tuple(
        replace(p, bias=np.array([1, 2, 3])) if p.name == "s" else p for p in graph.populations
    )
    graph = graph.with_parts(biased, graph.projections)
    with pytest.raises(InputError, match="'s': Lava's sigma-delta processes cannot wait"):
        backend.run(graph, None, walk(graph, 1, 5), backend="stock")


@pytest.mark.parametrize("window", [1, 3])
def test_what_fires_before_its_window_does_not_reach_a_sigma_delta_neuron(window: int) -> None:
    """Two LIF layers whose bias of 10 alone makes them fire; Sigma keeps all that it ever hears."""
    one = (1, 1, 1)
    lif = LoihiLif(vth=0, du=4095, dv=0)
    populations = (
        Population("in", one, Input()),
        Population("a", one, lif, np.array([10])),
        Population("b", one, lif, np.array([10])),
        Population("s", one, Sigma()),
    )
    names = ("in", "a", "b", "s")
    projections = tuple(
        Projection(f"{x}-{y}", x, y, Dense(), 2, weight=np.array([[1]])) for x, y in pairwise(names)
    )
    graph = check(Graph("early", populations, projections, "s", window, readout="spikes"))
    shown = np.zeros((1, window, *one), np.int64)
    watch = Watch(("s",), every_step=True)
    expected = reference.run(graph, shown, watch)
    assert expected.spikes["b"].all()
    trace = backend.run(graph, None, shown, backend="stock", watch=watch, timeout_s=TIMEOUT_S)
    assert not any(trace.mismatches(expected).values())
