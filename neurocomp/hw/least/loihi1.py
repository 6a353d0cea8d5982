"""Loihi 1: neurons, axons, and lists of the taps that pieces of the positions must store."""

from __future__ import annotations

from operator import mul

from neurocomp.hw.layer import ENDLESS, UNLIMITED, Layer
from neurocomp.hw.least.positions import Row, fewest_pieces, lists
from neurocomp.hw.least.tiles import cores
from neurocomp.hw.loihi1 import POP16_ATOMS
from neurocomp.hw.tiles import cuts
from neurocomp.hw.words import BLOCK_HEADER_BITS, BLOCK_SYNAPSES, WORD_BITS
from neurocomp.ir import Conv
from neurocomp.spec.target import Target


def least(layer: Layer, target: Target) -> int:
    """See `neurocomp.hw.least.least_cores`."""
    limits, shape, index = target.limits, layer.shape, target.core.index_bits.value
    size = shape[0] * shape[1] * shape[2]
    axons = limits.in_axons or UNLIMITED
    words = UNLIMITED if limits.synapse_words is None else limits.synapse_words
    neurons = UNLIMITED if limits.neurons is None else limits.neurons
    n = max(
        cores(size, neurons, target.core.neuron_units.value),
        cores(_slots(layer), limits.out_axons),
    )
    convs, widths = [], []
    for e in layer.incoming:
        width = e.width + e.delay_bits
        if isinstance(e.op, Conv):
            convs.append((e.op, e.source))
            widths.append(width)
        else:
            sources = e.source[0] * e.source[1] * e.source[2]
            axons -= sources
            most = _longest(words // sources, width)
            n = max(n, cuts(size, most) if most else ENDLESS)
    if axons < 0:
        return ENDLESS
    if not convs:
        return n
    shortest = index[0] or index[min(1, len(index) - 1)]
    found = lists(shape, tuple(convs), shortest)
    if found.axons > axons:
        n = max(n, cuts(found.axons, axons or 1), *[fewest_pieces(h, axons) for h in found.heard])
    return _listed(shape[0], found.rows, widths, words, n)


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


def _listed(channels: int, rows: tuple[Row, ...], widths: list[int], words: int, least: int) -> int:
    """Cores for the lists of convolutions whose synapses are so wide, at least so many."""
    best, room = ENDLESS, words * WORD_BITS * BLOCK_SYNAPSES
    for pieces, taps, several, single in rows:
        if pieces >= best:
            break
        weights = BLOCK_SYNAPSES * sum(map(mul, taps, widths))
        most = room // (weights + several)
        if most > 1 or weights + single <= room:
            best = min(best, pieces * -(-channels // (most or 1)))
            if best <= least:
                return least
    return best
