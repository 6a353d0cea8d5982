"""Placers: logical cores onto the physical cores of a chip or board.

Every placer is a function ``(flow, target, rng, effort) -> Placement``; it raises `FitError` where
there are more logical than live cores.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from neurocomp.mapping.effort import Effort
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import Placement
from neurocomp.mapping.place.anneal import anneal
from neurocomp.mapping.place.order import in_order
from neurocomp.spec.target import Target

PLACERS: dict[str, Callable[[Flow, Target, np.random.Generator, Effort], Placement]] = {
    "anneal": anneal,
    "in-order": in_order,
}
