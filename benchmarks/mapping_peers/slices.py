"""Baselines that cut one layer at a time: one-dimensional chunks, and exact tiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import product

from neurocomp.hw.demand import fits, need
from neurocomp.hw.fields import Box, region
from neurocomp.hw.layer import Layer, layer_of
from neurocomp.hw.tiles import boxes, n_boxes
from neurocomp.ir import Graph, Shape, Slice
from neurocomp.mapping.model import Partition
from neurocomp.spec.target import Target

CHANNELS_FIRST, CHANNELS_LAST = (0, 1, 2), (1, 2, 0)


def chunks(graph: Graph, target: Target) -> Partition:
    """Equal runs of neurons in row order, a run per core, as nengo-loihi splits its blocks.

    A layer is read channels first or channels last, whichever needs fewer cores; as many runs are
    made as it takes to fit.
    """
    cores: list[tuple[Slice, ...]] = []
    for p in graph.neurons:
        layer = layer_of(graph, p.name, target)
        ways = [_runs(layer, target, order) for order in (CHANNELS_FIRST, CHANNELS_LAST)]
        runs = min((way for way in ways if way), key=len)
        cores += [tuple(Slice(p.name, *box) for box in run) for run in runs]
    return Partition(tuple(cores))


def _runs(layer: Layer, target: Target, order: tuple[int, int, int]) -> list[list[Box]]:
    """The fewest equal runs that fit; none where not even single neurons do."""
    size = math.prod(layer.shape)
    n = -(-size // (target.limits.neurons or size))
    while n <= size:
        step = -(-size // n)
        runs = [
            list(_boxes_of_run(layer.shape, order, start, min(start + step, size)))
            for start in range(0, size, step)
        ]
        if all(fits(need(layer, run, target), target.limits) for run in _different(runs)):
            return runs
        n = max(n + 1, n + n // 16)
    return []


def _different(runs: list[list[Box]]) -> list[list[Box]]:
    """Some runs, the first ones and the last among them; the checker looks at all."""
    return runs[:8] + runs[len(runs) // 2 : len(runs) // 2 + 8] + runs[-8:]


def _boxes_of_run(
    shape: Shape, order: tuple[int, int, int], start: int, stop: int
) -> Iterator[Box]:
    """Neurons ``start`` to ``stop`` of a population read in some order of its axes, as boxes."""
    sizes = [shape[axis] for axis in order]
    strides = (sizes[1] * sizes[2], sizes[2], 1)
    while start < stop:
        level = next(k for k in range(3) if start % strides[k] == 0 and start + strides[k] <= stop)
        inside = sizes[level] - start // strides[level] % sizes[level]
        n = min((stop - start) // strides[level], inside if level else sizes[0])
        low, high = [0, 0, 0], [0, 0, 0]
        for k in range(3):
            at = start // strides[k] % sizes[k]
            low[order[k]], high[order[k]] = (at, at + 1) if k < level else (0, sizes[k])
            if k == level:
                low[order[k]], high[order[k]] = at, at + n
        yield (low[0], low[1], low[2]), (high[0], high[1], high[2])
        start += n * strides[level]


def tiles(graph: Graph, target: Target) -> Partition:
    """Every layer in equal boxes, one per core: of all tiles that fit, the fewest cores, and among
    those the fewest messages.

    Every even cut of channels, rows and columns is tried.
    """
    cores: list[tuple[Slice, ...]] = []
    for p in graph.neurons:
        layer = layer_of(graph, p.name, target)
        tile = best_tile(layer, target)
        cores += [(Slice(p.name, *box),) for box in boxes(p.shape, tile)]
    return Partition(tuple(cores))


def best_tile(layer: Layer, target: Target) -> Shape:
    """(channels, rows, columns) of the best tile of one layer; `ValueError` where none fits."""
    channels, height, width = layer.shape
    columns = [x for x in range(1, width) if x & (x - 1) == 0] + [width]
    if not target.flags.padded_x:
        columns = _even(width)
    ranked = sorted(
        product(_even(channels), _even(height), columns), key=lambda t: n_boxes(layer.shape, t)
    )
    best: list[Shape] = []
    for tile in ranked:
        if best and n_boxes(layer.shape, tile) > n_boxes(layer.shape, best[0]):
            break
        if _all_fit(layer, target, tile):
            best.append(tile)
    return min(best, key=lambda tile: (messages(layer)(tile), tile))


def _even(size: int) -> list[int]:
    return sorted({-(-size // n) for n in range(1, size + 1)})


def _all_fit(layer: Layer, target: Target, tile: Shape) -> bool:
    """Whether the boxes at the corners and in the middle fit; the checker looks at all."""
    starts = [
        sorted({0, (n - 1) // step * step, (n - 1) // step // 2 * step})
        for n, step in zip(layer.shape, tile, strict=True)
    ]
    for start in product(*starts):
        stop = [min(a + b, n) for a, b, n in zip(start, tile, layer.shape, strict=True)]
        box = (start[0], start[1], start[2]), (stop[0], stop[1], stop[2])
        if not fits(need(layer, [box], target), target.limits):
            return False
    return True


def messages(layer: Layer) -> Callable[[Shape], int]:
    """Source neurons that the boxes of a tile listen to, summed over the boxes and projections."""

    def count(tile: Shape) -> int:
        return sum(
            region(e.op, e.source, layer.shape, box).size
            for e in layer.incoming
            for box in boxes(layer.shape, tile)
        )

    return count
