"""What a network has learnt, as a float graph: batch-norm folded, or weights on their grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from neurocomp.ir import Array, CubaLif, Graph, Population, Projection, verify
from neurocomp.snn.compconv import Scored
from neurocomp.snn.network import Network
from neurocomp.snn.population import Neurons
from neurocomp.snn.synapses import Synapses, value_scale

Floats = npt.NDArray[np.float64]


def to_graph(network: Network) -> Graph:
    """The float graph that acts as the network does in evaluation.

    Batch-norm goes into the weights (``w·γ/σ`` per target channel) and into the target's bias
    (``Σ β − μγ/σ`` over its projections); the weights of an input act on its raw integers.
    Quantised weights and biases come out on their grids, so that `discretize` with the plan of the
    network changes no value; a mask that scores have learnt comes out as the projection's own.
    """
    graph = network.graph
    biases: dict[str, Floats] = {}
    projections = []
    for e, synapses in zip(graph.projections, network.synapses, strict=True):
        assert isinstance(synapses, Synapses)
        weight, shift = _folded(synapses)
        weight /= value_scale(graph, e.source)
        mask = _mask(synapses, e)
        projections.append(replace(e, weight=weight.astype(np.float32), mask=mask))
        if shift is not None:
            biases[e.target] = biases.get(e.target, np.zeros_like(shift)) + shift
    populations = {p.name: p for p in graph.populations}
    for p, neurons in zip(graph.neurons, network.neurons, strict=True):
        assert isinstance(neurons, Neurons)
        bias = neurons.stored_bias()
        if bias is not None:
            biases[p.name] = biases.get(p.name, 0.0) + _floats(bias)
        populations[p.name] = _population(p, neurons, biases.get(p.name))
    return verify(graph.with_parts(tuple(populations.values()), tuple(projections)), trained=True)


def _mask(synapses: Synapses, e: Projection) -> Array | None:
    """The projection's own mask, or the one that its scores have learnt."""
    hook = synapses.synapse.pre_hook_fx
    if not isinstance(hook, Scored):
        return e.mask
    mask: Array = hook.mask().detach().cpu().numpy() > 0
    return mask


def _folded(synapses: Synapses) -> tuple[Floats, Floats | None]:
    """Weights and what batch-norm adds per target channel."""
    weight = _floats(synapses.stored_weight())
    norm = synapses.norm
    if norm is None:
        return weight, None
    assert norm.running_mean is not None  # BatchNorm2d's defaults keep both
    assert norm.running_var is not None
    gain = _floats(norm.weight) / np.sqrt(_floats(norm.running_var) + norm.eps)
    shift = _floats(norm.bias) - _floats(norm.running_mean) * gain
    per_row = np.repeat(gain, weight.shape[0] // len(gain))  # a Dense row is one neuron
    return weight * per_row.reshape(-1, *[1] * (weight.ndim - 1)), shift


def _population(p: Population, neurons: Neurons, bias: Floats | None) -> Population:
    neuron = neurons.cuba()
    if not neurons.fires and isinstance(p.neuron, CubaLif):
        neuron = replace(neuron, threshold=p.neuron.threshold)
    return replace(p, neuron=neuron, bias=None if bias is None else bias.astype(np.float32))


def _floats(tensor: torch.Tensor) -> Floats:
    array: Floats = tensor.detach().cpu().double().numpy().copy()
    return array
