"""The backends in Lava: mapped, stock, and the comparison of both with the reference."""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from backend_networks import READOUT, chain, dag, images, running, spread

from neurocomp import backend
from neurocomp.backend.counts import Counts
from neurocomp.backend.plain.synapses import MAX_GROUPS, few_groups
from neurocomp.backend.traffic import operations
from neurocomp.errors import InputError
from neurocomp.ir import Conv, Dense, Graph, Input, LoihiLif, Population, Projection, skip
from neurocomp.quant import reference
from neurocomp.quant.reference import Watch

TIMEOUT_S = 60.0


def test_a_stream_of_batches_in_one_start() -> None:
    """Batches back to back on two chips, the last one smaller, equal the reference."""
    graph = chain()
    batches = [images(graph, n, seed=i) for i, n in enumerate((5, 5, 5, 2))]
    mapping = spread(graph, (2, 2, 1), chips=2)
    with closing(backend.stream(graph, mapping, batches, timeout_s=TIMEOUT_S)) as runs:
        executed = list(runs)
    for given, made in zip(batches, executed, strict=True):
        assert made.values is given
        expected = reference.run(graph, given)
        assert not any(made.trace.mismatches(expected).values())
    assert [e.steps for e in executed] == [4, 4, 4, 4]


def test_everything_at_once_on_two_chips() -> None:
    graph = dag()
    values = images(graph, 7, seed=4)
    labels = np.arange(7) % 5
    seen: list[tuple[str, int, int]] = []

    def watch(stage: str, done: int, total: int, note: str = "") -> None:
        seen.append((stage, done, total))

    found = backend.simulate(
        graph,
        spread(graph, (2, 2, 1), chips=2),
        values,
        labels,
        batch=3,
        timeout_s=TIMEOUT_S,
        on_progress=watch,
    )
    expected = reference.run(graph, values)
    assert found.mismatches == 0
    assert {x.name: x.spikes for x in found.layers} == {
        name: int(s.sum()) for name, s in expected.spikes.items()
    }
    assert (found.predictions == expected.predictions()).all()
    assert found.accuracy == (expected.predictions() == labels).mean()
    assert np.allclose(found.rates["n1"], expected.spikes["n1"].mean(axis=(0, 1)))
    assert np.allclose(found.rates["in"], (values != 0).mean(axis=0))
    assert seen == [("simulate", done, 7) for done in (0, 3, 6, 7)]


@pytest.mark.parametrize("name", ["lava", "stock"])
def test_network_without_a_window(name: str) -> None:
    """Values per step, every projection delayed, one population recurrent."""
    graph = running()
    values = images(graph, 3, seed=8, steps=11)
    mapping = spread(graph) if name == "lava" else None
    trace = backend.run(graph, mapping, values, backend=name, timeout_s=TIMEOUT_S)
    assert trace.spikes["b"].any()
    assert not any(trace.mismatches(reference.run(graph, values)).values())


@pytest.mark.parametrize("graph", [chain("spikes"), dag()], ids=lambda g: g.name)
def test_stock_processes(graph: Graph) -> None:
    """Lava's own Conv, Dense and LIFReset with delay lines fire the same, window by window."""
    values = images(graph, 3, seed=6)
    found = backend.simulate(graph, None, values, backend="stock", batch=2, timeout_s=TIMEOUT_S)
    row = found.as_row()
    assert row["spikes"] > 0
    assert (row["mismatches"], row["samples"], row["accuracy"]) == (0, 3, None)


def test_graded_dense_input_and_per_step_values_in_stock_lava() -> None:
    """Frames that change in every step, and a dense first layer of graded values."""
    weight = np.random.default_rng(0).integers(-8, 8, (6, 12))
    graph = Graph(
        "frames",
        (
            Population("in", (3, 2, 2), Input(3)),
            Population("a", (6, 1, 1), LoihiLif(vth=20, du=3000, dv=500)),
        ),
        (Projection("in-a", "in", "a", Dense(), 4, weight),),
        "a",
        timesteps=5,
        readout="spikes",
    )
    values = images(graph, 2, seed=2, steps=5)
    for name, mapping in (("stock", None), ("lava", spread(graph, (2, 1, 1)))):
        trace = backend.run(graph, mapping, values, backend=name, timeout_s=TIMEOUT_S)
        assert trace.spikes["a"].any()
        assert not any(trace.mismatches(reference.run(graph, values)).values())


def test_many_groups_become_few() -> None:
    """Lava keeps the number of groups in eight bits; the same sums in fewer groups."""
    rng = np.random.default_rng(4)
    weight = rng.integers(-8, 8, (260, 1, 3, 3))
    fewer, groups = few_groups(weight, 130)
    assert groups == 65 <= MAX_GROUPS
    sent = rng.integers(0, 2, (1, 130, 4, 4))
    sums = [
        reference.synaptic_sum(
            Projection("e", "a", "b", Conv((3, 3), groups=g), 8, w), sent, (260, 2, 2)
        )
        for g, w in ((130, weight), (groups, fewer))
    ]
    assert (sums[0] == sums[1]).all()
    assert few_groups(weight, 26)[1] == 26


def test_row_by_hand() -> None:
    """One sample, T = 2, three inputs of which two are on.

    a0 = 2·on0, a1 = 3·on0 + 4·on2; both pass their threshold 1 in both steps. out adds 5 and −6.
    """
    graph = Graph(
        "hand",
        (
            Population("in", (3, 1, 1), Input(1)),
            Population("a", (2, 1, 1), LoihiLif(vth=1, dv=4095)),
            Population("out", (2, 1, 1), READOUT),
        ),
        (
            Projection("in-a", "in", "a", Dense(), 8, np.array([[2, 0, 0], [3, 0, 4]])),
            Projection("a-out", "a", "out", Dense(), 8, np.array([[5, 0], [0, -6]])),
        ),
        "out",
        timesteps=2,
    )
    values = np.array([1, 0, 1], np.uint8).reshape(1, 3, 1, 1)
    found = backend.simulate(graph, spread(graph), values, np.array([0]), timeout_s=TIMEOUT_S)
    row = found.as_row()
    assert row.pop("cpu_ms_per_step") >= 0
    assert row.pop("batch") == 1
    assert row == {
        "backend": "lava",
        "samples": 1,
        "steps": 2,
        "spikes": 4,
        "mismatches": 0,
        "readout_mismatches": 0,
        "state_mismatches": 0,
        "layers": [
            {"name": "a", "spikes": 4, "mismatches": 0, "synops": 2 * (2 + 1), "messages": 4 * 2},
            {"name": "out", "spikes": 0, "mismatches": 0, "synops": 2 * (1 + 1), "messages": 0},
        ],
        "accuracy": 1.0,
        "synops": 10,
        "synops_per_core": [2 * 1, 2 * 2, 2 * 1, 2 * 1],  # a core for each neuron
        "messages": 4 * 2,  # each spike of a goes to both cores of out
        "input_messages": 2 * 2 * 2,
        "latency_steps": 2 + 2,
        "neurobench": {
            "footprint": 6 + 4,  # weights of 8 bits
            "connection_sparsity": (3 + 2) / 10,
            "activation_sparsity": 1 - 4 / (2 * 4),
            "synaptic_operations": {
                "Effective_MACs": 0,
                "Effective_ACs": 10,
                "Dense": 2 * 10,
            },
        },
    }
    assert found.rates["in"].ravel().tolist() == [1, 0, 1]
    assert found.rates["a"].ravel().tolist() == [1, 1]


def test_mismatches_are_counted_where_they_are() -> None:
    """A mapping that loses the spikes of a core shows up in the layer that misses them."""
    graph = chain()
    mapping = spread(graph)
    lost = tuple(r for r in mapping.routes if (r.population, r.source) != ("a", 0))
    found = backend.simulate(
        graph, replace(mapping, routes=lost), images(graph, 3), timeout_s=TIMEOUT_S
    )
    layers = {x.name: x.mismatches for x in found.layers}
    assert layers["a"] == 0
    assert layers["b"] > 0
    assert found.mismatches == layers["b"] + found.readout_mismatches


def test_operations_by_hand() -> None:
    """3×3 windows with padding on a 3×3 map that sends everywhere: a corner sees 4, an edge 6, the
    middle 9; one of two output channels lacks the middle tap, and sees one less everywhere."""
    weight = np.ones((2, 1, 3, 3), np.int64)
    weight[1, 0, 1, 1] = 0
    populations = (Population("s", (1, 3, 3), Input(1)), Population("t", (2, 3, 3), READOUT))
    e = Projection("e", "s", "t", Conv((3, 3), padding=(1, 1)), 8, weight)
    graph = Graph("fan", populations, (e,), "t", timesteps=1)
    done = operations(graph, Counts(fired={"s": np.ones((1, 3, 3), np.int64)}), None)["e"]
    assert done.tolist() == [[[4, 6, 4], [6, 9, 6], [4, 6, 4]], [[3, 5, 3], [5, 8, 5], [3, 5, 3]]]


def test_delayed_messages_of_the_last_steps_reach_no_synapse() -> None:
    """T = 3 and a delay of 2: only the spikes of the first step are delivered."""
    graph = Graph(
        "late",
        (
            Population("in", (1, 1, 1), Input(1)),
            Population("a", (1, 1, 1), LoihiLif(vth=0, dv=4095)),
            Population("b", (1, 1, 1), LoihiLif(vth=0, dv=4095)),
        ),
        (
            Projection("in-a", "in", "a", skip(1), 8, np.ones((1, 1, 1, 1), np.int64)),
            Projection("a-b", "a", "b", skip(1), 8, np.ones((1, 1, 1, 1), np.int64), delay=2),
        ),
        "b",
        timesteps=3,
        readout="spikes",
    )
    values = np.ones((2, 1, 1, 1), np.uint8)
    found = backend.simulate(graph, None, values, backend="reference")
    layers = {x.name: (x.spikes, x.synops) for x in found.layers}
    assert layers == {"a": (6, 6), "b": (2, 2)}


def test_nothing_leaks_to_stdout_or_the_loggers(capfd: pytest.CaptureFixture[str]) -> None:
    handlers = list(logging.getLogger().handlers)
    graph = chain()
    backend.run(graph, spread(graph), images(graph, 2), timeout_s=TIMEOUT_S)
    assert logging.getLogger().handlers == handlers
    assert capfd.readouterr() == ("", "")


def test_no_batches_give_no_results() -> None:
    graph = chain()
    for name in ("lava", "stock", "reference"):
        assert list(backend.stream(graph, spread(graph), [], backend=name)) == []


def test_unknown_backend() -> None:
    with pytest.raises(InputError, match="unknown backend 'lave'; did you mean 'lava'"):
        backend.stream(chain(), None, [], backend="lave")


def test_lava_needs_a_mapping() -> None:
    with pytest.raises(InputError, match="chain: backend 'lava' runs a mapped network"):
        backend.run(chain(), None, images(chain(), 1))


@pytest.mark.parametrize("name", ["lava", "stock", "reference"])
def test_batches_of_another_shape(name: str) -> None:
    graph = chain()
    batches = [images(graph, 2), images(graph, 3)]
    with closing(backend.stream(graph, spread(graph), batches, backend=name)) as runs:
        with pytest.raises(InputError, match=r"shaped alike: 1 to 2 samples of 1 frames, got \(3,"):
            list(runs)


def test_values_that_do_not_suit() -> None:
    graph = chain()
    with pytest.raises(InputError, match="takes 0 to 15"):
        backend.run(graph, spread(graph), 5 * images(graph, 2))
    with pytest.raises(InputError, match="running has no window; give values per step"):
        backend.run(running(), spread(running()), images(running(), 2))
    with pytest.raises(InputError, match="a batch needs a sample and a step"):
        backend.run(graph, spread(graph), images(graph, 0))


def test_simulations_that_make_no_sense() -> None:
    graph = chain()
    with pytest.raises(InputError, match="of at least 1, got 0, 1 and 2"):
        backend.simulate(graph, None, images(graph, 2), batch=0)
    with pytest.raises(InputError, match="of at least 1, got 64, 1 and 0"):
        backend.simulate(graph, None, images(graph, 0))
    with pytest.raises(InputError, match="every sample needs a label, got 1 for 2 samples"):
        backend.simulate(graph, None, images(graph, 2), np.zeros(1))


def test_stock_with_two_inputs() -> None:
    graph = chain()
    two = graph.with_parts(
        (*graph.populations, Population("more", (1, 1, 1), Input(1))), graph.projections
    )
    with pytest.raises(InputError, match="exactly one input is supported, got 2"):
        backend.run(two, None, images(graph, 1), backend="stock")


@pytest.mark.parametrize("name", ["lava", "reference"])
def test_only_populations_of_neurons_are_watched(name: str) -> None:
    graph = running()
    shown = np.zeros((1, 2, 6, 1, 1), np.uint8)
    with pytest.raises(InputError, match=r"unknown population 'in' \(known: a, b\)"):
        backend.run(graph, spread(graph), shown, backend=name, watch=Watch(("in",)))


def test_a_block_has_a_step() -> None:
    with pytest.raises(InputError, match="a block must have at least 1 step, got 0"):
        backend.stream(running(), None, [], block=0)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_windows_shorter_than_stock_processes_are_deep(steps: int) -> None:
    """The next samples are under way in the first layers while one is still in the last."""
    graph = replace(chain(), timesteps=steps)
    values = images(graph, 5)
    watch = Watch(("a", "b"))
    trace = backend.run(graph, None, values, backend="stock", watch=watch, timeout_s=TIMEOUT_S)
    assert not any(trace.mismatches(reference.run(graph, values, watch)).values())
