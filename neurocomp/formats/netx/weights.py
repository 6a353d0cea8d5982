"""Weight bits and exponent of a layer, recovered from its integer weights as netx does.

The weights are ``level · 2^exponent`` with the greatest exponent that divides all of them. Weights
of both signs need the two's-complement width of the levels, weights of one sign the unsigned width.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

MAX_BITS = 8
DENSE_RANGE = (-256, 254)  # where netx clips a Dense layer's weights of both signs

IntArray = npt.NDArray[np.int32]


class Grid(NamedTuple):
    """Width of the levels in bits, and the exponent of their unit."""

    bits: int
    exponent: int


def grid(weight: IntArray) -> Grid:
    """The grid of an integer weight array, one bit at least."""
    low, high = int(weight.min()), int(weight.max())
    merged = int(np.bitwise_or.reduce(weight, axis=None)) or 1
    exponent = (merged & -merged).bit_length() - 1
    return Grid(max(_width(low >> exponent, high >> exponent), 1), exponent)


def _width(low: int, high: int) -> int:
    if low >= 0:
        return high.bit_length()
    if high < 0:
        return (-low).bit_length()
    return 1 + max(high.bit_length(), (-low - 1).bit_length())


def headroom(weight: IntArray) -> int:
    """Bits by which netx shifts a Dense layer's weights up to fill the chip's mantissa.

    The mantissa holds even numbers −256 to 254 where both signs occur, else 8 bits.
    """
    low, high = int(weight.min()), int(weight.max())
    width = _width(low, high)
    return MAX_BITS - width + (1 if low < 0 <= high else 0)


def refusal(weight: IntArray, *, dense: bool) -> str | None:
    """Why weights cannot be used, or None."""
    low, high = int(weight.min()), int(weight.max())
    bits, exponent = grid(weight)
    if dense and low == high == 0:
        return "all weights are zero, which netx cannot load; remove the layer"
    if bits > MAX_BITS:
        return (
            f"weights {low} to {high} in steps of {1 << exponent} need {bits} bits, a synapse has "
            f"{MAX_BITS}; quantise them to even numbers in −256 to 254"
        )
    if dense and headroom(weight) < 0:
        return f"weights {low} to {high} lie outside −256 to 255, netx cannot fit them to a synapse"
    if dense and high <= 0 and (-low & (-low - 1)) == 0:
        return (
            f"no weight is positive and the least is {low}: Lava stores it as −256 and turns that "
            "into −255; raise it"
        )
    return None


def clipped(weight: IntArray) -> IntArray:
    """A Dense layer's weights of both signs, clipped to −256 to 254 as netx does."""
    if weight.min() < 0 < weight.max():
        return np.clip(weight, *DENSE_RANGE)
    return weight
