"""What joins cross-entropy in the loss: a teacher's answers and a price on synaptic operations."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from neurocomp.cost.synops import is_graded, synops_of
from neurocomp.snn import Activity, Network
from neurocomp.snn.compconv import Scored
from neurocomp.spec.train import DistillSpec, SynopsSpec


def distilled(entropy: Tensor, logits: Tensor, told: Tensor, spec: DistillSpec) -> Tensor:
    """``(1 − w)·CE + w·τ²·KL(softmax(told/τ) ‖ softmax(logits/τ))``, mean over the batch.

    Args:
        told: the teacher's logits (B, N).
    """
    own = F.log_softmax(logits / spec.temperature, 1)
    teachers = F.log_softmax(told / spec.temperature, 1)
    apart = F.kl_div(own, teachers, reduction="batchmean", log_target=True)
    return (1 - spec.weight) * entropy + spec.weight * spec.temperature**2 * apart


def fan_out(network: Network) -> dict[str, float]:
    """Synaptic operations that a spike of each population costs, mean over its neurons.

    Populations of graded values are left out: what they cost does not depend on any spike.
    """
    graph, costs = network.graph, dict[str, float]()
    for e, synapses in zip(graph.projections, network.synapses, strict=True):
        if is_graded(graph, e):
            continue
        hook = synapses.synapse.pre_hook_fx
        share = hook.share if isinstance(hook, Scored) else 1.0
        every = share * synops_of(graph, e, 1.0) / network.timesteps
        size = graph.population(e.source).size
        costs[e.source] = costs.get(e.source, 0.0) + every / size
    return costs


def synops(activity: Activity, costs: dict[str, float]) -> Tensor:
    """Synaptic operations per image of what the network fired, mean of the batch."""
    fired = [
        spikes.float().sum() / spikes.shape[1] * costs[name]
        for name, spikes in activity.spikes.items()
        if name in costs
    ]
    return torch.stack(fired).sum()


def excess(operations: Tensor, spec: SynopsSpec) -> Tensor:
    """``weight·max(0, operations/target − 1)²``."""
    return spec.weight * (operations / spec.target - 1).clamp(min=0).square()
