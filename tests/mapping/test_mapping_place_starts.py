"""Where the placers begin: halves, coordinates, the quadratic assignment; and what comes of it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from mapping_networks import board, mesh, target
from scipy.sparse import csr_array

from neurocomp.mapping.effort import EFFORTS, effort_named
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.place import PLACERS
from neurocomp.mapping.place import board as boards
from neurocomp.mapping.place.halves import halved
from neurocomp.mapping.place.spectral import coordinates
from neurocomp.mapping.place.split import split
from neurocomp.mapping.place.starts import assigned, cost, starts
from neurocomp.mapping.traffic import Traffic, traffic
from neurocomp.spec.target import Target

FAST = EFFORTS["fast"]


def linked(n: int, pairs: list[tuple[int, int]]) -> Flow:
    """One message from the first to the second of each pair."""
    between = np.zeros((n, n))
    for i, j in pairs:
        between[i, j] += 1.0
    return Flow(n, csr_array(between), np.zeros(n))


def symmetric(flow: Flow) -> csr_array:
    return csr_array(flow.between + flow.between.T)


def line(order: list[int]) -> Flow:
    return linked(len(order), list(pairwise(order)))


def shuffled_line(n: int) -> Flow:
    return line(np.random.default_rng(5).permutation(n).tolist())


def grid(side: int) -> Flow:
    at = np.random.default_rng(2).permutation(side * side).reshape(side, side)
    down = zip(at[:-1].ravel().tolist(), at[1:].ravel().tolist(), strict=True)
    across = zip(at[:, :-1].ravel().tolist(), at[:, 1:].ravel().tolist(), strict=True)
    return linked(side * side, [*down, *across])


def found(flow: Flow, chip: Target) -> Traffic:
    placement = PLACERS["anneal"](flow, chip, np.random.default_rng(0), FAST)
    return traffic(flow, placement, chip)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("shape", [(4, 4, 1), (2, 2, 4)])
def test_cliques_land_on_chips_of_their_own(shape: tuple[int, int, int], seed: int) -> None:
    """8 cliques of 16 on 8 chips of 16, without a message between them: nothing crosses."""
    of = np.random.default_rng(seed).permutation(128).reshape(8, 16)
    flow = linked(128, [(int(i), int(j)) for c in of for i in c for j in c if i != j])
    sent = found(flow, target(mesh=mesh(*shape), board=board(4, 2)))
    assert sent.chip_crossings == 0


@pytest.mark.parametrize("n", [2, 7, 12, 40])
def test_a_line_of_cores_on_a_row_takes_one_hop_a_message(n: int) -> None:
    assert found(shuffled_line(n), target(mesh=mesh(n, 1))).spike_hops == n - 1


def test_more_cores_than_are_annealed_end_near_the_best() -> None:
    """A shuffled grid of 39 × 39 cores on its mesh: 2 · 39 · 38 = 2,964 messages of one hop."""
    assert found(grid(39), target(mesh=mesh(39, 39))).spike_hops <= 1.25 * 2964


@pytest.mark.parametrize("effort", ["fast", "quality"])
def test_no_time_gives_the_given_order(effort: str) -> None:
    """And with any time it is never worse than that, with the chip borders counted."""
    flow, chip = shuffled_line(30), target(mesh=mesh(4, 4), board=board(2))
    none = effort_named(effort, seconds=0.0)
    places, both = boards.board(chip, 30), symmetric(flow)
    placement = PLACERS["anneal"](flow, chip, np.random.default_rng(0), none)
    assert placement.addresses == places.addresses[:30]
    first, *others = starts(both, places, 30, FAST)
    assert all(first.cost <= other.cost for other in others)
    assert first.cost <= cost(both, places, np.arange(30))
    assert len(starts(both, places, 30, none)) == 1


def test_starts_stand_on_live_places_once() -> None:
    """3 × 2 tiles of 2 cores on 2 chips with 3 dead ones: 21 live, of which 19 are taken."""
    dead = [{"chip": 0, "core": c} for c in (0, 5)] + [{"chip": 1, "core": 11}]
    chip = target(mesh=mesh(3, 2, 2), board=board(2), dead_cores=dead)
    flow = shuffled_line(19)
    places, both = boards.board(chip, 19), symmetric(flow)
    assert len(places.addresses) == 21
    for made in (halved, assigned):
        ends, again = made(both, places, 19), made(both, places, 19)
        assert ends.tolist() == again.tolist()
        assert len(set(ends.tolist())) == 19
        assert set(ends.tolist()) <= set(range(21))


def test_cost_counts_a_chip_border_as_three_hops_more() -> None:
    """Places 0 and 1 of two chips side by side of one tile each: 2 messages of 1 + 3."""
    places = boards.board(target(mesh=mesh(1, 1), board=board(2)), 2)
    both = symmetric(linked(2, [(0, 1), (1, 0)]))
    assert cost(both, places, np.array([0, 1])) == 8


def test_a_split_keeps_together_what_talks() -> None:
    """Two triangles with one message between them, interleaved: {0, 2, 4} and {1, 3, 5}."""
    pairs = [(0, 2), (2, 4), (4, 0), (1, 3), (3, 5), (5, 1), (0, 1)]
    far = split(symmetric(linked(6, pairs)), np.zeros(6), 1.0, 3)
    assert far[0] == far[2] == far[4] != far[1] == far[3] == far[5]


def test_a_split_follows_those_outside() -> None:
    """Four cores that do not talk: the two that are drawn most to the second half go there."""
    drawn = np.array([1.0, -2.0, 3.0, 0.5])
    far = split(csr_array((4, 4)), drawn, 1.0, 2)
    assert far.tolist() == [True, False, True, False]


def test_coordinates_follow_a_path() -> None:
    """The slowest wave on a path rises or falls from one end to the other."""
    order = np.random.default_rng(1).permutation(30).tolist()
    steps = np.diff(coordinates(symmetric(line(order)))[order, 0])
    assert (steps > 0).all() or (steps < 0).all()


def test_coordinates_of_equal_cores_are_equal() -> None:
    """Two cliques of 20 without a message between them, and a core that talks to nobody."""
    pairs = [(i, j) for i in range(40) for j in range(i) if i % 2 == j % 2]
    waves = coordinates(symmetric(linked(41, pairs)))
    assert np.isfinite(waves).all()
    assert all(len(np.unique(waves[start:40:2], axis=0)) == 1 for start in (0, 1))
    assert len(np.unique(waves[:40], axis=0)) == 2
