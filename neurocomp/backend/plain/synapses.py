"""Lava's own synapse processes for a projection."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from lava.proc.conv.models import PyConvModelFixed
from lava.proc.conv.process import Conv as ConvProcess
from lava.proc.dense.models import PyDenseModelBitAcc
from lava.proc.dense.process import Dense as DenseProcess
from lava.utils.weightutils import SignMode

from neurocomp.backend.plain.outlets import whc
from neurocomp.backend.runtime.launch import Models
from neurocomp.ir import GRADED, Array, Conv, Input, Population, Projection, Shape
from neurocomp.quant import fixed

MAX_GROUPS = 127  # Lava keeps the number of groups in eight bits


def connect(e: Projection, sender: Population, out: Any, neuron: Any) -> Models:
    """Connect a port that sends a population's messages to a neuron process, through synapses."""
    if isinstance(e.op, Conv):
        return _connect_conv(e, e.op, sender, out, neuron)
    return _connect_dense(e, sender, out, neuron)


def _connect_conv(e: Projection, op: Conv, sender: Population, out: Any, neuron: Any) -> Models:
    assert e.weight is not None  # a checked integer graph
    weight, groups = few_groups(e.weight, op.groups)
    process = ConvProcess(
        weight=weight[:, :, ::-1, ::-1].transpose(0, 3, 2, 1).astype(np.int32),  # Lava convolves
        input_shape=whc(sender.shape),
        padding=op.padding[::-1],
        stride=op.stride[::-1],
        dilation=op.dilation[::-1],
        groups=groups,
        num_message_bits=_message_bits(sender),
    )
    out.connect(process.s_in)
    process.a_out.connect(neuron.a_in)
    return {process: PyConvModelFixed}


def _connect_dense(e: Projection, sender: Population, out: Any, neuron: Any) -> Models:
    assert e.weight is not None  # a checked integer graph
    levels = e.weight.astype(np.int64) >> e.exponent
    unsigned = fixed.single_sign(e.weight_bits, int(levels.min()), int(levels.max()))
    one_sign = SignMode.EXCITATORY if levels.max() > 0 else SignMode.INHIBITORY
    mantissa = levels << fixed.mantissa_shift(e.weight_bits, unsigned=unsigned)
    process = DenseProcess(
        weights=mantissa[_order(neuron.a_in.shape)][:, _order(whc(sender.shape))],
        weight_exp=fixed.loihi_exponent(e.weight_bits, e.exponent, unsigned=unsigned),
        num_weight_bits=e.weight_bits if unsigned else fixed.stored_bits(e.weight_bits),
        sign_mode=one_sign if unsigned else SignMode.MIXED,
        num_message_bits=_message_bits(sender),
    )
    out.flatten().connect(process.s_in)
    process.a_out.reshape(neuron.a_in.shape).connect(neuron.a_in)
    return {process: PyDenseModelBitAcc}


def few_groups(weight: Array, groups: int) -> tuple[Array, int]:
    """The same convolution in at most `MAX_GROUPS` groups, other blocks being zero."""
    fewer = max(g for g in range(1, MAX_GROUPS + 1) if groups % g == 0)
    together = groups // fewer
    if together == 1:
        return weight, groups
    made, read = len(weight) // groups, weight.shape[1]
    spread = np.zeros((len(weight), together * read, *weight.shape[2:]), weight.dtype)
    for o in range(len(weight)):
        block = o // made % together
        spread[o, block * read : (block + 1) * read] = weight[o]
    return spread, fewer


def _message_bits(sender: Population) -> int:
    """Lava's number of message bits: 0 for spikes."""
    neuron = sender.neuron
    if isinstance(neuron, GRADED):
        return fixed.WORD_BITS
    return neuron.bits if isinstance(neuron, Input) and neuron.limits != (0, 1) else 0


def _order(shape: Shape) -> npt.NDArray[np.int64]:
    """Our flat number of each neuron, in Lava's order."""
    w, h, c = shape
    return np.arange(c * h * w).reshape(c, h, w).transpose(2, 1, 0).ravel()
