"""DYNAP-CNN's and Speck's cores: one convolutional layer each, whole, as sinabs documents them.

| resource | count |
|---|---|
| synapse_words | 8 bits each; per projection ``c · 2^(⌈log2 kx·ky⌉ + ⌈log2 f⌉)`` |
| neurons | ``f · fx · fy``, 16 bits each |
| neuron_groups | layers on the core; the target allows one |
| out_axons | cores that the layer sends to; a core has two destinations |

c and f are the channels of both ends: a grouped convolution is stored with its zeros. A Dense
projection is a convolution whose kernel covers its source. sinabs' own check counts the neurons of
rows and columns padded to powers of two; its documentation, followed here, does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from neurocomp.hw.fields import Box
from neurocomp.hw.layer import Counts, Incoming, Layer, Outgoing, one_each
from neurocomp.ir import Conv
from neurocomp.spec.target import Target


def need(layer: Layer, boxes: Sequence[Box], target: Target, reach: Sequence[int] | None) -> Counts:
    """What a population needs of a core; see `neurocomp.hw.demand`."""
    if reach is None:
        reach = one_each(layer, boxes, target, entries)
    neurons = sum(prod(b - a for a, b in zip(*box, strict=True)) for box in boxes)
    return Counts(
        neurons=neurons * target.core.neuron_units.value,
        neuron_groups=len(boxes),
        synapse_words=sum(kernel_memory(e, layer.shape[0]) for e in layer.incoming),
        out_axons=sum(reach),
    )


def entries(
    layer: Layer, e: Outgoing, target: Target, start: int, stop: int, positions: int
) -> int:
    """One destination, whatever is sent there."""
    return 1


def kernel_memory(e: Incoming, filters: int) -> int:
    """Words of a projection's kernels (sinabs, docs/speck/overview.md, K_MT)."""
    channels, height, width = e.source
    taps = prod(e.op.kernel) if isinstance(e.op, Conv) else height * width
    return channels << (_log2(taps) + _log2(filters))


def _log2(n: int) -> int:
    """The binary logarithm, rounded up."""
    return (n - 1).bit_length()
