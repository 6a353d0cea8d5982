"""What a mapping sends over the mesh per step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neurocomp.hw.mesh import chip_of, tile_of
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import Placement
from neurocomp.spec.target import Target

Vector = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Expected numbers per step.

    Attributes:
        messages: Σ rate × number of other cores that hold at least one target.
        hops_east_west, hops_north_south: Σ message × tiles on its way, by direction.
        max_link: greatest load of a directed link between neighbouring tiles under XY routing.
        chip_crossings: Σ message × chip borders on its way.
        inputs: messages from input populations, which come from outside the mesh.
        within_tile: messages whose way does not leave the tile.
        farthest: links, east-west and north-south, of the longest way of any message.
    """

    messages: float
    hops_east_west: float
    hops_north_south: float
    max_link: float
    chip_crossings: float
    inputs: float
    within_tile: float
    farthest: tuple[int, int]

    @property
    def spike_hops(self) -> float:
        """Σ message × Manhattan distance of the tiles, 0 within a tile."""
        return self.hops_east_west + self.hops_north_south


def traffic(flow: Flow, placement: Placement, target: Target) -> Traffic:
    """Send every message along its XY way; the work grows with the pairs of cores that talk."""
    tiles = np.array([tile_of(target, *a) for a in placement.addresses]).reshape(-1, 2)
    chips = np.array([chip_of(target, a.chip) for a in placement.addresses]).reshape(-1, 2)
    pairs = flow.between.tocoo()
    ways = np.abs(tiles[pairs.row] - tiles[pairs.col])
    crossings = np.abs(chips[pairs.row] - chips[pairs.col])
    hops, lengths = pairs.data @ ways, ways.sum(axis=1)
    sent = ways[pairs.data > 0]
    farthest = sent[sent.sum(axis=1).argmax()].tolist() if len(sent) else (0, 0)
    return Traffic(
        messages=float(pairs.data.sum()),
        hops_east_west=float(hops[0]),
        hops_north_south=float(hops[1]),
        max_link=_max_link(tiles[pairs.row], tiles[pairs.col], pairs.data),
        chip_crossings=float((pairs.data @ crossings).sum()),
        inputs=float(flow.inputs.sum()),
        within_tile=float(pairs.data[lengths == 0].sum()),
        farthest=(farthest[0], farthest[1]),
    )


def _max_link(sources: Vector, targets: Vector, sent: Vector) -> float:
    """Greatest load of a link: along the source's row first, then along the target's column."""
    if not len(sent):
        return 0.0
    columns, rows = np.maximum(sources.max(axis=0), targets.max(axis=0)) + 1
    (x0, y0), (x1, y1) = sources.T, targets.T
    busiest = 0.0
    for line, a, b, n_lines, n in ((y0, x0, x1, rows, columns), (x1, y0, y1, columns, rows)):
        for start, stop in ((a, b), (n - 1 - a, n - 1 - b)):  # forth, and back mirrored
            goes = start < stop
            steps = np.zeros((n_lines, n + 1))
            np.add.at(steps, (line[goes], start[goes]), sent[goes])
            np.add.at(steps, (line[goes], stop[goes]), -sent[goes])
            busiest = max(busiest, float(steps.cumsum(axis=1).max(initial=0.0)))
    return busiest
