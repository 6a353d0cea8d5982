"""What pieces of a layer's positions hear at the least, for every number of pieces.

It depends on shapes and kernels alone, so it is worked out once for each and remembered.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from neurocomp.hw.fields import axis_field
from neurocomp.hw.layer import NO_LIMIT
from neurocomp.hw.loihi1 import axis_kinds
from neurocomp.hw.tiles import cuts, places
from neurocomp.ir import Conv, Shape

Options: TypeAlias = list[tuple[int, int]]  # (pieces, need of the neediest), none beats another
Heard: TypeAlias = tuple[list[int], list[int]]  # needs ascending, and the pieces that they take


class Positions(NamedTuple):
    """What pieces hear through several convolutions.

    Attributes:
        heard: source positions of the neediest piece, for each convolution.
        taps: (pieces, taps in the lists of the neediest piece for each convolution), ascending in
            pieces; so many pieces and more, up to the next row, need at least so many taps.
    """

    heard: tuple[Heard, ...]
    taps: tuple[tuple[int, tuple[int, ...]], ...]


def fewest_pieces(heard: Heard, most: int) -> int:
    """Least pieces that hear at most so many source positions each."""
    needs, pieces = heard
    i = bisect_right(needs, most)
    return pieces[i - 1] if i else NO_LIMIT


@lru_cache(maxsize=1 << 13)
def positions(shape: Shape, convs: tuple[tuple[Conv, Shape], ...]) -> Positions:
    """The pieces of a layer's positions; convolutions as (op, shape of the source)."""
    heard, lists = [], []
    for op, source in convs:
        plain = (op.kernel, op.stride, op.padding, op.dilation)
        fields, taps = _options(Conv(*plain), shape[1:], source[1:])
        heard.append(([need for _, need in reversed(fields)], [n for n, _ in reversed(fields)]))
        lists.append(taps)
    steps = sorted({n for taps in lists for n, _ in taps})
    merged = [(n, tuple(min(t for k, t in taps if k <= n) for taps in lists)) for n in steps]
    return Positions(tuple(heard), tuple(merged))


@lru_cache(maxsize=1 << 12)
def _options(op: Conv, shape: tuple[int, int], source: tuple[int, int]) -> tuple[Options, Options]:
    """Source positions, and taps in lists, of the neediest of so many pieces of the positions."""
    fields, taps = [], []
    for axis in (0, 1):
        ends = list(_ends(shape[axis]))
        fields.append(_unbeaten((n, _widest(op, axis, of, source[axis])) for n, of in ends))
        taps.append(_unbeaten((n, _most_taps(op, axis, of, source[axis])) for n, of in ends))
    return _product(*fields), _product(*taps)


def _widest(op: Conv, axis: int, ends: list[tuple[int, int]], size: int) -> int:
    return max(axis_field(op, axis, a, b, size).bit_count() for a, b in ends)


def _most_taps(op: Conv, axis: int, ends: list[tuple[int, int]], size: int) -> int:
    return max(sum(kind.taps for kind in axis_kinds(op, axis, a, b, size).kinds) for a, b in ends)


def _ends(size: int) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """(number of pieces, those that a tiling is judged by), for every length of a piece."""
    for step in range(size, 0, -1):
        yield cuts(size, step), [(a, min(a + step, size)) for a in places(size, step)]


def _product(rows: Options, columns: Options) -> Options:
    return _unbeaten((a * b, f * g) for a, f in rows for b, g in columns)


def _unbeaten(options: Iterable[tuple[int, int]]) -> Options:
    """Options that no other beats in both numbers, ascending in the first."""
    best: Options = []
    for option in sorted(options):
        if not best or option[1] < best[-1][1]:
            best.append(option)
    return best
