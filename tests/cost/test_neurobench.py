"""NeuroBench's keys against counts made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from backend_networks import READOUT, dag, images, running

from neurocomp.backend import simulate
from neurocomp.cost.neurobench import connections, neurobench
from neurocomp.formats.sanafe.synapses import synapses
from neurocomp.ir import Conv, Dense, Graph, Input, LoihiLif, Population, Projection, SigmaDelta
from neurocomp.quant import reference


def golden() -> Graph:
    """2-bit image (1, 3, 3) · conv 2×2, stride (2, 1), padding (1, 0) to (2, 2, 2) · dense; T = 3.

    Neurons of the convolution forget at once and fire above 7.
    """
    conv = Conv((2, 2), stride=(2, 1), padding=(1, 0))
    kernel = np.array([[[[4, 0], [0, 1]]], [[[0, 2], [0, -2]]]])
    last = np.array([[1, 0, 1, 0, 1, 0, 1, 1], [0, 1, 1, 1, 0, 0, 1, 0]])
    return Graph(
        "golden",
        (
            Population("in", (1, 3, 3), Input(2)),
            Population("a", (2, 2, 2), LoihiLif(vth=7, dv=4096), np.array([0, 1])),
            Population("out", (2, 1, 1), READOUT),
        ),
        (
            Projection("in-a", "in", "a", conv, 4, kernel),
            Projection("a-out", "a", "out", Dense(), 2, last),
        ),
        "out",
        timesteps=3,
    )


IMAGE = np.array([[[[3, 0, 1], [0, 2, 0], [1, 1, 0]]]], np.uint8)


def test_a_network_worked_out_by_hand() -> None:
    """Every step shows the image; its windows are rows (−1, 0) and (1, 2), columns (0, 1), (1, 2).

    ====== ================ ===================== =====================
    window values           channel 0: 4·a + 1·d  channel 1: 2·b − 2·d
    ====== ================ ===================== =====================
    (0, 0) [[·, ·], [3, 0]] 0                     0
    (0, 1) [[·, ·], [0, 1]] 1, one product        −2, one product
    (1, 0) [[0, 2], [1, 1]] 1, one product        2, two products
    (1, 1) [[2, 0], [1, 0]] 8, one product        0
    ====== ================ ===================== =====================

    6 products a step. Only neuron 3 (channel 0, window (1, 1)) fires; its column of the dense layer
    is (0, 1): 1 addition a step. All products on the image: rows 1 + 2, columns 2 + 2, 2 channels,
    24; of the dense layer 2·8.
    """
    for batch in (1, 2, 5):  # the same for any batches of 5 equal samples
        row = simulate(
            golden(), None, np.repeat(IMAGE, 5, axis=0), backend="reference", batch=batch
        ).as_row()
        assert row["neurobench"] == {
            "footprint": 12,  # (8·4 + 16·2 + 2·13 = 90) bits
            "connection_sparsity": (4 + 7) / (8 + 16),
            "activation_sparsity": pytest.approx(1 - 1 / (8 + 2)),
            "synaptic_operations": {
                "Effective_MACs": 3 * 6,
                "Effective_ACs": 3 * 1,
                "Dense": 3 * (24 + 16),
            },
        }
        assert row["synops"] == 5 * 3 * (6 + 1)


def test_what_arrives_after_the_window_does_not_count() -> None:
    """A projection that waits two of three steps delivers the first step's messages only."""
    graph = golden()
    e, f = graph.projections
    late = graph.with_parts(graph.populations, (e, replace(f, delay=2)))
    found = simulate(late, None, IMAGE, backend="reference").neurobench
    assert found["synaptic_operations"] == {
        "Effective_MACs": 3 * 6,
        "Effective_ACs": 1,
        "Dense": 3 * 24 + 16,
    }
    never = graph.with_parts(graph.populations, (e, replace(f, delay=4)))
    found = simulate(never, None, IMAGE, backend="reference").neurobench
    assert found["synaptic_operations"]["Dense"] == 3 * 24


def test_messages_that_carry_a_number_are_multiplied() -> None:
    """in (1 bit) → sigma-delta → spiking: additions, then multiplications."""
    populations = (
        Population("in", (2, 1, 1), Input()),
        Population("a", (1, 1, 1), SigmaDelta(1)),
        Population("b", (1, 1, 1), LoihiLif(vth=1)),
    )
    projections = (
        Projection("e", "in", "a", Dense(), weight=np.array([[2, 3]]), delay=1),
        Projection("f", "a", "b", Dense(), weight=np.array([[5]]), delay=1),
    )
    graph = Graph("graded", populations, projections, "b", readout="spikes")
    found = neurobench(graph, {"in": 6, "a": 3, "b": 1}, {"e": 6, "f": 3}, samples=2, steps=4)
    assert found == {
        "footprint": 3,
        "connection_sparsity": 0.0,
        "activation_sparsity": 1 - (3 + 1) / (2 * 2 * 4),
        "synaptic_operations": {
            "Effective_MACs": 3 / 2,
            "Effective_ACs": 6 / 2,
            "Dense": 3 * (2 + 1),
        },
    }


@pytest.mark.parametrize("make", [dag, running])
def test_counts_agree_with_single_synapses(make: Any) -> None:
    """Effective and dense operations against a list of every synapse and message."""
    graph = make()
    values = images(graph, 2, steps=None if graph.timesteps else 12)
    trace = reference.run(graph, values)
    shown = reference.input_frames(graph, values)
    sent = {name: s != 0 for name, s in trace.spikes.items()} | {graph.inputs[0].name: shown != 0}
    dense = 0
    effective = {"Effective_MACs": 0, "Effective_ACs": 0}
    for e in graph.projections:
        wires = synapses(graph, e, 0)
        in_time = sent[e.source][:, : shown.shape[1] - e.delay].sum(axis=1).reshape(2, -1)
        dense += (shown.shape[1] - e.delay) * len(wires.source)
        graded = graph.population(e.source).neuron == Input(4)
        kind = "Effective_MACs" if graded else "Effective_ACs"
        effective[kind] += int(in_time[:, wires.source[wires.weight != 0]].sum())
    found = simulate(graph, None, values, backend="reference").neurobench["synaptic_operations"]
    assert found == {"Dense": dense, **{kind: n / 2 for kind, n in effective.items()}}


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_connections_are_those_that_exist(stride: int, dilation: int, padding: int) -> None:
    op = Conv((3, 2), (stride, 1), (padding, 0), (dilation, 1), groups=2)
    rows = (7 + 2 * padding - 2 * dilation - 1) // stride + 1
    source, target = (4, 7, 4), (6, rows, 3)
    populations = (Population("in", source, Input()), Population("x", target, LoihiLif(1)))
    e = Projection("e", "in", "x", op, weight=np.ones((6, 2, 3, 2), np.int64))
    graph = Graph("g", populations, (e,), "x")
    assert connections(op, source, target) == len(synapses(graph, e, 0).source)
