"""What NIR's nodes without neurons do to a signal, in the graph's terms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from neurocomp.formats.nir.linear import Linear, padded
from neurocomp.formats.nir.nodes import MAX_EXTENT, PORT, Node
from neurocomp.formats.nir.signals import MAX_SIGNAL, Signal, per_channel, signal_of, with_axes
from neurocomp.ir import Array, Conv, Dense, Shape
from neurocomp.ir.shapes import conv_output

MAX_TAPS = 2**14  # values of a kernel, per pair of channels
DELAY_TOLERANCE = 1e-4  # of a step, in which delays are counted


@dataclass(frozen=True, eq=False)
class Step:
    """One node's doing: the signal behind it, and its operation, bias and delay.

    Attributes:
        bias: per neuron, shaped as the signal, or None.
    """

    signal: Signal
    linear: Linear | None = None
    bias: Array | None = None
    delay: int = 0


def step_of(node: Node, signal: Signal, dt: float) -> Step:
    """What a node without neurons does to a signal.

    Raises:
        InputError: shapes that do not fit, or what a projection cannot do.
    """
    return STEPS[node.kind](node, signal, dt)


def _dense(node: Node, signal: Signal, dt: float) -> Step:
    weight = node.array("weight")
    if weight.ndim != 2:
        raise node.fault(f"weight: must be shaped (outputs, inputs), is {weight.shape}")
    (size,) = with_axes(node, signal, 1).dims
    if weight.shape[1] != size:
        raise node.fault(f"weight: has {weight.shape[1]} columns, the signal {size} neurons")
    made = signal_of(node, weight.shape[:1])
    bias = _bias(node, made.shape) if node.kind == "Affine" else None
    return Step(made, (Dense(), weight), bias)


def _conv(node: Node, signal: Signal, dt: float) -> Step:
    axes = 2 if node.kind == "Conv1d" else 3
    weight = node.array("weight")
    if weight.ndim != axes + 1:
        raise node.fault(f"weight: must have {axes + 1} axes, is shaped {weight.shape}")
    signal = with_axes(node, signal, axes)
    if axes == 2:
        weight = weight[:, :, None]
    (groups,) = node.integers("groups", 1)
    kernel = (weight.shape[2], weight.shape[3])
    stride, dilation = (_pair(node, key, axes, 1) for key in ("stride", "dilation"))
    op = Conv(kernel, stride, _padding(node, axes, kernel, stride, dilation), dilation, groups)
    made = _convolved(node, op, signal, weight)
    if axes == 2:
        made = Signal((made.shape[0], made.shape[2]), made.shape)
    return Step(made, (op, weight), _bias(node, made.shape))


def _pool(node: Node, signal: Signal, dt: float) -> Step:
    signal = with_axes(node, signal, 3)
    channels = signal.shape[0]
    kernel, stride = (_pair(node, key, 3, 1) for key in ("kernel_size", "stride"))
    op = Conv(kernel, stride, _pair(node, "padding", 3, 0), groups=channels)
    if prod(kernel) > MAX_TAPS or prod(kernel) * channels > MAX_SIGNAL:
        raise node.fault(f"kernel_size: at most {MAX_TAPS:,} values are read, got {kernel}")
    value = 1.0 if node.kind == "SumPool2d" else 1.0 / prod(kernel)
    weight = np.full((channels, 1, *kernel), value)
    return Step(_convolved(node, op, signal, weight), (op, weight))


def _scale(node: Node, signal: Signal, dt: float) -> Step:
    factors = per_channel(node, "scale", node.array("scale"), signal)
    weight = np.broadcast_to(factors, signal.shape[0]).reshape(-1, 1, 1, 1)
    return Step(signal, (Conv((1, 1), groups=signal.shape[0]), weight))


def _flatten(node: Node, signal: Signal, dt: float) -> Step:
    return Step(Signal((prod(signal.dims),), signal.shape))


def _same(node: Node, signal: Signal, dt: float) -> Step:
    return Step(signal)


def _delay(node: Node, signal: Signal, dt: float) -> Step:
    values = np.unique(node.array("delay").astype(np.float64))
    if values.size != 1:
        raise node.fault(
            f"delay: must be the same for all neurons, has {values.size} values from "
            f"{values[0]:g} to {values[-1]:g}; use one Delay node per value"
        )
    steps = round(float(values[0]) / dt)
    if steps < 0 or steps > MAX_EXTENT or abs(values[0] / dt - steps) > DELAY_TOLERANCE:
        raise node.fault(
            f"delay: must be a multiple of the time step, is {values[0]:g} s at dt {dt:g} s"
        )
    return Step(signal, delay=steps)


STEPS: dict[str, Callable[[Node, Signal, float], Step]] = {
    "Linear": _dense,
    "Affine": _dense,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "SumPool2d": _pool,
    "AvgPool2d": _pool,
    "Scale": _scale,
    "Flatten": _flatten,
    "Delay": _delay,
    PORT: _same,
}
WEIGHTED = ("Linear", "Affine", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Scale")


def _convolved(node: Node, op: Conv, signal: Signal, weight: Array) -> Signal:
    """The signal behind a convolution, once its numbers make sense."""
    source, (channels, per_group) = signal.shape, weight.shape[:2]
    if op.groups < 1 or channels % op.groups or per_group * op.groups != source[0]:
        raise node.fault(
            f"weight: {weight.shape} in {op.groups} groups does not suit {source[0]} channels"
        )
    if prod(op.kernel) > MAX_TAPS or prod(padded(op, source)) > MAX_SIGNAL:
        raise node.fault(
            f"kernels of up to {MAX_TAPS:,} values and padded signals of up to {MAX_SIGNAL:,} are "
            f"read, got kernel {op.kernel}, padding {op.padding}"
        )
    shape = conv_output(op, source, channels)
    if min(shape) < 1:
        raise node.fault(f"the kernel {op.kernel} is larger than the padded signal {signal.dims}")
    return signal_of(node, shape)


def _pair(node: Node, key: str, axes: int, least: int) -> tuple[int, int]:
    """A parameter along rows and columns; a 1-D convolution has columns only."""
    if axes == 2:
        y, (x,) = least, node.integers(key, 1)
    else:
        y, x = node.integers(key, 2)
    if min(y, x) < least:
        raise node.fault(f"{key}: must be at least {least}, got {(y, x)}")
    return (y, x)


def _padding(
    node: Node,
    axes: int,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
) -> tuple[int, int]:
    """Zeros on either side: numbers, or "valid" for none, or "same" for as large an output."""
    word = node.text("padding")
    if word is None:
        return _pair(node, "padding", axes, 0)
    if word == "valid":
        return (0, 0)
    if word != "same":
        raise node.fault(f"padding: must be numbers, 'same' or 'valid', is '{word}'")
    total = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if stride != (1, 1) or any(t % 2 for t in total):
        raise node.fault(
            f"padding: 'same' is supported for odd kernels at stride 1, got kernel {kernel}, "
            f"stride {stride}; give the padding in numbers"
        )
    return (total[0] // 2, total[1] // 2)


def _bias(node: Node, shape: Shape) -> Array | None:
    """A bias per channel, spread over the signal; None where all of it is zero or missing."""
    if "bias" not in node.fields:
        return None
    bias = node.array("bias")
    if bias.size not in (1, shape[0]):
        raise node.fault(f"bias: must have {shape[0]} values, is shaped {bias.shape}")
    if not bias.any():
        return None
    return np.broadcast_to(bias.reshape(-1, 1, 1), shape)
