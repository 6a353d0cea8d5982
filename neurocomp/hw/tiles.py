"""Tiles: cutting a population into equal boxes, one box per core.

A tile is (channels, rows, columns) of a box; the boxes at the far ends hold what is left. Where
columns are counted padded, a tile's width is a power of two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from neurocomp.hw import loihi2
from neurocomp.hw.demand import FORMATS, fits, need
from neurocomp.hw.fields import Box, region
from neurocomp.hw.layer import ENDLESS, UNLIMITED, Incoming, Layer
from neurocomp.ir import Conv, Dense, Shape
from neurocomp.spec.target import Target

Reach: TypeAlias = Callable[[Shape], Sequence[int]]  # a tile's axon entries, see `demand`
Tallest: TypeAlias = Callable[[int, int, int], int]  # columns, fewest and most rows → rows


def cuts(size: int, step: int) -> int:
    """Number of pieces of at most ``step``."""
    return -(-size // step)


def n_boxes(shape: Shape, tile: Shape) -> int:
    """Number of boxes a tile cuts a population into."""
    return cuts(shape[0], tile[0]) * cuts(shape[1], tile[1]) * cuts(shape[2], tile[2])


def boxes(shape: Shape, tile: Shape) -> Iterator[Box]:
    """The boxes of a tiling, channels outermost, columns innermost."""
    channels, height, width = shape
    for c in range(0, channels, tile[0]):
        for y in range(0, height, tile[1]):
            for x in range(0, width, tile[2]):
                stop = min(c + tile[0], channels), min(y + tile[1], height), min(x + tile[2], width)
                yield (c, y, x), stop


def tilings(
    layer: Layer,
    target: Target,
    reach: Reach | None = None,
    worth: Callable[[int], int] = lambda best: best,
) -> Iterator[tuple[int, Shape]]:
    """(number of cores, tile) of tilings that fit.

    For each number of channel cuts and each width the tallest tile that fits is offered, as far as
    it is worth it.

    Args:
        reach: most axon entries that a box of a tile needs; None = consumers are not cut yet.
        worth: the most cores that are of interest when the best tiling so far needs so many.
    """
    if FORMATS[target.core.format].uncut:
        if tile_fits(layer, target, layer.shape, reach):
            yield 1, layer.shape
        return
    if not fits(
        need(layer, [middle(layer.shape)], target, reach and reach((1, 1, 1))), target.limits
    ):
        return
    _, height, width = layer.shape
    most = _most_neurons(target)
    widths = [(x, _counted(x, target), cuts(width, x)) for x in _widths(width, target)]
    best = bound = ENDLESS
    for n_channels, c in _channel_tiles(layer, target):
        if n_channels > bound:
            return
        tallest: Tallest | None = None
        for x, counted, n_columns in widths:
            bands = bound // (n_channels * n_columns)  # of rows, for a tiling that is worth it
            least, rows = cuts(height, max(bands, 1)), min(height, most // (c * counted))
            if not bands or rows < least:
                continue
            tallest = tallest or _tallest(layer, target, c, reach)
            y = tallest(x, least, rows)
            if y:
                n = n_channels * n_columns * cuts(height, y)
                yield n, (c, y, x)
                best = min(best, n)
                bound = worth(best)


def _most_neurons(target: Target) -> int:
    """Neurons that a core can hold, as far as its limit on neurons says."""
    limit = target.limits.neurons
    return UNLIMITED if limit is None else limit // target.core.neuron_units.value


def _channel_tiles(layer: Layer, target: Target) -> Iterator[tuple[int, int]]:
    """(number of cuts, channels of a tile), ascending in cuts.

    Beside the even cut of each number there are the cuts into multiples of powers of two, whose
    kernels are stored in fewer chunks.
    """
    channels = layer.shape[0]
    chunked = target.flags.channel_chunks and any(isinstance(e.op, Conv) for e in layer.incoming)
    for even in even_cuts(channels, _least_cuts(layer, target)):
        n = cuts(channels, even)
        tried = 0
        for i in range(even.bit_length() + 1 if chunked else 1):
            c = cuts(even, 1 << i) << i
            if c != tried and c <= channels and cuts(channels, c) == n:
                tried = c
                yield n, c


def _least_cuts(layer: Layer, target: Target) -> int:
    """A lower bound of the channel cuts, from the bits of the synapses of a single channel."""
    limit = target.limits.synapse_words
    bits = sum(_stored_fan_in(layer, e, target) * e.width for e in layer.incoming)
    if limit is None or not bits:
        return 1
    most = limit * target.core.word_bits.value // bits
    return cuts(layer.shape[0], max(min(most, layer.shape[0]), 1))


def _stored_fan_in(layer: Layer, e: Incoming, target: Target) -> int:
    """Weights per channel that some core with the channel must store."""
    if isinstance(e.op, Conv) and not FORMATS[target.core.format].positional:
        return e.op.kernel[0] * e.op.kernel[1] * (e.source[0] // e.op.groups)
    return region(e.op, e.source, layer.shape, middle(layer.shape)).size


def middle(shape: Shape) -> Box:
    """The neuron in the middle, whose field no padding cuts."""
    c, y, x = (n // 2 for n in shape)
    return (c, y, x), (c + 1, y + 1, x + 1)


def even_cuts(size: int, least: int = 1) -> Iterator[int]:
    """Piece sizes of even cuts into ``least`` pieces and more, descending, each once."""
    piece = cuts(size, least)
    while True:
        yield piece
        if piece == 1:
            return
        piece = cuts(size, cuts(size, piece - 1))


def _widths(width: int, target: Target) -> Iterator[int]:
    """Tile widths, widest first: powers of two where columns are padded, else even cuts."""
    if not target.flags.padded_x:
        yield from even_cuts(width)
        return
    yield width
    x = 1 << (width - 1).bit_length() >> 1
    while x:
        yield x
        x >>= 1


def _counted(width: int, target: Target) -> int:
    return loihi2.padded(width) if target.flags.padded_x else width


def _channel_ends(layer: Layer, c: int) -> tuple[tuple[int, int], ...]:
    """The channel intervals of a cut that can need different words.

    They are the first and, if it is shorter, the last; all of them where a convolution's groups
    have several channels.
    """
    channels = layer.shape[0]
    ops = [e.op for e in layer.incoming] + [e.op for e in layer.outgoing]
    if any(isinstance(op, Conv) and 1 < op.groups < channels for op in ops):
        return tuple((a, min(a + c, channels)) for a in range(0, channels, c))
    rest = channels % c
    return ((0, c), (channels - rest, channels)) if rest else ((0, c),)


def _tallest(layer: Layer, target: Target, c: int, reach: Reach | None) -> Tallest:
    """A function from a tile's columns and a range of rows to the most rows that fit, 0 if none."""

    def searched(x: int, least: int, most: int) -> int:
        return _greatest(lambda y: tile_fits(layer, target, (c, y, x), reach), least, most)

    if target.core.format != "loihi2" or any(isinstance(e.op, Dense) for e in layer.incoming):
        return searched
    spaces = [loihi2.room(layer, target, *end) for end in _channel_ends(layer, c)]

    def computed(x: int, least: int, most: int) -> int:
        counted = _counted(x, target)
        for space in spaces:
            most = min(most, space.rows(x, counted))
        if most < least:
            return 0
        return most if reach is None else searched(x, least, most)

    return computed


def _greatest(good: Callable[[int], bool], least: int, most: int) -> int:
    """Greatest good number from ``least`` to ``most``, 0 if none is; goodness ends once."""
    if good(most):
        return most
    if least == most or not good(least):
        return 0
    while most - least > 1:
        between = (least + most) // 2
        least, most = (between, most) if good(between) else (least, between)
    return least


def tile_fits(layer: Layer, target: Target, tile: Shape, reach: Reach | None = None) -> bool:
    """Whether every box of a tiling fits a core.

    Not every box is tried: among the channel intervals those that can need different words, and,
    where memory depends on the place, the middle, in which no padding cuts the field, and the ends.
    """
    if FORMATS[target.core.format].uncut and tile != layer.shape:
        return False
    c, rows, columns = tile
    entries = None if reach is None else reach(tile)
    _, height, width = layer.shape
    positional = FORMATS[target.core.format].positional
    for start, stop in _channel_ends(layer, c):
        for y in places(height, rows) if positional else (0,):
            for x in places(width, columns) if positional else (0,):
                box = (start, y, x), (stop, min(y + rows, height), min(x + columns, width))
                if not fits(need(layer, [box], target, entries), target.limits):
                    return False
    return True


def places(size: int, step: int) -> list[int]:
    """Starts of the middle, first and last piece, each once."""
    n = cuts(size, step)
    return [i * step for i in dict.fromkeys((n // 2, 0, n - 1))]
