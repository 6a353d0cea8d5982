"""The mesh: where cores lie, and the ways between them.

Tiles of a chip are numbered down its columns, ``x = tile // rows``, ``y = tile % rows``; chips lie
on the board in the same way with their edges touching, so that a message between chips crosses the
tiles on its way. Coordinates are those of the whole board.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from neurocomp.spec.target import Target

Link: TypeAlias = tuple[int, int, int, int]  # from x, y to the neighbouring tile's x, y


class Point(NamedTuple):
    """Coordinates of a tile, or of a chip among the chips."""

    x: int
    y: int


def chip_of(target: Target, chip: int) -> Point:
    """Where a chip lies on the board, in chips."""
    return Point(*divmod(chip, target.board.rows.value))


def tile_of(target: Target, chip: int, core: int) -> Point:
    """The tile of a core, in tiles of the whole board."""
    rows, columns = target.mesh.rows.value, target.mesh.columns.value
    column, row = divmod(core // target.mesh.cores_per_tile.value, rows)
    board = chip_of(target, chip)
    return Point(board.x * columns + column, board.y * rows + row)


def live_cores(target: Target) -> Iterator[tuple[int, int]]:
    """(chip, core) of every core that is not dead, chip after chip."""
    dead = {(d.chip, d.core) for d in target.dead_cores}
    for chip in range(target.n_chips):
        for core in range(target.cores_per_chip):
            if (chip, core) not in dead:
                yield chip, core


def n_live_cores(target: Target) -> int:
    """Number of cores that are not dead."""
    return target.n_chips * target.cores_per_chip - len(
        {(d.chip, d.core) for d in target.dead_cores}
    )


def live_per_chip(target: Target) -> int:
    """Cores of a chip that are not dead, on average, one at least."""
    return max(n_live_cores(target) // target.n_chips, 1)


def hops(a: Point, b: Point) -> int:
    """Manhattan distance of two tiles."""
    return abs(a.x - b.x) + abs(a.y - b.y)


def xy_links(a: Point, b: Point) -> Iterator[Link]:
    """The links of the XY way: along the row first, then along the column."""
    step = 1 if b.x > a.x else -1
    for x in range(a.x, b.x, step):
        yield x, a.y, x + step, a.y
    step = 1 if b.y > a.y else -1
    for y in range(a.y, b.y, step):
        yield b.x, y, b.x, y + step
