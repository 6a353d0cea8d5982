"""Layers that fill what others leave free on their cores, in pieces of any number of channels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurocomp.hw.demand import need
from neurocomp.hw.layer import Layer
from neurocomp.hw.tiles import Reach, cuts, tilings
from neurocomp.ir import Conv
from neurocomp.mapping.packing.plan import Fill
from neurocomp.spec.target import Target

MAX_SIZES = 128  # of the pieces of a layer that are told apart
LEAST = (2, 4, 8)  # the smallest piece worth its messages, as a fraction of the largest


def fills(layer: Layer, target: Target, reach: Reach) -> Iterator[Fill]:
    """Ways to cut a layer along its channels alone, if it is too large for one core.

    Convolutions in groups are left out: their pieces do not all hear the same.
    """
    channels, height, width = layer.shape
    if any(isinstance(e.op, Conv) and e.op.groups > 1 for e in layer.incoming):
        return
    whole = [t[0] for _, t in tilings(layer, target, reach) if t[1:] == (height, width)]
    most = max(whole, default=channels)
    if most == channels:
        return
    sizes = range(most, 0, -cuts(most, MAX_SIZES))
    tiles = [(size, height, width) for size in sizes]
    needs = np.array([need(layer, [((0, 0, 0), t)], target, reach(t)) for t in tiles], np.int64)
    for part in LEAST:
        yield Fill(channels, np.array(sizes, np.int64), needs, cuts(most, part))
