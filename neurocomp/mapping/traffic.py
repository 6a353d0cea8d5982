"""What a mapping sends over the mesh per step."""

from __future__ import annotations

from dataclasses import dataclass

from neurocomp.hw.mesh import Point, chip_of, hops, tile_of, xy_links
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import Placement
from neurocomp.spec.target import Target


@dataclass(frozen=True, slots=True)
class Traffic:
    """Expected numbers per step.

    Attributes:
        messages: Σ rate × number of other cores that hold at least one target.
        spike_hops: Σ message × Manhattan distance of the tiles, 0 within a tile.
        max_link: greatest load of a directed link between neighbouring tiles under XY routing.
        chip_crossings: Σ message × chip borders on its way.
        inputs: messages from input populations, which come from outside the mesh.
    """

    messages: float
    spike_hops: float
    max_link: float
    chip_crossings: float
    inputs: float


def traffic(flow: Flow, placement: Placement, target: Target) -> Traffic:
    """Send every message along its XY way; the work grows with the pairs of cores that talk."""
    tiles = [tile_of(target, *address) for address in placement.addresses]
    chips = [chip_of(target, address.chip) for address in placement.addresses]
    pairs = flow.between.tocoo()
    spike_hops = crossings = 0.0
    load: dict[tuple[Point, Point], float] = {}
    for i, j, n in zip(pairs.row.tolist(), pairs.col.tolist(), pairs.data.tolist(), strict=True):
        spike_hops += n * hops(tiles[i], tiles[j])
        crossings += n * hops(chips[i], chips[j])
        way = tiles[i], tiles[j]
        load[way] = load.get(way, 0.0) + n
    return Traffic(
        messages=float(flow.between.sum()),
        spike_hops=spike_hops,
        max_link=_max_link(load),
        chip_crossings=crossings,
        inputs=float(flow.inputs.sum()),
    )


def _max_link(load: dict[tuple[Point, Point], float]) -> float:
    """Greatest load of a link, from the load between pairs of tiles."""
    links: dict[tuple[int, int, int, int], float] = {}
    for (a, b), n in load.items():
        for link in xy_links(a, b):
            links[link] = links.get(link, 0.0) + n
    return max(links.values(), default=0.0)
