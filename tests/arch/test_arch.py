"""Candidates: identity, file form, drawing, and the graph they stand for."""

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.arch import (
    Candidate,
    Task,
    all_candidates,
    build,
    cross,
    distinct_cells,
    draw,
    for_task,
    from_dict,
    load_candidate,
    mutate,
    n_genotypes,
    redraw,
)
from neurocomp.arch.cell import AVGPOOL3, SKIP, ZEROIZE, CellKind, conv, edges, live
from neurocomp.arch.features import depth, drive
from neurocomp.errors import InputError
from neurocomp.ir import Conv, CubaLif, Dense, Input, verify
from neurocomp.ir.schedule import depths
from neurocomp.spec.space import Space, load_space, narrowed

SPACE = load_space("spikernel")
DIGITS = Task((1, 8, 8), input_bits=4, classes=10)
FAST = settings(max_examples=60, deadline=None)


def narrow(**choices: list) -> Space:
    return narrowed(SPACE, choices)


ONE = narrow(
    channels=[16],
    final_pool=[2],
    hidden=[64],
    macro_bits=[8],
    timesteps=[4],
    neurons=["leaky"],
    kernel_sets=["set3"],
    cell_bits=[8],
)


def candidate(*cell, **changes) -> Candidate:
    plain = Candidate(tuple(cell), 16, 2, 64, 8, 4, 1.0, 0.5)
    return replace(plain, **changes)


Z, S, P = ZEROIZE, SKIP, AVGPOOL3
C3 = conv(3, 8)
EXAMPLE = candidate(conv(5, 4), P, S, Z, conv(3, 2), S)
drawn = st.integers(0, 2**32 - 1).map(lambda seed: draw(SPACE, np.random.default_rng(seed)))


# --- identity and file form ---------------------------------------------------------------------


def test_the_id_shows_the_cell_and_hashes_everything() -> None:
    assert EXAMPLE.id.split("-")[0] == EXAMPLE.canonical().id.split("-")[0] == "p5s0s3"
    assert len(EXAMPLE.id.split("-")[1]) == 10
    others = [
        candidate(conv(5, 2), P, S, Z, conv(3, 2), S),
        *(replace(EXAMPLE, **{k: 32}) for k in ("channels", "hidden", "final_pool", "timesteps")),
        replace(EXAMPLE, macro_bits=4),
        replace(EXAMPLE, threshold=2.0),
        replace(EXAMPLE, voltage_decay=0.25),
    ]
    assert len({c.id for c in [EXAMPLE, *others]}) == 9


def test_the_id_is_the_same_under_renaming_and_dead_edges() -> None:
    swapped = candidate(P, conv(5, 4), S, Z, S, conv(3, 2))
    assert swapped != EXAMPLE
    assert swapped.id == EXAMPLE.id
    only_direct = candidate(Z, Z, S, Z, Z, Z)
    assert candidate(conv(5, 4), Z, S, Z, Z, Z).id == only_direct.id
    assert candidate(Z, Z, S, P, P, P).id == only_direct.id


def test_cells_that_two_kernel_sets_share_are_one_candidate() -> None:
    def cells(*names: str) -> set:
        return set(distinct_cells(narrow(kernel_sets=list(names), cell_bits=[8])))

    both = cells("set1") & cells("set2")  # (1, 3) and (1, 5) share the cells without 3 and 5
    assert both == {c for c in cells("set1") if all(op.kernel in (0, 1) for op in c)}
    assert len(cells("set1", "set2")) == 2 * 7_012 - len(both)


@FAST
@given(drawn)
def test_candidates_survive_files(c: Candidate) -> None:
    form = c.as_dict()
    assert from_dict(json.loads(json.dumps(form)), "c") == c
    assert from_dict(yaml.safe_load(yaml.safe_dump(form)), "c") == c


def test_the_file_form_is_readable(tmp_path) -> None:
    path = tmp_path / "candidate.yaml"
    path.write_text(
        """
cell:
  0-1: {op: conv5, bits: 4}
  0-2: {op: avgpool3}
  0-3: {op: skip}
  1-3: {op: conv3, bits: 2}
  2-3: {op: skip}
channels: 16
final_pool: 2
hidden: 64
macro_bits: 8
timesteps: 4
neuron: {threshold: 1.0, voltage_decay: 0.5}
"""
    )
    assert load_candidate(path) == EXAMPLE
    assert EXAMPLE.weight_bits == {"macro": 8, "0-1": 4, "1-3": 2}
    assert EXAMPLE.convolutions == 2


def test_all_faults_of_a_candidate_come_at_once() -> None:
    wrong = EXAMPLE.as_dict() | {"channels": 0, "size": 3}
    wrong["cell"] = {
        "0-1": {"op": "conv4", "bits": 4},
        "0-2": {"op": "conv3"},
        "0-3": {"op": "skip", "bits": 2},
    }
    del wrong["neuron"]
    with pytest.raises(InputError, match=r"c\.yaml: 6 faults") as caught:
        from_dict(wrong, "c.yaml")
    message = str(caught.value)
    assert "cell.0-1.op: string should match pattern" in message
    assert "cell.0-2: a convolution needs weight bits" in message
    assert "cell.0-3: skip has no weights and so no bits" in message
    assert "channels: should be greater than 0, got 0" in message
    assert "neuron: is missing" in message
    assert "size: unknown key" in message


def test_a_candidate_without_a_path_is_refused() -> None:
    broken = EXAMPLE.as_dict() | {"cell": {"0-1": {"op": "skip"}, "2-3": {"op": "skip"}}}
    with pytest.raises(InputError, match="no path leads from node 0 to node 3; add the edge 0-3"):
        from_dict(broken, "c.yaml")


# --- drawing ------------------------------------------------------------------------------------


def test_draws_depend_on_the_rng_alone() -> None:
    a, b = (draw(SPACE, np.random.default_rng((7, 3))) for _ in range(2))
    assert a == b
    assert a != draw(SPACE, np.random.default_rng((7, 4)))


@FAST
@given(st.integers(0, 2**32 - 1))
def test_draws_mutants_and_crossings_are_in_the_space(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, a = redraw(SPACE, rng)
    _, b = redraw(SPACE, rng)
    for one in (first, mutate(SPACE, a, rng, 0.2)[0], cross(SPACE, a, b, rng)[0]):
        kernels = {op.kernel for op in one.cell if op.op == "conv"}
        assert any(kernels <= set(s) for s in SPACE.kernel_sets.values())
        assert {op.bits for op in one.cell if op.op == "conv"} <= set(SPACE.cell_bits)
        assert one.cell[2] != ZEROIZE
        for name in ("channels", "final_pool", "hidden", "macro_bits", "timesteps"):
            assert getattr(one, name) in getattr(SPACE, name)
    assert mutate(SPACE, a, rng, 0.0)[0] == first
    assert redraw(SPACE, rng, a) == (first, a)


def test_draws_are_uniform_over_the_ops_of_a_set() -> None:
    rng = np.random.default_rng(0)
    n = 4_000
    first = Counter(draw(ONE, rng).cell[0].label for _ in range(n))
    assert set(first) == {"zeroize", "skip", "avgpool3", "conv3", "conv5"}
    for count in first.values():  # binomial(4000, 1/5): mean 800, deviation 25
        assert abs(count - 800) < 5 * 25


def test_enumeration_has_every_network_once() -> None:
    space = ONE.model_copy(update={"timesteps": (4, 6), "channels": (8, 16)})
    everything = list(all_candidates(space))
    assert len(everything) == len(set(everything)) == 7_012 * 4
    assert n_genotypes(space) == 12_500 * 4
    for index in range(50):
        assert draw(space, np.random.default_rng(index)).canonical() in set(everything)


# --- the graph ----------------------------------------------------------------------------------


def test_the_example_becomes_this_graph() -> None:
    graph = verify(build(EXAMPLE, DIGITS))
    assert graph.name == EXAMPLE.id
    assert (graph.timesteps, graph.output, graph.readout) == (4, "out", "membrane")
    assert {p.name: p.shape for p in graph.populations} == {
        "input": (1, 8, 8),
        "stem": (16, 8, 8),
        "cell1.n1": (16, 8, 8),
        "cell1.n2": (16, 8, 8),
        "cell1.n3": (16, 8, 8),
        "reduce": (32, 8, 8),
        "pool1": (32, 4, 4),
        "cell2.n1": (32, 4, 4),
        "cell2.n2": (32, 4, 4),
        "cell2.n3": (32, 4, 4),
        "pool2": (32, 2, 2),
        "fc": (64, 1, 1),
        "out": (10, 1, 1),
    }
    # The canonical cell has nodes 1 and 2 exchanged: p5s0s3.
    assert [(e.name, e.source, e.target, e.weight_bits) for e in graph.projections] == [
        ("stem.conv3", "input", "stem", 8),
        ("cell1.n0-n1.avgpool3", "stem", "cell1.n1", 8),
        ("cell1.n0-n2.conv5", "stem", "cell1.n2", 4),
        ("cell1.n0-n3.skip", "stem", "cell1.n3", 8),
        ("cell1.n1-n3.skip", "cell1.n1", "cell1.n3", 8),
        ("cell1.n2-n3.conv3", "cell1.n2", "cell1.n3", 2),
        ("reduce.conv3", "cell1.n3", "reduce", 8),
        ("pool1.avgpool2", "reduce", "pool1", 8),
        ("cell2.n0-n1.avgpool3", "pool1", "cell2.n1", 8),
        ("cell2.n0-n2.conv5", "pool1", "cell2.n2", 4),
        ("cell2.n0-n3.skip", "pool1", "cell2.n3", 8),
        ("cell2.n1-n3.skip", "cell2.n1", "cell2.n3", 8),
        ("cell2.n2-n3.conv3", "cell2.n2", "cell2.n3", 2),
        ("pool2.avgpool2", "cell2.n3", "pool2", 8),
        ("fc.dense", "pool2", "fc", 8),
        ("out.dense", "fc", "out", 8),
    ]
    assert depths(graph) == {
        "input": 0,
        "stem": 1,
        "cell1.n1": 2,
        "cell1.n2": 2,
        "cell1.n3": 3,
        "reduce": 4,
        "pool1": 5,
        "cell2.n1": 6,
        "cell2.n2": 6,
        "cell2.n3": 7,
        "pool2": 8,
        "fc": 9,
        "out": 10,
    }


def test_constants_and_what_is_to_be_trained() -> None:
    by_name = {e.name: e for e in build(EXAMPLE, DIGITS).projections}
    constants = {name: e.weight for name, e in by_name.items() if e.weight is not None}
    assert {name: (w.shape, float(w.flat[0])) for name, w in constants.items()} == {
        "cell1.n0-n1.avgpool3": ((16, 1, 3, 3), 1 / 9),
        "cell1.n0-n3.skip": ((16, 1, 1, 1), 1.0),
        "cell1.n1-n3.skip": ((16, 1, 1, 1), 1.0),
        "pool1.avgpool2": ((32, 1, 2, 2), 1 / 4),
        "cell2.n0-n1.avgpool3": ((32, 1, 3, 3), 1 / 9),
        "cell2.n0-n3.skip": ((32, 1, 1, 1), 1.0),
        "cell2.n1-n3.skip": ((32, 1, 1, 1), 1.0),
        "pool2.avgpool2": ((32, 1, 2, 2), 1 / 4),
    }
    assert all((w == w.flat[0]).all() for w in constants.values())
    assert by_name["cell1.n0-n2.conv5"].op == Conv((5, 5), padding=(2, 2))
    assert isinstance(by_name["fc.dense"].op, Dense)


def test_neurons_are_the_candidates_and_the_output_does_not_leak() -> None:
    graph = build(replace(EXAMPLE, threshold=4 / 3, voltage_decay=0.75), DIGITS)
    kinds = {p.name: p.neuron for p in graph.populations}
    assert kinds.pop("input") == Input(bits=4)
    assert kinds.pop("out") == CubaLif(4 / 3, current_decay=1.0, voltage_decay=0.0)
    assert set(kinds.values()) == {CubaLif(4 / 3, current_decay=1.0, voltage_decay=0.75)}


@FAST
@given(drawn, st.sampled_from([(1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 16, 64)]))
def test_every_candidate_that_suits_a_task_builds(c: Candidate, shape) -> None:
    task = Task(shape, input_bits=8, classes=7)
    fitting = for_task(SPACE, task)
    c = replace(c, final_pool=fitting.final_pool[c.channels % len(fitting.final_pool)])
    graph = verify(build(c, task))
    assert graph.name == build(c.canonical(), task).name
    assert build(c, task).digest() == build(c.canonical(), task).digest()
    inner = sum(op != ZEROIZE for op in live(c.cell))
    assert len(graph.projections) == 5 + 2 * inner + (c.final_pool > 1)
    assert graph.population("out").shape == (7, 1, 1)


def test_every_distinct_cell_of_a_set_builds() -> None:
    cells = distinct_cells(ONE)
    for cell in cells[:: len(cells) // 150]:
        verify(build(candidate(*cell), DIGITS))


def test_without_final_pooling_the_second_cell_feeds_the_classifier() -> None:
    graph = build(replace(EXAMPLE, final_pool=1), DIGITS)
    assert [e.source for e in graph.incoming("fc")] == ["cell2.n3"]


def test_a_space_keeps_the_final_poolings_that_suit_the_images() -> None:
    assert SPACE.final_pool == (1, 2, 4, 7, 8)
    assert for_task(SPACE, DIGITS).final_pool == (1, 2, 4)  # of 4×4
    assert for_task(SPACE, Task((1, 28, 28), 4, 10)).final_pool == (1, 2, 7)  # of 14×14
    assert for_task(SPACE, Task((3, 32, 32), 4, 10)).final_pool == (1, 2, 4, 8)  # of 16×16


def test_images_that_a_space_does_not_suit() -> None:
    small = narrow(final_pool=[4, 8])
    with pytest.raises(
        InputError,
        match=r"'spikernel': final_pool: of images of 28×28 pixels the last cell sees 14×14, "
        r"which none of 4, 8 divides; offer one of 1, 2, 7, 14",
    ):
        for_task(small, Task((1, 28, 28), 4, 10))
    with pytest.raises(
        InputError,
        match=r"images of 9×8 pixels: stage 'pool2' divides the 9×8 nodes before it by 2",
    ):
        for_task(SPACE, Task((1, 9, 8), 4, 10))
    with pytest.raises(InputError, match=r"final_pool 4 does not divide the 14×14 nodes"):
        build(replace(EXAMPLE, final_pool=4), Task((1, 28, 28), 4, 10))


# --- the other spaces ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["snasnet", "snasnet-backward", "spikenas-bench", "autosnn", "spikedhs"]
)
def test_every_shipped_space_builds_and_survives_files(name: str) -> None:
    task = Task((3, 32, 32), input_bits=4, classes=10)
    space = for_task(load_space(name), task)
    for index in range(12):
        c = draw(space, np.random.default_rng(index))
        assert from_dict(json.loads(json.dumps(c.as_dict())), "c") == c
        assert build(c, task).digest() == build(c.canonical(), task).digest()
        verify(build(c, task))


def test_autosnn_has_five_blocks_in_five_places() -> None:
    space = narrowed(load_space("autosnn"), {"channels": [8], "timesteps": [4]})
    assert n_genotypes(space) == len(set(all_candidates(space))) == 5**5


def test_feedback_arrives_after_its_loop() -> None:
    kind = CellKind(feedback=True)
    ops = dict.fromkeys(edges(kind), Z) | {(0, 1): C3, (1, 3): C3, (0, 3): S, (3, 1): S}
    cell = tuple(ops[e] for e in edges(kind))
    graph = verify(build(candidate(*cell, kind=kind), DIGITS))
    # 1 → 3 takes a step and 3 → 1 another one: what node 3 sends arrives two steps later.
    delays = {e.name: e.delay for e in graph.projections if e.delay}
    assert delays == {"cell1.n3-n1.skip": 2, "cell2.n3-n1.skip": 2}


def test_where_nodes_carry_sums_a_skip_hands_them_on() -> None:
    kind = CellKind(sums=True)
    cell = (S, Z, conv(3, 8, 2.0), Z, C3, Z)
    graph = verify(build(candidate(*cell, kind=kind), DIGITS))
    # The stem's sum is node 0 and, by the skip, node 1: LIFs of thresholds 2 and 1 over it.
    assert [(e.name, e.target) for e in graph.outgoing("input")] == [
        ("stem.conv3", "stem>2"),
        ("stem.conv3@cell1.n1", "cell1.n1"),
    ]
    assert graph.population("stem>2").neuron == CubaLif(2.0, 1.0, 0.5)


def test_a_sum_may_arrive_many_times() -> None:
    kind = CellKind(sums=True)
    graph = verify(build(candidate(S, S, C3, S, S, S, kind=kind), DIGITS))
    # Node 1 is the stem's sum, node 2 twice, so node 3 hears it three times beside a convolution.
    assert [e.name for e in graph.outgoing("input")] == [
        "stem.conv3",
        "stem.conv3@cell1.n3",
        "stem.conv3@cell1.n3.2",
        "stem.conv3@cell1.n3.3",
    ]


def test_predictors_by_hand() -> None:
    # Two convolutions in a row, and a skip beside them that starts at the input: the first LIF
    # sums one convolution, the last one convolution; skips of spikes count as nothing beside.
    c = candidate(C3, Z, S, Z, C3, Z, threshold=2.0, voltage_decay=0.5)
    assert depth(c) == 2.0
    # Both LIFs stand behind a convolution: depth − 0 + mean of (2·0.5/1, 2·0.5/1).
    assert drive(c) == pytest.approx(3.0)
    bench = replace(c, kind=CellKind(sums=True), cell=(C3, Z, S, Z, C3, Z))
    # Where nodes carry sums the first LIF hears the input itself: 2 − 1 + 1.
    assert drive(bench) == pytest.approx(2.0)
