"""What no mapping of a population can do without."""

from __future__ import annotations

from neurocomp.hw.layer import Incoming, Layer
from neurocomp.hw.words import DENSE_INDEX_BITS
from neurocomp.ir import Conv
from neurocomp.spec.target import Target


def least_needs(layer: Layer, target: Target) -> dict[str, float]:
    """What a population takes of each resource at least, on all cores and in any mapping.

    Every neuron is counted once and every synapse or kernel is stored once, without padding,
    chunks, rounding to words or copies; the rest of the model can only add to that. DYNAP-CNN
    stores a weight to a word, and a Dense once per channel, as a kernel. Resources are named as in
    `neurocomp.spec.target.Limits`.
    """
    channels, height, width = layer.shape
    size = channels * height * width
    word, kernels_only = target.core.word_bits.value, target.core.format == "dynap-cnn"
    words = in_axons = 0.0
    for e in layer.incoming:
        bits = word if kernels_only else e.width
        c, h, w = e.source
        if isinstance(e.op, Conv):
            taps = _taps(e, 0, height) * _taps(e, 1, width) * c // e.op.groups
            words += taps * channels * bits / word
            in_axons += 1
        else:
            index = DENSE_INDEX_BITS if target.core.format == "loihi2" else 0
            targets = channels if kernels_only else size
            words += c * h * w * targets * (bits + index) / word
            in_axons += c * h * w
    axon_map = (
        sum(height * width if isinstance(e.op, Conv) else size for e in layer.outgoing) or size
    )
    return {
        "neurons": size,
        "synapse_words": words,
        "in_axons": in_axons,
        "axon_map": axon_map if target.core.format == "loihi2" else 0,
        "total_words": size + words + in_axons + axon_map,
    }


def _taps(e: Incoming, axis: int, size: int) -> int:
    """Kernel rows (axis 0) or columns that meet the source at all; the others see only padding."""
    assert isinstance(e.op, Conv)
    s, p, d, k = (getattr(e.op, key)[axis] for key in ("stride", "padding", "dilation", "kernel"))
    starts = range(-p, size * s - p, s)
    return sum(any(0 <= i + tap * d < e.source[1 + axis] for i in starts) for tap in range(k))
