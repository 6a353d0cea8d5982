"""Signals between NIR's nodes: their axes, and parameters that belong to them.

A signal has NIR's axes (``dims``: (N,), (C, L) or (C, H, W)) and the shape that the graph gives it;
a flattened one keeps its shape (C, H, W), since dense weights count neurons in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from neurocomp.formats.nir.nodes import Node
from neurocomp.ir import Array, Shape

MAX_SIGNAL = 2**25  # neurons


@dataclass(frozen=True, slots=True)
class Signal:
    """Axes of a signal in NIR's view, and its shape in ours."""

    dims: tuple[int, ...]
    shape: Shape


def signal_of(node: Node, dims: tuple[int, ...]) -> Signal:
    """The signal of one to three axes that a node gives or makes.

    Raises:
        InputError: sizes that only a damaged file can mean.
    """
    if min(dims, default=0) < 1 or prod(dims) > MAX_SIGNAL or len(dims) > 3:
        raise node.fault(
            f"a signal has one to three positive sizes, at most {MAX_SIGNAL:,} neurons, got {dims}"
        )
    channels, *space = dims
    height, width = ([1, 1], [1, *space], space)[len(space)]
    return Signal(dims, (channels, height, width))


def with_axes(node: Node, signal: Signal, count: int) -> Signal:
    """The signal with as many axes as a node takes: leading axes of length 1 are dropped."""
    dims = signal.dims
    while len(dims) > count and dims[0] == 1:
        dims = dims[1:]
    if len(dims) != count:
        axes = {1: "(neurons,)", 2: "(channels, length)", 3: "(channels, height, width)"}[count]
        hint = "; put a Flatten node before it" if count == 1 else ""
        raise node.fault(f"takes a signal {axes}, gets {signal.dims}{hint}")
    return Signal(dims, signal.shape) if count == 1 else signal_of(node, dims)


def per_channel(node: Node, key: str, values: Array, signal: Signal) -> Array:
    """A parameter as one value, shape (1,), or one per channel, shape (C,).

    Raises:
        InputError: its shape does not suit the signal, or it differs within a channel.
    """
    own = values.shape
    while len(own) > len(signal.dims) and own[0] == 1:
        own = own[1:]
    try:
        full = np.broadcast_to(values.reshape(own), signal.dims)
    except ValueError:
        raise node.fault(f"{key}: is shaped {values.shape}, the signal {signal.dims}") from None
    if (values == values.flat[0]).all():
        return values.reshape(-1)[:1]
    rows = full.reshape(signal.shape[0], -1)
    if (rows != rows[:, :1]).any():
        raise node.fault(
            f"{key}: must be the same within each channel, has "
            f"{np.unique(values).size} values from {values.min():g} to {values.max():g}"
        )
    return rows[:, 0]
