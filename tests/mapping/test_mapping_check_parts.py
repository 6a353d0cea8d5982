"""The checker's own counting, against neuron-by-neuron counting, and the counters' check."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import NEURON, board, cell, chain, mesh, mlp, target

from neurocomp.errors import RunError
from neurocomp.ir import Conv, Dense, Graph, Input, Op, Population, Projection, Slice
from neurocomp.ir.shapes import conv_output
from neurocomp.mapping import CoreAddress, Mapping, Partition, Placement, Route, map_graph, summary
from neurocomp.mapping.check import check, check_summary
from neurocomp.mapping.check.boxes import cover_faults
from neurocomp.mapping.check.synapses import heard_by_all, synapse_faults
from neurocomp.mapping.check.tables import OUTSIDE, Table, tables_of
from neurocomp.spec.read import parse
from neurocomp.spec.target import Target, load_target

CHIP = target(neurons=48, board=board(2))
NO_ALGORITHM = {"model", "activity", "check"}


def test_the_checker_imports_no_algorithm() -> None:
    """Of the mapping package: its values, the rates, and the checker's own modules."""
    (folder,) = import_module("neurocomp.mapping.check").__path__
    for path in Path(folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                parts = str(node.module).split(".")
                assert node.level == 0
                assert parts[:2] != ["neurocomp", "mapping"] or parts[2] in NO_ALGORITHM, path


def interval(size: int) -> st.SearchStrategy[tuple[int, int]]:
    """``a < b`` within an axis."""
    return st.integers(0, size - 1).flatmap(
        lambda a: st.integers(a + 1, size).map(lambda b: (a, b))
    )


BOXES = st.lists(st.tuples(*map(interval, (4, 5, 6))), min_size=1, max_size=6)


@given(BOXES.map(np.array))
@settings(max_examples=60, deadline=None)
def test_missing_and_double_neurons_are_those_of_a_count(found: np.ndarray) -> None:
    times = np.zeros((4, 5, 6), int)
    for (c0, c1), (y0, y1), (x0, x1) in found:
        times[c0:c1, y0:y1, x0:x1] += 1
    faults = []
    if (times == 0).any():
        faults.append(f"population 'p': {(times == 0).sum()} neurons stand on no core")
    if (times > 1).any():
        faults.append(f"population 'p': {(times > 1).sum()} neurons stand on more than one core")
    table = Table("p", 120, found, np.arange(len(found)))
    assert list(cover_faults({"p": table})) == faults


@st.composite
def projections(draw: st.DrawFn) -> Graph:
    """One projection of any kind into a population, from an input."""
    groups = draw(st.integers(1, 3))
    source = (groups * draw(st.integers(1, 2)), draw(st.integers(1, 7)), draw(st.integers(1, 7)))
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    op: Op = Conv(draw(pair), draw(pair), draw(pair), draw(pair), groups)
    shape = conv_output(op, source, groups * draw(st.integers(1, 2)))
    if min(shape) < 1 or draw(st.booleans()):
        op, shape = Dense(), (draw(st.integers(1, 3)), 2, 1)
    populations = (Population("in", source, Input()), Population("p", shape, NEURON))
    return Graph("g", populations, (Projection("e", "in", "p", op),), "p")


def connected(graph: Graph) -> np.ndarray:
    """Synapses between every source and every target neuron, one by one."""
    (e,) = graph.projections
    source, shape = (p.shape for p in graph.populations)
    count = np.zeros((*source, *shape), int)
    if not isinstance(e.op, Conv):
        return count + 1
    op, group_in = e.op, source[0] // e.op.groups
    for c, y, x in np.ndindex(shape):
        group = c * op.groups // shape[0]
        for i, ky, kx in np.ndindex(group_in, *op.kernel):
            sy = y * op.stride[0] - op.padding[0] + ky * op.dilation[0]
            sx = x * op.stride[1] - op.padding[1] + kx * op.dilation[1]
            if 0 <= sy < source[1] and 0 <= sx < source[2]:
                count[group * group_in + i, sy, sx, c, y, x] += 1
    return count


@given(projections(), st.data())
@settings(max_examples=60, deadline=None)
def test_synapses_and_what_is_heard_are_those_of_a_count(graph: Graph, data: st.DataObject) -> None:
    """Both populations are cut in two along some axis; the source is given as slices too."""
    tables = {}
    for p in graph.populations:
        axis = data.draw(st.integers(0, 2))
        cut = data.draw(st.integers(0, p.shape[axis] - 1))
        whole = np.array([[(0, n) for n in p.shape]])
        parts = np.repeat(whole, 2, axis=0)
        parts[0, axis, 1] = parts[1, axis, 0] = cut
        parts = parts[(parts[:, :, 0] < parts[:, :, 1]).all(axis=1)]
        tables[p.name] = Table(p.name, p.size, parts, np.arange(len(parts)))
    count = connected(graph)
    (heard,) = heard_by_all(graph, tables)
    want = {}
    for i, source in enumerate(tables["in"].boxes):
        for j, end in enumerate(tables["p"].boxes):
            part = count[tuple(slice(*ends) for ends in (*source, *end))]
            if part.any():
                reached = np.argwhere(part.any(axis=(3, 4, 5)))
                want[i, j] = (part.sum(), *(len(set(reached[:, axis])) for axis in range(3)))
    found = {
        (i, j): (n, *extent)
        for i, j, n, extent in zip(
            heard.source.tolist(),
            heard.target.tolist(),
            heard.synapses.tolist(),
            heard.extent.tolist(),
            strict=True,
        )
    }
    assert found == want
    assert list(synapse_faults(graph, [heard])) == []


def test_a_synapse_that_lies_nowhere() -> None:
    """Without l1's second half: 3 inputs × 2 of 4 neurons, and 2 of 4 × 1."""
    graph = mlp("m", 3, 4, 1)
    tables = {
        "in": Table("in", 3, np.array([[(0, 3), (0, 1), (0, 1)]]), np.array([OUTSIDE])),
        "l1": Table("l1", 4, np.array([[(0, 2), (0, 1), (0, 1)]]), np.array([0])),
        "l2": Table("l2", 1, np.array([[(0, 1), (0, 1), (0, 1)]]), np.array([1])),
    }
    assert list(synapse_faults(graph, list(heard_by_all(graph, tables)))) == [
        "projection 'p1': 6 synapses lie between slices, it has 12",
        "projection 'p2': 2 synapses lie between slices, it has 4",
    ]


def test_columns_that_are_no_power_of_two() -> None:
    """12 columns as 3 + 9: the last tile may be as wide as is left, the others may not."""
    graph = chain("c", (1, 1, 12), ((1, 1, 12), Conv((1, 1)), 8))
    chip = target()
    for cut, fault in ((4, None), (3, "3 columns are no power of two, as x tiles of small")):
        halves = [Slice("l1", (0, 0, a), (1, 1, b)) for a, b in ((0, cut), (cut, 12))]
        mapping = Mapping(
            "c", graph.digest(), "small", "own", 0, Partition(tuple((h,) for h in halves)),
            Placement((CoreAddress(0, 0), CoreAddress(0, 1))), (Route("in", None, (0, 1)),),
        )  # fmt: skip
        if fault is None:
            assert check(graph, mapping, chip) is mapping
        else:
            with pytest.raises(RunError, match=fault):
                check(graph, mapping, chip)


def test_a_core_that_holds_less_than_the_others() -> None:
    """Four neurons stand on core 1, which has three by its kind."""
    graph = mlp("m", 2, 4)
    raw = target().model_dump()
    small = {"cores": [1], "neurons": {"value": 3}}
    chip = parse(raw | {"core_kinds": [small]}, Target, "small")
    mapping = Mapping(
        "m", graph.digest(), "small", "own", 0,
        Partition(((Slice("l1", (0, 0, 0), (4, 1, 1)),),)),
        Placement((CoreAddress(0, 0),)), (Route("in", None, (0,)),),
    )  # fmt: skip
    assert check(graph, mapping, chip) is mapping
    moved = replace(mapping, placement=Placement((CoreAddress(0, 1),)))
    with pytest.raises(RunError, match=r"core 0 \(l1\): neurons: needs 4, has 3"):
        check(graph, moved, chip)


def test_a_population_that_may_not_be_cut() -> None:
    graph = chain("c", (1, 4, 4), ((1, 4, 4), Conv((1, 1)), 8))
    chip = load_target("dynap-cnn")
    halves = [Slice("l1", (0, 0, 0), (1, 2, 4)), Slice("l1", (0, 2, 0), (1, 4, 4))]
    mapping = Mapping(
        "c", graph.digest(), "dynap-cnn", "own", 0, Partition(tuple((h,) for h in halves)),
        Placement((CoreAddress(0, 0), CoreAddress(0, 1))), (Route("in", None, (0, 1)),),
    )  # fmt: skip
    with pytest.raises(RunError, match="is a part, dynap-cnn holds a population on one core"):
        check(graph, mapping, chip)


def test_tables_hold_inputs_and_slices() -> None:
    graph = cell()
    tables = tables_of(graph, map_graph(graph, CHIP, "balanced"))
    assert tables["in"].cores.tolist() == [OUTSIDE]
    assert sum(np.diff(t.boxes, axis=2).prod(axis=1).sum() for t in tables.values()) == sum(
        p.size for p in graph.populations
    )


def counted(rates: dict[str, Any] | None) -> tuple[Graph, Mapping, dict[str, Any]]:
    graph = cell()
    mapping = map_graph(graph, CHIP, "balanced", rates=rates)
    return graph, mapping, summary(graph, mapping, CHIP, rates)


@pytest.mark.parametrize("by_neuron", [False, True])
def test_right_counters_pass(by_neuron: bool) -> None:
    rng = np.random.default_rng(3)
    rates = {p.name: rng.random(p.shape) for p in cell().populations} if by_neuron else None
    graph, mapping, row = counted(rates)
    assert check_summary(graph, mapping, CHIP, row, rates) is row


def test_counters_by_hand() -> None:
    """The mapping of `test_mapping_traffic`: 4 neurons at rate 0.5 to two cores, one of them on the
    same tile, the other 5 hops and a chip border away; 3 inputs at 0.1."""
    graph = mlp("m", 3, 4, 4)
    halves = (Slice("l2", (0, 0, 0), (2, 1, 1)), Slice("l2", (2, 0, 0), (4, 1, 1)))
    chip = target(mesh=mesh(3, 2, 2), board=board(2))
    mapping = Mapping(
        "m", graph.digest(), "small", "own", 0,
        Partition(((Slice("l1", (0, 0, 0), (4, 1, 1)),), *((half,) for half in halves))),
        Placement((CoreAddress(0, 0), CoreAddress(0, 1), CoreAddress(1, 6))), (),
    )  # fmt: skip
    row = {
        "n_cores": 3,
        "n_chips": 2,
        "layers": [{"name": "l1", "n_cores": 1}, {"name": "l2", "n_cores": 2}],
        "traffic": {
            "messages_per_step": 4 * 0.5 * 2,
            "spike_hops_per_step": 4 * 0.5 * 5,
            "max_link_per_step": 4 * 0.5,
            "chip_crossings_per_step": 4 * 0.5,
            "input_messages_per_step": 3 * 0.1,
            "assumed_rates": {},
        },
        "events": {
            "neuron_updates": 8,
            "spikes": 4 * 0.5,
            "synops": 3 * 0.1 * 4 + 4 * 0.5 * 4,
            "busiest_core_synops": 4 * 0.5 * 2,
            "messages": 4.0,
            "hops": 4 * 0.5 * 5,
        },
        "costs": {"energy": {}},
    }
    rates = {"in": 0.1, "l1": 0.5, "l2": 0.0}
    assert check_summary(graph, mapping, chip, row, rates) is row


def in_traffic(key: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda row: {**row, "traffic": {**row["traffic"], key: row["traffic"][key] + 0.5}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda row: {**row, "traffic": {**row["traffic"], "assumed_rates": {"in": 0.1}}},
            r"assumed rates: those of \['a', 'b', 'c', 'in', 'out'\] were not given",
        ),
        (lambda row: {**row, "n_cores": row["n_cores"] + 1}, "n cores: the summary says"),
        (lambda row: {**row, "n_chips": 7}, "n chips: the summary says 7, the mapping"),
        (
            lambda row: {**row, "layers": [{**row["layers"][0], "n_cores": 9}, *row["layers"][1:]]},
            "cores of 'a': the summary says 9, the mapping",
        ),
        (in_traffic("messages_per_step"), "messages per step: the summary says"),
        (in_traffic("spike_hops_per_step"), "spike hops per step: the summary says"),
        (in_traffic("max_link_per_step"), "max link per step: the summary says"),
        (in_traffic("chip_crossings_per_step"), "chip crossings per step: the summary says"),
        (in_traffic("input_messages_per_step"), "input messages per step: the summary says"),
    ],
)
def test_a_wrong_counter(change: Callable[[dict[str, Any]], dict[str, Any]], message: str) -> None:
    graph, mapping, row = counted(None)
    with pytest.raises(RunError, match=message):
        check_summary(graph, mapping, CHIP, change(row))


def test_one_core_sends_nothing() -> None:
    graph = mlp("m", 2, 2)
    mapping = map_graph(graph, target(), "balanced")
    row = summary(graph, mapping, target())
    assert row["traffic"]["messages_per_step"] == 0
    assert check_summary(graph, mapping, target(), row) is row
