"""What input, convolution and flatten layers of a netx file add to the graph.

Axes: netx works on (width, height, channels), its files hold shapes as (channels, height, width),
strides and the like as (y, x) and kernels as (out, in / groups, ky, kx): the graph's own orders.
"""

from __future__ import annotations

import warnings

import numpy as np

from neurocomp.errors import InputWarning
from neurocomp.formats.hdf5 import Node
from neurocomp.formats.netx.chain import (
    BITS_KEY,
    SIGNED_KEY,
    Chain,
    layer_bias,
    layer_neuron,
    read_shape,
)
from neurocomp.formats.netx.weights import grid, refusal
from neurocomp.ir import Array, Conv, Input, Population, Projection, Shape, skip
from neurocomp.ir.shapes import mismatch, weight_shape

VALUE_BITS = 8  # of the values that an input layer with neurons takes
DEFAULT_WEIGHT = 64  # of an input layer's transform; its default bias is 0


def input_layer(chain: Chain, node: Node) -> None:
    """Values from outside; with neurons where the file has them.

    Input neurons get ``weight · value + bias`` each step: a depthwise 1×1 projection and a bias.
    """
    if chain.number:
        raise node.fault("an input layer must be the first one")
    sizes = read_shape(node)
    if len(sizes) not in (1, 3):
        raise node.fault(f"shape: must be (neurons,) or (channels, height, width), got {sizes}")
    shape = (sizes[0], sizes[1], sizes[2]) if len(sizes) == 3 else (sizes[0], 1, 1)
    bits = VALUE_BITS if "neuron" in node else 1
    if BITS_KEY in node:
        bits = node.integer(BITS_KEY)
    signed = SIGNED_KEY in node and node.integer(SIGNED_KEY) == 1
    chain.declare(shape, flat=len(sizes) == 1, values=Input(bits, signed))
    if "neuron" not in node:
        return
    weight = node.integer("weight") if "weight" in node else DEFAULT_WEIGHT
    bias = node.integer("bias") if "bias" in node else 0
    population = Population(
        name=chain.name,
        shape=shape,
        neuron=layer_neuron(node, is_input=True),
        bias=np.full(shape[0], bias, np.int32) if bias else None,
    )
    kernel = np.full((shape[0], 1, 1, 1), weight, np.int32)
    projection = _projection(chain, node, chain.source(), skip(shape[0]), kernel)
    chain.add(population, (projection,), flat=chain.flat)


def conv(chain: Chain, node: Node) -> None:
    """A convolution; kernels and biases as they are, delays dropped, as netx does."""
    if chain.shape is None:
        raise node.fault("the input's shape is not known; put an input layer with a shape first")
    if chain.flat:
        raise node.fault("a convolution needs (channels, height, width), the layer before is flat")
    sizes = read_shape(node)
    if len(sizes) != 3:
        raise node.fault(f"shape: must be (channels, height, width), got {sizes}")
    shape = (sizes[0], sizes[1], sizes[2])
    op, weight = _kernel(node, chain.shape, shape)
    neuron = layer_neuron(node)
    if "delay" in node:
        text = f"{node.where}: netx drops the delay of a convolution"
        warnings.warn(text, InputWarning, stacklevel=4)
    projection = _projection(chain, node, chain.source(), op, weight)
    population = Population(chain.name, shape, neuron, layer_bias(node, shape, neuron))
    chain.add(population, (projection,), flat=False)


def flatten(chain: Chain, node: Node) -> None:
    """The next dense layer may stand behind a convolution: neurons in (C, H, W) order."""
    chain.flattened = True


def _kernel(node: Node, source: Shape, target: Shape) -> tuple[Conv, Array]:
    """The operation and its weight; sizes are compared before the weight is read."""
    stored = node.shape("weight")
    if len(stored) not in (4, 5) or stored[4:] not in ((), (1,)) or 0 in stored:
        raise node.fault(f"weight: must be shaped (out, in, ky, kx), is {stored}")
    stride, padding, dilation = (_pair(node, key) for key in ("stride", "padding", "dilation"))
    op = Conv((stored[2], stored[3]), stride, padding, dilation, node.integer("groups"))
    why = mismatch(op, source, target)
    if why is None and stored[:4] != weight_shape(op, source, target):
        why = f"weight: must be shaped {weight_shape(op, source, target)}, is {stored[:4]}"
    if why is not None:
        raise node.fault(why)
    return op, node.array("weight").reshape(stored[:4])


def _pair(node: Node, key: str) -> tuple[int, int]:
    values = node.integers(key, most=2)
    if not values:
        raise node.fault(f"{key}: must be one number or two (y, x)")
    return (values[0], values[-1])


def _projection(chain: Chain, node: Node, source: str, op: Conv, weight: Array) -> Projection:
    why = refusal(weight, dense=False)
    if why is not None:
        raise node.fault(why)
    bits, exponent = grid(weight)
    return Projection(
        name=f"{source}-{chain.name}",
        source=source,
        target=chain.name,
        op=op,
        weight_bits=bits,
        weight=weight,
        exponent=exponent,
        delay=1,
    )
