"""How many messages the pieces of a block of layers get: what they hear and do not hold."""

from __future__ import annotations

from math import prod

from neurocomp.hw.fields import axis_field, interval
from neurocomp.hw.tiles import cuts, n_boxes
from neurocomp.ir import Conv, Graph, Projection, Shape
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.tiling.axons import Tiles


class Heard:
    """Expected messages per step into blocks; sums along an axis are worked out once.

    Fields are products of channels, rows and columns, so what all pieces of a tiling hear together
    is a product of three sums, each over the pieces of one axis.
    """

    def __init__(self, graph: Graph, rates: Rates) -> None:
        self.graph = graph
        self._rate = {p.name: rates.mean(p.name) for p in graph.populations}
        self._sums: dict[tuple[str, int, int, int], tuple[int, int]] = {}

    def messages(self, tiles: Tiles) -> float:
        """Messages into the layers of one block, whose pieces of the same number share a core.

        Several projections from one population count as the one that hears most, and what stands
        on the same core is no message.
        """
        most: dict[str, int] = {}
        for name, tile in tiles.items():
            for e in self.graph.incoming(name):
                n = self._heard(e, tile, tiles.get(e.source))
                most[e.source] = max(most.get(e.source, 0), n)
        return sum(self._rate[source] * n for source, n in most.items())

    def into_piece(self, name: str) -> float:
        """Messages into a piece of a layer's channels at all its places, groups apart."""
        return sum(
            self._rate[source] * self.graph.population(source).size
            for source in {e.source for e in self.graph.incoming(name)}
        )

    def _heard(self, e: Projection, tile: Shape, own: Shape | None) -> int:
        """Source neurons that the pieces of a tile hear, less those on the same core; summed."""
        source, target = (self.graph.population(end).shape for end in (e.source, e.target))
        if not isinstance(e.op, Conv):
            return prod(source) * (n_boxes(target, tile) - (own is not None))
        heard = held = 1
        for axis in range(3):
            key = e.name, axis, tile[axis], own[axis] if own else 0
            if key not in self._sums:
                self._sums[key] = _axis_sums(e.op, axis, source, target, *key[2:])
            here, there = self._sums[key]
            heard, held = heard * here, held * there
        return heard - held if own else heard


def _axis_sums(
    op: Conv, axis: int, source: Shape, target: Shape, step: int, own: int
) -> tuple[int, int]:
    """Along an axis, what the pieces hear, and what of it the source's piece of that number holds.

    Args:
        own: the source's step, 0 where its pieces stand elsewhere.
    """
    heard = held = 0
    group_in, group_out = source[0] // op.groups, target[0] // op.groups
    for number, start in enumerate(range(0, target[axis], step)):
        stop = min(start + step, target[axis])
        if axis == 0:
            field = interval(start // group_out * group_in, cuts(stop, group_out) * group_in)
        else:
            field = axis_field(op, axis - 1, start, stop, source[axis])
        heard += field.bit_count()
        if own:
            piece = interval(number * own, min((number + 1) * own, source[axis]))
            held += (field & piece).bit_count()
    return heard, held
