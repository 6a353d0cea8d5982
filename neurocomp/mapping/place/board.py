"""The places of a board that a network gets, and how far apart they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.errors import FitError
from neurocomp.hw.mesh import chip_of, live_cores, n_live_cores, tile_of
from neurocomp.mapping.model import CoreAddress
from neurocomp.spec.target import Target

Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.intp]
CROSSING = 3.0  # hops a chip border counts as, on top of its own: a choice, no measured price


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """Places of cores; the distance of two is a sum of one along columns and one along rows.

    Attributes:
        tiles: (places, 2), column and row of each place, from 0.
        slots: number of each place on its tile.
        across, down: (columns, columns) and (rows, rows), the distances.
        chips: (places, 2), where the chip of each place lies.
    """

    addresses: tuple[CoreAddress, ...]
    tiles: Ints
    slots: Ints
    across: Floats
    down: Floats
    chips: Ints

    @property
    def points(self) -> Floats:
        """(places, 2) coordinates in which distances are those of the board, row plus column."""
        x, y = self.tiles.T
        return np.stack([self.across[0, x], self.down[0, y]], axis=1)


def board(target: Target, n: int) -> Board:
    """The live cores of the fewest chips that hold ``n`` cores, the chips close together.

    Raises:
        FitError: the target has fewer cores.
    """
    chips = _chips(target, n)
    per_tile = target.mesh.cores_per_tile.value
    live: dict[int, list[CoreAddress]] = {chip: [] for chip in chips}
    for address in map(CoreAddress._make, live_cores(target)):
        if address.chip in live:
            live[address.chip].append(address)
    addresses = tuple(address for chip in chips for address in live[chip])
    tiles = np.array([tile_of(target, *a) for a in addresses], np.intp).reshape(-1, 2)
    return Board(
        addresses,
        tiles - tiles.min(axis=0),
        np.array([a.core % per_tile for a in addresses], np.intp),
        _distances(tiles[:, 0], target.mesh.columns.value),
        _distances(tiles[:, 1], target.mesh.rows.value),
        np.array([chip_of(target, a.chip) for a in addresses], np.intp).reshape(-1, 2),
    )


def _chips(target: Target, n: int) -> list[int]:
    """The fewest chips with room for ``n`` cores, from a corner of the board outwards."""
    if n > n_live_cores(target):
        raise FitError(
            f"the network needs {n:,} cores, {target.name} has {n_live_cores(target):,}; "
            "use a board with more chips, fewer channels or fewer weight bits"
        )
    room = np.full(target.n_chips, target.cores_per_chip)
    for dead in {(d.chip, d.core) for d in target.dead_cores}:
        room[dead[0]] -= 1
    most = np.sort(room)[::-1].cumsum()
    fewest = int(np.searchsorted(most, n)) + 1
    outwards = sorted(range(target.n_chips), key=lambda chip: (_corner(target, chip), chip))
    if room[outwards[:fewest]].sum() < n:
        outwards.sort(key=lambda chip: -room[chip])
    return outwards[:fewest]


def _corner(target: Target, chip: int) -> int:
    """How far the far corner of a chip is from that of the board, in tiles."""
    x, y = chip_of(target, chip)
    return max((x + 1) * target.mesh.columns.value, (y + 1) * target.mesh.rows.value)


def _distances(used: Ints, per_chip: int) -> Floats:
    """Distances along an axis, from its first tile to its last; chip borders count extra."""
    at = np.arange(used.min(), used.max() + 1)
    crossings = np.abs(at[:, None] // per_chip - at // per_chip)
    return np.asarray(np.abs(at[:, None] - at) + CROSSING * crossings, np.float64)
