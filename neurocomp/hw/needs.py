"""What no mapping of a population can do without.

Every neuron is counted once and every synapse or kernel is stored once, without padding, chunks,
rounding to words or copies; the rest of the model can only add to that. So what a network needs is
a sum over its populations and projections.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from neurocomp.hw.layer import Layer
from neurocomp.hw.words import DENSE_INDEX_BITS
from neurocomp.ir import Conv, Op, Shape
from neurocomp.spec.target import Target


class Needs(NamedTuple):
    """Amounts on all cores together; fields as `neurocomp.spec.target.Limits`."""

    neurons: float = 0.0
    synapse_words: float = 0.0
    in_axons: float = 0.0
    axon_map: float = 0.0
    total_words: float = 0.0


def least_needs(layer: Layer, target: Target) -> Needs:
    """What a population takes of each resource at least, on all cores and in any mapping."""
    channels, height, width = layer.shape
    own = Needs(neurons=channels * height * width, total_words=channels * height * width)
    heard = [heard_needs(e.op, e.source, layer.shape, e.width, target) for e in layer.incoming]
    sent = [sent_needs(e.op, layer.shape, target) for e in layer.outgoing]
    return summed([own, *heard, *(sent or [sent_needs(None, layer.shape, target)])])


def heard_needs(op: Op, source: Shape, shape: Shape, width: int, target: Target) -> Needs:
    """What a projection needs on the cores of the population that hears it.

    DYNAP-CNN stores a weight to a word, and a Dense once per channel, as a kernel.

    Args:
        shape: of that population; width: bits in which a weight is stored.
    """
    (c, h, w), (channels, height, columns) = source, shape
    word, kernels_only = target.core.word_bits.value, target.core.format == "dynap-cnn"
    bits = word if kernels_only else width
    if isinstance(op, Conv):
        taps = _taps(op, 0, height, h) * _taps(op, 1, columns, w) * c // op.groups
        words, axons = taps * channels * bits / word, 1
    else:
        index = DENSE_INDEX_BITS if target.core.format == "loihi2" else 0
        targets = channels if kernels_only else channels * height * columns
        words, axons = c * h * w * targets * (bits + index) / word, c * h * w
    return Needs(synapse_words=words, in_axons=axons, total_words=words + axons)


def sent_needs(op: Op | None, shape: Shape, target: Target) -> Needs:
    """What a projection needs on the cores of the population that it leaves.

    Args:
        op: None = what nobody on the chip hears, which goes to the host.
    """
    channels, height, width = shape
    entries = height * width * (1 if isinstance(op, Conv) else channels)
    kept = entries if target.core.format == "loihi2" else 0
    return Needs(axon_map=kept, total_words=entries)


def summed(needs: Iterable[Needs]) -> Needs:
    """Several parts of a network together."""
    return Needs(*map(sum, zip(Needs(), *needs, strict=True)))


def filled(needs: Needs, target: Target) -> float:
    """The greatest of the needs as a multiple of a core's limit."""
    limits = ((use, getattr(target.limits, name)) for name, use in needs._asdict().items())
    return max((use / limit for use, limit in limits if limit), default=0.0)


@lru_cache(maxsize=1 << 12)
def _taps(op: Conv, axis: int, size: int, source: int) -> int:
    """Kernel rows (axis 0) or columns that meet the source at all; the others see only padding."""
    s, p, d, k = (getattr(op, key)[axis] for key in ("stride", "padding", "dilation", "kernel"))
    starts = range(-p, size * s - p, s)
    return sum(any(0 <= i + tap * d < source for i in starts) for tap in range(k))
