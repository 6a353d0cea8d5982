"""The portfolio: partitions of a network that are worth a look, found by one search."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from neurocomp.errors import FitError
from neurocomp.hw.layer import Layer
from neurocomp.hw.mesh import live_per_chip
from neurocomp.hw.tiles import Reach, boxes, tilings
from neurocomp.ir import Graph, Shape, Slice
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.effort import Effort
from neurocomp.mapping.flow import Flow, flow
from neurocomp.mapping.model import Partition
from neurocomp.mapping.packing.hyper import available
from neurocomp.mapping.packing.pack import packed
from neurocomp.mapping.tiling.axons import Axons, Tiles
from neurocomp.mapping.tiling.choose import Search, Size, Yardstick
from neurocomp.mapping.tiling.compiler import compiler_tile
from neurocomp.mapping.tiling.heard import Heard
from neurocomp.mapping.tiling.layout import Choice, bundles
from neurocomp.mapping.tiling.settle import Choose, settled
from neurocomp.mapping.tiling.ways import Ways
from neurocomp.spec.policy import Policy, load_policy, policy_names
from neurocomp.spec.target import Target

SEARCH = "portfolio"
SEARCHED, PACKED = 0.4, 0.7  # of the time, if it is limited: until then is searched and packed


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Partitions to choose from, at least one, each with its messages.

    Attributes:
        aims: the policies for which they were looked for.
    """

    partitions: dict[Partition, Flow]
    yardstick: Yardstick
    aims: tuple[Policy, ...]


def compiler(
    graph: Graph, target: Target, rates: Rates, policy: Policy, effort: Effort, seed: int
) -> Portfolio:
    """Each population on cores of its own, cut as Intel's compiler does; nothing to choose from.

    Raises:
        FitError: a population cannot be cut small enough.
    """
    own = _one_per_core(graph, settled(graph, target, Axons(graph, target), compiler_tile))
    sent = flow(graph, own, rates)
    return Portfolio({own: sent}, _yardstick(target, [sent]), (policy,))


def portfolio(
    graph: Graph, target: Target, rates: Rates, policy: Policy, effort: Effort, seed: int
) -> Portfolio:
    """What searches over blocks of layers find for each policy, packed; and two plain tilings.

    All shipped policies look for it whichever is asked, so that each has what the others found; a
    user's own policy looks for more after them.

    Raises:
        FitError: a population cannot be cut small enough.
    """
    axons = Axons(graph, target)
    tilings = _tilings(graph, target, rates, axons)
    plain = dict.fromkeys(_one_per_core(graph, tiles) for tiles in tilings)
    found = {partition: flow(graph, partition, rates) for partition in plain}
    yardstick = _yardstick(target, found.values())
    ways = Ways(graph, target, rates, axons, tilings[0])
    aims = tuple(dict.fromkeys((*_shipped(), policy)))
    wanted = (*aims, *_on_more_chips(aims, yardstick))
    if effort.until is not None:  # the time may not suffice for all
        wanted = tuple(dict.fromkeys((policy, *wanted)))
    asked = seed if effort.hypergraph and available() else None
    packing = effort.share(PACKED)
    for choice in _choices(ways, yardstick, wanted, effort.share(SEARCHED), seed):
        if packing.over:
            break
        for partition in packed(graph, target, rates, bundles(choice, ways), packing, asked):
            if partition not in found:
                found[partition] = flow(graph, partition, rates)
    return Portfolio(found, yardstick, aims)


def _tilings(graph: Graph, target: Target, rates: Rates, axons: Axons) -> list[dict[str, Shape]]:
    """With one layer per core: the one with the fewest cores of each layer, and the compiler's.

    Raises:
        FitError: there is neither.
    """
    found, faults = [], []
    for choose in (_fewest(Heard(graph, rates)), compiler_tile):
        try:
            found.append(settled(graph, target, axons, choose))
        except FitError as fault:
            faults.append(fault)
    if not found:
        raise faults[0]
    return found


@cache
def _shipped() -> tuple[Policy, ...]:
    """The shipped policies that search."""
    return tuple(p for p in map(load_policy, policy_names()) if p.partitioner == SEARCH)


def _on_more_chips(aims: Iterable[Policy], yardstick: Yardstick) -> list[Policy]:
    """The one that weighs cores least without counting chips, where one chip may be too small."""
    least = min(aims, key=lambda aim: aim.core_weight)
    several = yardstick.cores > yardstick.cores_per_chip
    return [least.model_copy(update={"fewest_chips": False})] if several else []


def _choices(
    ways: Ways, yardstick: Yardstick, aims: Iterable[Policy], effort: Effort, seed: int
) -> list[Choice]:
    """The best local optima for each policy.

    Each descends from the best choice that is known so far, and again and again after a kick.
    """
    start = {ways.block([name]): ways.way({name: t}) for name, t in ways.tiles.items()}
    search = Search(ways, start, yardstick, effort)
    seen: dict[Size, Choice] = {search.measure(): start}
    picked: dict[Size, None] = {}
    for aim in aims:
        rng = np.random.default_rng(seed)
        most = search.work + effort.work
        for descent in range(1 + effort.kicks):
            if search.work > most or effort.over:
                break
            search.choice = seen[min(seen, key=lambda size: yardstick.cost(aim, *size))]
            if descent:
                search.kick(rng)
            seen.setdefault(search.descend(aim), search.choice)
        ranked = sorted(seen, key=lambda size: (_beaten(size, seen), yardstick.cost(aim, *size)))
        picked |= dict.fromkeys(ranked[: effort.members])
    return [seen[size] for size in picked]


def _beaten(size: Size, others: Iterable[Size]) -> bool:
    return any(a <= size[0] and b <= size[1] and (a, b) != size for a, b in others)


def _fewest(heard: Heard) -> Choose:
    """Chooses the tile with the fewest cores, among those with the fewest messages."""

    def choose(layer: Layer, target: Target, reach: Reach) -> Shape | None:
        ranked = [
            (n, heard.messages({layer.name: tile}), tile)
            for n, tile in tilings(layer, target, reach)
        ]
        return min(ranked)[2] if ranked else None

    return choose


def _one_per_core(graph: Graph, tiles: Tiles) -> Partition:
    """Every box on a core of its own, populations in the graph's order."""
    every = ((p.name, box) for p in graph.neurons for box in boxes(p.shape, tiles[p.name]))
    return Partition(tuple((Slice(name, *box),) for name, box in every))


def _yardstick(target: Target, plain: Iterable[Flow]) -> Yardstick:
    """The unit is the tiling with the fewest cores, among those with the fewest messages."""
    return Yardstick(*min((sent.n, sent.messages) for sent in plain), live_per_chip(target))


PARTITIONERS: dict[str, Callable[[Graph, Target, Rates, Policy, Effort, int], Portfolio]] = {
    "compiler": compiler,
    SEARCH: portfolio,
}
