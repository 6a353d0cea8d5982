"""Do the routing trees take every message to its listeners, by legal ways, with the loads told?

A tree is legal where each link leads from a tile that was reached before to the next one that was
not, along the row only where the row is the source's own (XY routing has no other turns), and where
it ends at listeners only. So no link is used twice and none is in a loop.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from neurocomp.hw.mesh import Link, Point, tile_of
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.check.counters import TOLERANCE
from neurocomp.mapping.model import Mapping, Route
from neurocomp.spec.target import Target


def tree_faults(
    mapping: Mapping, target: Target, rates: Rates, tables: dict[str, Any]
) -> Iterator[str]:
    """What is wrong with the routing tables of a legal mapping."""
    tiles = [tile_of(target, *address) for address in mapping.placement.addresses]
    cores = [
        {"chip": address.chip, "core": address.core, "tile": list(tile)}
        for address, tile in zip(mapping.placement.addresses, tiles, strict=True)
    ]
    if tables["cores"] != cores:
        yield "routing tables: the cores are not where the mapping has them"
    loads: Counter[Link] = Counter()
    for route, told in zip_longest(mapping.routes, tables["routes"]):
        if route is None or told is None or _head(route) != _head_of(told):
            yield f"routing tables: {told or 'no route'} stands where {route or 'none'} belongs"
            return
        links: list[Link] = [(x, y, to_x, to_y) for x, y, to_x, to_y in told["links"]]
        if route.source is not None:
            sent = _spikes(mapping, route.population, route.source, rates)
            if not _near(told["messages_per_step"], sent):
                yield f"{_where(route)}: sends {sent}, not {told['messages_per_step']} messages"
            ends = {tiles[core] for core in route.targets}
            for fault in _tree(tiles[route.source], ends, links, target):
                yield f"{_where(route)}: {fault}"
            loads.update(dict.fromkeys(links, sent))
        elif links:
            yield f"{_where(route)}: comes from outside the mesh, but has links"
    yield from _loads(loads, tables)


def _tree(source: Point, ends: set[Point], links: list[Link], target: Target) -> Iterator[str]:
    """What is wrong with the tree of one route."""
    columns = target.board.columns.value * target.mesh.columns.value
    rows = target.board.rows.value * target.mesh.rows.value
    reached, left = {source}, set()
    for link in links:
        start, end = Point(*link[:2]), Point(*link[2:])
        if abs(start.x - end.x) + abs(start.y - end.y) != 1:
            yield f"{list(link)} is no link between neighbouring tiles"
        elif not (0 <= end.x < columns and 0 <= end.y < rows):
            yield f"{list(link)} leaves the board"
        if start.y == end.y != source.y:
            yield f"{list(link)} goes along a row that is not the source's: no XY way"
        if start not in reached:
            yield f"{list(link)} starts where no message has come"
        if end in reached:
            yield f"{list(link)} comes to a tile for the second time"
        reached.add(end)
        left.add(start)
    if ends - reached:
        yield f"messages do not reach tiles {_shown(ends - reached)}"
    if reached - left - ends - {source}:
        yield f"ways end at tiles {_shown(reached - left - ends - {source})} where nobody listens"


def _loads(loads: Counter[Link], tables: dict[str, Any]) -> Iterator[str]:
    """Loads of links that are not those of the trees."""
    told = {(x, y, to_x, to_y): load for x, y, to_x, to_y, load in tables["link_loads"]}
    for link in sorted(loads.keys() | told.keys()):
        if link not in told or not _near(told[link], loads[link]):
            yield f"link {list(link)}: load {told.get(link)}, the trees give it {loads[link]}"
    most = max(loads.values(), default=0.0)
    if not _near(tables["max_link_per_step"], most):
        yield f"max link per step: {tables['max_link_per_step']}, of the trees {most}"


def _spikes(mapping: Mapping, population: str, core: int, rates: Rates) -> float:
    """What a population's neurons on a core send per step."""
    value = rates.values[population]
    total = 0.0
    for s in mapping.partition.cores[core]:
        if s.population == population:
            (c0, y0, x0), (c1, y1, x1) = s.start, s.stop
            part = value if isinstance(value, float) else value[c0:c1, y0:y1, x0:x1]
            total += part * math.prod(s.shape) if isinstance(part, float) else float(part.sum())
    return total


def _near(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _head(route: Route) -> tuple[str, int | None, list[int]]:
    return route.population, route.source, list(route.targets)


def _head_of(told: dict[str, Any]) -> tuple[str, int | None, list[int]]:
    return told["population"], told["source"], told["targets"]


def _where(route: Route) -> str:
    core = "" if route.source is None else f" of core {route.source}"
    return f"route of '{route.population}'{core}"


def _shown(tiles: Iterable[Point]) -> list[tuple[int, int]]:
    return [(tile.x, tile.y) for tile in sorted(tiles)]
