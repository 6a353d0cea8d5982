"""TrueNorth: neurons with their copies, and the axons of what pieces of the positions hear."""

from __future__ import annotations

from math import prod

from neurocomp.hw.layer import ENDLESS, UNLIMITED, Layer
from neurocomp.hw.least.positions import fewest_pieces, heard_by
from neurocomp.hw.least.tiles import tiles
from neurocomp.ir import Conv
from neurocomp.spec.target import Target


def least(layer: Layer, target: Target) -> int:
    """See `neurocomp.hw.least.least_cores`."""
    limits = target.limits
    copies = sum([e.width for e in layer.outgoing]) or 1  # of a neuron, one for every axon it feeds
    units = target.core.neuron_units.value * copies
    neurons = UNLIMITED if limits.neurons is None else limits.neurons // units
    n = tiles(layer.shape, neurons, layer.shape[0], False)
    axons = limits.in_axons or UNLIMITED
    convs = []
    for e in layer.incoming:
        if isinstance(e.op, Conv):
            convs.append((e.op, e.source, e.width))
        else:
            axons -= prod(e.source) * e.width
    if axons < 0:
        return ENDLESS
    heard = heard_by(layer.shape, tuple([(op, source) for op, source, _ in convs]))
    for (op, source, width), pieces in zip(convs, heard, strict=True):
        n = max(n, fewest_pieces(pieces, axons // (source[0] // op.groups * width)))
    return n
