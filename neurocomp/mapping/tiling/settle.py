"""Cutting all layers of a graph into tiles, consumers before producers."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TypeAlias

from neurocomp.errors import FitError
from neurocomp.hw.demand import need, with_limits
from neurocomp.hw.layer import Layer
from neurocomp.hw.price import too_large
from neurocomp.hw.tiles import Reach, tile_fits
from neurocomp.ir import Graph, Shape
from neurocomp.ir.schedule import topological_order
from neurocomp.mapping.tiling.axons import Axons
from neurocomp.spec.target import Target

Choose: TypeAlias = Callable[[Layer, Target, Reach], Shape | None]
MAX_ROUNDS = 16  # only feedback needs more than two


def settled(graph: Graph, target: Target, axons: Axons, choose: Choose) -> dict[str, Shape]:
    """A tile for every population, such that every box fits a core together with its axons.

    A layer's axons depend on how its consumers are cut, so layers are cut against the flow, and
    again until nothing changes; a consumer not cut yet (feedback) counts as one piece.

    Args:
        choose: the tile of a layer, or None where none fits.

    Raises:
        FitError: a layer cannot be cut small enough; or feedback keeps layers from settling.
    """
    order = [name for name in reversed(topological_order(graph)) if name in axons.layers]
    tiles: dict[str, Shape] = {}

    def settles(name: str) -> bool:
        reach = axons.reach(name, tiles)
        return name in tiles and tile_fits(axons.layers[name], target, tiles[name], reach)

    for _ in range(MAX_ROUNDS):
        for name in order:
            if not settles(name):
                reach = axons.reach(name, tiles)
                tile = choose(axons.layers[name], target, reach)
                if tile is None:
                    raise too_large(axons.layers[name], target, reach((1, 1, 1)))
                tiles[name] = tile
        loose = [name for name in order if not settles(name)]
        if not loose:
            return tiles
    name = loose[0]
    raise _unsettled(axons.layers[name], target, tiles[name], axons.reach(name, tiles))


def _unsettled(layer: Layer, target: Target, tile: Shape, reach: Reach) -> FitError:
    """The error for a layer whose pieces need more the more its feedback makes others be cut."""
    used = with_limits(need(layer, [((0, 0, 0), tile)], target, reach(tile)), target.limits)
    resource, worst = max(
        ((name, use) for name, use in used._asdict().items() if use.limit),
        key=lambda item: item[1].used / item[1].limit,
    )
    return FitError(
        f"{layer.name}: a piece of {prod(tile):,} neurons needs {worst.used:,} "
        f"{resource.replace('_', ' ')}, a core of {target.name} has {worst.limit:,}; the more its "
        "feedback loop is cut, the more each piece needs, and no cut was found in "
        f"{MAX_ROUNDS} rounds; use smaller layers or a larger core"
    )
