"""A baseline's partition, reduced to cores that talk to each other, and its rows of the table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from mapping_peers.clock import timed
from mapping_peers.judge import Score, board_for, measured, placed
from mapping_peers.kept import Kept, placer
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import CoreAddress, Placement
from neurocomp.spec.target import Target

OURS = "+ours"  # placed by our placer


@dataclass(frozen=True, slots=True)
class Cut:
    """What a baseline made of a network.

    Attributes:
        sent: messages between its cores.
        places: where it puts them itself.
        seconds: CPU time it took.
        broken: limits that it breaks, empty where it is legal.
    """

    sent: Flow
    places: Placement
    seconds: float
    broken: str

    def to_json(self) -> dict[str, Any]:
        """For `from_json`."""
        pairs = self.sent.between.tocoo()
        return {
            "seconds": self.seconds,
            "broken": self.broken,
            "places": self.places.addresses,
            "inputs": self.sent.inputs.tolist(),
            "pairs": [axis.tolist() for axis in (pairs.row, pairs.col, pairs.data)],
        }

    @staticmethod
    def from_json(value: dict[str, Any]) -> Cut:
        """What `to_json` gave."""
        row, col, spikes = value["pairs"]
        inputs = np.array(value["inputs"], np.float64)
        n = len(inputs)
        between = csr_array((np.array(spikes, np.float64), (row, col)), shape=(n, n))
        places = Placement(tuple(CoreAddress(*a) for a in value["places"]))
        return Cut(Flow(n, between, inputs), places, value["seconds"], value["broken"])


def rows(name: str, way: str, cut: Cut, target: Target, kept: Kept) -> Iterator[Score]:
    """A baseline in its own places and, where it is legal, in ours.

    Args:
        way: how it places its cores, a suffix of the name.
        kept: with the case's own folder.
    """
    board = board_for(cut.sent.n, target)
    yield measured(name + way, cut.sent, cut.places, board, cut.seconds, cut.broken)
    if cut.broken:
        return

    def anew() -> dict[str, Any]:
        places, seconds = timed(partial(placed, cut.sent, board))
        return asdict(measured(name + OURS, cut.sent, places, board, cut.seconds + seconds))

    yield Score(**kept.value(name + OURS, anew, placer()))
