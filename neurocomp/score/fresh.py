"""A network with fresh random weights, just long enough to see its spikes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from neurocomp.errors import InputError
from neurocomp.ir import CubaLif, Graph, Population, Projection
from neurocomp.ir.schedule import topological_order
from neurocomp.ir.shapes import endpoints, weight_shape
from neurocomp.quant.discretize import best_step
from neurocomp.snn.levels import Levels
from neurocomp.snn.lif import Dynamics, Surrogate, fire
from neurocomp.snn.synapses import connect, first_weight


def base_name(projection: Projection) -> str:
    """A projection's name without what follows an "@": projections that share it share weights."""
    return projection.name.split("@")[0]


def fresh_weight(graph: Graph, e: Projection, seed: int, prune: float = 0.0) -> Tensor:
    """Kaiming-uniform weights on the levels of the projection's bits; a constant as given.

    They are drawn from the seed, the projection's name and its shape, so that equal projections
    have equal weights in all networks. The levels are those that quantisation would choose
    (`best_step`), so that a score depends on the bits of a candidate as its accuracy does.

    Args:
        prune: share of the weights, the smallest, that is zero.
    """
    if e.weight is not None:
        return torch.tensor(e.weight, dtype=torch.float32)
    shape = weight_shape(e.op, *endpoints(graph, e))
    text = f"{seed}, {base_name(e)}, {shape}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "little")
    weight = first_weight(shape, torch.Generator().manual_seed(number))
    mask = None if e.mask is None else torch.tensor(e.mask)
    if prune:
        size = weight.abs()
        kept = size > size.flatten().kthvalue(max(int(prune * size.numel()), 1)).values
        mask = kept if mask is None else mask & kept
    step = best_step(weight.double().numpy(), e.weight_bits, None if mask is None else mask.numpy())
    levels: Tensor = Levels(e.weight_bits, 2.0**step, mask)(weight)
    return levels


def run(
    graph: Graph, weights: Mapping[str, Tensor], norms: frozenset[str], values: Tensor
) -> Iterator[tuple[str, Tensor]]:
    """(population, spikes (T, B, C, H, W)) of all that fire, for input values.

    The network is the one that float training starts from, with batch-norm in training mode
    (the statistics of this batch) and all states at zero.

    What is fed back comes from the pass before: a pass over the window is right as far as its
    feedback was, and the least delay further, so that a few passes settle it.

    Args:
        norms: projections with a batch-norm of their own.
        values: scaled as they enter the network, (B, C, H, W) or (B, T, C, H, W).
    """
    steps = window(graph)
    delays = [e.delay for e in graph.projections if e.delay]
    sent: dict[str, Tensor] = {}
    for _ in range(-(-steps // min(delays)) if delays else 1):
        heard, sent = sent, {graph.inputs[0].name: shown(values)}
        for name in topological_order(graph):
            if fires(graph, name):
                p = graph.population(name)
                drives = [
                    drive(e, p, source, weights[e.name], e.name in norms)
                    for e in graph.incoming(name)
                    if (source := _arrived(e, sent, heard, steps)) is not None
                ]
                if not drives:  # what is fed back has not arrived yet
                    drives = [values.new_zeros((1, len(values), *p.shape))]
                sent[name] = spikes(p, drives, steps)
    yield from ((name, x) for name, x in sent.items() if fires(graph, name))


def fires(graph: Graph, name: str) -> bool:
    """Whether a population's spikes count: not the input, nor a membrane that is read out."""
    if name == graph.output and graph.readout == "membrane":
        return False
    return name != graph.inputs[0].name


def window(graph: Graph) -> int:
    """T; `require_window` has seen that there is one."""
    assert graph.timesteps is not None
    return graph.timesteps


def shown(values: Tensor) -> Tensor:
    """Input values (B, C, H, W) or (B, T, C, H, W) as (1 or T, B, C, H, W)."""
    return values[None] if values.dim() == 4 else values.transpose(0, 1)


def drive(e: Projection, target: Population, x: Tensor, weight: Tensor, norm: bool) -> Tensor:
    """What a projection delivers, (T or 1, B, C, H, W)."""
    made = connect(e.op, x.flatten(0, 1), weight, target.shape)
    if norm:
        made = F.batch_norm(made, None, None, training=True)
    return channels_last(made).view(*x.shape[:2], *target.shape)


def spikes(p: Population, drives: list[Tensor], steps: int) -> Tensor:
    """Spikes (T, B, C, H, W) of a population over the sum of its drives."""
    if not isinstance(p.neuron, CubaLif):
        raise InputError(f"population '{p.name}': only CubaLif neurons are scored, got {p.neuron}")
    keep = Dynamics(p.neuron.threshold, 1 - p.neuron.current_decay, 1 - p.neuron.voltage_decay)
    drive = sum(drives[1:], drives[0]).movedim(2, -1).contiguous()
    return fire(drive, None, steps, keep, Surrogate()).movedim(-1, 2)


def channels_last(x: Tensor) -> Tensor:
    """A tensor (M, C, H, W) with channels last in memory: convolutions take half the time so."""
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x


def _arrived(
    e: Projection, sent: dict[str, Tensor], heard: dict[str, Tensor], steps: int
) -> Tensor | None:
    """What a projection has to deliver at each step; None where that is nothing."""
    if not e.delay:
        return sent[e.source]
    if e.source not in heard or e.delay >= steps:
        return None
    late = heard[e.source]
    silence = late.new_zeros((e.delay, *late.shape[1:]))
    return torch.cat([silence, late[: steps - e.delay]])
