"""The integer LIF neuron of `quant.fixed.step`, computed in floating point without rounding.

u and v are kept in units of 1/64 weight, as Lava keeps them, and all values are integers. They are
exact in floating point wherever a bound proves that no intermediate value needs more bits than the
significand has:

- Synaptic sums: every partial sum, in whatever order, lies between the sum of all negative and that
  of all positive products, and ``peak`` bounds both: float32 (24 bits) holds them up to 2^24,
  float64 (53 bits) up to 2^52, beyond which `quant.check.check` lets none. The factor 64 is a power
  of two and changes no significand. What each projection delivers fits 32 bits (`part.wrap_sums`).
- States in float64: a current of 32 bits times a 12-bit decay factor needs 44 bits. Where u and
  64·a together can pass 2^31 they are wrapped to 32 bits, as Lava's are: 64·a is below 2^37 times
  the number of projections, so that the sum is exact before. u is a word of 32 bits after each
  step, and v, clipped, one of 24: reports cast both to int32.
- States in float32: if both decay factors are powers of two (or nothing, or all, is kept), the
  products only lose low bits that are cut anyway. Then |decayed u + 64·a| ≤ 2^24 as long as
  |a| ≤ 2^17, and |decayed v + u| ≤ 2^24. The bias may lead beyond 2^24, where a rounded sum is
  still far outside of the 24-bit range that v is clipped to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.backend.emit.program import Part
from neurocomp.backend.engine.messages import Bools, hwc
from neurocomp.ir import Array, LoihiLif
from neurocomp.quant.fixed import DECAY_UNITY, STATE_LIMIT, STATE_SHIFT, WORD_LIMIT

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
FloatType: TypeAlias = type[np.float32] | type[np.float64]

UNIT = 1 << STATE_SHIFT  # one weight in units of u and v
FLOAT32_SUMS = 2**24
CHUNK = 2**16  # neurons that step together through a block, so that they stay in the cache


def sum_dtype(peak: int) -> FloatType:
    """The narrowest float in which synaptic sums up to ``peak`` are exact."""
    return np.float32 if peak <= FLOAT32_SUMS else np.float64


def state_dtype(neuron: LoihiLif, peak: int) -> FloatType:
    """The narrowest float in which the neuron's states are exact, given the bound of its sums."""
    kept = (_kept_u(neuron), DECAY_UNITY - neuron.dv)
    if all(k & (k - 1) == 0 for k in kept) and peak * UNIT <= STATE_LIMIT:
        return np.float32
    return np.float64


class Overflow(NamedTuple):
    """What may happen in a step: u overflows 32 bits, u wraps at 24, v is clipped."""

    words: bool
    wraps: bool
    clips: bool


NOTHING = Overflow(words=False, wraps=False, clips=False)


class Reach:
    """Bounds of |u| and |v|, step by step, that say when u may wrap and v may be clipped.

    What decay keeps of the bound before, plus the greatest sum, plus the bias; rounding toward zero
    and resetting only bring values nearer to zero.

    Args:
        kept_u, kept_v: 4096ths that a step keeps.
        bias: greatest magnitude, in the units of the states.
    """

    def __init__(self, kept_u: int, kept_v: int, bias: int) -> None:
        self._kept_u, self._kept_v, self._bias = kept_u, kept_v, bias
        self.rest()

    def rest(self) -> None:
        """Both states are zero."""
        self._u = self._v = 0

    def overflows(self, peak: int, sums: Floats) -> list[Overflow]:
        """What may happen in each step of a block.

        Args:
            peak: bound on all sums, whatever is sent; the sums themselves are looked at where it
                leaves any doubt.
        """
        before = self._u, self._v
        found = [self._step(peak) for _ in sums]
        if any(x is not NOTHING for x in found):
            self._u, self._v = before
            greatest = int(max(-sums.min(), sums.max()))
            found = [self._step(greatest) for _ in sums]
        return found

    def _step(self, a: int) -> Overflow:
        u = (self._u * self._kept_u) // DECAY_UNITY + a
        words, wraps = u >= WORD_LIMIT, u >= STATE_LIMIT
        self._u = max(STATE_LIMIT, min(u, WORD_LIMIT) - 2 * STATE_LIMIT) if wraps else u
        v = (self._v * self._kept_v) // DECAY_UNITY + self._u + self._bias
        self._v = min(v, STATE_LIMIT)
        clips = v >= STATE_LIMIT
        return Overflow(words, wraps, clips) if wraps or clips else NOTHING


class Membrane:
    """State of a box of LIF neurons for a batch; arrays are shaped (B, H, W, C).

    Args:
        watched: u is kept even where the neuron has no use for it.
    """

    def __init__(self, part: Part, batch: int, *, watched: bool = False) -> None:
        neuron = part.neuron
        assert isinstance(neuron, LoihiLif)  # the engine's choice
        dtype, shape = state_dtype(neuron, part.peak), (batch, *hwc(part.box.shape))
        kept_u, kept_v = _kept_u(neuron), DECAY_UNITY - neuron.dv
        self._v: Floats = np.zeros(shape, dtype)
        self._u: Floats | None = np.zeros(shape, dtype) if kept_u or watched else None
        self._keep_u = dtype(kept_u / DECAY_UNITY)
        self._keep_v = dtype(kept_v / DECAY_UNITY)
        self._bias = None
        if part.bias is not None and part.bias.any():
            self._bias = np.multiply(part.bias, UNIT, dtype=dtype)
        self._reach = Reach(
            kept_u, kept_v, 0 if self._bias is None else int(np.abs(self._bias).max())
        )
        self._peak = part.peak * UNIT
        self._threshold = dtype(neuron.vth * UNIT)
        each = max(1, CHUNK // part.box.size)
        self._chunks = [slice(b, b + each) for b in range(0, batch, each)]

    def rest(self) -> None:
        """A window begins: u and v start from zero."""
        self._v.fill(0)
        if self._u is not None:
            self._u.fill(0)
        self._reach.rest()

    def state(self, name: str) -> Array:
        """The current "u" or the membrane "v" after the last step."""
        found = self._u if name == "u" else self._v
        assert found is not None  # u is kept where it is watched
        return found

    def run(self, sums: Floats, sent: Bools) -> Iterator[tuple[int, slice]]:
        """Make the steps of a block, some samples at a time.

        Args:
            sums: synaptic sums times 64, (steps, B, H, W, C).
            sent: takes the spikes, of the same shape; they are there when the block is over.

        Yields:
            Step and samples after each step, when their states may be read.
        """
        overflows = self._reach.overflows(self._peak, sums)
        for chunk in self._chunks:
            for t, a in enumerate(sums[:, chunk]):
                self._step(a, sent[t, chunk], chunk, overflows[t])
                yield t, chunk
        np.logical_not(sent, out=sent)

    def _step(self, a: Floats, silent: Bools, chunk: slice, overflow: Overflow) -> None:
        v = self._v[chunk]
        u = a
        if self._u is not None:
            u = self._u[chunk]
            np.multiply(u, self._keep_u, out=u)
            np.trunc(u, out=u)
            np.add(u, a, out=u)
        if overflow.words:
            u = _word(u, out=None if self._u is None else u)
        if overflow.wraps:
            u = _wrapped(u, out=None if self._u is None else u)
        if self._keep_v != 1:
            np.multiply(v, self._keep_v, out=v)
            np.trunc(v, out=v)
        np.add(v, u, out=v)
        if self._bias is not None:
            np.add(v, self._bias, out=v)
        if overflow.clips:
            np.minimum(v, STATE_LIMIT - 1, out=v)
            np.maximum(v, 1 - STATE_LIMIT, out=v)
        np.less_equal(v, self._threshold, out=silent)
        np.multiply(v, silent, out=v)


def _word(u: Floats, out: Floats | None) -> Floats:
    """What is left of the current in 32 bits (`quant.fixed.as_words`)."""
    turns = np.floor((u + WORD_LIMIT) / (2 * WORD_LIMIT))
    word: Floats = np.subtract(u, turns * (2 * WORD_LIMIT), out=out)
    return word


def _wrapped(u: Floats, out: Floats | None) -> Floats:
    """The 24-bit overflow of the current (`quant.fixed.wrap`)."""
    turns = (u > STATE_LIMIT).astype(u.dtype) - (u <= -STATE_LIMIT)
    wrapped: Floats = np.subtract(u, turns * (2 * STATE_LIMIT), out=out)
    return wrapped


def _kept_u(neuron: LoihiLif) -> int:
    return DECAY_UNITY - (neuron.du + 1)
