"""The portfolio: partitions of a network that are worth a look, found by one search."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from neurocomp.hw.layer import NO_LIMIT, Layer
from neurocomp.hw.mesh import live_per_chip
from neurocomp.hw.tiles import Reach, boxes, tilings
from neurocomp.ir import Graph, Shape, Slice
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.effort import Effort
from neurocomp.mapping.flow import flow
from neurocomp.mapping.model import Partition
from neurocomp.mapping.packing.hyper import available
from neurocomp.mapping.packing.pack import Bundle, packed
from neurocomp.mapping.tiling.axons import Axons, Tiles
from neurocomp.mapping.tiling.choose import Search, Yardstick
from neurocomp.mapping.tiling.compiler import compiler_tile
from neurocomp.mapping.tiling.heard import Heard
from neurocomp.mapping.tiling.layout import Choice, bundles
from neurocomp.mapping.tiling.settle import Choose, settled
from neurocomp.mapping.tiling.ways import Ways
from neurocomp.spec.policy import Policy
from neurocomp.spec.target import Target


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Partitions to choose from, at least one.

    Attributes:
        yardstick: what counts, in units of the network cut with one layer per core.
    """

    partitions: tuple[Partition, ...]
    yardstick: Yardstick


def compiler(
    graph: Graph, target: Target, rates: Rates, policy: Policy, effort: Effort, seed: int
) -> Portfolio:
    """Each population on cores of its own, cut as Intel's compiler does; nothing to choose from.

    Raises:
        FitError: a population cannot be cut small enough.
    """
    tiles = settled(graph, target, Axons(graph, target), compiler_tile)
    own = _partition(_one_per_core(graph, tiles))
    return Portfolio((own,), _yardstick(graph, own, rates, policy, target))


def portfolio(
    graph: Graph, target: Target, rates: Rates, policy: Policy, effort: Effort, seed: int
) -> Portfolio:
    """What a search over blocks of layers finds, packed; and the best tiling of single layers.

    Raises:
        FitError: a population cannot be cut small enough.
    """
    axons = Axons(graph, target)
    tiles = settled(graph, target, axons, _fewest(Heard(graph, rates)))
    plain = _one_per_core(graph, tiles)
    yardstick = _yardstick(graph, _partition(plain), rates, policy, target)
    ways = Ways(graph, target, rates, axons, tiles)
    asked = seed if effort.hypergraph and available() else None
    found = [
        partition
        for choice in _choices(ways, yardstick, effort, np.random.default_rng(seed))
        for partition in packed(graph, target, rates, bundles(choice, ways), effort.passes, asked)
    ]
    fewest = min((len(partition.cores) for partition in found), default=NO_LIMIT)
    if effort.plain or fewest > yardstick.cores:
        found += packed(graph, target, rates, [plain], effort.passes) or [_partition(plain)]
    return Portfolio(tuple(dict.fromkeys(found)), yardstick)


def _choices(
    ways: Ways, yardstick: Yardstick, effort: Effort, rng: np.random.Generator
) -> list[Choice]:
    """The best local optima that a search passes through, best first.

    Descents with several weights of the cores, each from where the last one ended, and then from
    the best one again and again after a kick.
    """
    start = {ways.block([name]): ways.way({name: t}) for name, t in ways.tiles.items()}
    search = Search(ways, start)
    seen: dict[tuple[int, float], Choice] = {search.measure(): start}
    for weight in dict.fromkeys((*effort.weights, yardstick.core_weight)):
        if search.work <= effort.work and not effort.over:
            search.descend(yardstick.with_weight(weight))
            seen.setdefault(search.measure(), search.choice)
    best = min(seen, key=lambda size: yardstick.cost(*size))
    for _ in range(effort.kicks):
        if search.work > effort.work or effort.over:
            break
        search.choice = seen[best]
        search.kick(rng)
        search.descend(yardstick)
        size = search.measure()
        seen.setdefault(size, search.choice)
        best = min(best, size, key=lambda size: yardstick.cost(*size))
    ranked = sorted(seen, key=lambda size: (_beaten(size, seen), yardstick.cost(*size), size))
    return [seen[size] for size in ranked[: effort.members]]


def _beaten(size: tuple[int, float], others: dict[tuple[int, float], Choice]) -> bool:
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


def _one_per_core(graph: Graph, tiles: Tiles) -> list[Bundle]:
    """Every box on a core of its own, populations in the graph's order."""
    return [(Slice(p.name, *box),) for p in graph.neurons for box in boxes(p.shape, tiles[p.name])]


def _partition(bundles: list[Bundle]) -> Partition:
    return Partition(tuple(bundles))


def _yardstick(
    graph: Graph, plain: Partition, rates: Rates, policy: Policy, target: Target
) -> Yardstick:
    messages = float(flow(graph, plain, rates).between.sum())
    chip = live_per_chip(target) if policy.fewest_chips else None
    return Yardstick(len(plain.cores), messages, policy.core_weight, chip)


PARTITIONERS: dict[str, Callable[[Graph, Target, Rates, Policy, Effort, int], Portfolio]] = {
    "compiler": compiler,
    "portfolio": portfolio,
}
