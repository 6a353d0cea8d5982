"""Any network on any chip: a legal mapping, or an error that says what does not fit."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import NEURON, board, cell, mesh, pilotnet, target

from neurocomp.errors import FitError, RunError
from neurocomp.hw import demand
from neurocomp.hw.mesh import n_live_cores
from neurocomp.ir import (
    Conv,
    Dense,
    Graph,
    Input,
    Op,
    Population,
    Projection,
    Shape,
    average_pool,
    skip,
    verify,
)
from neurocomp.ir.shapes import conv_output
from neurocomp.mapping import Mapping, Partition, check, map_graph, summary
from neurocomp.mapping.activity import rates_of
from neurocomp.mapping.canonical import canonical
from neurocomp.mapping.store import save
from neurocomp.spec.policy import policy_names
from neurocomp.spec.read import parse
from neurocomp.spec.target import Target, load_target

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
REASON = re.compile(r"needs? [\d,]+ .*has [\d,]+")


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Small DAGs with convolutions of every kind, pooling, dense layers, joins, skips and loops."""
    shape = (draw(st.integers(1, 6)), draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    populations = [Population("in", shape, Input())]
    projections: list[Projection] = []

    def connect(source: Population, end: str, op: Op, delay: int = 0) -> None:
        name, bits = f"e{len(projections)}", draw(st.integers(1, 8))
        projections.append(Projection(name, source.name, end, op, bits, delay=delay))

    for i in range(draw(st.integers(1, 4))):
        source = draw(st.sampled_from(populations))
        op, shape = draw(layers(source.shape))
        own = Population(f"l{i}", shape, NEURON)
        connect(source, own.name, op)
        others = [p for p in populations if p.shape == source.shape]
        if draw(st.booleans()):
            same = isinstance(op, Conv) and op.groups == 1
            connect(draw(st.sampled_from(others)), own.name, op if same else Dense())
        alike = [p for p in populations if p.shape == shape]
        if alike and draw(st.booleans()):
            connect(draw(st.sampled_from(alike)), own.name, skip(shape[0]))
        populations.append(own)
        if draw(st.integers(0, 5)) == 0:
            back = draw(st.sampled_from(populations[1:]))
            same = back.shape == shape and draw(st.booleans())
            connect(own, back.name, skip(shape[0]) if same else Dense(), delay=len(populations))
    return verify(Graph("g", tuple(populations), tuple(projections), populations[-1].name))


@st.composite
def layers(draw: st.DrawFn, source: Shape) -> tuple[Op, Shape]:
    """An operation on a source shape, and the shape it makes."""
    kind = draw(st.sampled_from(["conv", "conv", "conv", "pool", "dense"]))
    if kind == "pool":
        pool = average_pool(source[0], 2, draw(st.integers(1, 2)), draw(st.integers(0, 1)))
        made = conv_output(pool, source, source[0])
        if min(made) >= 1:
            return pool, made
    groups = draw(st.sampled_from([g for g in (1, 2, source[0]) if source[0] % g == 0]))
    op = Conv(draw(PAIRS), draw(PAIRS), draw(PAIRS), draw(PAIRS), groups)
    made = conv_output(op, source, draw(st.integers(1, 12)) * groups)
    if kind == "dense" or min(made) < 1:
        return Dense(), (draw(st.integers(1, 30)), 1, 1)
    return op, made


@st.composite
def targets(draw: st.DrawFn) -> Target:
    """Small chips of both of Loihi's memory formats, with tight limits and dead cores."""
    words = draw(st.sampled_from([64, 512, 4096]))
    neurons = draw(st.sampled_from([4, 16, 63, 256]))
    axons = draw(st.sampled_from([64, 1024]))
    if draw(st.integers(0, 2)) == 0:
        raw: dict[str, Any] = load_target("loihi1").model_dump()
        limits = {"neurons": neurons, "synapse_words": words, "in_axons": axons, "out_axons": axons}
        raw["core"] |= {name: {"value": value} for name, value in limits.items()}
        dead = [{"chip": 0, "core": core} for core in draw(st.sets(st.integers(0, 127)))]
        return parse(raw | {"name": "small", "dead_cores": dead}, Target, "t")
    rules = ("padded_x", "channel_chunks", "group_per_chunk", "split_rows")
    columns, rows, each = draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(CORES_PER_TILE)
    return target(
        neurons=neurons,
        synapse_words=words,
        in_axons=axons,
        axon_map=draw(st.sampled_from([32, 512])),
        axon_mem=draw(st.sampled_from([8, 512])),
        total_words=draw(st.sampled_from([256, 8192])),
        rules={rule: draw(st.booleans()) for rule in rules},
        mesh=mesh(columns, rows, each),
        board={"columns": draw(st.integers(1, 3)), "rows": draw(st.integers(1, 2))},
        dead_cores=[
            {"chip": 0, "core": core}
            for core in draw(st.sets(st.integers(0, columns * rows * each - 1), max_size=2))
        ],
    )


CORES_PER_TILE = st.sampled_from([1, 4])


@given(graphs(), targets())
@settings(max_examples=15, deadline=None)
def test_a_legal_mapping_or_a_reason(graph: Graph, chip: Target) -> None:
    """`map_graph` and `summary` end with the checker, which knows no algorithm.

    An error names the layer, the limit that is passed, what is needed and what there is.
    """
    found: dict[str, int] = {}
    for policy in policy_names():
        mapping = mapped(graph, chip, policy)
        if isinstance(mapping, FitError):
            assert any(p.name in str(mapping) for p in graph.neurons)
            assert REASON.search(str(mapping))
            assert any(f"{word} has" in str(mapping) for word in ("small", "loihi1"))
        else:
            row = summary(graph, mapping, chip)
            assert row["lower_bound_cores"] <= mapping.n_cores <= n_live_cores(chip)
            found[policy] = mapping.n_cores
    if "compiler" in found:
        assert found["balanced"] <= found["compiler"]


def test_pieces_at_the_edge_may_need_more_than_those_in_the_middle() -> None:
    """On lists of synapses what a piece needs depends on where padding cuts what it hears.

    A block of layers whose middle pieces fit a core and others do not is no way to cut them.
    """
    shapes = {"in": (4, 8, 9), "l0": (4, 9, 10), "l2": (12, 5, 4), "l3": (12, 3, 2)}
    first = Conv((2, 2), padding=(1, 1), groups=4)
    other = Conv((2, 2), (3, 3), (3, 1), (2, 1))
    edges = [("in", "l0", first, 5), ("l0", "l2", other, 2), ("l0", "l2", other, 6)]
    edges.append(("l2", "l3", other, 4))
    graph = Graph(
        "g",
        tuple(Population(n, s, Input() if n == "in" else NEURON) for n, s in shapes.items()),
        tuple(Projection(f"e{i}", *edge) for i, edge in enumerate(edges)),
        "l3",
    )
    raw = load_target("loihi1").model_dump()
    limits = {"neurons": 63, "synapse_words": 64, "in_axons": 64, "out_axons": 64}
    raw["core"] |= {name: {"value": value} for name, value in limits.items()}
    chip = parse(raw | {"name": "small"}, Target, "t")
    assert isinstance(mapped(verify(graph), chip, "balanced"), Mapping)


def mapped(graph: Graph, chip: Target, policy: str) -> Mapping | FitError:
    """The mapping, or why there is none; any other error is a fault."""
    try:
        return map_graph(graph, chip, policy)
    except FitError as error:
        return error


@given(graphs(), targets(), st.integers(0, 3), st.sampled_from(policy_names()))
@settings(max_examples=8, deadline=None)
def test_same_seed_same_mapping_and_doubled_rates_double_traffic_and_energy(
    graph: Graph, chip: Target, seed: int, policy: str
) -> None:
    """A factor of two is exact in binary numbers, so equality is."""
    rates = {p.name: 0.1 + 0.02 * i for i, p in enumerate(graph.populations)}
    twice = {name: 2 * rate for name, rate in rates.items()}
    try:
        first = map_graph(graph, chip, policy, rates=rates, seed=seed)
    except FitError:
        with pytest.raises(FitError):
            map_graph(graph, chip, policy, rates=twice, seed=seed)
        return
    assert map_graph(graph, chip, policy, rates=rates, seed=seed) == first
    assert map_graph(graph, chip, policy, rates=twice, seed=seed) == first
    once, doubled = (summary(graph, first, chip, r) for r in (rates, twice))
    for key in once["traffic"].keys() - {"rates", "assumed_rates"}:
        assert doubled["traffic"][key] == pytest.approx(2 * once["traffic"][key], rel=1e-12)
    energies = [energy_of_spikes(row, chip) for row in (once, doubled)]
    assert energies[1] == pytest.approx([2 * pj for pj in energies[0]], rel=1e-12)


FAULTS = ("a neuron twice", "a neuron missing", "one word too many", "a route that misses a core")


@given(graphs(), targets(), st.sampled_from(FAULTS), st.data())
@settings(max_examples=25, deadline=None)
def test_the_checker_refuses_every_fault(
    graph: Graph, chip: Target, fault: str, data: st.DataObject
) -> None:
    """Wherever it is made in a legal mapping."""
    mapping = mapped(graph, chip, "compiler")
    if isinstance(mapping, FitError):
        return
    cores = list(mapping.partition.cores)
    core = data.draw(st.integers(0, len(cores) - 1))
    (first, *rest), routes = cores[core], list(mapping.routes)
    message = ""
    if fault == "one word too many":
        most = max(demand(graph, held, chip).synapse_words.used for held in cores)
        raw = chip.model_dump()
        raw["core"]["synapse_words"]["value"] = most - 1
        if most < 2:
            return
        chip, message = parse(raw, Target, "t"), f"synapse_words: needs {most:,}, has {most - 1:,}"
    elif fault == "a route that misses a core":
        at = data.draw(st.integers(0, len(routes) - 1))
        lost = data.draw(st.sampled_from(routes[at].targets))
        left = tuple(core for core in routes[at].targets if core != lost)
        routes[at] = replace(routes[at], targets=left)
        message = rf"'{routes[at].population}'.*: messages do not reach cores \[{lost}\]"
    elif fault == "a neuron twice":
        cores[core] += (replace(first, stop=tuple(a + 1 for a in first.start)),)
        message = "1 neurons stand on more than one core"
    else:
        axis = max(range(3), key=lambda i: first.shape[i])
        stop = tuple(b - (i == axis) for i, b in enumerate(first.stop))
        cores[core] = (*((replace(first, stop=stop),) if first.size > 1 else ()), *rest)
        message = "neurons stand on no core|holds nothing|are no power of two"
    spoiled = replace(mapping, partition=Partition(tuple(cores)), routes=tuple(routes))
    with pytest.raises(RunError, match=message):
        check(graph, spoiled, chip)


def energy_of_spikes(row: dict[str, Any], chip: Target) -> list[float]:
    """By basis, the energy of a step without what neurons take whether they spike or not."""
    priced = chip if chip.costs or chip.costs_like is None else load_target(chip.costs_like)
    found = []
    for by_basis in row["costs"].values():
        for basis, cost in by_basis.items():
            each = priced.costs[basis]
            active = each.neuron_active
            prices = (each.neuron_access, each.neuron_update) if active is None else (active,)
            of_one = sum(price.pj or 0.0 for price in prices if price is not None)
            still = of_one * row["events"]["neuron_updates"]
            found += [cost["energy_pj"]["total"] - still, cost["noc_pj"]]
    return found


FRESH = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from test_mapping_property import digests
print(*digests(Path(sys.argv[1])))
"""


def digests(folder: Path) -> list[str]:
    """Hashes of the mapping files of a small network with every policy, and of a larger one."""
    found = []
    small = target(neurons=48, board=board(2))
    cases = [(cell(), small, policy) for policy in policy_names()]
    cases.append((pilotnet(), load_target("loihi2-2023"), "balanced"))
    for graph, chip, policy in cases:
        save(map_graph(graph, chip, policy, seed=1), folder / "mapping.json")
        found.append(hashlib.sha256((folder / "mapping.json").read_bytes()).hexdigest())
    return found


def test_same_bytes_in_a_fresh_process(tmp_path: Path) -> None:
    """With another seed of Python's hashes, so that no set or dict decides an order."""
    words = [sys.executable, "-c", FRESH, str(tmp_path), *map(str, Path(__file__).parents[:2])]
    fresh = subprocess.run(
        words, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True
    )
    assert fresh.stdout.split() == digests(tmp_path)


def renamed(graph: Graph, rng: Random) -> Graph:
    """The same network under other names, whose alphabetical order is another one."""
    names = [f"n{i}" for i in range(len(graph.populations))]
    rng.shuffle(names)
    new = {p.name: name for p, name in zip(graph.populations, names, strict=True)}
    return verify(
        replace(
            graph,
            populations=tuple(replace(p, name=new[p.name]) for p in graph.populations),
            projections=tuple(
                replace(e, name=f"to {i}", source=new[e.source], target=new[e.target])
                for i, e in enumerate(graph.projections)
            ),
            output=new[graph.output],
        )
    )


def reordered(graph: Graph, rng: Random) -> Graph:
    """The same network with its populations and projections listed in another order."""
    populations, projections = list(graph.populations), list(graph.projections)
    rng.shuffle(populations)
    rng.shuffle(projections)
    return verify(graph.with_parts(tuple(populations), tuple(projections)))


def twins() -> Graph:
    """Two branches that nothing but their names and places tells apart, and one that is alike."""
    three, one = Conv((3, 3), padding=(1, 1)), Conv((1, 1))
    names = [f"{branch}{i}" for branch in "xyz" for i in (1, 2)]
    populations = [Population(name, (4, 6, 6), NEURON) for name in names]
    edges = [
        (source, f"{branch}{i}", one if (branch, i) == ("z", 2) else three)
        for branch in "xyz"
        for i, source in ((1, "in"), (2, f"{branch}1"))
    ]
    edges += [(f"{branch}2", "out", Dense()) for branch in "xyz"]
    return verify(
        Graph(
            "twins",
            (
                Population("in", (2, 6, 6), Input()),
                *populations,
                Population("out", (5, 1, 1), NEURON),
            ),
            tuple(Projection(f"e{i}", *ends, 8) for i, ends in enumerate(edges)),
            "out",
        )
    )


NAMED = {
    "a DAG": (cell(), target(neurons=48, board=board(2))),
    "twins": (twins(), target(neurons=96, board=board(3))),
    "pilotnet": (pilotnet(), load_target("loihi2")),
}


@cache
def figures_as_given(case: str, policy: str) -> tuple[int, dict[str, float]]:
    graph, chip = NAMED[case]
    return figures(graph, chip, policy)


def figures(graph: Graph, chip: Target, policy: str) -> tuple[int, dict[str, float]]:
    """What a mapping takes and sends."""
    row = summary(graph, map_graph(graph, chip, policy), chip)
    traffic = {key: value for key, value in row["traffic"].items() if not key.endswith("rates")}
    return row["n_cores"], traffic


@pytest.mark.parametrize(
    ("case", "policy"),
    [(case, policy) for case in ("a DAG", "twins") for policy in policy_names()]
    + [("pilotnet", "balanced")],
)
@pytest.mark.parametrize("change", [renamed, reordered])
def test_names_and_order_of_layers_change_nothing(
    case: str, policy: str, change: Callable[[Graph, Random], Graph]
) -> None:
    graph, chip = NAMED[case]
    cores, traffic = figures_as_given(case, policy)
    for seed in (0, 1) if case != "pilotnet" else (0,):
        other = figures(change(graph, Random(seed)), chip, policy)
        assert other[0] == cores
        assert other[1] == pytest.approx(traffic, rel=1e-9)


@given(graphs(), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_the_canonical_network_is_the_same_for_every_name_and_order(
    graph: Graph, seed: int
) -> None:
    """Equal up to what is not mapped: neurons' parameters, weights, the graph's own name."""
    rates = {p.name: 0.1 + 0.05 * (p.shape[0] % 3) for p in graph.populations}
    first = canonical(graph, rates_of(graph, rates))
    assert {*first.names.values()} == {p.name for p in graph.populations} | {
        e.name for e in graph.projections
    }
    for change in (renamed, reordered):
        other = change(graph, Random(seed))
        again = {p.name: 0.1 + 0.05 * (p.shape[0] % 3) for p in other.populations}
        found = canonical(other, rates_of(other, again))
        assert found.graph.digest() == first.graph.digest()
        assert found.rates.values == first.rates.values


@given(graphs(), targets(), st.integers(0, 9), st.sampled_from(policy_names()))
@settings(max_examples=10, deadline=None)
def test_any_network_maps_alike_under_any_names_and_in_any_order(
    graph: Graph, chip: Target, seed: int, policy: str
) -> None:
    for change in (renamed, reordered):
        other = change(graph, Random(seed))
        if isinstance(mapped(graph, chip, policy), FitError):
            assert isinstance(mapped(other, chip, policy), FitError)
            continue
        (cores, traffic), found = figures(graph, chip, policy), figures(other, chip, policy)
        assert found[0] == cores
        assert found[1] == pytest.approx(traffic, rel=1e-9)


def test_errors_name_layers_as_they_were_given() -> None:
    """A neuron of `out` hears 72 others: 72 lists of a word each."""
    graph, chip = cell(), target(synapse_words=40, board=board(3))
    with pytest.raises(
        FitError, match=r"^out: one neuron with its synapses needs 72 synapse words"
    ):
        map_graph(graph, chip, "balanced")
