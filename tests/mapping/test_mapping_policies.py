"""Policies, effort and time: what each must not lose against the others."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from mapping_networks import CHIPS, CONV, board, cell, chain, mesh, mlp, target

from neurocomp.hw.mesh import live_per_chip
from neurocomp.ir import Conv, Graph
from neurocomp.mapping import (
    map_graph,
    map_pareto,
    summary,
)
from neurocomp.mapping.effort import EFFORTS, Effort
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import Mapping, Placement
from neurocomp.mapping.place import PLACERS
from neurocomp.spec.target import Target

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
