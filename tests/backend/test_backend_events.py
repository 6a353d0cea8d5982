"""Synaptic sums event by event, and which parts of a network compute together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backend_networks import run_engines, sigma_delta, spread, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.backend.emit import emit
from neurocomp.backend.emit.program import Synapses
from neurocomp.backend.engine import kernels
from neurocomp.backend.engine.events import (
    ConvEvents,
    EventCosts,
    dense_events,
    is_sparse,
)
from neurocomp.ir import (
    Conv,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    Slice,
    skip,
)
from neurocomp.ir.schedule import components
from neurocomp.ir.shapes import conv_extent
from neurocomp.quant import reference


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
    synapses = Synapses(target, source, None, op, weight, 1, 0, 1, None)
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
    shown = walk(graph, 2, 6)
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
