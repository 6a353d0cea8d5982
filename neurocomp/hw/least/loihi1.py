"""Loihi 1: neurons, axons, and lists of the taps that pieces of the positions must store."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from neurocomp.hw.layer import NO_LIMIT, Incoming, Layer
from neurocomp.hw.least.positions import fewest_pieces, positions
from neurocomp.hw.least.tiles import cores, tiles
from neurocomp.hw.loihi1 import POP16_ATOMS
from neurocomp.hw.tiles import cuts
from neurocomp.hw.words import BLOCK_HEADER_BITS, BLOCK_SYNAPSES, WORD_BITS
from neurocomp.ir import Conv
from neurocomp.spec.target import Target


def least(layer: Layer, target: Target) -> int:
    """See `neurocomp.hw.least.least_cores`."""
    limits, units = target.limits, target.core.neuron_units.value
    neurons = NO_LIMIT if limits.neurons is None else limits.neurons // units
    words = NO_LIMIT if limits.synapse_words is None else limits.synapse_words
    convs = []
    axons, n = limits.in_axons or NO_LIMIT, cores(_slots(layer), limits.out_axons)
    for e in layer.incoming:
        if isinstance(e.op, Conv):
            convs.append((e, e.op))
        else:
            axons -= prod(e.source)
            most = _longest(words // prod(e.source), e.width + e.delay_bits)
            n = max(n, cuts(prod(layer.shape), most) if most else NO_LIMIT)
    if axons < 0:
        return NO_LIMIT
    if not convs:
        return max(n, cuts(prod(layer.shape), neurons) if neurons else NO_LIMIT)
    found = positions(layer.shape, tuple([(op, e.source) for e, op in convs]))
    for heard, (_, op) in zip(found.heard, convs, strict=True):
        n = max(n, fewest_pieces(heard, axons), cuts(op.groups * heard[0][-1], axons or 1))
    n = max(n, tiles(layer.shape, neurons, layer.shape[0], False))
    shortest = next((w for w in target.core.index_bits.value if w), 0)
    bits = [_bits(e, op, shortest) for e, op in convs]
    return _listed(layer.shape[0], bits, found.taps, words, n)


def _slots(layer: Layer) -> int:
    """Output axons of all cores together, to one destination each."""
    channels, height, width = layer.shape
    slots = 0
    for e in layer.outgoing:
        if isinstance(e.op, Conv):
            each = 2 if channels // e.op.groups > POP16_ATOMS else 1
            slots += e.op.groups * height * width * each
        else:
            slots += channels * height * width
    return slots


def _longest(words: int, width: int) -> int:
    """Most synapses of a list of so many words; see `neurocomp.hw.words.list_words`."""
    block = -(-(BLOCK_SYNAPSES * width + BLOCK_HEADER_BITS) // WORD_BITS)
    full, rest = divmod(words, block)
    return full * BLOCK_SYNAPSES + max((rest * WORD_BITS - BLOCK_HEADER_BITS) // width, 0)


class _Bits(NamedTuple):
    """What a tap of one channel takes in a convolution's lists, times the synapses of a block.

    Attributes:
        area: taps of the kernel; lists that hold more in all hold several taps, and so need indices
            even for a single channel.
        plain, indexed: without an index, and with the shortest that there is.
        one_group: the channels of a core share lists.
    """

    area: int
    plain: int
    indexed: int
    one_group: bool

    def least(self, taps: int, channels: int) -> int:
        """Of so many taps, for each of one or several channels."""
        index = taps > self.area or (channels > 1 and self.one_group)
        return taps * (self.indexed if index else self.plain)


def _bits(e: Incoming, op: Conv, shortest: int) -> _Bits:
    sources, each = e.source[0] // op.groups, e.width + e.delay_bits
    plain = sources * (BLOCK_SYNAPSES * each + BLOCK_HEADER_BITS)
    indexed = plain + sources * BLOCK_SYNAPSES * shortest
    return _Bits(prod(op.kernel), plain, indexed, op.groups == 1)


def _listed(
    channels: int,
    convs: list[_Bits],
    options: tuple[tuple[int, tuple[int, ...]], ...],
    words: int,
    least: int,
) -> int:
    """Cores for the lists of convolutions, at least so many.

    Every tap of a list has its synapses once, and a share of a block's header.

    Args:
        options: see `neurocomp.hw.least.positions.Positions`.
    """
    best, room = NO_LIMIT, words * WORD_BITS * BLOCK_SYNAPSES
    for pieces, taps in options:
        if pieces >= best:
            break
        several = sum([bits.least(t, 2) for t, bits in zip(taps, convs, strict=True)])
        most = room // several if several else channels  # pieces that hear nothing but padding
        if most < 2:
            most = sum([bits.least(t, 1) for t, bits in zip(taps, convs, strict=True)]) <= room
        if most:
            best = min(best, pieces * cuts(channels, most))
            if best <= least:
                return least
    return best
