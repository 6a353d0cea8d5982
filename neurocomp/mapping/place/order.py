"""Placer ``in-order``: logical cores in their order, chip after chip."""

from __future__ import annotations

from itertools import islice

import numpy as np

from neurocomp.errors import FitError
from neurocomp.hw.mesh import live_cores, n_live_cores
from neurocomp.mapping.effort import Effort
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import CoreAddress, Placement
from neurocomp.spec.target import Target


def in_order(flow: Flow, target: Target, rng: np.random.Generator, effort: Effort) -> Placement:
    """The first live cores of the board, as Intel's compiler fills chip after chip; no chance."""
    return Placement(tuple(first_cores(flow.n, target)))


def first_cores(n: int, target: Target) -> list[CoreAddress]:
    """The first ``n`` live cores, chip after chip.

    Raises:
        FitError: the board has fewer.
    """
    available = n_live_cores(target)
    if n > available:
        raise FitError(
            f"the network needs {n:,} cores, {target.name} has {available:,}; "
            "use a board with more chips, fewer channels or fewer weight bits"
        )
    return [CoreAddress(*address) for address in islice(live_cores(target), n)]
