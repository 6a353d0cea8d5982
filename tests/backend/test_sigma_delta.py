"""Sigma-delta neurons: Lava's fixed-point SDN processes, worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from neurocomp import backend
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
    SigmaDelta,
    skip,
    store,
    verify,
)
from neurocomp.ir.schedule import split_delays
from neurocomp.mapping.run import map_graph
from neurocomp.quant import fixed, reference
from neurocomp.quant.check import check
from neurocomp.quant.fixed import MAX_VTH
from neurocomp.spec.target import load_target

FLAT = (1, 1, 1)


def chain(*neurons: Neuron, weights: list[int], biases: list[int | None] | None = None) -> Graph:
    """One neuron per population, a window's step per projection, values of 12 bits with sign."""
    names = ["in", *(f"n{i}" for i in range(len(neurons)))]
    biases = biases or [None] * len(neurons)
    populations = [Population("in", FLAT, Input(bits=12, signed=True))] + [
        Population(name, FLAT, neuron, None if b is None else np.array([b]))
        for name, neuron, b in zip(names[1:], neurons, biases, strict=True)
    ]
    projections = tuple(
        Projection(f"{a}-{b}", a, b, Dense(), weight=np.array([[w]]))
        for a, b, w in zip(names, names[1:], weights, strict=False)
    )
    readout = "membrane" if isinstance(neurons[-1], Sigma) else "spikes"
    return Graph("sd", tuple(populations), projections, names[-1], readout=readout)


def run(graph: Graph, values: list[int]) -> reference.Trace:
    """Messages for one value per step."""
    return reference.run(check(graph), np.array(values).reshape(1, -1, 1, 1, 1))


def sent(trace: reference.Trace, name: str) -> list[int]:
    """Messages per step."""
    return trace.spikes[name].reshape(-1).tolist()


def test_delta_sends_changes_of_at_least_the_threshold() -> None:
    """x·4, threshold 3·4, messages are differences >> 1: (x − x' + residue)·2.

    x: 2 (8 < 12, kept), 3 (4 + 8 = 12, sent), 3 (0), −1 (−16, sent), 0 (4 kept), 2 (8 + 4, sent).
    """
    graph = chain(Delta(vth=3, spike_exp=1, state_exp=1), weights=[1])
    assert sent(run(graph, [2, 3, 3, -1, 0, 2]), "n0") == [0, 6, 0, -8, 0, 6]


def test_delta_adds_its_bias_to_the_input() -> None:
    graph = chain(Delta(vth=1, spike_exp=0, state_exp=0), weights=[2], biases=[5])
    assert sent(run(graph, [0, 3, 3]), "n0") == [5, 6, 0]


def test_sigma_delta_integrates_rectifies_and_encodes() -> None:
    """Scale 1, weight 2, bias −3, threshold 4.

    sums 4, 4, 10, 2 → less 3 and rectified 1, 1, 7, 0 → changes with residue 1, 1, 7, −7.
    """
    graph = chain(SigmaDelta(vth=4, spike_exp=0, state_exp=0), weights=[2], biases=[-3])
    assert sent(run(graph, [2, 0, 3, -4]), "n0") == [0, 0, 7, -7]


def test_messages_are_rounded_down() -> None:
    """−3 with state_exp 1 is sent as −2 (floor of −1.5)."""
    messages, residue = fixed.delta_encode(
        np.array([-3, 3]), np.zeros(2, int), np.zeros(2, int), SigmaDelta(0, 0, 1)
    )
    assert messages.tolist() == [-2, 1]
    assert residue.tolist() == [0, 0]


def test_sigma_sends_its_sum_and_is_read_out() -> None:
    graph = chain(
        SigmaDelta(vth=1, spike_exp=0, state_exp=0), Sigma(), weights=[1, -2]
    )  # activations 3, 3, 8 → changes 3, 0, 5 → sums −6, −6, −16
    trace = run(graph, [3, 0, 5])
    assert sent(trace, "n1") == [-6, -6, -16]
    assert trace.readout.tolist() == [[-16]]


def test_a_spike_readout_of_messages_is_their_sum() -> None:
    graph = chain(SigmaDelta(vth=1, spike_exp=0, state_exp=0), weights=[1])
    assert run(graph, [3, 0, 5]).readout.tolist() == [[8]]


def test_a_convolution_wraps_at_24_bits_and_a_dense_layer_does_not() -> None:
    """2047·4098·1 = 8,388,606 = 2^23 − 2 is kept; 2047·4100 = 8,392,700 becomes − 8,384,516."""
    kernel = np.full((1, 1, 1, 1), 4100)
    wide = chain(Sigma(), weights=[4100])
    narrow = wide.with_parts(
        wide.populations, (replace(wide.projections[0], op=skip(1), weight=kernel),)
    )
    values = np.full((1, 1, 1, 1, 1), 2047)
    assert reference.run(wide, values).readout.tolist() == [[8_392_700]]
    assert reference.run(narrow, values).readout.tolist() == [[8_392_700 - 2**24]]


def test_the_graph_file_keeps_neurons_and_delays(tmp_path: Path) -> None:
    graph = chain(Delta(3), SigmaDelta(4, 5, 6), Sigma(), weights=[1, 2, 3])
    first = replace(graph.projections[0], delays=np.array([[2]]))
    graph = graph.with_parts(graph.populations, (first, *graph.projections[1:]))
    store.save(graph, tmp_path / "g.npz")
    loaded = store.load(tmp_path / "g.npz")
    assert loaded.digest() == graph.digest()
    assert loaded.population("n1").neuron == SigmaDelta(4, 5, 6)
    plain = graph.with_parts(graph.populations, (replace(first, delays=None),))
    assert plain.digest() != graph.digest()


def test_delays_of_synapses_become_projections() -> None:
    weight, delays = np.array([[2, 0, 6]]), np.array([[1, 7, 0]])
    e = Projection("e", "in", "out", Dense(), weight=weight, delay=1, delays=delays)
    populations = (
        Population("in", (3, 1, 1), Input()),
        Population("out", FLAT, LoihiLif(vth=1)),
    )
    graph = verify(Graph("g", populations, (e,), "out", readout="spikes"))
    parts = split_delays(graph).projections
    assert [(p.name, p.delay, p.weight.tolist(), p.delays) for p in parts] == [
        ("e@0", 1, [[0, 0, 6]], None),
        ("e@1", 2, [[2, 0, 0]], None),
    ]
    fired = reference.run(graph, np.ones((1, 1, 3, 1, 1), int).repeat(4, axis=1)).spikes["out"]
    assert fired.reshape(-1).tolist() == [False, True, True, True]


@pytest.mark.parametrize(
    ("delays", "message"),
    [
        (np.array([[1, 2]]), r"projection 'e': delays must have shape \(1, 1\), got \(1, 2\)"),
        (np.array([[-1]]), "projection 'e': delays must not be negative, got -1"),
        (np.array([[0.5]]), "projection 'e': delays must be integers, got float64"),
        (np.array([[63]]), "projection 'e': waits 63 steps"),
    ],
)
def test_faulty_delays(delays: np.ndarray, message: str) -> None:
    graph = chain(LoihiLif(vth=1), weights=[1])
    e = replace(graph.projections[0], name="e", delays=delays)
    with pytest.raises(InputError, match=message):
        check(graph.with_parts(graph.populations, (e,)))


@pytest.mark.parametrize(
    ("neuron", "bias", "message"),
    [
        (Delta(-1), None, "population 'n0': threshold must be 0 to 524287, got -1"),
        (SigmaDelta(2**19), None, "threshold must be 0 to 524287, got 524288"),
        (SigmaDelta(1), -(2**19), "population 'n0': biases must lie within ±524287, got 524288"),
        (Sigma(), 1, "population 'n0': sigma neurons have no bias"),
    ],
)
def test_faulty_neurons(neuron: Neuron, bias: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(chain(neuron, weights=[1], biases=[bias]))


def test_values_keep_to_their_signed_range() -> None:
    with pytest.raises(InputError, match=r"takes -2048 to 2047 \(12 bits\), got -2049 to 0"):
        run(chain(Delta(1), weights=[1]), [0, -2049])


def test_a_readout_behind_messages_may_pass_its_threshold() -> None:
    """A Delta with 6 bits of state sends up to 2^25; a current that they wrap is no fault."""
    graph = chain(Delta(1), LoihiLif(vth=MAX_VTH, dv=0), weights=[1, 4])
    check(graph)
    with pytest.raises(InputError, match=f"'n1': a membrane readout .* can sum to {4 * 2**25}"):
        check(replace(graph, readout="membrane", timesteps=1))


@pytest.mark.parametrize("levels", [[0, 255], [-255, -1]])
def test_levels_of_one_sign_have_an_unsigned_format(levels: list[int]) -> None:
    """8 bits without sign hold magnitudes up to 255, and 256 is one too many."""
    weight = np.array([levels])
    populations = (
        Population("in", (2, 1, 1), Input()),
        Population("out", FLAT, LoihiLif(vth=1)),
    )
    e = Projection("e", "in", "out", Dense(), weight=weight, weight_bits=8)
    graph = Graph("g", populations, (e,), "out", timesteps=1, readout="spikes")
    check(graph)
    wide = replace(e, weight=weight + np.sign(weight.sum()))
    with pytest.raises(InputError, match="projection 'e': 8-bit levels are -128 to 127"):
        check(graph.with_parts(populations, (wide,)))


@pytest.mark.parametrize("policy", ["compiler", "balanced"])
def test_the_mapper_takes_sigma_delta_layers(policy: str) -> None:
    """One word per neuron, as for LIF: 4096 neurons need two cores of 4095."""
    populations = (
        Population("in", (1, 64, 64), Input(bits=8)),
        Population("d", (1, 64, 64), Delta(1)),
        Population("s", (1, 8, 8), SigmaDelta(1)),
    )
    projections = (
        Projection("in-d", "in", "d", skip(1), weight=np.full((1, 1, 1, 1), 2)),
        Projection("d-s", "d", "s", Conv((8, 8), (8, 8)), weight=np.ones((1, 1, 8, 8), int)),
    )
    graph = Graph("sd", populations, projections, "s", readout="spikes")
    mapping = map_graph(graph, load_target("loihi2"), policy)
    assert sum(any(s.population == "d" for s in core) for core in mapping.partition.cores) == 2


def test_a_simulation_counts_messages_not_their_values() -> None:
    """Messages 3, 0, 5 and sums −6, −6, −16: 2 and 3 messages, one synapse reached by each."""
    graph = chain(SigmaDelta(vth=1, spike_exp=0, state_exp=0), Sigma(), weights=[1, -2])
    values = np.array([3, 0, 5]).reshape(1, 3, 1, 1, 1)
    done = backend.simulate(graph, None, values, backend="reference")
    assert [(layer.spikes, layer.synops) for layer in done.layers] == [(2, 2), (3, 2)]
    assert done.mismatches is None  # the reference has nothing to be held against
