"""Routers: the messages of each slice, and the cores they go to.

Every router is a function ``(graph, partition) -> routes``. A placed mapping's routes become trees
of links between tiles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from neurocomp.hw.mesh import Link, Point, tile_of, xy_links
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.check import check_tables
from neurocomp.mapping.connections import connections
from neurocomp.mapping.model import Mapping, Partition, Route
from neurocomp.spec.target import Target

FORMAT = "neurocomp-routes/1"  # of the routing tables


def multicast(graph: Graph, partition: Partition) -> tuple[Route, ...]:
    """One route per population and source core, to every core where one of its neurons has targets.

    A core is named once, however many projections and slices bring its messages there.
    """
    reached: dict[tuple[str, int | None], set[int]] = {}
    for c in connections(graph, partition):
        reached.setdefault((c.population, c.source), set()).add(c.target)
    return tuple(
        Route(population, source, tuple(sorted(targets)))
        for (population, source), targets in sorted(
            reached.items(), key=lambda item: (item[0][0], -1 if item[0][1] is None else item[0][1])
        )
    )


def tree(source: Point, targets: Iterable[Point]) -> list[Link]:
    """The links of an XY multicast: each once, a link after the one that leads to it.

    Ways that go along the row first and then along the column never meet again once they have
    parted, so that their union is a tree.
    """
    return list(dict.fromkeys(link for tile in targets for link in xy_links(source, tile)))


def routing_tables(mapping: Mapping, target: Target, rates: Rates) -> dict[str, Any]:
    """What the routers of the mesh would be told, as JSON values, checked.

    Returns:
        ``cores``: chip, core and tile [x, y] on the board of each logical core; ``routes``: for
        each population and source core (None: an input, from outside the mesh) the logical cores
        that its messages go to, the links [x, y, x', y'] of the tree that takes them there, and how
        many it takes per step (None for an input); ``link_loads``: [x, y, x', y', messages per
        step], where each message goes once over every link of its route's tree, to all that
        listen to the route; ``max_link_per_step``: the greatest of them.

    Raises:
        RunError: the checker finds a fault.
    """
    tiles = [tile_of(target, *address) for address in mapping.placement.addresses]
    cores = [
        {"chip": address.chip, "core": address.core, "tile": list(tile)}
        for address, tile in zip(mapping.placement.addresses, tiles, strict=True)
    ]
    routes, loads = [], Counter[Link]()
    for route in mapping.routes:
        links, sent = [], None
        if route.source is not None:
            links = tree(tiles[route.source], (tiles[t] for t in route.targets))
            held = mapping.partition.cores[route.source]
            sent = sum(rates.within(s) for s in held if s.population == route.population)
            loads.update(dict.fromkeys(links, sent))
        routes.append(
            {
                "population": route.population,
                "source": route.source,
                "targets": list(route.targets),
                "links": [list(link) for link in links],
                "messages_per_step": sent,
            }
        )
    made = {
        "format": FORMAT,
        "network": mapping.network,
        "target": target.name,
        "cores": cores,
        "routes": routes,
        "link_loads": [[*link, load] for link, load in sorted(loads.items())],
        "max_link_per_step": max(loads.values(), default=0.0),
    }
    return check_tables(mapping, target, rates, made)


ROUTERS: dict[str, Callable[[Graph, Partition], tuple[Route, ...]]] = {"multicast": multicast}
