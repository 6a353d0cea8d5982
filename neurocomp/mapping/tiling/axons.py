"""How many axon entries a tile needs, given how its consumers are cut.

Every core that hears a tile costs it entries, so a layer can only be cut when its consumers are.
Entries are counted axis by axis, without enumerating pairs of tiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import TypeAlias

from neurocomp.hw.demand import FORMATS, Format
from neurocomp.hw.fields import axis_field, interval
from neurocomp.hw.layer import Layer, Outgoing, layer_of
from neurocomp.hw.tiles import Reach, cuts, n_boxes
from neurocomp.ir import Conv, Graph, Shape
from neurocomp.spec.target import Target

Tiles: TypeAlias = Mapping[str, Shape]  # population → tile
Counter: TypeAlias = Callable[[Shape], int]


class Axons:
    """A graph's layers, and the axon entries of their tiles; each count is worked out once."""

    def __init__(self, graph: Graph, target: Target) -> None:
        """Raises `FitError` where a projection's weights are wider than the target stores."""
        self.layers = {p.name: layer_of(graph, p.name, target) for p in graph.neurons}
        self._graph, self._target = graph, target
        self._counters: dict[tuple[str, Shape], Counter] = {}

    def reach(self, name: str, tiles: Tiles) -> Reach:
        """A function from a tile to the entries of its neediest box, per outgoing projection.

        Args:
            tiles: how populations are cut; those without a tile are whole.
        """
        layer = self.layers[name]
        counters = [
            self._counter(layer, e, tiles.get(projection.target, e.target))
            for e, projection in zip(layer.outgoing, self._graph.outgoing(name), strict=True)
        ]
        return lambda tile: [counter(tile) for counter in counters]

    def _counter(self, layer: Layer, e: Outgoing, cut: Shape) -> Counter:
        key = e.name, cut
        if key not in self._counters:
            self._counters[key] = cache(counter(layer, e, self._target, cut))
        return self._counters[key]


def counter(layer: Layer, e: Outgoing, target: Target, cut: Shape) -> Counter:
    """A function from a tile to the entries of its neediest box through one projection.

    Args:
        cut: the tile of the population at the projection's end.
    """
    chosen = FORMATS[target.core.format]
    entries = partial(chosen.entries, layer, e, target)
    if isinstance(e.op, Conv):
        return _conv_counter(layer.shape, e, e.op, cut, chosen, entries)
    destinations = n_boxes(e.target, cut)
    return lambda tile: destinations * entries(0, tile[0], tile[1] * tile[2])


def _conv_counter(
    shape: Shape,
    e: Outgoing,
    op: Conv,
    cut: Shape,
    chosen: Format,
    entries: Callable[[int, int, int], int],
) -> Counter:
    """Σ over destinations of the entries for what they hear of a tile, or for all of it."""
    rows, columns = (list(_fields(op, axis, shape, e.target, cut)) for axis in (0, 1))
    channels = list(_heard_channels(op, shape[0], e.target[0], cut[0]))
    whole = chosen.whole_lists

    def count(tile: Shape) -> int:
        positions = tile[1] * tile[2] if whole else 1
        most = 0
        starts = range(0, shape[0], tile[0]) if op.groups > 1 else (0,)
        for start in starts:
            stop = min(start + tile[0], shape[0])
            met = [(max(a, start), min(b, stop)) for a, b in channels if a < stop and start < b]
            ends = [(start, stop)] * len(met) if whole else met
            most = max(most, sum(entries(a, b, positions) for a, b in ends))
        most *= _most(rows, shape[1], tile[1], whole)
        return most * _most(columns, shape[2], tile[2], whole)

    return count


def _fields(op: Conv, axis: int, shape: Shape, target: Shape, cut: Shape) -> Iterator[int]:
    """Source rows (axis 0) or columns that each piece of the consumer's axis hears."""
    size, step = target[1 + axis], cut[1 + axis]
    for start in range(0, size, step):
        yield axis_field(op, axis, start, min(start + step, size), shape[1 + axis])


def _heard_channels(op: Conv, source: int, target: int, step: int) -> Iterator[tuple[int, int]]:
    """Source channels that each piece of the consumer's channels hears: those of its groups."""
    group_in, group_out = source // op.groups, target // op.groups
    for start in range(0, target, step):
        stop = min(start + step, target)
        yield start // group_out * group_in, cuts(stop, group_out) * group_in


def _most(fields: list[int], size: int, step: int, whole: bool) -> int:
    """Greatest sum over the fields that meet one piece of an axis: of 1, or of what they meet."""
    sums = [0] * cuts(size, step)
    piece = interval(0, step)
    for field in filter(None, fields):
        first, last = (field & -field).bit_length() - 1, field.bit_length() - 1
        for number in range(first // step, last // step + 1):
            met = field >> number * step & piece
            if met:
                sums[number] += 1 if whole else met.bit_count()
    return max(sums)
