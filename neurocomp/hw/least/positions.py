"""What pieces of a layer's positions hear at the least, for every number of pieces.

It depends on shapes and kernels alone, so it is worked out once for each and remembered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from math import prod
from typing import NamedTuple, TypeAlias

from neurocomp.hw.fields import axis_field
from neurocomp.hw.layer import ENDLESS
from neurocomp.hw.loihi1 import axis_kinds
from neurocomp.hw.tiles import cuts, places
from neurocomp.hw.words import BLOCK_HEADER_BITS, BLOCK_SYNAPSES
from neurocomp.ir import Conv, Shape

Convs: TypeAlias = tuple[tuple[Conv, Shape], ...]  # (op, shape of the source)
Heard: TypeAlias = tuple[list[int], list[int]]  # source positions ascending, pieces that take it
Options: TypeAlias = list[tuple[int, int]]  # (pieces, need of the neediest), none beats another


class Row(NamedTuple):
    """What the lists of so many pieces and more, up to the next row's, hold at the least.

    Attributes:
        taps: for each convolution, in the lists of the neediest piece, times its input channels.
        several, single: bits of headers and indices per own channel, of several channels and of a
            single one, times the synapses of a block.
    """

    pieces: int
    taps: tuple[int, ...]
    several: int
    single: int


class Lists(NamedTuple):
    """Loihi 1's lists of a layer's convolutions.

    Attributes:
        heard: see `heard_by`; axons: of all the layer, through the convolution that has most.
    """

    rows: tuple[Row, ...]
    heard: tuple[Heard, ...]
    axons: int


def fewest_pieces(heard: Heard, most: int) -> int:
    """The least pieces that hear at most so many source positions each."""
    needs, pieces = heard
    i = bisect_right(needs, most)
    return pieces[i - 1] if i else ENDLESS


@lru_cache(maxsize=1 << 13)
def heard_by(shape: Shape, convs: Convs) -> tuple[Heard, ...]:
    """For each convolution, what the neediest of so many pieces of the positions hears."""
    return tuple(_heard(_kernel(op), shape[1:], source[1:]) for op, source in convs)


@lru_cache(maxsize=1 << 13)
def lists(shape: Shape, convs: Convs, index: int) -> Lists:
    """The lists of a layer, whose shortest index has so many bits.

    A block's header is shared by its synapses. Lists need an index where channels share them, and
    where they hold more taps in all than the kernel has, so that some hold several.
    """
    options = [_taps(_kernel(op), shape[1:], source[1:]) for op, source in convs]
    rows = []
    for n in sorted({n for taps in options for n, _ in taps}):
        held = [min(t for k, t in taps if k <= n) for taps in options]
        taps, several, single = [], 0, 0
        for t, (op, source) in zip(held, convs, strict=True):
            taps.append(t * (source[0] // op.groups))
            crowded = t > prod(op.kernel)
            plain, indexed = BLOCK_HEADER_BITS, BLOCK_HEADER_BITS + BLOCK_SYNAPSES * index
            single += taps[-1] * (indexed if crowded else plain)
            several += taps[-1] * (indexed if crowded or op.groups == 1 else plain)
        rows.append(Row(n, tuple(taps), max(several, 1), single))  # padding alone takes nothing
    heard = heard_by(shape, convs)
    axons = max(op.groups * needs[-1] for (op, _), (needs, _) in zip(convs, heard, strict=True))
    return Lists(tuple(rows), heard, axons)


def _kernel(op: Conv) -> Conv:
    """The kernel alone, which many layers have in common."""
    return Conv(op.kernel, op.stride, op.padding, op.dilation)


@lru_cache(maxsize=1 << 12)
def _heard(op: Conv, shape: tuple[int, int], source: tuple[int, int]) -> Heard:
    def widest(axis: int, a: int, b: int) -> int:
        return axis_field(op, axis, a, b, source[axis]).bit_count()

    options = _options(shape, widest)[::-1]
    return [need for _, need in options], [n for n, _ in options]


@lru_cache(maxsize=1 << 12)
def _taps(op: Conv, shape: tuple[int, int], source: tuple[int, int]) -> Options:
    def in_lists(axis: int, a: int, b: int) -> int:
        return sum(kind.taps for kind in axis_kinds(op, axis, a, b, source[axis]).kinds)

    return _options(shape, in_lists)


def _options(shape: tuple[int, int], need: Callable[[int, int, int], int]) -> Options:
    """The options of both axes together, from what a piece of one axis needs."""
    rows, columns = (
        _unbeaten(
            (n, max(need(axis, a, b) for a, b in pieces)) for n, pieces in _pieces(shape[axis])
        )
        for axis in (0, 1)
    )
    return _unbeaten((a * b, f * g) for a, f in rows for b, g in columns)


def _pieces(size: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """(number of pieces, the neediest of those that a tiling is judged by), for every length.

    It is the middle one, which no padding cuts, where there are three or more.
    """
    for step in range(size, 0, -1):
        n = cuts(size, step)
        starts = places(size, step)[: 1 if n > 2 else n]
        yield n, [(a, min(a + step, size)) for a in starts]


def _unbeaten(options: Iterable[tuple[int, int]]) -> Options:
    """Options that no other beats in both numbers, ascending in the first."""
    best: Options = []
    for option in sorted(options):
        if not best or option[1] < best[-1][1]:
            best.append(option)
    return best
