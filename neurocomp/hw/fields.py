"""Receptive fields: which source neurons a box of target neurons listens to.

A region is a product: an interval of channels × a set of rows × a set of columns. Rows and columns
are sets because stride and dilation can step over positions; a set is an int whose bit i stands for
position i, so that intersections and counts cost a few machine words.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from neurocomp.ir import Conv, Op, Shape

Box: TypeAlias = tuple[Shape, Shape]  # start and stop: (channel, row, column)


class Region(NamedTuple):
    """Source neurons: channels ``start ≤ c < stop``, row and column sets as bit masks."""

    channels: tuple[int, int]
    rows: int
    columns: int

    @property
    def positions(self) -> int:
        """Number of (row, column) positions, 0 where the region is empty."""
        return self.rows.bit_count() * self.columns.bit_count() if self.size else 0

    @property
    def size(self) -> int:
        """Number of neurons."""
        width = max(self.channels[1] - self.channels[0], 0)
        return width * self.rows.bit_count() * self.columns.bit_count()


def interval(start: int, stop: int) -> int:
    """The set ``{start, …, stop − 1}`` as a bit mask."""
    return ((1 << stop) - 1) ^ ((1 << start) - 1) if stop > start else 0


def axis_field(op: Conv, axis: int, start: int, stop: int, size: int) -> int:
    """Source rows (axis 0) or columns (axis 1) that target rows ``start ≤ o < stop`` listen to.

    ``{o·stride − padding + k·dilation : 0 ≤ k < kernel}``, cut to ``0 ≤ i < size``.
    """
    s, p, d, k = op.stride[axis], op.padding[axis], op.dilation[axis], op.kernel[axis]
    first, last = start * s - p, (stop - 1) * s - p + d * (k - 1)
    if d == 1 and (k >= s or stop - start == 1):
        return interval(max(first, 0), min(last + 1, size))
    field = 0
    for o in range(start, stop):
        for i in range(o * s - p, o * s - p + d * k, d):
            if 0 <= i < size:
                field |= 1 << i
    return field


def region(op: Op, source: Shape, target: Shape, box: Box) -> Region:
    """Source neurons that the target neurons of a box listen to through a projection."""
    if not isinstance(op, Conv):
        return Region((0, source[0]), interval(0, source[1]), interval(0, source[2]))
    (c0, y0, x0), (c1, y1, x1) = box
    group_in, group_out = source[0] // op.groups, target[0] // op.groups
    return Region(
        ((c0 // group_out) * group_in, -(-c1 // group_out) * group_in),
        axis_field(op, 0, y0, y1, source[1]),
        axis_field(op, 1, x0, x1, source[2]),
    )


def pieces(start: int, stop: int, group: int) -> list[tuple[int, int]]:
    """(length, how many) of the pieces of ``start`` to ``stop``, cut at multiples of ``group``."""
    first, last = -(-start // group) * group, stop // group * group
    if start == first and stop == last:
        return [(group, (stop - start) // group)]
    if first > last:
        return [(stop - start, 1)]
    parts = [(first - start, 1), (group, (last - first) // group), (stop - last, 1)]
    return [(length, times) for length, times in parts if length and times]
