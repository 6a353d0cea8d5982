"""Loihi 2: what all cores of a layer hold together, and what each of them holds again."""

from __future__ import annotations

from functools import lru_cache

from neurocomp.hw.layer import ENDLESS, UNLIMITED, Layer
from neurocomp.hw.least.tiles import cores, tiles
from neurocomp.hw.loihi2 import ENTRIES_PER_WORD
from neurocomp.hw.tiles import cuts
from neurocomp.hw.words import DENSE_INDEX_BITS, LIST_HEADER_BITS, WORD_BITS
from neurocomp.ir import Conv
from neurocomp.spec.target import Target


def least(layer: Layer, target: Target) -> int:
    """See `neurocomp.hw.least.least_cores`."""
    limits, units = target.limits, target.core.neuron_units.value
    channels, height, width = layer.shape
    size = channels * height * width
    words = UNLIMITED if limits.synapse_words is None else limits.synapse_words
    kernels = []
    sources = bits = kernel_bits = n_dense = 0  # bits: of the Dense synapses of one neuron
    for e in layer.incoming:
        op, (c, h, w) = e.op, e.source
        if isinstance(op, Conv):
            taps, group = op.kernel[0] * op.kernel[1] * (c // op.groups), channels // op.groups
            kernels.append((taps, group if op.groups > 1 else 0, e.width))
            kernel_bits += taps * op.groups * max(group * e.width + LIST_HEADER_BITS, WORD_BITS)
        else:
            n_dense += 1
            sources += c * h * w
            bits += c * h * w * (e.width + DENSE_INDEX_BITS)
    axons = len(kernels) + sources + layer.injected
    headers = LIST_HEADER_BITS * sources
    entries, to_conv = _entries(layer, target)
    free = ((limits.total_words or UNLIMITED) - axons - 1) * WORD_BITS - headers
    if free <= 0 or axons > (limits.in_axons or UNLIMITED):
        return ENDLESS
    spread = size * (bits + units * WORD_BITS) + kernel_bits
    spread += WORD_BITS * entries + WORD_BITS // ENTRIES_PER_WORD * to_conv
    n = max(
        cuts(spread, free),
        cores(entries, limits.axon_map),
        cuts(to_conv, (limits.axon_mem or UNLIMITED) * ENTRIES_PER_WORD),
    )
    if n_dense:
        lists = words // sources * sources if n_dense == 1 else words  # a list has whole words
        n = max(n, cores(size, lists * WORD_BITS - headers, bits))
    flags = target.flags
    fit = (
        most_channels(channels, words, tuple(kernels), flags.channel_chunks)
        if kernels
        else channels
    )
    neurons = UNLIMITED if limits.neurons is None else limits.neurons // units
    return max(n, tiles(layer.shape, neurons, fit, flags.padded_x))


@lru_cache(maxsize=1 << 14)
def most_channels(
    channels: int, words: int, kernels: tuple[tuple[int, int, int], ...], chunked: bool
) -> int:
    """Most of so many channels whose kernels fit so many words.

    Words of channels are those of the powers of two that they add up to, so that the greatest
    number is found bit by bit from the highest.

    Args:
        kernels: (taps with the input channels of a group, own channels of a group, width) of each
            convolution; 0 own channels where it has one group only.
    """
    found, bit = 0, 1 << channels.bit_length()
    while bit:
        needed = 0
        for taps, group, width in kernels:
            if group:
                each = taps * bit * max(group * width + LIST_HEADER_BITS, WORD_BITS)
                needed += each // (group * WORD_BITS)
            elif chunked:
                needed += taps * -(-(bit * width + LIST_HEADER_BITS) // WORD_BITS)
            else:
                needed += taps * bit * width // WORD_BITS
        if needed <= words:
            found, words = found + bit, words - needed
        bit >>= 1
    return min(found, channels)


def _entries(layer: Layer, target: Target) -> tuple[int, int]:
    """Map entries of all the layer's cores together, and those of them that lead to convolutions.

    Chunks of cut channels are never fewer than those of all channels.
    """
    channels, height, width = layer.shape
    chunked = target.flags.channel_chunks and layer.incoming
    to_conv = to_dense = 0
    for e in layer.outgoing:
        if isinstance(e.op, Conv):
            groups = e.op.groups
            to_conv += groups * (channels // groups).bit_count() if chunked else 1
        else:
            to_dense += channels
    each = to_conv + to_dense if layer.outgoing else channels
    return height * width * each, height * width * to_conv
