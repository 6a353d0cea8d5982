"""One judge for all: a partition and its places become a mapping, which is checked and measured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

from neurocomp.errors import RunError
from neurocomp.hw.mesh import n_live_cores, tile_of
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.check import check
from neurocomp.mapping.effort import EFFORTS
from neurocomp.mapping.flow import Flow, flow
from neurocomp.mapping.model import Mapping, Partition, Placement
from neurocomp.mapping.place import PLACERS
from neurocomp.mapping.route import ROUTERS
from neurocomp.mapping.traffic import traffic
from neurocomp.spec.figure import Figure
from neurocomp.spec.target import Costs, Target, load_target

BASIS = "sanafe"  # of the energy on the network on chip; a Loihi 1 equivalent on every target
OUR_PLACER = "anneal"


@dataclass(frozen=True, slots=True)
class Score:
    """What a mapping takes and sends per step.

    Attributes:
        broken: limits that the mapping breaks, empty where it is legal.
        energy_pj: messages and hops at the prices of `BASIS`.
        seconds: CPU time of partition and placement.
    """

    name: str
    cores: int
    messages: float
    hops: float
    max_link: float
    energy_pj: float
    seconds: float
    broken: str = ""

    @property
    def legal(self) -> bool:
        """Whether the checker accepts it."""
        return not self.broken


def judged(
    name: str, graph: Graph, target: Target, rates: Rates, mapping: Mapping, seconds: float
) -> Score:
    """Check a mapping of boxes and measure it."""
    sent = flow(graph, mapping.partition, rates)
    broken = complaints(graph, mapping, target)
    return measured(name, sent, mapping.placement, target, seconds, broken)


def measured(
    name: str, sent: Flow, placement: Placement, target: Target, seconds: float, broken: str = ""
) -> Score:
    """Measure messages between placed cores."""
    found = traffic(sent, placement, target)
    return Score(
        name,
        sent.n,
        found.messages,
        found.spike_hops,
        found.max_link,
        energy(sent, placement, target),
        seconds,
        broken,
    )


def energy(sent: Flow, placement: Placement, target: Target) -> float:
    """Picojoules per step: every message that is sent, and its hops east-west and north-south."""
    price = _prices()
    pairs = sent.between.tocoo()
    tiles = np.array([tile_of(target, *a) for a in placement.addresses]).reshape(-1, 2)
    way = np.abs(tiles[pairs.row] - tiles[pairs.col])
    each = np.array(
        [
            event.pj if event is not None and event.pj is not None else np.nan
            for event in (price.hop_east_west, price.hop_north_south, price.message_out)
        ]
    )
    return float(pairs.data @ (way @ each[:2] + each[2]))


@cache
def _prices() -> Costs:
    return load_target("loihi1").costs[BASIS]


def assembled(
    name: str, graph: Graph, target: Target, partition: Partition, placement: Placement
) -> Mapping:
    """A mapping of somebody's partition, routed to whoever listens."""
    routes = ROUTERS["multicast"](graph, partition)
    return Mapping(
        graph.name, graph.digest(), target.name, name, 0, partition, placement, routes
    )  # fmt: skip


def board_for(n: int, target: Target) -> Target:
    """The target, or for a baseline that needs more cores one with as many more rows of chips."""
    rows = target.board.rows.value
    while n > n_live_cores(target):
        rows += 1
        target = target.model_copy(
            update={"board": target.board.model_copy(update={"rows": Figure(value=rows)})}
        )
    return target


def placed(sent: Flow, target: Target, seed: int = 0) -> Placement:
    """Our own placer, which every baseline may use."""
    return PLACERS[OUR_PLACER](sent, target, np.random.default_rng(seed), EFFORTS["quality"])


def complaints(graph: Graph, mapping: Mapping, target: Target) -> str:
    """What the checker finds: the resources that are passed, or its first complaint."""
    try:
        check(graph, mapping, target)
    except RunError as fault:
        lines = str(fault).splitlines()[1:]
        resources = [re.search(r": (\w+): needs", line) for line in lines]
        named = sorted({found.group(1) for found in resources if found})
        return ", ".join(named) or lines[0].split(": ")[-1]
    return ""
