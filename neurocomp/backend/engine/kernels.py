"""Synaptic sums of one block of synapses, as matrix products over a block of steps and samples.

A convolution unfolds its windows, some positions at a time, and multiplies; the sums are those of
integers and exact in any order (`membrane.sum_dtype`). Where little is sent, `events` is faster.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import as_strided

from neurocomp.backend.emit.program import Synapses
from neurocomp.backend.engine.events import (
    CONV_COSTS,
    DENSE_COSTS,
    ConvEvents,
    dense_events,
    is_sparse,
)
from neurocomp.backend.engine.membrane import Floats, FloatType
from neurocomp.ir import Array, Conv

TILE_BYTES = 2**21  # of unfolded windows at a time


class Kernel(Protocol):
    """Sums of a block of synapses."""

    def __call__(self, seen: Array, into: Floats, *, add: bool) -> None:
        """Write the sums of what was sent, or add them.

        Args:
            seen: what the synapses' view of the source sent, (N, H, W, C), N steps and samples.
            into: the target's sums, (N, H, W, C).
        """


def kernel(synapses: Synapses, dtype: FloatType, unit: int) -> Kernel:
    """The kernel for a block of synapses: dense, depthwise or any other convolution.

    Args:
        dtype: of the sums.
        unit: factor of all weights.
    """
    weight: Floats = np.multiply(synapses.weight, unit, dtype=dtype)
    if not isinstance(synapses.op, Conv):
        return DenseKernel(synapses, weight)
    if synapses.groups == synapses.view.shape[0] == synapses.target.shape[0]:
        return DepthwiseKernel(synapses.op, weight)
    return ConvKernel(synapses, synapses.op, weight)


class DenseKernel:
    """``into = seen · Wᵀ``, both sides in the engine's order of neurons."""

    def __init__(self, synapses: Synapses, weight: Floats) -> None:
        whole = weight.reshape(*synapses.target.shape, *synapses.view.shape)
        ordered = np.ascontiguousarray(whole.transpose(4, 5, 3, 1, 2, 0))
        self._weight = ordered.reshape(weight.shape[1], weight.shape[0])

    def __call__(self, seen: Array, into: Floats, *, add: bool) -> None:
        flat = seen.reshape(len(seen), -1)
        if is_sparse(flat, len(flat), self._weight, DENSE_COSTS):
            _store(into, dense_events(flat, self._weight).reshape(into.shape), add=add)
            return
        flat = flat.astype(into.dtype, copy=False)
        if add or not into.flags.c_contiguous:
            _store(into, (flat @ self._weight).reshape(into.shape), add=add)
        else:
            np.matmul(flat, self._weight, out=into.reshape(len(into), -1))


class DepthwiseKernel:
    """One kernel per channel, as in skips and pooling: a weighted sum of shifted maps."""

    def __init__(self, op: Conv, weight: Floats) -> None:
        self._op = op
        taps = [(y, x) for y, x in np.ndindex(*op.kernel) if weight[:, 0, y, x].any()]
        self._taps = [(y, x, weight[:, 0, y, x]) for y, x in taps]

    def __call__(self, seen: Array, into: Floats, *, add: bool) -> None:
        (sy, sx), (dy, dx) = self._op.stride, self._op.dilation
        _, height, width, _ = into.shape
        for y, x, weight in self._taps:
            rows = slice(y * dy, y * dy + (height - 1) * sy + 1, sy)
            columns = slice(x * dx, x * dx + (width - 1) * sx + 1, sx)
            shifted = seen[:, rows, columns].astype(into.dtype)
            np.multiply(shifted, weight, out=shifted)
            _store(into, shifted, add=add)
            add = True


class ConvKernel:
    """Unfold windows tile by tile and multiply, group by group."""

    def __init__(self, synapses: Synapses, op: Conv, weight: Floats) -> None:
        self._op, self._groups = op, synapses.groups
        made = len(weight) // self._groups
        split = weight.reshape(self._groups, made, *weight.shape[1:])  # g, o, i, y, x
        ordered = np.ascontiguousarray(split.transpose(0, 3, 4, 2, 1))
        self._weight = ordered.reshape(self._groups, -1, made)
        self._row = self._weight[:, :, 0].size  # values of a position's windows, all groups
        self._positions = max(1, TILE_BYTES // (self._row * weight.itemsize))
        self._packed = np.zeros(0, weight.dtype)
        self._events = ConvEvents(op, weight.shape[1]) if self._groups == 1 else None

    def __call__(self, seen: Array, into: Floats, *, add: bool) -> None:
        if self._events is not None:
            rows, weight = into[..., 0].size, self._weight[0]
            if is_sparse(seen, rows, weight, CONV_COSTS):
                _store(into, self._events(seen, weight, into.shape), add=add)
                return
        windows = _windows(self._op, self._groups, seen, into.shape)
        n, height, width, _ = into.shape
        rows = min(height, max(1, self._positions // width))
        samples = max(1, self._positions // (height * width)) if rows == height else 1
        size = min(samples, n) * rows * width * self._row
        if len(self._packed) < size:
            self._packed = np.zeros(size, into.dtype)
        for i in range(0, n, samples):
            for y in range(0, height, rows):
                tile = windows[:, i : i + samples, y : y + rows]
                self._multiply(tile, into[i : i + samples, y : y + rows], add=add)

    def _multiply(self, windows: Array, into: Floats, *, add: bool) -> None:
        packed = self._packed[: windows.size]
        np.copyto(packed.reshape(windows.shape), windows)
        operand = packed.reshape(self._groups, -1, self._weight.shape[1])
        if self._groups == 1 and not add and into.flags.c_contiguous:
            np.matmul(operand[0], self._weight[0], out=into.reshape(-1, into.shape[-1]))
        else:
            sums = np.matmul(operand, self._weight)
            _store(into, sums.transpose(1, 0, 2).reshape(into.shape), add=add)


def _store(into: Floats, sums: Floats, *, add: bool) -> None:
    if add:
        np.add(into, sums, out=into)
    else:
        np.copyto(into, sums)


def _windows(op: Conv, groups: int, seen: Array, made: tuple[int, ...]) -> Array:
    """All windows of a convolution, (groups, N, H, W, ky, kx, C / groups), as a view."""
    (sy, sx), (dy, dx) = op.stride, op.dilation
    sample, row, column, channel = seen.strides
    each = seen.shape[3] // groups
    return as_strided(
        seen,
        (groups, *made[:3], *op.kernel, each),
        (each * channel, sample, row * sy, column * sx, row * dy, column * dx, channel),
        writeable=False,
    )
