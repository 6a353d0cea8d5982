"""A choice of how to cut all layers: how it is packed, and the slices that it means."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise, product
from typing import TypeAlias

from neurocomp.hw.tiles import cuts
from neurocomp.ir import Shape, Slice
from neurocomp.mapping.packing.pack import Bundle
from neurocomp.mapping.packing.plan import Step, plan
from neurocomp.mapping.tiling.axons import Tiles
from neurocomp.mapping.tiling.ways import Block, Way, Ways

Choice: TypeAlias = dict[Block, Way]


def planned(choice: Choice, ways: Ways) -> list[Step]:
    """The plan of all blocks, those with a fill last."""
    classes = [c for way in choice.values() for c in way.classes]
    fills = [way.fill for way in _filling(choice) if way.fill]
    return plan(classes, ways.target.limits, fills)


def messages(choice: Choice, steps: list[Step]) -> float:
    """Expected messages per step of a planned choice."""
    n_classes = sum(len(way.classes) for way in choice.values())
    filling = _filling(choice)
    into_fills = sum(
        step.n_cores * filling[step.kind - n_classes].each
        for step in steps
        if step.kind >= n_classes
    )
    return into_fills + sum(way.messages for way in choice.values())


def _filling(choice: Choice) -> list[Way]:
    """Ways with a fill, those first whose pieces need most per channel."""
    found = [(way.fill.sizes[0], [*way.tiles], way) for way in choice.values() if way.fill]
    return [way for _, _, way in sorted(found, key=lambda f: f[:2])]


def tiles_of(choice: Choice) -> dict[str, Shape]:
    """The tile of every layer."""
    return {name: tile for way in choice.values() for name, tile in way.tiles.items()}


def bundles(choice: Choice, ways: Ways) -> list[list[Bundle]]:
    """The slices of a choice, those of one bundle share a core; blocks first, then each fill."""
    shapes = {name: layer.shape for name, layer in ways.axons.layers.items()}
    steps = planned(choice, ways)
    n_classes = sum(len(way.classes) for way in choice.values())
    made = [[b for way in choice.values() if not way.fill for b in _pieces(way.tiles, shapes)]]
    for i, way in enumerate(_filling(choice)):
        (name,) = way.tiles
        sizes = [s.n_each for s in steps if s.kind == n_classes + i for _ in range(s.n_cores)]
        ends = [0, *accumulate(sorted(sizes, reverse=True))]
        made.append([(Slice(name, (a, 0, 0), (b, *shapes[name][1:])),) for a, b in pairwise(ends)])
    return made


def _pieces(tiles: Tiles, shapes: dict[str, Shape]) -> Iterator[Bundle]:
    """Pieces of the same number of a block's layers, as far as a layer has one."""
    numbers = [
        range(max(cuts(shapes[name][axis], tile[axis]) for name, tile in tiles.items()))
        for axis in range(3)
    ]
    for number in product(*numbers):
        made = []
        for name, tile in tiles.items():
            start = c, y, x = number[0] * tile[0], number[1] * tile[1], number[2] * tile[2]
            ends = zip(start, tile, shapes[name], strict=True)
            c_stop, y_stop, x_stop = (min(a + step, size) for a, step, size in ends)
            if c < c_stop and y < y_stop and x < x_stop:
                made.append(Slice(name, start, (c_stop, y_stop, x_stop)))
        if made:
            yield tuple(made)
