"""Loihi 1's core memory: synapse lists, as nengo-loihi 1.1 counts them.

Every input axon points to a list of synapses. A Dense source neuron has a list of its own without
indices. A Conv source position is one population axon (its channels are the atoms); positions that
see the same kernel taps at the same offset share one list, with an index per synapse. A compartment
offset has 8 bits, so positions 256 compartments apart need copies of their list. Grouped
convolutions are stored as one convolution per group.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from neurocomp.hw.fields import Box, pieces
from neurocomp.hw.layer import Counts, Incoming, Layer, Outgoing, one_each
from neurocomp.hw.words import list_words
from neurocomp.ir import Conv, Shape
from neurocomp.spec.target import Target

# Field widths of the format, as nengo-loihi 1.1 has them (a secondary source).
OFFSET_RANGE: Final = 1 << 8  # compartments that an axon's offset reaches (conv.py: offset % 256)
POP16_ATOMS: Final = 1 << 5  # channels that a one-slot population axon can name (block.py: atom)


def need(layer: Layer, boxes: Sequence[Box], target: Target, reach: Sequence[int] | None) -> Counts:
    """What boxes of one population need of a core they share; see `neurocomp.hw.demand`.

    Boxes are stored one by one, with axons of their own: unlike a Loihi 2 kernel, lists hold
    compartment offsets.
    """
    if reach is None:
        reach = one_each(layer, boxes, target, entries)
    neurons = words = in_axons = 0
    for box in boxes:
        size = math.prod(b - a for a, b in zip(*box, strict=True))
        neurons += size
        for e in layer.incoming:
            if isinstance(e.op, Conv):
                axons, lists = _conv(e, e.op, layer.shape, box, target.core.index_bits.value)
            else:
                axons = math.prod(e.source)
                lists = axons * list_words(size, e.width + e.delay_bits, 0)
            words, in_axons = words + lists, in_axons + axons
    return Counts(
        neurons=neurons * target.core.neuron_units.value,
        neuron_groups=len(boxes),
        synapse_words=words,
        in_axons=in_axons,
        out_axons=sum(reach),
    )


def entries(
    layer: Layer, e: Outgoing, target: Target, start: int, stop: int, positions: int
) -> int:
    """Output axon slots to one destination of channels ``start`` to ``stop`` at some positions.

    To Dense 1 per neuron (discrete). To Conv 1 per position and group (pop16), or 2 where the group
    has more than 32 channels to tell apart (pop32).
    """
    if not isinstance(e.op, Conv):
        return (stop - start) * positions
    atoms = layer.shape[0] // e.op.groups
    groups = -(-stop // atoms) - start // atoms
    return groups * positions * (2 if atoms > POP16_ATOMS else 1)


class Kind(NamedTuple):
    """Source rows (or columns) that see the same kernel taps.

    Attributes:
        taps: how many they see.
        spread: from the first target row that such a row reaches to the last.
        firsts: the first target row of each, counted from the box's own first.
    """

    taps: int
    spread: int
    firsts: range


class Axis(NamedTuple):
    """The source rows (or columns) that a box hears: how many, of which kinds, and how far."""

    n: int
    last: int
    kinds: tuple[Kind, ...]


def _conv(
    e: Incoming, op: Conv, shape: Shape, box: Box, index_widths: tuple[int, ...]
) -> tuple[int, int]:
    """Input axons and synapse words of a convolution into one box."""
    (c0, y0, x0), (c1, y1, x1) = box
    rows, columns = axis_kinds(op, 0, y0, y1, e.source[1]), axis_kinds(op, 1, x0, x1, e.source[2])
    group_in = e.source[0] // op.groups
    words = axons = 0
    for channels, times in pieces(c0, c1, shape[0] // op.groups):
        lists, index = _lists(rows, columns, x1 - x0, channels, index_widths)
        words += times * sum(
            n * list_words(taps * group_in * channels, e.width + e.delay_bits, index)
            for taps, n in lists
        )
        axons += times * rows.n * columns.n
    return axons, words


@lru_cache(maxsize=1 << 14)
def axis_kinds(op: Conv, axis: int, start: int, stop: int, size: int) -> Axis:
    """The source rows (axis 0) or columns that target rows ``start ≤ o < stop`` listen to.

    Those that see the same taps follow one another, ``stride`` apart.
    """
    s, p, d, k = op.stride[axis], op.padding[axis], op.dilation[axis], op.kernel[axis]
    heard: dict[int, list[int]] = {}  # source row → its taps
    for o in range(start, stop):
        for tap in range(k):
            i = o * s - p + tap * d
            if 0 <= i < size:
                heard.setdefault(i, []).append(tap)
    firsts: dict[tuple[int, ...], list[int]] = {}
    for i in sorted(heard):
        taps = heard[i]
        firsts.setdefault(tuple(taps), []).append((i + p - taps[0] * d) // s - start)
    kinds = [
        Kind(len(taps), (taps[0] - taps[-1]) * d // s, range(own[0], own[-1] + 1))
        for taps, own in firsts.items()
    ]
    last = max((kind.firsts[-1] + kind.spread for kind in kinds), default=0)
    return Axis(len(heard), last, tuple(kinds))


@lru_cache(maxsize=1 << 14)
def _lists(
    rows: Axis, columns: Axis, width: int, channels: int, index_widths: tuple[int, ...]
) -> tuple[tuple[tuple[int, int], ...], int]:
    """(taps, how many lists see so many), and the index bits of their synapses.

    Lists are shared by the positions that see the same taps with the same part of the compartment
    offset that is too large for the axon.
    """
    near = (rows.last * width + columns.last + 1) * channels <= OFFSET_RANGE
    lists: Counter[int] = Counter()
    reach = 0
    for row in rows.kinds:
        for column in columns.kinds:
            n, far = (1, 0) if near else _copies(row.firsts, column.firsts, width, channels)
            lists[row.taps * column.taps] += n
            reach = max(reach, far + (row.spread * width + column.spread + 1) * channels)
    return tuple(lists.items()), _index_width(reach, index_widths)


def _copies(rows: range, columns: range, width: int, channels: int) -> tuple[int, int]:
    """How many parts of an offset axons cannot hold, among those of the positions; the greatest.

    Offsets grow along the columns by ``channels`` and from row to row, so that equal parts follow
    one another.
    """
    copies, before = 0, -1
    for row in rows:
        least = (row * width + columns[0]) * channels // OFFSET_RANGE
        most = (row * width + columns[-1]) * channels // OFFSET_RANGE
        copies += min(len(columns), most - least + 1) - (least == before)
        before = most
    return copies, before * OFFSET_RANGE


def _index_width(reach: int, widths: tuple[int, ...]) -> int:
    """Stored width of an index. A target's longest is enough for all neurons that a core has."""
    needed = max(reach - 1, 0).bit_length()
    return next((width for width in widths if width >= needed), needed)
