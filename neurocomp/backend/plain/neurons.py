"""Lava's own neuron processes for a population."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.proc.io.source import PySendModelFixed, RingBuffer
from lava.proc.lif.models import PyLifResetModelBitAcc
from lava.proc.lif.process import LIFReset
from lava.proc.sdn.models import PyDeltaModelFixed, PySigmaDeltaModelFixed, PySigmaModelFixed
from lava.proc.sdn.process import Delta as DeltaProcess
from lava.proc.sdn.process import Sigma as SigmaProcess
from lava.proc.sdn.process import SigmaDelta as SigmaDeltaProcess

from neurocomp.backend.plain.outlets import whc
from neurocomp.backend.runtime.launch import Models
from neurocomp.ir import Delta, LoihiLif, Population, Sigma, SigmaDelta
from neurocomp.quant import fixed


def neuron_process(p: Population, depth: int, window: int) -> tuple[Any, Models]:
    """The process of a population, and the models of all processes that were made for it.

    Args:
        depth: the population makes step t of its window at Lava's step 1 + t + depth.
    """
    neuron, shape = p.neuron, whc(p.shape)
    bias = np.zeros(shape, np.int32) if p.bias is None else np.broadcast_to(p.bias, shape)
    bias = bias.astype(np.int32)
    if isinstance(neuron, LoihiLif):
        process = LIFReset(
            shape=shape,
            du=neuron.du,
            dv=neuron.dv,
            vth=neuron.vth,
            bias_mant=bias,
            bias_exp=fixed.STATE_SHIFT,
            reset_interval=window,
            reset_offset=(1 + depth) % window,
        )
        return process, {process: PyLifResetModelBitAcc}
    if isinstance(neuron, Sigma):
        process = SigmaProcess(shape=shape)
        return process, {process: PySigmaModelFixed}
    assert isinstance(neuron, (Delta, SigmaDelta))  # a checked integer graph
    scales = {"vth": neuron.vth, "spike_exp": neuron.spike_exp, "state_exp": neuron.state_exp}
    if isinstance(neuron, SigmaDelta):
        process = SigmaDeltaProcess(shape=shape, bias=bias, **scales)
        return process, {process: PySigmaDeltaModelFixed}
    process = DeltaProcess(shape=shape, **scales)
    models: Models = {process: PyDeltaModelFixed}
    if bias.any():  # Lava's encoder has none, so it comes with the input
        constant = RingBuffer(data=bias[..., None])
        constant.s_out.connect(process.a_in)
        models[constant] = PySendModelFixed
    return process, models
