"""Placers: the contract of all, and what makes the good one good."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from mapping_networks import board, mesh, target
from scipy.sparse import csr_array

from neurocomp.errors import FitError
from neurocomp.hw.mesh import hops, live_cores, tile_of
from neurocomp.mapping.effort import EFFORTS, effort_named
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.place import PLACERS
from neurocomp.mapping.place.bound import fewest_hops
from neurocomp.mapping.traffic import traffic
from neurocomp.spec.target import Target

FAST = EFFORTS["fast"]


def random_flow(n: int, seed: int, density: float = 0.3) -> Flow:
    rng = np.random.default_rng(seed)
    between = rng.random((n, n)) * (rng.random((n, n)) < density)
    np.fill_diagonal(between, 0)
    return Flow(n, csr_array(between), np.zeros(n))


def chains(n_chains: int, length: int) -> Flow:
    """Cores that send to the next of their chain; chains are interleaved in the order of cores."""
    n = n_chains * length
    between = np.zeros((n, n))
    for i in range(n - n_chains):
        between[i, i + n_chains] = 1.0
    return Flow(n, csr_array(between), np.zeros(n))


BOARD = target(
    mesh=mesh(2, 3, 2),
    board=board(2, 2),
    dead_cores=[{"chip": 0, "core": 0}, {"chip": 2, "core": 7}],
)
CASES = {
    "no flow": (Flow(3, csr_array((3, 3)), np.zeros(3)), BOARD),
    "one core": (random_flow(1, 0), BOARD),
    "one full chip": (random_flow(11, 1), BOARD),
    "two chips": (random_flow(14, 2), BOARD),
    "the whole board": (random_flow(46, 3), BOARD),
    "one tile": (random_flow(4, 4), target(mesh=mesh(1, 1, 4))),
}


@pytest.mark.parametrize("name", PLACERS)
@pytest.mark.parametrize("case", CASES)
def test_every_placer_uses_live_cores_once_and_few_chips(name: str, case: str) -> None:
    flow, chip = CASES[case]
    first, again = (
        PLACERS[name](flow, chip, np.random.default_rng(7), FAST).addresses for _ in range(2)
    )
    assert first == again
    assert len(first) == len(set(first)) == flow.n
    live = list(live_cores(chip))
    assert set(first) <= set(live)
    fewest = len({c for c, _ in live[: flow.n]})
    assert len({a.chip for a in first}) == fewest
    assert all(type(part) is int for address in first for part in address)


@pytest.mark.parametrize("name", PLACERS)
def test_every_placer_refuses_too_many_cores(name: str) -> None:
    with pytest.raises(FitError, match=r"needs 47 cores, small has 46; use a board with more"):
        PLACERS[name](random_flow(47, 0), BOARD, np.random.default_rng(0), FAST)


def weighted_hops(flow: Flow, chip: Target, name: str) -> float:
    placement = PLACERS[name](flow, chip, np.random.default_rng(0), EFFORTS["quality"])
    return traffic(flow, placement, chip).spike_hops


def test_annealing_finds_the_optimum_of_a_small_case() -> None:
    """6 cores on 2 × 3 tiles: all 720 placements are tried."""
    flow, chip = random_flow(6, 11, 0.6), target(mesh=mesh(2, 3))
    tiles = [tile_of(chip, 0, core) for core in range(6)]
    distance = np.array([[hops(a, b) for b in tiles] for a in tiles])
    between = flow.between.toarray()
    best = min((between * distance[np.ix_(p, p)]).sum() for p in permutations(range(6)))
    assert weighted_hops(flow, chip, "anneal") == pytest.approx(best)


def test_annealing_lays_interleaved_chains_out_without_a_detour() -> None:
    """4 chains of 4 cores fit the columns of 4 × 4 tiles: each of 12 messages takes one hop."""
    assert weighted_hops(chains(4, 4), target(mesh=mesh(4, 4)), "anneal") == 12


def test_chips_hold_what_talks() -> None:
    """2 interleaved chains of 5 on 2 chips of 5: no message crosses."""
    chip = target(mesh=mesh(5, 1), board=board(2))
    flow = chains(2, 5)
    placement = PLACERS["anneal"](flow, chip, np.random.default_rng(0), FAST)
    found = traffic(flow, placement, chip)
    assert (found.chip_crossings, found.spike_hops) == (0, 8)


def test_ends_on_another_chip_pull() -> None:
    """Each core of a chip sends to its partner on the other: partners stand opposite."""
    between = np.zeros((8, 8))
    for i in range(4):
        between[i, 4 + i] = 1.0 + i
        for j in range(4):
            between[i, j] = between[4 + i, 4 + j] = 5.0 * (abs(i - j) == 1)
    chip = target(mesh=mesh(1, 4), board=board(2))
    flow = Flow(8, csr_array(between), np.zeros(8))
    placement = PLACERS["anneal"](flow, chip, np.random.default_rng(0), FAST).addresses
    assert [a.chip for a in placement[:4]] != [a.chip for a in placement[4:]]
    assert [a.core for a in placement[:4]] == [a.core for a in placement[4:]]


def test_time_that_is_over_still_gives_a_placement() -> None:
    flow = random_flow(46, 3)
    placement = PLACERS["anneal"](
        flow, BOARD, np.random.default_rng(0), effort_named("quality", seconds=0.0)
    )
    assert len(set(placement.addresses)) == 46


def test_lower_bound_of_the_hops() -> None:
    """A star of 6 around one core, one core to a tile: 4 neighbours at 1 hop, 2 more at 2.

    From the centre that is 1·4 + 2·2 = 8; each of the six has the centre at 1 hop: 6. Half of 14.
    Two cores on a tile: 1 of the 6 at no distance, 5 at 1 hop, and the others at none: 5 / 2.
    """
    between = np.zeros((7, 7))
    between[0, 1:] = 1.0
    flow = Flow(7, csr_array(between), np.zeros(7))
    assert fewest_hops(flow, target(mesh=mesh(5, 5))) == 7
    assert fewest_hops(flow, target(mesh=mesh(5, 5, 2))) == 2.5
    assert fewest_hops(Flow(3, csr_array((3, 3)), np.zeros(3)), target()) == 0


@pytest.mark.parametrize("seed", range(3))
def test_no_placement_is_below_the_lower_bound(seed: int) -> None:
    flow = random_flow(14, seed)
    for name in PLACERS:
        assert weighted_hops(flow, BOARD, name) >= fewest_hops(flow, BOARD)
