"""From graph to mapping file and summary row; errors; the same bytes in a fresh process."""

from __future__ import annotations

import hashlib
import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import CONV, board, cell, chain, mesh, mlp, pooled, target

from neurocomp.errors import FitError, InputError, RunError
from neurocomp.flow import map_network
from neurocomp.hw.mesh import Point, live_per_chip
from neurocomp.ir import Conv, Graph, Slice
from neurocomp.mapping import (
    CoreAddress,
    check,
    cores_without_rules,
    map_graph,
    map_pareto,
    summary,
)
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.bound import lower_bound_cores
from neurocomp.mapping.check import check_tables
from neurocomp.mapping.effort import EFFORTS, Effort
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import Mapping, Partition, Placement, Route
from neurocomp.mapping.place import PLACERS
from neurocomp.mapping.route import routing_tables, tree
from neurocomp.mapping.store import load, save
from neurocomp.spec.policy import policy_names
from neurocomp.spec.target import Target, load_target

summaries = importlib.import_module("neurocomp.mapping.summary")
CHIPS = target(neurons=24, mesh=mesh(2, 2), board=board(2, 2))


@pytest.mark.parametrize("policy", policy_names())
def test_every_policy_maps_onto_several_chips(policy: str) -> None:
    """2 × 2 tiles of one core, 4 chips: 16 cores; the DAG needs more than one chip."""
    mapping = map_graph(cell(), CHIPS, policy, seed=3)
    assert (mapping.network, mapping.target, mapping.policy, mapping.seed) == (
        "cell", "small", policy, 3,
    )  # fmt: skip
    assert mapping.graph_digest == cell().digest()
    assert len(mapping.chips) > 1
    assert [(r.population, r.source) for r in mapping.routes] == sorted(
        ((r.population, r.source) for r in mapping.routes),
        key=lambda key: (key[0], -1 if key[1] is None else key[1]),
    )


def test_a_single_core() -> None:
    mapping = map_graph(mlp("m", 3, 2), target(), "balanced")
    assert (mapping.n_cores, mapping.chips) == (1, (0,))
    assert [(r.population, r.source, r.targets) for r in mapping.routes] == [("in", None, (0,))]


def test_dead_cores_are_not_used() -> None:
    chip = target(dead_cores=[{"chip": 0, "core": 0}])
    for policy in policy_names():
        mapping = map_graph(mlp("m", 3, 2), chip, policy)
        assert CoreAddress(0, 0) not in mapping.placement.addresses


def test_a_policy_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = "name: mine\nsummary: s\npartitioner: portfolio\nplacer: in-order\nrouter: multicast\n"
    path.write_text(text)
    mapping = map_graph(cell(), CHIPS, str(path))
    assert mapping.policy == "mine"
    assert mapping.placement.addresses[:5] == ((0, 0), (0, 1), (0, 2), (0, 3), (1, 0))
    path.write_text(text.replace("in-order", "spiral"))
    with pytest.raises(
        InputError, match=r"policy mine: unknown placer 'spiral' \(known: anneal, in-order"
    ):
        map_graph(cell(), CHIPS, str(path))


def test_a_network_larger_than_the_board_is_refused_before_it_is_cut() -> None:
    """10^12 neurons, 4095 to a core: 244,200,245 cores. Nothing of that size may be made."""
    message = (
        r"huge: its neurons alone need 244,200,245 cores \(most of them 'l1'\), loihi2 has 128"
    )
    with pytest.raises(FitError, match=message):
        map_graph(mlp("huge", 1, 10**12), load_target("loihi2"), "balanced")


def test_a_network_that_needs_more_cores_than_there_are() -> None:
    """3 layers of 40 neurons on cores of 64: 120 neurons would fit two cores, layers do not."""
    graph = mlp("m", 1, 40, 40, 40)
    chip = target(mesh=mesh(1, 2), synapse_words=2000, total_words=4000)
    with pytest.raises(FitError, match=r"m: needs 3 cores \('l1' alone 1\), small has 2; use a"):
        map_graph(graph, chip, "compiler")
    assert map_graph(graph, chip, "balanced").n_cores == 2


def test_lower_bound() -> None:
    """Neurons 144 + 144 + 72 + 5 = 365 on cores of 24: 15.2. Words of the dense layer alone:
    72 axons × 5 × 20 bits / 64 = 112.5 and no more than 6 in all others: far below 1000."""
    assert lower_bound_cores(cell(), CHIPS) == 16
    assert lower_bound_cores(cell(), target(neurons=None, synapse_words=20)) >= 112.5 / 20
    assert lower_bound_cores(mlp("m", 1, 1), target()) == 1


def test_lower_bound_counts_only_taps_that_meet_the_source() -> None:
    """1×1 map, 3×3 kernel with padding on Loihi 1: 8 of 9 taps see nothing and are not stored.

    64 inputs × 64 outputs × 8 bits = 512 words; all nine taps would take 4608.
    """
    raw = load_target("loihi1").model_dump()
    raw["core"]["synapse_words"]["value"] = 100
    chip = type(load_target("loihi1")).model_validate(raw)
    graph = chain("t", (64, 1, 1), ((64, 1, 1), CONV, 8))
    assert lower_bound_cores(graph, chip) == 6


@pytest.mark.parametrize("policy", policy_names())
def test_summary_row(policy: str) -> None:
    graph = cell()
    mapping = map_graph(graph, CHIPS, policy)
    row = summary(graph, mapping, CHIPS)
    json.dumps(row, allow_nan=False)
    assert row["n_cores"] == mapping.n_cores >= row["lower_bound_cores"]
    assert row["n_chips"] == len(mapping.chips)
    assert [layer["name"] for layer in row["layers"]] == ["a", "b", "c", "out"]
    for layer in row["layers"]:
        holders = [
            c for c in mapping.partition.cores if any(s.population == layer["name"] for s in c)
        ]
        assert layer["n_cores"] == len(holders)
        assert {"neurons", "synapse_words", "in_axons", "axon_map", "total_words"} <= set(
            layer["used"]
        )
        assert all(limit is None or used <= limit for used, limit in layer["used"].values())
        assert layer["binding"] in layer["used"]
    assert [layer["weight_bits"] for layer in row["layers"]] == [8, 8, 2, 8]
    assert row["traffic"]["rates"] == "assumed"
    assert row["traffic"]["messages_per_step"] > 0


def test_measured_rates_are_told_from_assumed_ones() -> None:
    graph = cell()
    rates = {p.name: np.full(p.shape, 0.2) for p in graph.neurons}
    mapping = map_graph(graph, CHIPS, "balanced", rates=rates)
    partly = summary(graph, mapping, CHIPS, rates)["traffic"]
    measured = summary(graph, mapping, CHIPS, {**rates, "in": 0.3})["traffic"]
    assumed = summary(graph, mapping, CHIPS)["traffic"]
    assert (measured["rates"], measured["assumed_rates"]) == ("measured", {})
    assert (partly["rates"], partly["assumed_rates"]) == ("partly assumed", {"in": 1.0})
    assert assumed["rates"] == "assumed"
    assert assumed["assumed_rates"] == {**dict.fromkeys(("a", "b", "c", "out"), 0.1), "in": 1.0}
    assert measured["messages_per_step"] == pytest.approx(2 * assumed["messages_per_step"])


def test_files_keep_everything(tmp_path: Path) -> None:
    mapping = map_graph(cell(), CHIPS, "balanced")
    path = tmp_path / "mapping.json"
    save(mapping, path)
    assert load(path) == mapping
    assert [p.name for p in tmp_path.iterdir()] == ["mapping.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("{", "no JSON; expected a mapping file"),
        ("[]", "JSON, but no object; expected a mapping file"),
        ("{}", "format is not 'neurocomp-mapping/1'"),
        ('{"format": "neurocomp-mapping/1"}', "a damaged mapping file"),
    ],
)
def test_files_that_are_no_mapping(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "m.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0"},
        {"network": 3},
        {"placement": {"addresses": [[0]]}},
        {"placement": {"addresses": [[0, 1.0]]}},
        {"partition": {"cores": [[{"population": "l1", "start": [0, 0], "stop": [1, 1]}]]}},
        {"routes": [{"population": "in", "source": None}]},
    ],
)
def test_files_with_wrong_types(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "m.json"
    save(map_graph(mlp("m", 3, 2), target(), "balanced"), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match="a damaged mapping file"):
        load(path)


def test_same_bytes_in_a_fresh_process(tmp_path: Path) -> None:
    """Hash seeds differ between the two processes, so no set order can have leaked."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from test_mapping_run import CHIPS; from mapping_networks import cell\n"
        "from neurocomp.mapping import map_graph; from neurocomp.mapping.store import save\n"
        "save(map_graph(cell(), CHIPS, 'balanced', seed=5), Path(sys.argv[2]))\n"
    )
    digests = set()
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.json"
        subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent), str(path)],
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": "", "OMP_NUM_THREADS": "1"},
        )
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_weights_do_not_matter() -> None:
    """Only shapes, operations and bits do: a trained network is mapped as the untrained one."""
    graph = pooled(4, 8)
    edge = replace(graph.projections[0], weight=np.full((4, 1, 2, 2), 0.25))
    trained = replace(graph, projections=(edge,))
    one, other = (map_graph(g, target(), "balanced") for g in (graph, trained))
    assert one.partition == other.partition
    assert one.graph_digest != other.graph_digest


TWO = Conv((3, 3), (2, 2), (1, 1))
WIDE = dict.fromkeys(("axon_map", "axon_mem", "in_axons", "total_words"), 12000)
POOLS = {
    "a DAG": (cell(), CHIPS),
    "convolutions": (
        chain(
            "v", (3, 16, 16), ((32, 16, 16), CONV, 8), ((32, 16, 16), CONV, 8),
            ((64, 8, 8), TWO, 8), ((64, 8, 8), CONV, 8),
        ),
        target(neurons=4000, synapse_words=1500, board=board(6), **WIDE),
    ),
    "dense": (mlp("m", 32, 60, 50, 40), target(synapse_words=900, mesh=mesh(4, 4), **WIDE)),
}  # fmt: skip
SEARCHING = ("balanced", "min-cores", "min-energy")


class Found(NamedTuple):
    """What a mapping takes and sends."""

    cores: int
    messages: float
    hops: float
    link: float

    @classmethod
    def of(cls, graph: Graph, mapping: Mapping, chip: Target) -> Found:
        sent = summary(graph, mapping, chip)["traffic"]
        keys = ("messages_per_step", "spike_hops_per_step", "max_link_per_step")
        return cls(mapping.n_cores, *(sent[key] for key in keys))

    def chips(self, chip: Target) -> int:
        return -(-self.cores // live_per_chip(chip))

    def covers(self, other: Found) -> bool:
        return all(a <= b + 1e-9 for a, b in zip(self, other, strict=True))


@pytest.mark.parametrize(
    ("case", "effort"), [*((case, "fast") for case in POOLS), ("dense", "quality")]
)
def test_no_policy_is_beaten_by_another_in_what_it_wants(case: str, effort: str) -> None:
    """All pick from one pool, whose unbeaten members are the Pareto list of each of them.

    The compiler's tiling with our places is in it too.
    """
    graph, chip = POOLS[case]
    own, lists = {}, []
    for policy in SEARCHING:
        best, unbeaten = map_pareto(graph, chip, policy, effort=effort, seed=1)
        assert best == map_graph(graph, chip, policy, effort=effort, seed=1)
        own[policy] = Found.of(graph, best, chip)
        lists.append([Found.of(graph, mapping, chip) for mapping in unbeaten])
    assert lists[0] == lists[1] == lists[2] == sorted(lists[0])
    for mine in lists[0]:
        assert not any(other.covers(mine) for other in lists[0] if other != mine)
    for found in own.values():
        assert any(other.covers(found) for other in lists[0])
        assert own["min-cores"].cores <= found.cores
        sums = [(f.chips(chip), f.messages + 0.03 * f.hops) for f in (own["min-energy"], found)]
        assert sums[0] <= sums[1]
    compiled = Found.of(graph, map_graph(graph, chip, "compiler"), chip)
    assert own["balanced"].cores <= compiled.cores
    assert any(f.cores <= compiled.cores and f.messages <= compiled.messages for f in lists[0])


def test_a_policy_of_ones_own_chooses_from_what_the_shipped_ones_find(tmp_path: Path) -> None:
    """What is looked for with its weight is added: each of their list is on its own or beaten."""
    graph, chip = POOLS["convolutions"]
    path = tmp_path / "mine.yaml"
    text = "name: mine\nsummary: s\npartitioner: portfolio\nplacer: anneal\nrouter: multicast\n"
    path.write_text(text + "core_weight: 4.0\n")
    own, shipped = (
        [Found.of(graph, mapping, chip) for mapping in map_pareto(graph, chip, policy).unbeaten]
        for policy in (str(path), "balanced")
    )
    for theirs in shipped:
        assert any(found.covers(theirs) for found in own)


def test_more_effort_is_no_worse() -> None:
    graph = cell()
    fast, quality = (map_graph(graph, CHIPS, "min-cores", effort=e) for e in EFFORTS)
    assert quality.n_cores <= fast.n_cores


def test_no_time_still_gives_a_legal_mapping() -> None:
    assert map_graph(cell(), CHIPS, "balanced", seconds=0.0).n_cores >= 16


def test_time_that_ends_within_a_second_placement(monkeypatch: pytest.MonkeyPatch) -> None:
    """A placer without time gives the given order; what was placed before stays, unless beaten."""
    now, rough, late = 0.0, list[Placement](), list[Placement]()
    anneal = PLACERS["anneal"]

    def slow(sent: Flow, chip: Target, rng: np.random.Generator, effort: Effort) -> Placement:
        nonlocal now
        again = effort.runs > 1
        now += 100 * again
        (late if again else rough).append(anneal(sent, chip, rng, effort))
        return (late if again else rough)[-1]

    monkeypatch.setattr("neurocomp.mapping.effort.monotonic", lambda: now)
    monkeypatch.setitem(PLACERS, "anneal", slow)
    graph, chip = POOLS["convolutions"]
    mapping = map_graph(graph, chip, "balanced", effort="quality", seconds=50.0)
    assert mapping.placement in rough
    assert mapping.placement not in late
    assert len(late) == 1


def test_without_the_rules_of_the_tool_chain() -> None:
    """One neuron group to a core: two layers stand on two cores, and would on one."""
    graph, chip = mlp("m", 3, 4, 4), target(neuron_groups=1)
    assert map_graph(graph, chip, "balanced").n_cores == 2
    assert cores_without_rules(graph, chip, "balanced") == 1


def test_the_row_of_a_command_with_everything(tmp_path: Path) -> None:
    """The Pareto list's mappings lie beside the policy's own, and its figures are theirs."""
    graph = cell()
    row = map_network(
        graph, "loihi2", effort="quality", pareto=True, without_rules=True, time_budget=60,
        out=tmp_path / "m.json",
    )  # fmt: skip
    json.dumps(row, allow_nan=False)
    assert row["without_rules"]["n_cores"] <= row["n_cores"]
    files = {f"m-{i}.json" for i in range(1, len(row["pareto"]) + 1)}
    assert {path.name for path in tmp_path.iterdir()} == {"m.json", *files}
    assert {Path(file).name for file in row["files"]} == {"m.json", *files}
    chip = load_target("loihi2")
    for i, figures in enumerate(row["pareto"], start=1):
        mapping = check(graph, load(tmp_path / f"m-{i}.json"), chip)
        sent = summary(graph, mapping, chip)["traffic"]
        assert figures == {
            "n_cores": mapping.n_cores,
            "n_chips": len(mapping.chips),
            "messages_per_step": sent["messages_per_step"],
            "spike_hops_per_step": sent["spike_hops_per_step"],
            "max_link_per_step": sent["max_link_per_step"],
        }


def test_the_row_of_a_command_without_anything() -> None:
    row = map_network(cell(), "loihi2")
    assert {"pareto", "without_rules"}.isdisjoint(row)
    assert row["traffic"]["lower_bound_hops_per_step"] <= row["traffic"]["spike_hops_per_step"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hops_east_west", r"spike hops per step: the summary says"),
        ("messages", r"messages per step: the summary says"),
        ("max_link", r"max link per step: the summary says"),
    ],
)
def test_a_wrong_count_is_no_result(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever prints a mapping's counters has had them counted by the checker."""
    right = summaries.traffic

    def wrong(*args: Any) -> Any:
        found = right(*args)
        return replace(found, **{name: getattr(found, name) + 1.0})

    monkeypatch.setattr(summaries, "traffic", wrong)
    with pytest.raises(RunError, match=message):
        map_network(cell(), "loihi2")


def test_a_wrong_event_or_price_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    right_events, right_rows = summaries.events, summaries.cost_rows

    def one_more(*args: Any) -> Any:
        found = right_events(*args)
        return replace(found, conv=found.conv + 1.0)

    def cheaper(*args: Any) -> Any:
        found = right_rows(*args)
        for by_basis in found["costs"].values():
            by_basis["sanafe"]["energy_pj"]["mesh"] -= 1.0
        return found

    with monkeypatch.context() as patched:
        patched.setattr(summaries, "events", one_more)
        with pytest.raises(RunError, match="synops: the summary"):
            map_network(cell(), "loihi2")
    monkeypatch.setattr(summaries, "cost_rows", cheaper)
    with pytest.raises(RunError, match="sanafe: mesh: the summary says"):
        map_network(cell(), "loihi2")


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


def test_results_that_cannot_be_written(tmp_path: Path) -> None:
    same = tmp_path / "same.json"
    with pytest.raises(InputError, match="two results cannot be one file"):
        map_network(cell(), "loihi2", out=same, routes=same)
    with pytest.raises(InputError, match=r"the picture is an SVG file; name it cores\.svg"):
        map_network(cell(), "loihi2", picture=tmp_path / "cores.png")
    with pytest.raises(InputError, match="is there and no regular file"):
        map_network(cell(), "loihi2", out=tmp_path)


def test_dead_cores_make_chips_smaller() -> None:
    """16 live cores on 4 chips of 6: chips hold four, so that 5 cores need two."""
    dead = [{"chip": chip, "core": core} for chip in range(4) for core in (0, 1)]
    assert live_per_chip(target(mesh=mesh(3, 2), board=board(2, 2), dead_cores=dead)) == 4
