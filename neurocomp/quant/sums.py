"""How great a synaptic sum can be, and what Lava's 24 and 32 bits leave of it.

Lava's Conv sums in float64, casts to 32 bits and wraps to 24 (lava-nc 0.10, conv/utils.py and
PyConvModelFixed). Its Dense sums what graded messages make of Loihi's mantissas, which hold the
level shifted up, in 32 bits and shifts the sum down afterwards (PyDenseModelBitAcc): the bits by
which it shifts are lost at the top. Spikes it sums in 64 bits.
"""

from __future__ import annotations

import numpy as np

from neurocomp.ir import (
    GRADED,
    Array,
    Conv,
    Dense,
    Graph,
    Input,
    Neuron,
    Op,
    Projection,
    Sigma,
)
from neurocomp.quant.fixed import WORD_BITS, IntArray, loihi_exponent, single_sign

CONV_BITS = 24
EXACT_SUMS = 2**52  # in float64 such a sum, and 2^31 more, is still exact


def message_limits(neuron: Neuron) -> tuple[int, int]:
    """Least and greatest value that a neuron, or an input, can send in one step.

    Nothing but the 32-bit words of their states bounds the messages of sigma-delta neurons.
    """
    if isinstance(neuron, Input):
        return neuron.limits
    if isinstance(neuron, GRADED):
        high = 2 ** (WORD_BITS - 1) >> (0 if isinstance(neuron, Sigma) else neuron.state_exp)
        return -high, high
    return 0, 1


def reach(weight: Array, sender: Neuron) -> tuple[Array, Array]:
    """Bounds of the sum of each row of weights, above and (as a magnitude) below zero.

    float64, exact up to 2^53; beyond that a bound is rounded, where 64 bits would wrap.
    """
    low, high = message_limits(sender)
    rows = weight.astype(np.result_type(weight, np.int64)).reshape(len(weight), -1)
    up, down = (np.maximum(sign * rows, 0).sum(axis=1).astype(np.float64) for sign in (1, -1))
    return high * up - low * down, high * down - low * up


def peak(weight: Array, sender: Neuron) -> int:
    """Bound on the magnitude of any row's sum, and of all that is added up on the way there."""
    return int(max(bound.max() for bound in reach(weight, sender)))


def sum_bits(e: Projection, sender: Neuron, peak: int) -> int | None:
    """Bits to which Lava wraps the sums of a projection; None where they cannot reach that far.

    Args:
        e: without delays per synapse, as `ir.schedule.split_delays` makes it.
        peak: bound on the magnitude of the sums.
    """
    bits = CONV_BITS if isinstance(e.op, Conv) else WORD_BITS - _lost_bits(e, sender)
    return bits if peak >= 2 ** (bits - 1) else None


def words_of(graph: Graph, e: Projection) -> int | None:
    """Bits to which Lava wraps the sums of a whole projection of a graph, as `sum_bits`."""
    assert e.weight is not None  # a checked integer graph
    sender = graph.population(e.source).neuron
    return sum_bits(e, sender, peak(e.weight, sender))


def _lost_bits(e: Projection, sender: Neuron) -> int:
    """By how much a Dense shifts its sums down, where it holds the mantissas' sums in 32 bits."""
    assert e.weight is not None  # a checked integer graph
    if message_limits(sender) == (0, 1):
        return 0
    low, high = (int(level) >> e.exponent for level in (e.weight.min(), e.weight.max()))
    unsigned = single_sign(e.weight_bits, low, high)
    return max(0, -loihi_exponent(e.weight_bits, e.exponent, unsigned=unsigned))


def delivered(op: Op, sums: IntArray, bits: int) -> IntArray:
    """What of a projection's sums reaches the neurons.

    Beyond 32 bits a convolution gives what the machine's own cast makes of a float that no int32
    holds (−2^31 on x86, of which 24 bits are 0); numpy's is Lava's.

    Args:
        bits: as `sum_bits` says.
    """
    if not isinstance(op, Dense):
        with np.errstate(invalid="ignore"):
            sums = sums.astype(np.float64).astype(np.int32).astype(np.int64)
    half = 2 ** (bits - 1)
    return np.asarray((sums + half) % (2 * half) - half)
