"""The checker refuses what is wrong, and accepts what the mapper makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from mapping_networks import board, cell, mlp, target

from neurocomp.errors import RunError
from neurocomp.ir import Graph, Slice
from neurocomp.mapping import CoreAddress, Mapping, Partition, Placement, Route, check, map_graph
from neurocomp.spec.target import Target, load_target

CHIP = target(neurons=48, board=board(2), dead_cores=[{"chip": 1, "core": 5}])


@pytest.fixture(scope="module")
def mapping() -> Mapping:
    return map_graph(cell(), CHIP, "balanced")


def put(mapping: Mapping, core: int, *slices: Slice) -> Mapping:
    """Other slices on one core."""
    cores = list(mapping.partition.cores)
    cores[core] = slices
    return replace(mapping, partition=Partition(tuple(cores)))


def place(mapping: Mapping, core: int, *address: int) -> Mapping:
    """Another place for one core."""
    addresses = list(mapping.placement.addresses)
    addresses[core] = CoreAddress(*address)
    return replace(mapping, placement=Placement(tuple(addresses)))


def route(mapping: Mapping, change: Callable[[Route], Route | None]) -> Mapping:
    """Other routes; None drops one."""
    changed = (change(r) for r in mapping.routes)
    return replace(mapping, routes=tuple(r for r in changed if r is not None))


def refused(
    mapping: Mapping, message: str, chip: Target = CHIP, graph: Graph | None = None
) -> None:
    with pytest.raises(RunError, match=message):
        check(graph or cell(), mapping, chip)


def test_a_legal_mapping_passes(mapping: Mapping) -> None:
    assert check(cell(), mapping, CHIP) is mapping


def test_a_missing_neuron(mapping: Mapping) -> None:
    core = next(i for i, c in enumerate(mapping.partition.cores) if c[0].size > 1)
    first, *rest = mapping.partition.cores[core]
    axis = next(i for i in range(3) if first.shape[i] > 1)
    stop = tuple(b - (i == axis) for i, b in enumerate(first.stop))
    smaller = replace(first, stop=stop)  # type: ignore[arg-type]
    lost = first.size - smaller.size
    refused(
        put(mapping, core, smaller, *rest),
        f"population '{first.population}': {lost} neurons stand on no core",
    )


def test_a_neuron_on_two_cores(mapping: Mapping) -> None:
    cores = mapping.partition.cores
    twice = replace(cores[0][0], stop=tuple(a + 1 for a in cores[0][0].start))
    refused(
        put(mapping, 1, *cores[1], twice),
        f"population '{twice.population}': 1 neurons stand on more than one core",
    )


def test_one_word_too_many() -> None:
    """10 → 10 at 8 bits takes 10 × ceil(204/64) = 40 words; a core with 39 refuses them."""
    graph = mlp("m", 10, 10)
    mapping = map_graph(graph, target(synapse_words=40), "compiler")
    assert mapping.n_cores == 1
    message = r"core 0 \(l1\): synapse_words: needs 40, has 39"
    refused(mapping, message, target(synapse_words=39), graph)


def test_one_axon_too_many_only_because_of_the_consumers_cut() -> None:
    """20 neurons heard by 2 cores take 40 Loihi 1 axons, by 1 core 20."""
    graph = mlp("m", 4, 20, 2)
    first, second = (Slice("l1", (0, 0, 0), (20, 1, 1)), Slice("l2", (0, 0, 0), (2, 1, 1)))
    halves = [replace(second, stop=(1, 1, 1)), replace(second, start=(1, 0, 0))]
    raw = load_target("loihi1").model_dump()
    raw["core"]["out_axons"]["value"] = 39
    chip = Target.model_validate(raw)
    whole, cut = (
        Mapping(
            "m", graph.digest(), "loihi1", "own", 0,
            Partition(tuple((s,) for s in slices)),
            Placement(tuple(CoreAddress(0, i) for i in range(len(slices)))),
            (
                Route("in", None, (0,)),
                Route("l1", 0, tuple(range(1, len(slices)))),
            ),
        )
        for slices in ([first, second], [first, *halves])
    )  # fmt: skip
    assert check(graph, whole, chip) is whole
    refused(cut, r"core 0 \(l1\): out_axons: needs 40, has 39", chip, graph)


def test_a_route_that_misses_a_core(mapping: Mapping) -> None:
    victim = next(r for r in mapping.routes if r.source is not None and len(r.targets) > 1)
    lost = victim.targets[-1]
    broken = route(mapping, lambda r: replace(r, targets=r.targets[:-1]) if r is victim else r)
    refused(
        broken,
        rf"'{victim.population}' of core {victim.source}: messages do not reach cores \[{lost}\]",
    )


def test_routes_that_lead_nowhere_or_stand_out_of_order(mapping: Mapping) -> None:
    lost = Route("nobody", 0, ())
    refused(replace(mapping, routes=(*mapping.routes, lost)), "'nobody' of core 0: is no populat")
    empty = route(mapping, lambda r: replace(r, targets=()) if r.source is None else r)
    refused(empty, "'in': is no population or has no targets")
    message = "routes: must be sorted by population, source and targets"
    refused(replace(mapping, routes=mapping.routes[::-1]), message)
    refused(route(mapping, lambda r: replace(r, targets=r.targets[::-1])), message)


def test_a_missing_input_route(mapping: Mapping) -> None:
    broken = route(mapping, lambda r: None if r.source is None else r)
    refused(broken, r"'in': messages do not reach cores \[")


def test_a_route_to_a_core_without_targets(mapping: Mapping) -> None:
    extra = Route("out", 0, (0,))
    refused(
        replace(mapping, routes=(*mapping.routes, extra)),
        r"'out' of core 0: messages reach cores \[0\] that have no targets",
    )


def test_two_routes_of_the_same_messages(mapping: Mapping) -> None:
    refused(replace(mapping, routes=(*mapping.routes, mapping.routes[0])), "two routes")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ((1, 5), "chip 1, core 5: is dead"),
        ((2, 0), "chip 2, core 0: small has no such core"),
        ((0, -1), "chip 0, core -1: small has no such core"),
    ],
)
def test_a_core_in_no_place(mapping: Mapping, address: tuple[int, int], message: str) -> None:
    refused(place(mapping, 0, *address), message)


def test_two_cores_in_one_place(mapping: Mapping) -> None:
    refused(place(mapping, 0, *mapping.placement.addresses[1]), "2 logical cores stand on it")


def test_places_and_cores_must_agree_in_number(mapping: Mapping) -> None:
    n = mapping.n_cores
    fewer = replace(mapping, placement=Placement(mapping.placement.addresses[:-1]))
    refused(fewer, f"{n} cores have {n - 1} addresses")


def test_slices_must_be_boxes_of_populations(mapping: Mapping) -> None:
    refused(put(mapping, 0), "core 0: holds nothing")
    refused(put(mapping, 0, Slice("in", (0, 0, 0), (1, 1, 1))), "'in' is no population of neurons")
    refused(put(mapping, 0, Slice("a", (0, 0, 0), (1, 1, 7))), r"no box of a .* shape \(4, 6, 6\)")
    refused(put(mapping, 0, Slice("a", (1, 0, 0), (1, 1, 1))), "is no box of a population")


def test_another_network_or_target(mapping: Mapping) -> None:
    refused(mapping, "made for another network than 'm'", graph=mlp("m", 3, 3))
    refused(mapping, "made for target small, not loihi2", load_target("loihi2"))


def test_all_faults_come_at_once_but_not_hundreds(mapping: Mapping) -> None:
    broken = place(place(mapping, 0, 1, 5), 1, 7, 0)
    with pytest.raises(RunError) as raised:
        check(cell(), broken, CHIP)
    assert "chip 1, core 5" in str(raised.value)
    assert "chip 7, core 0" in str(raised.value)
    graph = mlp("m", 1, 40)
    many = tuple((Slice("l1", (i, 0, 0), (i + 1, 1, 1)),) for i in range(40))
    chip = load_target("loihi2")
    lost = Mapping(
        "m", graph.digest(), "loihi2", "own", 0, Partition(many),
        Placement(tuple(CoreAddress(0, i) for i in range(40))),
        tuple(Route("l1", i, (0,)) for i in range(40)),
    )  # fmt: skip
    with pytest.raises(RunError, match="and 21 more"):
        check(graph, lost, chip)
