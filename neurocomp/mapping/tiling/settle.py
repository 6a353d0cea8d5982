"""Cutting all layers of a graph into tiles, consumers before producers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from neurocomp.errors import FitError
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
    layers = axons.layers
    order = [name for name in reversed(topological_order(graph)) if name in layers]
    tiles: dict[str, Shape] = {}
    for _ in range(MAX_ROUNDS):
        changed = False
        for name in order:
            layer = layers[name]
            reach = axons.reach(name, tiles)
            if name in tiles and tile_fits(layer, target, tiles[name], reach):
                continue
            tile = choose(layer, target, reach)
            if tile is None:
                raise too_large(layer, target, reach((1, 1, 1)))
            tiles[name] = tile
            changed = True
        if not changed:
            return tiles
    raise FitError(
        f"{graph.name}: its feedback projections need more axons the more their layers are cut, "
        f"and no cut was found in {MAX_ROUNDS} rounds; use smaller layers or a larger core"
    )
