"""Events, energy, time and power of a mapping, worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mapping_networks import board, chain, mesh, mlp, target
from test_mapping_traffic import synapses

from neurocomp.errors import InputWarning
from neurocomp.ir import Conv, Dense, Graph, Slice
from neurocomp.mapping.activity import Given, rates_of
from neurocomp.mapping.costs import cost_rows
from neurocomp.mapping.events import Events, events, operations
from neurocomp.mapping.flow import flow
from neurocomp.mapping.model import CoreAddress, Mapping, Partition, Placement
from neurocomp.mapping.traffic import traffic
from neurocomp.spec.target import Target, load_target

RATES: Given = {"in": 0.5, "l1": 0.25, "l2": 0.1}
PRICES = {
    "summary": "made for this test",
    "synapse": {"pj": 10.0, "ns": 2.0, "source": "x"},
    "neuron_active": {"pj": 100.0, "ns": 5.0, "source": "x"},
    "hop_east_west": {"pj": 1.0, "ns": 3.0, "source": "x"},
    "hop_north_south": {"pj": 2.0, "ns": 4.0, "source": "x"},
    "message_out": {"pj": 7.0, "ns": 1.0, "source": "x"},
    "barrier": {1: {"ns": 100.0, "source": "x"}, 5: {"ns": 300.0, "source": "x"}},
}


def square(**changes: Any) -> Target:
    """2 × 2 tiles of one core."""
    return target(mesh=mesh(2, 2), board=board(1, 1), **changes)


def counted(hardware: Target) -> Events:
    """4 inputs → 3 neurons on two cores → 2 neurons on a third; tiles (0,0), (0,1) and (1,1)."""
    graph = mlp("two", 4, 3, 2)
    cores = (
        (Slice("l1", (0, 0, 0), (2, 1, 1)),),
        (Slice("l1", (2, 0, 0), (3, 1, 1)),),
        (Slice("l2", (0, 0, 0), (2, 1, 1)),),
    )
    places = Placement(tuple(CoreAddress(0, core) for core in (0, 1, 3)))
    mapping = Mapping("two", "", "t", "p", 0, Partition(cores), places, ())
    rates = rates_of(graph, RATES)
    sent = flow(graph, mapping.partition, rates)
    return events(graph, mapping, sent, traffic(sent, places, hardware), rates, hardware)


def test_events() -> None:
    found = counted(square())
    assert found.neurons.tolist() == [2, 1, 2]
    assert found.spikes == pytest.approx([2 * 0.25, 0.25, 2 * 0.1])
    assert found.dense == pytest.approx([4 * 0.5 * 2, 4 * 0.5, 3 * 0.25 * 2])
    assert found.conv.tolist() == [0, 0, 0]
    assert found.sent == pytest.approx([0.5, 0.25, 0])
    assert found.received == pytest.approx([4 * 0.5, 4 * 0.5, 0.75])
    mesh = found.on_mesh
    assert mesh.hops_east_west == pytest.approx(0.5 + 0.25)
    assert mesh.hops_north_south == pytest.approx(0.5)
    assert found.on_mesh.within_tile == 0
    assert found.on_mesh.farthest == (1, 1)
    assert found.tiles == 3


def test_price_of_a_step() -> None:
    hardware = square(costs={"own": PRICES}, static_mw_per_chip=30.0)
    rows = cost_rows(counted(hardware), hardware, n_chips=1, step_rate=1e6)
    assert rows["events"] == pytest.approx(
        {
            "neuron_updates": 5,
            "spikes": 0.95,
            "synops": 7.5,
            "busiest_core_synops": 4,
            "messages": 0.75,
            "hops": 1.25,
        }
    )
    row = rows["costs"]["energy"]["own"]
    assert row["energy_pj"] == pytest.approx(
        {
            "neurons": 5 * 100,
            "synapses": 7.5 * 10,
            "messages": 0.75 * 7,
            "mesh": 0.75 * 1 + 0.5 * 2,
            "total": 582,
        }
    )
    assert row["makespan_ns"] == pytest.approx(2 * 5 + 4 * 2 + 0.5 * 1)
    assert row["step_ns"] == pytest.approx(18.5 + (3 + 4) + 200)  # 3 tiles, halfway from 1 to 5
    assert row["steps_per_second"] == pytest.approx(1e9 / 225.5)
    assert row["unpriced"] == ["message_in"]
    assert row["power_mw"] == pytest.approx(
        {"steps_per_second": 1e6, "dynamic": 582e-12 * 1e6 * 1e3, "static": 30}
    )


def test_messages_within_a_tile() -> None:
    hardware = target(mesh=mesh(1, 1, 4), board=board(1, 1), costs={"own": PRICES})
    found = counted(hardware)
    assert found.on_mesh.within_tile == pytest.approx(0.75)
    assert found.on_mesh.spike_hops == 0
    row = cost_rows(found, hardware, n_chips=1)["costs"]["energy"]["own"]
    assert row["unpriced"] == ["message_in", "within_tile"]
    assert row["power_mw"] is None


def test_a_chip_without_prices_is_quoted_at_those_of_another() -> None:
    loihi2 = load_target("loihi2")
    found = cost_rows(counted(square()), loihi2, n_chips=1)["costs"]
    assert list(found) == ["loihi1_equivalent_energy"]
    own = cost_rows(counted(square()), load_target("loihi1"), n_chips=1)["costs"]
    assert found["loihi1_equivalent_energy"] == own["energy"]
    sanafe = own["energy"]["sanafe"]["energy_pj"]
    assert sanafe["neurons"] == pytest.approx(5 * (51.2 + 21.6) + 0.95 * 69.3)
    assert sanafe["synapses"] == pytest.approx(7.5 * 35.5)
    assert sanafe["messages"] == pytest.approx(0.75 * 111)


def test_nobody_published_anything() -> None:
    assert cost_rows(counted(square()), square(), n_chips=1)["costs"] == {"energy": {}}


@pytest.mark.parametrize(
    "graph",
    [
        chain("plain", (2, 5, 4), ((3, 5, 4), Conv((3, 3), padding=(1, 1)), 8)),
        chain("stride", (2, 7, 6), ((4, 3, 3), Conv((3, 2), stride=(2, 2)), 8)),
        chain("dilated", (2, 7, 6), ((4, 3, 4), Conv((3, 2), dilation=(2, 2)), 8)),
        chain("grouped", (4, 4, 4), ((6, 4, 4), Conv((3, 3), padding=(1, 1), groups=2), 8)),
        chain("dense", (2, 2, 3), ((5, 1, 1), Dense(), 8)),
    ],
    ids=lambda graph: graph.name,
)
def test_operations_are_those_of_the_synapses_one_by_one(graph: Graph) -> None:
    (e,), shape = graph.projections, graph.population("l1").shape
    start = tuple(n // 3 for n in shape)
    part = Slice("l1", start, shape)
    values = np.random.default_rng(0).random(graph.population("in").shape)
    inside = [
        source
        for (_, source), (_, o) in synapses(graph, e)
        if all(a <= i for a, i in zip(start, o, strict=True))
    ]
    measured = rates_of(graph, {"in": values, "l1": 0.1})
    assert operations(graph, e, part, measured) == pytest.approx(sum(values[i] for i in inside))
    same = rates_of(graph, {"in": 0.25, "l1": 0.1})
    assert operations(graph, e, part, same) == pytest.approx(0.25 * len(inside))


def test_more_steps_than_the_mapping_reaches() -> None:
    """A step takes 225.5 ns, see above: 4,434,590 per second at most."""
    hardware = square(costs={"own": PRICES})
    with pytest.warns(InputWarning, match="basis 'own' a step takes 226 ns, .* 4,434,590 per sec"):
        cost_rows(counted(hardware), hardware, n_chips=1, step_rate=5e6)
