"""Routing tables: worked out by hand, spoiled ones refused, every route a tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import target

from neurocomp.errors import RunError
from neurocomp.hw.mesh import Point
from neurocomp.ir import Slice
from neurocomp.mapping import (
    CoreAddress,
)
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.check import check_tables
from neurocomp.mapping.model import Mapping, Partition, Placement, Route
from neurocomp.mapping.route import routing_tables, tree


def test_routing_tables() -> None:
    """Cores on tiles (0,0), (1,0), (1,1), (2,1) of 3 × 2; messages go along the row first."""
    places = Placement(tuple(CoreAddress(0, core) for core in (0, 2, 3, 5)))
    routes = (Route("in", None, (0,)), Route("l1", 0, (0, 1, 2, 3)), Route("l2", 3, (0,)))
    slices = (Slice("l1", (0, 0, 0), (4, 1, 1)),), (), (), (Slice("l2", (0, 0, 0), (2, 1, 1)),)
    mapping = Mapping("net", "", "small", "p", 0, Partition(slices), places, routes)
    rates = Rates({"in": 0.1, "l1": 0.5, "l2": 0.25}, frozenset())
    found = routing_tables(mapping, target(), rates)
    assert [core["tile"] for core in found["cores"]] == [[0, 0], [1, 0], [1, 1], [2, 1]]
    assert [route["links"] for route in found["routes"]] == [
        [],
        [[0, 0, 1, 0], [1, 0, 1, 1], [1, 0, 2, 0], [2, 0, 2, 1]],
        [[2, 1, 1, 1], [1, 1, 0, 1], [0, 1, 0, 0]],
    ]
    assert [route["messages_per_step"] for route in found["routes"]] == [None, 4 * 0.5, 2 * 0.25]
    assert found["link_loads"] == [
        [0, 0, 1, 0, 2.0], [0, 1, 0, 0, 0.5], [1, 0, 1, 1, 2.0], [1, 0, 2, 0, 2.0],
        [1, 1, 0, 1, 0.5], [2, 0, 2, 1, 2.0], [2, 1, 1, 1, 0.5],
    ]  # fmt: skip
    assert found["max_link_per_step"] == 2.0


def spoiled(change: Callable[[dict[str, Any]], object]) -> tuple[Mapping, Rates, dict[str, Any]]:
    """One route from tile (0, 0) to (1, 1) and (2, 0), one back; and the tables changed."""
    places = Placement(tuple(CoreAddress(0, core) for core in (0, 3, 4)))
    routes = (Route("in", None, (0,)), Route("l1", 0, (1, 2)), Route("l2", 1, (0,)))
    slices = tuple((Slice(f"l{i}", (0, 0, 0), (4, 1, 1)),) for i in (1, 2, 3))
    mapping = Mapping("net", "", "small", "p", 0, Partition(slices), places, routes)
    rates = Rates({f"l{i}": 0.5 for i in (1, 2, 3)}, frozenset())
    tables = routing_tables(mapping, target(), rates)
    assert tables["routes"][1]["links"] == [[0, 0, 1, 0], [1, 0, 1, 1], [1, 0, 2, 0]]
    change(tables)
    return mapping, rates, tables


def links_of(*links: list[int]) -> Callable[[dict[str, Any]], None]:
    def change(tables: dict[str, Any]) -> None:
        tables["routes"][1]["links"] = list(links)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (links_of([0, 0, 1, 0], [1, 0, 2, 0]), r"do not reach tiles \[\(1, 1\)\]"),
        (links_of([0, 0, 0, 1], [0, 1, 1, 1]), "goes along a row that is not the source's: no XY"),
        (links_of([1, 0, 1, 1], [0, 0, 1, 0]), "starts where no message has come"),
        (links_of([0, 0, 1, 0], [0, 0, 1, 0]), "comes to a tile for the second time"),
        (links_of([0, 0, 1, 0], [1, 0, 0, 0]), "comes to a tile for the second time"),
        (links_of([0, 0, 2, 0]), "is no link between neighbouring tiles"),
        (links_of([0, 0, 0, -1]), "leaves the board"),
        (links_of([0, 0, 0, 1]), r"ways end at tiles \[\(0, 1\)\] where nobody listens"),
        (lambda t: t["routes"][0]["links"].append([0, 0, 1, 0]), "from outside the mesh, but has"),
        (lambda t: t["routes"][1]["targets"].pop(), "stands where Route"),
        (lambda t: t["routes"].pop(), "no route stands where Route"),
        (lambda t: t["cores"][0].update(core=1), "cores are not where the mapping has them"),
        (lambda t: t["routes"][1].update(messages_per_step=3.0), "sends 2.0, not 3.0 messages"),
        (lambda t: t["link_loads"].pop(), r"load None, the trees give it 2\.0"),
        (lambda t: t.update(max_link_per_step=1.0), "max link per step: 1.0, of the trees 2.0"),
    ],
)
def test_spoiled_routing_tables_are_refused(
    change: Callable[[dict[str, Any]], object], message: str
) -> None:
    mapping, rates, tables = spoiled(change)
    with pytest.raises(RunError, match=message):
        check_tables(mapping, target(), rates, tables)


@given(
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
    st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12),
)
@settings(max_examples=50, deadline=None)
def test_every_route_is_a_tree(source: tuple[int, int], ends: set[tuple[int, int]]) -> None:
    """Every tile on it is entered once, from a tile that was reached before; all ends are on it."""
    links = tree(Point(*source), [Point(*end) for end in sorted(ends)])
    reached = {source}
    for x, y, to_x, to_y in links:
        assert (x, y) in reached
        assert (to_x, to_y) not in reached
        reached.add((to_x, to_y))
    assert ends <= reached
