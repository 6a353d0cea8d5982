"""From graph to mapping: policies, boards, dead cores, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_networks import CHIPS, CONV, board, cell, chain, mesh, mlp, target

from neurocomp.errors import FitError, InputError
from neurocomp.hw.mesh import live_per_chip
from neurocomp.mapping import (
    CoreAddress,
    map_graph,
)
from neurocomp.mapping.bound import lower_bound_cores
from neurocomp.spec.policy import policy_names
from neurocomp.spec.target import load_target


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


def test_dead_cores_make_chips_smaller() -> None:
    """16 live cores on 4 chips of 6: chips hold four, so that 5 cores need two."""
    dead = [{"chip": chip, "core": core} for chip in range(4) for core in (0, 1)]
    assert live_per_chip(target(mesh=mesh(3, 2), board=board(2, 2), dead_cores=dead)) == 4
