"""The chip's integer rules: weight levels, the neuron's arithmetic, widths and limits.

This is the one place where the integer semantics stand; the reference, the Lava engine and the
quantiser all follow it. The arithmetic is that of Lava's bit-accurate LIF (lava-nc 0.10).
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.ir import Delta, Graded, LoihiLif, Neuron, Sigma, SigmaDelta

IntArray: TypeAlias = npt.NDArray[np.int64]
Words: TypeAlias = npt.NDArray[np.int32]

DECAY_UNITY = 4096
STATE_SHIFT = 6  # synaptic sums, biases and thresholds enter u and v shifted by this
STATE_LIMIT = 2**23  # u wraps there, v is clipped just inside
WORD_BITS = 32  # of sigma-delta states, of messages and of what u is computed in, in Lava
WORD_LIMIT = 2 ** (WORD_BITS - 1)
MAX_VTH = 2**17 - 1
MAX_BIAS = 4095
MIN_BIAS = -4096
MAX_AXON_DELAY = 62
MIN_EXPONENT, MAX_EXPONENT = -8, 7  # of Loihi's 8-bit weight mantissa


def level_range(bits: int) -> tuple[int, int]:
    """Least and greatest level of a signed weight: ``[−2^(b−1), 2^(b−1) − 1]``; 1 bit is ±1.

    One bit means the two levels −1 and +1, which the chip stores in two bits (as it does the
    ternary levels of a pruned one-bit projection).
    """
    if bits == 1:
        return (-1, 1)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def single_sign(bits: int, low: int, high: int) -> bool:
    """Whether levels need an unsigned format: all of one sign, magnitudes up to ``2^b − 1``.

    Levels that fit `level_range` are stored signed, whatever their signs.
    """
    least, greatest = level_range(bits)
    if least <= low and high <= greatest:
        return False
    return (low >= 0 or high <= 0) and max(-low, high) < 2**bits


def stored_bits(bits: int) -> int:
    """Bits in which a mixed-sign weight of a designed width is stored: 1 needs 2."""
    return max(2, bits)


def mantissa_shift(bits: int, *, unsigned: bool = False) -> int:
    """How far a level is shifted up in Loihi's mantissa of 8 bits + sign, or 8 bits unsigned."""
    return 8 - bits if unsigned else 9 - stored_bits(bits)


def loihi_exponent(bits: int, exponent: int, *, unsigned: bool = False) -> int:
    """Loihi's ``weight_exp`` of weights ``level · 2**exponent``.

    The mantissa is ``level · 2**(9 − b)``, so the exponent is ``exponent − (9 − b)``.
    """
    return exponent - mantissa_shift(bits, unsigned=unsigned)


def decay(state: IntArray, lost: int) -> IntArray:
    """``trunc(state · (4096 − lost) / 4096)``, rounding toward zero."""
    product = state * (DECAY_UNITY - lost)
    return np.asarray(np.sign(product) * (np.abs(product) >> 12))


def wrap(u: IntArray) -> IntArray:
    """The current's 24-bit overflow: one wrap at ±2^23, as Lava does it."""
    over = np.where(u > STATE_LIMIT, u - 2 * STATE_LIMIT, u)
    return np.where(over <= -STATE_LIMIT, u + 2 * STATE_LIMIT, over)


def as_words(sums: IntArray) -> Words:
    """What is left of integers in 32 bits, as in all of Lava's arithmetic."""
    return np.asarray(sums).astype(np.int32)


def delta_encode(
    x: Words, before: Words, residue: Words, neuron: Delta | SigmaDelta
) -> tuple[Words, Words]:
    """Messages and new residue of a delta encoder whose value goes from ``before`` to ``x``.

    ``d = x − before + residue``; ``d >> state_exp`` is sent where ``|d|`` reaches the threshold,
    and d stays as the residue elsewhere (lava-nc 0.10, PyDeltaModelFixed).
    """
    d = x - before + residue
    threshold = np.int32(neuron.vth << (neuron.spike_exp + neuron.state_exp))
    sent = np.where(np.abs(d) >= threshold, d, np.int32(0))
    return sent >> np.int32(neuron.state_exp), d - sent


class SigmaDeltaState(NamedTuple):
    """The 32-bit states of a sigma-delta population, under Lava's names."""

    sigma: Words
    act: Words
    residue: Words


def graded_step(
    state: SigmaDeltaState, a: Words, bias: Words, neuron: Graded
) -> tuple[SigmaDeltaState, Words]:
    """One step of sigma-delta neurons: their states after it, and the messages they send.

    All of it in 32 bits that wrap, as in lava-nc 0.10 (PyDeltaModelFixed, PySigmaDeltaModelFixed,
    PySigmaModelFixed).

    Args:
        a: synaptic sum of the step.
        bias: in units of the weights, broadcast against a.
    """
    if isinstance(neuron, Sigma):
        sigma = state.sigma + a
        return state._replace(sigma=sigma), sigma
    scale = np.int32(neuron.spike_exp + neuron.state_exp)
    if isinstance(neuron, Delta):
        sigma, act = state.sigma, (a + bias) << scale
    else:
        sigma = state.sigma + a
        act = np.maximum(sigma + (bias << scale), np.int32(0))
    sent, residue = delta_encode(act, state.act, state.residue, neuron)
    return SigmaDeltaState(sigma, act, residue), sent


def state_names(neuron: Neuron) -> tuple[str, ...]:
    """The states of a neuron that can be read, as Lava's processes name them; v or sum last."""
    if isinstance(neuron, LoihiLif):
        return ("u", "v")
    if isinstance(neuron, Sigma):
        return ("sigma",)
    if isinstance(neuron, Delta):
        return ("residue", "act")
    return ("sigma", "residue", "act")


def step(
    u: IntArray, v: IntArray, a: IntArray, bias: IntArray | int, neuron: LoihiLif
) -> tuple[IntArray, IntArray, npt.NDArray[np.bool_]]:
    """One step of the integer neuron; the current is computed in 32 bits, which overflow.

    Args:
        u, v: current and membrane before the step, int64.
        a: synaptic sum of the step, in units of the weights.
        bias: in units of the weights, broadcast against v.

    Returns:
        (u, v, spikes) after the step, v already reset where a spike was fired.
    """
    u = wrap(as_words(decay(u, neuron.du + 1) + (a << STATE_SHIFT)).astype(np.int64))
    v = decay(v, neuron.dv) + u + (np.int64(bias) << STATE_SHIFT)
    v = np.clip(v, 1 - STATE_LIMIT, STATE_LIMIT - 1)
    spikes = v > (neuron.vth << STATE_SHIFT)
    return u, np.where(spikes, 0, v), spikes
