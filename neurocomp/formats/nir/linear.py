"""Linear maps between populations: what one does after another, as a single projection.

NIR has a node per operation (pooling, then a convolution, then a flattening, …); a projection is
one operation. Everything here is exact: what no single operation equals is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TypeAlias

import numpy as np

from neurocomp.errors import InputError
from neurocomp.formats.hdf5 import MAX_VALUES
from neurocomp.ir import Array, Conv, Dense, Op, Shape
from neurocomp.ir.shapes import conv_output

Linear: TypeAlias = tuple[Op, Array]  # an operation and its weight


def apply(op: Op, weight: Array, image: Array, target: Shape) -> Array:
    """What a map makes of one image (C, H, W): ``target`` shaped."""
    if isinstance(op, Dense):
        return np.asarray(weight @ image.reshape(-1)).reshape(target)
    groups = op.groups
    framed = np.pad(image, ((0, 0), *((p, p) for p in op.padding)))
    parts = framed.reshape(groups, -1, *framed.shape[1:])
    made = np.zeros((groups, target[0] // groups, *target[1:]))
    for y, x, rows, columns in _taps(op, target):
        kernel = weight[:, :, y, x].reshape(groups, -1, weight.shape[1])
        made += np.einsum("goi,giyx->goyx", kernel, parts[:, :, rows, columns])
    return made.reshape(target)


def chain(first: Linear, second: Linear, source: Shape, middle: Shape, target: Shape) -> Linear:
    """One map that equals two, the first from ``source`` to ``middle``.

    Raises:
        InputError: no single operation equals them, or its weights would be too many. The message
            is without a place.
    """
    (op, weight), (then, weight_then) = first, second
    if isinstance(then, Dense):
        require_size((prod(target), prod(source)))
        if isinstance(op, Dense):
            return then, weight_then @ weight
        return then, _dense_through_conv(weight_then, op, weight, source, middle)
    if isinstance(op, Dense):
        if then.kernel != (1, 1) or then.groups != middle[0]:
            raise InputError("a convolution of a flat signal is not supported")
        return op, weight_then[:, 0, 0] * weight  # a factor per row
    return _conv_through_conv((op, weight), (then, weight_then), source, middle, target)


def require_size(shape: tuple[int, ...]) -> None:
    """Refuse weights that only a damaged file can mean."""
    if prod(shape) > MAX_VALUES:
        raise InputError(f"makes an array of shape {shape}, at most {MAX_VALUES:,} values are made")


def padded(op: Conv, source: Shape) -> Shape:
    """A source with the zeros around it."""
    return (source[0], source[1] + 2 * op.padding[0], source[2] + 2 * op.padding[1])


def _taps(op: Conv, target: Shape) -> Iterator[tuple[int, int, slice, slice]]:
    """Each kernel position with the rows and columns of the padded source it is applied to."""
    for y in range(op.kernel[0]):
        for x in range(op.kernel[1]):
            rows, columns = (
                slice(k * d, k * d + (n - 1) * s + 1, s)
                for k, d, n, s in zip((y, x), op.dilation, target[1:], op.stride, strict=True)
            )
            yield y, x, rows, columns


def _dense_through_conv(
    dense: Array, op: Conv, weight: Array, source: Shape, middle: Shape
) -> Array:
    """Dense weights (targets, middle) on a convolution's source: (targets, source)."""
    groups, (py, px) = op.groups, op.padding
    extent = padded(op, source)
    require_size((len(dense), *extent))
    parts = dense.reshape(len(dense), groups, -1, *middle[1:])
    made = np.zeros((len(dense), groups, source[0] // groups, *extent[1:]))
    for y, x, rows, columns in _taps(op, middle):
        kernel = weight[:, :, y, x].reshape(groups, -1, weight.shape[1])
        made[..., rows, columns] += np.einsum("tgoyx,goi->tgiyx", parts, kernel)
    inside = made[..., py : py + source[1], px : px + source[2]]
    return inside.reshape(len(dense), -1)


def _conv_through_conv(
    first: tuple[Conv, Array],
    second: tuple[Conv, Array],
    source: Shape,
    middle: Shape,
    target: Shape,
) -> Linear:
    (a, weight_a), (b, weight_b) = first, second
    pairs = list(zip(a.kernel, a.stride, a.dilation, b.kernel, b.dilation, strict=True))
    op = Conv(
        kernel=_both(*(s * e * (m - 1) + d * (k - 1) + 1 for k, s, d, m, e in pairs)),
        stride=_both(*(s * t for s, t in zip(a.stride, b.stride, strict=True))),
        padding=_both(*(q * s + p for p, s, q in zip(a.padding, a.stride, b.padding, strict=True))),
        groups=b.groups if _is_depthwise(a, source, middle) else a.groups,
    )
    if not _keeps_borders(a, b, source, middle) or conv_output(op, source, target[0]) != target:
        raise InputError(
            "two convolutions or poolings without neurons in between overlap at the border; "
            "pad the first one only, with maps that are multiples of its stride"
        )
    require_size((target[0], source[0] // op.groups, *op.kernel))
    require_size(padded(op, source))
    made = np.zeros((target[0], source[0] // op.groups, *op.kernel))
    for y, x in np.ndindex(*b.kernel):
        rows, columns = (
            slice(s * e * k, s * e * k + d * (n - 1) + 1, d)
            for k, (n, s, d, _, e) in zip((y, x), pairs, strict=True)
        )
        tap = b, weight_b[:, :, y, x]
        made[:, :, rows, columns] += _mixed((a, weight_a), tap, source, middle)
    return op, made


def _mixed(
    first: tuple[Conv, Array], tap: tuple[Conv, Array], source: Shape, middle: Shape
) -> Array:
    """A convolution's kernels (out, in / groups, ky, kx) behind one tap of another's."""
    (a, weight), (b, factors) = first, tap
    if _is_depthwise(a, source, middle):
        kernels = weight.reshape(b.groups, 1, -1, *a.kernel)
        made = factors.reshape(b.groups, -1, factors.shape[1], 1, 1) * kernels
        return np.asarray(made).reshape(*factors.shape, *a.kernel)
    if b.groups == middle[0] == len(factors):
        return np.asarray(factors[:, :, None, None] * weight)
    if a.groups == b.groups == 1:
        return np.tensordot(factors, weight, 1)
    raise InputError("two grouped convolutions without neurons in between are not supported")


def _is_depthwise(op: Conv, source: Shape, target: Shape) -> bool:
    return op.groups == source[0] == target[0]


def _keeps_borders(a: Conv, b: Conv, source: Shape, middle: Shape) -> bool:
    """Whether what b pads, a would make of zeros: nothing outside the middle sees the source."""
    for axis in (0, 1):
        reach = a.dilation[axis] * (a.kernel[axis] - 1)
        before = reach - a.padding[axis] - a.stride[axis]  # last source row of middle row −1
        behind = middle[1 + axis] * a.stride[axis] - a.padding[axis]  # first of the row behind
        if b.padding[axis] and (before >= 0 or behind < source[1 + axis]):
            return False
    return True


def _both(y: int, x: int) -> tuple[int, int]:
    return (y, x)
