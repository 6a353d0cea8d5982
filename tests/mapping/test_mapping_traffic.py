"""Connections, messages, hops and links, against neuron-by-neuron counting."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import CONV, NEURON, board, cell, chain, mesh, mlp, target

from neurocomp.errors import InputError
from neurocomp.hw.fields import Region
from neurocomp.ir import (
    Conv,
    Dense,
    Graph,
    Input,
    Population,
    Projection,
    Shape,
    Slice,
    skip,
    verify,
    whole,
)
from neurocomp.mapping.activity import ASSUMED_RATE, rates_of
from neurocomp.mapping.connections import connections
from neurocomp.mapping.flow import flow
from neurocomp.mapping.listening import listening
from neurocomp.mapping.model import CoreAddress, Partition, Placement
from neurocomp.mapping.route import multicast
from neurocomp.mapping.traffic import traffic

Neuron = tuple[str, Shape]


def synapses(graph: Graph, e: Projection) -> set[tuple[Neuron, Neuron]]:
    """(source neuron, target neuron) of every synapse, one by one."""
    source, target = graph.population(e.source).shape, graph.population(e.target).shape
    found = set()
    for o in np.ndindex(target):
        if isinstance(e.op, Dense):
            found |= {((e.source, i), (e.target, o)) for i in np.ndindex(source)}
            continue
        op = e.op
        group_in, group = source[0] // op.groups, o[0] * op.groups // target[0]
        for c, ky, kx in np.ndindex(group_in, *op.kernel):
            y = o[1] * op.stride[0] - op.padding[0] + ky * op.dilation[0]
            x = o[2] * op.stride[1] - op.padding[1] + kx * op.dilation[1]
            if 0 <= y < source[1] and 0 <= x < source[2]:
                found.add(((e.source, (group * group_in + c, y, x)), (e.target, o)))
    return found


def cores_of(partition: Partition) -> dict[Neuron, int]:
    return {
        (s.population, n): core
        for core, slices in enumerate(partition.cores)
        for s in slices
        for n in product(*(range(a, b) for a, b in zip(s.start, s.stop, strict=True)))
    }  # type: ignore[misc]


def quarters(graph: Graph) -> Partition:
    """Every population in pieces, dealt to four cores so that most cores hold several."""
    cores: list[list[Slice]] = [[], [], [], []]
    for i, p in enumerate(graph.neurons):
        c, y, x = (max(1, n // 2) for n in p.shape)
        cuts = [[(0, c), (c, p.shape[0])], [(0, y), (y, p.shape[1])], [(0, x), (x, p.shape[2])]]
        for k, box in enumerate(product(*cuts)):
            if all(a < b for a, b in box):
                start, stop = (tuple(e[j] for e in box) for j in (0, 1))
                cores[(k + i) % 4].append(Slice(p.name, start, stop))  # type: ignore[arg-type]
    return Partition(tuple(tuple(sorted(core)) for core in cores))


def odd() -> Graph:
    """Strides that step over rows, dilation, groups, a dense loop with a delay."""
    populations = (
        Population("in", (2, 7, 7), Input()),
        Population("a", (4, 7, 7), NEURON),
        Population("b", (4, 3, 3), NEURON),
        Population("c", (2, 3, 3), NEURON),
    )
    projections = (
        Projection("in-a", "in", "a", CONV),
        Projection("a-b", "a", "b", Conv((1, 1), (3, 3))),
        Projection("a-b.wide", "a", "b", Conv((3, 3), (2, 2), dilation=(1, 1), groups=2)),
        Projection("b-c", "b", "c", Conv((2, 2), (1, 1), (1, 1), (2, 2))),
        Projection("c-c", "c", "c", Dense(), delay=1),
    )
    return verify(Graph("odd", populations, projections, "c"))


GRAPHS = {"cell": cell, "odd": odd}


@pytest.mark.parametrize("make", GRAPHS.values(), ids=list(GRAPHS))
def test_connections_routes_and_listening_are_those_of_the_synapses(make: Any) -> None:
    graph, partition = make(), quarters(make())
    core = cores_of(partition)
    pairs: set[tuple[str, str, int | None, int]] = set()
    for e in graph.projections:
        pairs |= {(e.name, a[0], core.get(a), core[b]) for a, b in synapses(graph, e)}
    found = list(connections(graph, partition))
    assert {(c.projection, c.population, c.source, c.target) for c in found} == pairs
    heard = list(listening(graph, partition))
    assert {(h.projection, h.population, h.source, h.target) for h in heard} == pairs
    assert {
        (r.population, r.source, t) for r in multicast(graph, partition) for t in r.targets
    } == {(population, source, t) for _, population, source, t in pairs}
    counted = Counter((c.projection, c.source, c.target, c.region.positions) for c in found)
    assert counted == Counter((h.projection, h.source, h.target, h.positions) for h in heard)


@pytest.mark.parametrize("make", GRAPHS.values(), ids=list(GRAPHS))
def test_messages_are_counted_once_per_neuron_and_core(make: Any) -> None:
    """Σ rate × number of other cores with a target, with a rate of its own for every neuron."""
    graph, partition = make(), quarters(make())
    core = cores_of(partition)
    rng = np.random.default_rng(3)
    rates = {p.name: rng.random(p.shape) for p in graph.populations}
    targets: dict[Neuron, set[int]] = {}
    for e in graph.projections:
        for a, b in synapses(graph, e):
            targets.setdefault(a, set()).add(core[b])
    expected = np.zeros((4, 4))
    inputs = np.zeros(len(partition.cores))
    for (name, index), reached in targets.items():
        for t in reached:
            if (name, index) not in core:
                inputs[t] += rates[name][index]
            elif core[name, index] != t:
                expected[core[name, index], t] += rates[name][index]
    found = flow(graph, partition, rates_of(graph, rates))
    np.testing.assert_allclose(found.between.toarray(), expected, rtol=1e-12)
    assert found.inputs == pytest.approx(inputs)


def test_hops_links_and_chip_borders() -> None:
    """4 neurons on core 0 feed 2 on core 1 and 2 on core 2, at rate 0.5; 3 × 2 tiles, 2 chips.

    Core 0 at (0, 0), core 1 at (0, 0) too (two cores to a tile), core 2 on the other chip at
    (3 + 1, 1): 4 + 1 hops, one border. Each of the 4 neurons sends one message to either core.
    """
    graph = mlp("m", 3, 4, 4)
    first, second = (graph.population(name) for name in ("l1", "l2"))
    halves = (Slice("l2", (0, 0, 0), (2, 1, 1)), Slice("l2", (2, 0, 0), (4, 1, 1)))
    partition = Partition(((whole(first),), *((half,) for half in halves)))
    chip = target(mesh=mesh(3, 2, 2), board=board(2))
    placement = Placement((CoreAddress(0, 0), CoreAddress(0, 1), CoreAddress(1, 6)))
    rates = rates_of(graph, {"l1": 0.5, second.name: np.zeros((4, 1, 1))})
    found = traffic(flow(graph, partition, rates), placement, chip)
    assert found.messages == 4 * 0.5 * 2
    assert found.spike_hops == 2.0 * 5
    assert found.max_link == 2.0
    assert found.chip_crossings == 2.0
    assert found.inputs == pytest.approx(3 * ASSUMED_RATE)


def test_links_add_up_where_ways_meet() -> None:
    """Cores at (0, 0) and (1, 0) both send to (2, 0): the link between 1 and 2 carries both."""
    graph = chain("c", (1, 1, 1), ((2, 1, 1), Dense(), 8), ((1, 1, 1), Dense(), 8))
    one, two = Slice("l1", (0, 0, 0), (1, 1, 1)), Slice("l1", (1, 0, 0), (2, 1, 1))
    partition = Partition(((one,), (two,), (whole(graph.population("l2")),)))
    placement = Placement((CoreAddress(0, 0), CoreAddress(0, 1), CoreAddress(0, 2)))
    rates = rates_of(graph, {"l1": 0.25, "l2": 0.0})
    found = traffic(flow(graph, partition, rates), placement, target(mesh=mesh(3, 1)))
    assert (found.spike_hops, found.max_link) == (0.25 * 2 + 0.25 * 1, 0.5)


def test_no_messages_within_a_core() -> None:
    graph = cell()
    partition = Partition((tuple(sorted(whole(p) for p in graph.neurons)),))
    found = flow(graph, partition, rates_of(graph, None))
    assert found.between.sum() == 0
    assert traffic(found, Placement((CoreAddress(0, 0),)), target()).max_link == 0


@given(st.floats(0.01, 0.5))
@settings(max_examples=10, deadline=None)
def test_doubled_rates_double_the_traffic(rate: float) -> None:
    graph, partition = cell(), quarters(cell())
    once, twice = (
        flow(graph, partition, rates_of(graph, {p.name: rate * k for p in graph.populations}))
        for k in (1, 2)
    )
    np.testing.assert_allclose(twice.between.toarray(), 2 * once.between.toarray())


def test_assumed_rates_are_flagged() -> None:
    """An input of spikes is assumed as neurons are; graded values are sent at every step."""
    graph = cell()
    assumed = rates_of(graph, None)
    assert not assumed.measured
    assert assumed.assumed == {p.name for p in graph.populations}
    assert assumed.of("a", Region((0, 4), 0b111, 0b11)) == pytest.approx(0.1 * 24)
    assert assumed.mean("in") == 1.0  # of 8 bits
    others = {p.name: 0.5 for p in graph.neurons}
    partly = rates_of(graph, others)
    assert (partly.measured, partly.assumed, partly.mean("in")) == (False, {"in"}, 1.0)
    assert rates_of(graph, {**others, "in": 0.25}).measured
    spikes = replace(graph.population("in"), neuron=Input(bits=1))
    binary = replace(graph, populations=(spikes, *graph.neurons))
    assert rates_of(binary, others).mean("in") == ASSUMED_RATE


def test_a_measured_region_may_have_holes() -> None:
    graph = cell()
    rates = {p.name: np.arange(p.size, dtype=float).reshape(p.shape) / 500 for p in graph.neurons}
    part = rates["a"][1:3][:, [0, 3]][:, :, [1, 2, 5]]
    found = rates_of(graph, rates).of("a", Region((1, 3), 0b1001, 0b100110))
    assert found == pytest.approx(part.sum())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": np.zeros((4, 6))}, r"a: shape must be \(4, 6, 6\) or a single number, got \(4, 6\)"),
        ({"b": 1.5}, "b: must be spikes per neuron and step, 0 to 1"),
        ({"c": float("nan")}, "c: must be spikes per neuron and step, 0 to 1"),
        ({"out": None}, "out: no rate is given"),
        ({"aa": 0.1}, "unknown population 'aa'; did you mean 'a'"),
    ],
)
def test_faulty_rates_are_refused(change: dict[str, Any], message: str) -> None:
    graph = cell()
    rates = {p.name: 0.1 for p in graph.neurons} | change
    rates = {name: rate for name, rate in rates.items() if rate is not None}
    with pytest.raises(InputError, match=message):
        rates_of(graph, rates)


def test_a_skip_reaches_only_its_own_position() -> None:
    graph = chain("s", (4, 2, 2), ((4, 2, 2), skip(4), 8), ((4, 2, 2), skip(4), 8))
    partition = Partition(
        tuple((Slice(name, (c, 0, 0), (c + 2, 2, 2)),) for name in ("l1", "l2") for c in (0, 2))
    )
    assert [(r.population, r.source, r.targets) for r in multicast(graph, partition)] == [
        ("in", None, (0, 1)), ("l1", 0, (2,)), ("l1", 1, (3,)),
    ]  # fmt: skip
