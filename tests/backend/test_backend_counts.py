"""Messages, operations and rates of a simulation: counted, foretold, delivered."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from backend_faults import TIMEOUT_S
from backend_networks import chain, dag, images, pair, run_engines, running, spread

from neurocomp import backend
from neurocomp.backend.counts import Counts, count
from neurocomp.backend.emit import emit
from neurocomp.backend.engine.chip import Engine
from neurocomp.backend.engine.heard import Inlet
from neurocomp.backend.execution import Executed
from neurocomp.backend.traffic import messages, operations, per_core
from neurocomp.flow.context import measured_rates
from neurocomp.ir import Dense, Graph, Input, LoihiLif, Population, Projection
from neurocomp.mapping import map_graph
from neurocomp.mapping.activity import rates_of
from neurocomp.mapping.flow import flow
from neurocomp.mapping.model import Partition
from neurocomp.quant import reference
from neurocomp.spec.target import load_target


def counted(graph: Graph, values: np.ndarray) -> Counts:
    """What the reference's spikes count."""
    trace = reference.run(graph, values)
    return count(graph, Executed(values, trace, 1, 0.0), None)


@pytest.mark.parametrize("make", [chain, dag, running])
@pytest.mark.parametrize("cuts", [(1, 1, 1), (2, 2, 1), (4, 3, 2)])
def test_messages_between_cores_are_what_the_mapper_foretells(make: Any, cuts: Any) -> None:
    """The mapper's flow, from regions and rates, and our count, spike by spike, agree."""
    graph = make()
    mapping = spread(graph, cuts)
    values = images(graph, 3, steps=None if graph.timesteps else 9)
    counts = counted(graph, values)
    sent = messages(graph, mapping, counts.fired)
    n = counts.samples * counts.window
    rates = {name: fired / n for name, fired in counts.fired.items()}
    foretold = flow(graph, mapping.partition, rates_of(graph, rates))
    assert sum(sent[p.name] for p in graph.neurons) == pytest.approx(foretold.between.sum() * n)
    assert sum(sent[p.name] for p in graph.inputs) == pytest.approx(foretold.inputs.sum() * n)


def test_messages_of_a_real_mapping_are_foretold() -> None:
    graph = dag()
    mapping = map_graph(graph, load_target("loihi2"), "compiler")
    found = backend.simulate(graph, mapping, images(graph, 4), timeout_s=TIMEOUT_S)
    foretold = flow(graph, mapping.partition, rates_of(graph, found.rates))
    assert found.messages == pytest.approx(foretold.between.sum() * 4 * 6)
    assert found.input_messages == pytest.approx(foretold.inputs.sum() * 4 * 6)
    assert found.synops_per_core is not None
    assert sum(found.synops_per_core) == sum(x.synops for x in found.layers)


@pytest.mark.parametrize("make", [chain, dag, running])
@pytest.mark.parametrize("cuts", [(1, 1, 1), (2, 2, 1), (1, 1, 3)])
def test_messages_are_what_the_engines_deliver(
    make: Any, cuts: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every core on a chip of its own: what comes in over its links, and from the input, is counted
    where the engine writes it down; the mapper foretells the same."""
    graph = make()
    mapping = spread(graph, cuts, chips=spread(graph, cuts).n_cores)
    values = images(graph, 3, steps=None if graph.timesteps else 9)
    counts = counted(graph, values)
    delivered: Counter[str] = Counter()
    comes_in: list[bool] = []  # while a chip takes in what is not its own

    def taking_in(method: Any) -> Any:
        def wrapped(*args: Any) -> None:
            comes_in.append(True)
            method(*args)
            comes_in.pop()

        return wrapped

    def write(inlet: Inlet, first: int, steps: int, sent: np.ndarray) -> None:
        original(inlet, first, steps, sent)
        if comes_in and inlet._heard is not None:
            y, x, c = inlet._into
            heard = inlet._heard
            written = heard.data[heard.rows(first, steps), y, x, c]
            each = counts.window if heard.still else 1
            delivered[heard.box.population] += each * np.count_nonzero(written)

    original = Inlet.write
    monkeypatch.setattr(Inlet, "write", write)
    monkeypatch.setattr(Engine, "hear", taking_in(Engine.hear))
    monkeypatch.setattr(Engine, "_show", taking_in(Engine._show))
    run_engines(graph, emit(graph, mapping), [values])
    sent = messages(graph, mapping, counts.fired)
    assert delivered == {name: n for name, n in sent.items() if n}
    n = counts.samples * counts.window
    rates = {name: fired / n for name, fired in counts.fired.items()}
    foretold = flow(graph, mapping.partition, rates_of(graph, rates))
    between = sum(delivered[p.name] for p in graph.neurons)
    assert between == pytest.approx(foretold.between.sum() * n)


@pytest.mark.parametrize("lost", [None, ("a", 0), ("in", None)])
def test_operations_follow_the_routes(lost: tuple[str, int | None] | None) -> None:
    """Neurons that sent 5, 7, 2 and 3 messages; those of a lost route reach no synapse.

    `pair`: neurons 0 and 1 of "a" on cores 0 and 1 hear one input each, the readout on core 2 both.
    """
    graph, mapping = pair()
    routes = tuple(r for r in mapping.routes if (r.population, r.source) != lost)
    mapping = replace(mapping, routes=routes)
    fired = {name: np.array(n).reshape(-1, 1, 1) for name, n in (("in", [5, 7]), ("a", [2, 3]))}
    done = operations(graph, Counts(fired=fired), mapping)
    assert done["in-a"].ravel().tolist() == ([0, 0] if lost == ("in", None) else [5, 7])
    assert done["a-out"].ravel().tolist() == [3 if lost == ("a", 0) else 5]
    assert operations(graph, Counts(fired=fired), None)["a-out"].ravel().tolist() == [5]


def test_a_neuron_on_no_core_makes_no_operations() -> None:
    graph, mapping = pair()
    cores = ((), *mapping.partition.cores[1:])
    routes = tuple(r for r in mapping.routes if r.source != 0)
    mapping = replace(mapping, partition=Partition(cores), routes=routes)
    fired = {name: np.array(n).reshape(-1, 1, 1) for name, n in (("in", [5, 7]), ("a", [0, 3]))}
    done = operations(graph, Counts(fired=fired), mapping)
    assert done["in-a"].ravel().tolist() == [0, 7]
    assert done["a-out"].ravel().tolist() == [3]


@pytest.mark.parametrize("bits", [1, 4])
def test_measured_rates_are_those_of_a_simulation(bits: int) -> None:
    """Of graded inputs as of spikes: the share of values that are not zero is what is counted."""
    graph = dag()
    source = replace(graph.inputs[0], neuron=Input(bits))
    graph = replace(graph, populations=(source, *graph.neurons))
    values = np.minimum(images(graph, 4), 2**bits - 1)
    values[:, 0] = 0
    found = backend.simulate(graph, None, values, backend="reference").rates
    rates = measured_rates(graph, values)
    assert rates.keys() == found.keys()
    for name, rate in rates.items():
        np.testing.assert_allclose(rate, found[name], rtol=1e-12)
    assert rates_of(graph, rates).measured
    assert 0 < rates_of(graph, rates).mean(source.name) < 1


def test_operations_with_delays_per_synapse_by_hand() -> None:
    """T = 3, one neuron that fires in each step, weights with delays 0, 1 and 5: 3 + 2 + 0."""
    delays = np.array([[0], [1], [5]])
    e = Projection("e", "in", "out", Dense(), 8, np.array([[1], [2], [3]]), delays=delays)
    populations = (
        Population("in", (1, 1, 1), Input()),
        Population("out", (3, 1, 1), LoihiLif(vth=9)),
    )
    graph = Graph("late", populations, (e,), "out", timesteps=3, readout="spikes")
    counts = counted(graph, np.ones((1, 1, 1, 1), np.uint8))
    onto = operations(graph, counts, None)["e"]
    assert onto.ravel().tolist() == [3, 2, 0]
    assert per_core(spread(graph, (3, 1, 1)), graph, {"out": onto}) == [3, 2, 0]


def test_a_mapping_with_a_lost_route_sends_less() -> None:
    graph = chain()
    mapping = spread(graph)
    fired = {p.name: np.ones(p.shape, np.int64) for p in graph.populations}
    lost = replace(mapping, routes=tuple(r for r in mapping.routes if r.source != 0))
    assert messages(graph, lost, fired)["a"] < messages(graph, mapping, fired)["a"]
