"""Programs of chips: boxes of neurons, links, and mappings that cannot be executed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backend_networks import chain, pair, spread, tiles
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.backend.emit import emit
from neurocomp.backend.emit.boxes import coverage, field_of_view, intersect, join
from neurocomp.errors import InputError
from neurocomp.ir import Conv, Dense, Input, LoihiLif, Population, Projection, Slice, whole
from neurocomp.mapping.model import Mapping, Placement, Route


def test_boxes_meet_and_join() -> None:
    left, right = Slice("p", (0, 0, 0), (2, 4, 2)), Slice("p", (0, 0, 2), (2, 4, 4))
    below, corner = Slice("p", (0, 4, 0), (2, 6, 4)), Slice("p", (2, 0, 0), (3, 1, 1))
    assert join([right, below, left, corner]) == (Slice("p", (0, 0, 0), (2, 6, 4)), corner)
    assert intersect(left, right) is None
    assert intersect(left, Slice("q", (0, 0, 0), (2, 4, 2))) is None
    assert intersect(left, Slice("p", (1, 3, 1), (9, 9, 9))) == Slice("p", (1, 3, 1), (2, 4, 2))


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6)),
    cuts=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 999),
)
def test_joined_boxes_hold_the_same_neurons_once(
    shape: tuple[int, int, int], cuts: tuple[int, int, int], seed: int
) -> None:
    population = Population("p", shape, LoihiLif(1))
    boxes = [s for s in tiles(population, cuts) if np.random.default_rng(seed).random() < 0.7]
    before = coverage(boxes, whole(population))
    joined = join(boxes)
    assert (coverage(joined, whole(population)) == before).all()
    assert len(joined) <= len(boxes)
    assert len(join(tiles(population, cuts))) == 1


def test_field_of_view_by_hand() -> None:
    """Rows 1..2 of a stride-2, dilated, padded convolution; channels of the second group."""
    op = Conv((3, 1), stride=(2, 1), padding=(1, 0), dilation=(2, 1), groups=2)
    target = Slice("t", (3, 1, 2), (4, 3, 5))
    seen = field_of_view(op, target, 4, "s", (6, 9, 9))
    # rows: 1·2 − 1 = 1 to (2·2 − 1) + 2·2 = 7; columns as they are; group 1 of 2 = channels 3..5
    assert seen == Slice("s", (3, 1, 2), (6, 8, 5))


def test_neighbouring_cores_become_one_block() -> None:
    """128 cores compute as one: the work does not grow with their number."""
    graph = chain()
    one, many = emit(graph, spread(graph, (1, 1, 1))), emit(graph, spread(graph, (4, 6, 6)))
    for part, joined in zip(one.chips[0].parts, many.chips[0].parts, strict=True):
        assert part.box == joined.box
        assert len(part.synapses) == len(joined.synapses) == 1
        assert joined.synapses[0].arrives is None


def test_links_carry_only_what_the_routes_send_over() -> None:
    graph, mapping = pair()
    first, second = emit(graph, mapping).chips
    assert [(x.target, x.boxes) for x in first.sends] == [
        (1, ((whole(graph.population("a")),), ()))
    ]
    assert second.receives == first.sends
    assert (second.sends, first.receives) == ((), ())


def test_foreign_mapping() -> None:
    graph, mapping = pair()
    with pytest.raises(InputError, match="made for another network than 'pair'"):
        emit(graph, replace(mapping, graph_digest="0"))


def test_graph_that_fails_the_check() -> None:
    graph, mapping = pair()
    odd = replace(graph.projections[1], exponent=1)
    with pytest.raises(InputError, match="every weight must be a multiple of 2"):
        emit(graph.with_parts(graph.populations, (graph.projections[0], odd)), mapping)


def test_two_inputs() -> None:
    graph, mapping = pair()
    second = Population("more", (1, 1, 1), Input(1))
    more = Projection("more-out", "more", "out", Dense(), 8, np.array([[1]]))
    graph = graph.with_parts((*graph.populations, second), (*graph.projections, more))
    with pytest.raises(InputError, match="exactly one input is supported, got 2"):
        emit(graph, replace(mapping, graph_digest=graph.digest()))


def test_input_that_reaches_no_core() -> None:
    graph, mapping = pair()
    routes = tuple(r for r in mapping.routes if r.source is not None)
    with pytest.raises(InputError, match="no route brings 'in' to a core"):
        emit(graph, replace(mapping, routes=routes))


OUTSIDE = Slice("a", (0, 0, 0), (3, 1, 1))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda m: {"placement": Placement(m.placement.addresses[:2])}, "got 2 for 3 cores"),
        (lambda m: {"partition": _cores(m, 0, OUTSIDE)}, "core 0: .* is no box of a population"),
        (
            lambda m: {"partition": _cores(m, 1, Slice("in", (0, 0, 0), (2, 1, 1)))},
            "core 1: .* no box",
        ),
        (
            lambda m: {"partition": _cores(m, 1, m.partition.cores[0][0])},
            "'a': 1 neurons stand on more",
        ),
        (lambda m: {"routes": (Route("a", 0, (7,)),)}, "cores are 0 to 2"),
        (lambda m: {"routes": (Route("in", 0, (1,)),)}, "an input comes from no core"),
        (lambda m: {"routes": (Route("a", None, (1,)),)}, "any other population from a core"),
        (lambda m: {"routes": (Route("a", 2, (1,)),)}, "core 2 holds nothing of 'a'"),
    ],
)
def test_mapping_that_cannot_run(change, fault: str) -> None:  # type: ignore[no-untyped-def]
    graph, mapping = pair()
    with pytest.raises(InputError, match=fault):
        emit(graph, replace(mapping, **change(mapping)))


def _cores(mapping: Mapping, core: int, held: Slice):  # type: ignore[no-untyped-def]
    cores = list(mapping.partition.cores)
    cores[core] = (held,)
    return replace(mapping.partition, cores=tuple(cores))
