"""The ways to cut a block of layers, with what each costs.

A block is one layer, or several that are cut into equally many pieces along every axis; pieces of
the same number stand on one core together, so that what they send each other is no message.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

import numpy as np

from neurocomp.hw.demand import fits, need
from neurocomp.hw.fields import Box
from neurocomp.hw.layer import ENDLESS, Counts
from neurocomp.hw.tiles import cuts, tile_fits, tilings
from neurocomp.ir import Graph, Shape
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.packing.plan import Class, Fill, Vector, vector
from neurocomp.mapping.tiling.axons import Axons, Tiles
from neurocomp.mapping.tiling.compiler import compiler_tile
from neurocomp.mapping.tiling.fill import fills
from neurocomp.mapping.tiling.heard import Heard
from neurocomp.spec.target import Target

Block: TypeAlias = tuple[str, ...]  # names of layers, in the graph's order
FINER = (1.0, 1.5, 2.0, 3.0)  # tiles are also offered with so many times as many pieces of rows
MAX_CHANNEL_CUTS = 8  # of blocks of several layers, of which every piece hears all channels
SPARSER = 1.2  # numbers of cuts that are tried are so many times apart


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way to cut a block.

    Attributes:
        messages: expected messages per step into the block, those into a fill's pieces apart.
        classes: the kinds of bundles of pieces.
        n_bundles: cores that it takes when nothing shares them.
        least: what it needs of each resource at least, in all cores together.
        fill: a single layer that is cut as cores have room; its tile is the largest piece.
        each: messages into one piece of the fill.
    """

    tiles: Tiles
    messages: float
    classes: tuple[Class, ...]
    n_bundles: int
    least: Vector
    fill: Fill | None = None
    each: float = 0.0


class Ways:
    """Offers ways to cut blocks of one graph for one target."""

    def __init__(
        self, graph: Graph, target: Target, rates: Rates, axons: Axons, tiles: Tiles
    ) -> None:
        """``tiles``: how the consumers are taken to be cut, where a block's axons are counted."""
        self.graph, self.target, self.axons, self.tiles = graph, target, axons, tiles
        self.heard = Heard(graph, rates)
        self._rank = {p.name: i for i, p in enumerate(graph.populations)}
        self._limits = vector(target.limits)
        self._found: dict[Block, list[Way]] = {}
        self._kinds: dict[tuple[tuple[int, int], ...], list[tuple[int, int]]] = {}
        self._needs: dict[tuple[str, Box, tuple[int, ...]], Counts] = {}

    def block(self, names: Iterable[str]) -> Block:
        """The block of some layers."""
        return tuple(sorted(names, key=self._rank.__getitem__))

    def of(self, block: Block) -> list[Way]:
        """Ways to cut a block that fit and are not beaten by another one, few bundles first."""
        if block not in self._found:
            if len(block) > 1:
                self._found[block] = self._unbeaten(self._together(block))
            else:
                alone = self._unbeaten(self._alone(block[0]))
                self._found[block] = [*alone, *self._filling(block[0])]
        return self._found[block]

    def way(self, tiles: Tiles, others: Tiles | None = None) -> Way:
        """The way that cuts a block's layers into the given tiles.

        Args:
            others: how the consumers are cut; None = as they are taken to be.
        """
        entries = self._entries(tiles, self.tiles if others is None else others)
        kinds: dict[Counts, int] = {}
        for c, y, x in product(*(self._alike(tiles, axis) for axis in range(3))):
            needs = self._bundle(tiles, (c[0], y[0], x[0]), entries)
            if any(needs):  # else no layer has pieces of these numbers along all axes
                kinds[needs] = kinds.get(needs, 0) + c[1] * y[1] * x[1]
        least = sum((n * vector(needs) for needs, n in kinds.items()), np.zeros_like(self._limits))
        classes = tuple(Class(n, needs) for needs, n in kinds.items())
        return Way(tiles, self.heard.messages(tiles), classes, sum(kinds.values()), least)

    def _alike(self, tiles: Tiles, axis: int) -> list[tuple[int, int]]:
        """Along an axis, the middle one of all numbers with equal pieces, and how many those are.

        A layer that is cut into fewer pieces than the others has none of the last numbers.
        """
        sizes = tuple((self.axons.layers[name].shape[axis], t[axis]) for name, t in tiles.items())
        if sizes not in self._kinds:
            alike: dict[tuple[int, ...], list[int]] = {}
            for number in range(max(cuts(size, step) for size, step in sizes)):
                pieces = tuple(min(max(n - number * step, 0), step) for n, step in sizes)
                alike.setdefault(pieces, []).append(number)
            self._kinds[sizes] = [
                (same[(len(same) - 1) // 2], len(same)) for same in alike.values()
            ]
        return self._kinds[sizes]

    def _n_bundles(self, tiles: Tiles) -> int:
        return math.prod(sum(n for _, n in self._alike(tiles, axis)) for axis in range(3))

    def _entries(self, tiles: Tiles, others: Tiles) -> dict[str, Sequence[int]]:
        around = {**others, **tiles}
        return {name: self.axons.reach(name, around)(tile) for name, tile in tiles.items()}

    def _bundle(self, tiles: Tiles, number: Shape, entries: dict[str, Sequence[int]]) -> Counts:
        """What the pieces of one number need of the core that they share."""
        found = []
        for name, (dc, dy, dx) in tiles.items():
            channels, height, width = self.axons.layers[name].shape
            c, y, x = start = number[0] * dc, number[1] * dy, number[2] * dx
            if c < channels and y < height and x < width:
                stop = min(c + dc, channels), min(y + dy, height), min(x + dx, width)
                found.append(self._need(name, (start, stop), entries[name]))
        return Counts(*map(sum, zip(*found, strict=True))) if found else Counts()

    def _need(self, name: str, box: Box, entries: Sequence[int]) -> Counts:
        key = name, box, tuple(entries)
        if key not in self._needs:
            self._needs[key] = need(self.axons.layers[name], [box], self.target, entries)
        return self._needs[key]

    def _main(self, tiles: Tiles) -> Counts:
        """What a bundle of full pieces needs."""
        c, y, x = (self._alike(tiles, axis)[0][0] for axis in range(3))
        return self._bundle(tiles, (c, y, x), self._entries(tiles, self.tiles))

    def _alone(self, name: str) -> Iterator[Tiles]:
        """Tiles of one layer: as it is, the compiler's, and of tall ones with more rows, too."""
        layer, reach = self.axons.layers[name], self.axons.reach(name, self.tiles)
        compiled = compiler_tile(layer, self.target, reach)
        found = dict.fromkeys([self.tiles[name], *([compiled] if compiled else [])])
        height = layer.shape[1]
        for _, (c, y, x) in tilings(layer, self.target, reach, _worth):
            for rows in (min(round(cuts(height, y) * times), height) for times in FINER):
                tile = c, cuts(height, rows), x
                if tile not in found and tile_fits(layer, self.target, tile, reach):
                    found[tile] = None
        return ({name: tile} for tile in found)

    def _together(self, block: Block) -> Iterator[Tiles]:
        """Equally many pieces of several layers: for some cuts of channels and columns few rows."""
        shapes = {name: self.axons.layers[name].shape for name in block}
        sizes = [max(shape[axis] for shape in shapes.values()) for axis in range(3)]
        rows = list(range(1, sizes[1] + 1))
        fewest = ENDLESS

        def tiles(n_c: int, n_y: int, n_x: int) -> Tiles:
            return {
                name: (cuts(c, n_c), cuts(y, n_y), self._columns(x, n_x))
                for name, (c, y, x) in shapes.items()
            }

        def fit(*numbers: int) -> bool:
            return fits(self._main(tiles(*numbers)), self.target.limits)

        for n_c, n_x in product(_sparse(min(sizes[0], MAX_CHANNEL_CUTS)), _sparse(sizes[2])):
            if n_c * n_x <= _worth(fewest):
                least = bisect_left(rows, True, key=lambda n_y: fit(n_c, n_y, n_x))
                for n_y in _times(rows[least:]):
                    if fit(n_c, n_y, n_x) and n_c * n_y * n_x <= _worth(fewest):
                        fewest = min(fewest, n_c * n_y * n_x)
                        yield tiles(n_c, n_y, n_x)

    def _columns(self, size: int, n: int) -> int:
        """Width of tiles that cut columns into about so many pieces."""
        width = cuts(size, n)
        if self.target.flags.padded_x and width < size:
            return 1 << max(round(math.log2(size / n)), 0)
        return width

    def _unbeaten(self, found: Iterable[Tiles]) -> list[Way]:
        """Those that fit, and that no other beats in messages, load and size of pieces together."""
        marks: dict[tuple[float, float, float], Tiles] = {}
        for tiles in found:
            share = float((vector(self._main(tiles)) / self._limits).max())
            load = share * self._n_bundles(tiles)
            marks.setdefault((self.heard.messages(tiles), load, share), tiles)
        kept: dict[tuple[float, float, float], Way] = {}
        for mark in sorted(marks):  # one that beats another comes before it
            if not any(all(map(float.__le__, other, mark)) for other in kept):
                way = self.way(marks[mark])
                if all(fits(found.needs, self.target.limits) for found in way.classes):
                    kept[mark] = way
        return sorted(kept.values(), key=lambda w: (w.n_bundles, w.messages, [*w.tiles.items()]))

    def _filling(self, name: str) -> Iterator[Way]:
        """A layer whose pieces take as many channels as there is room for."""
        layer, reach = self.axons.layers[name], self.axons.reach(name, self.tiles)
        each = self.heard.into_piece(name)
        for fill in fills(layer, self.target, reach):
            full = int(fill.sizes[0])
            best = (fill.needs / fill.sizes[:, None]).min(axis=0) * fill.channels
            tiles = {name: (full, *layer.shape[1:])}
            n = cuts(fill.channels, full)
            yield Way(tiles, 0.0, (), n, best.astype(np.int64), fill, each)


def _worth(fewest: int) -> int:
    """Twice as many cores: small pieces fill what others leave free, wide ones hear less."""
    return 2 * fewest + 2


def _sparse(most: int) -> list[int]:
    """Numbers up to a greatest one that are not too near to each other."""
    kept = [1]
    for n in range(2, most + 1):
        if n >= kept[-1] * SPARSER:
            kept.append(n)
    return kept


def _times(numbers: list[int]) -> list[int]:
    """The first of consecutive numbers, and some times it."""
    wanted = (round(times * n) for n in numbers[:1] for times in FINER)
    return [n for n in dict.fromkeys(wanted) if n <= numbers[-1]]
