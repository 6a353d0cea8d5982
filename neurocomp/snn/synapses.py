"""One projection as torch sees it: SLAYER's synapse, what it delivers, how its weights start."""

from __future__ import annotations

from typing import Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurocomp.ir import Conv, Graph, Input, Op, Projection, Shape
from neurocomp.ir.shapes import endpoints
from neurocomp.snn.compconv import Scored
from neurocomp.snn.levels import Levels, Masked
from neurocomp.snn.parts import slayer

Hook: TypeAlias = Levels | Masked | Scored

KAIMING_SLOPE = 2.0  # SNASNet's: weights uniform in ±√(6/((1 + slope²)·fan_in))


class Synapses(nn.Module):
    """One projection: SLAYER's synapse, which holds the weight, and in float training its norm."""

    norm: nn.BatchNorm2d | None

    def __init__(
        self, graph: Graph, e: Projection, weight: Tensor, hook: Hook | None = None
    ) -> None:
        super().__init__()
        self.op = e.op
        self.target = graph.population(e.target).shape
        self.synapse = _synapse(graph, e, hook)
        self.synapse.weight = nn.Parameter(weight.view(self.synapse.weight.shape))
        self.norm = None

    def forward(self, x: Tensor) -> Tensor:
        """(T, B, C, H, W) of the source to (T, B, C', H', W') of the target."""
        made = connect(self.op, x.flatten(0, 1), self.stored_weight(), self.target)
        if self.norm is not None:
            made = self.norm(made)
        return made.view(*x.shape[:2], *self.target)

    def stored_weight(self) -> Tensor:
        """The weight as it acts, shaped as the graph has it."""
        hook = self.synapse.pre_hook_fx
        weight: Tensor = self.synapse.weight if hook is None else hook(self.synapse.weight)
        return weight[..., 0] if isinstance(self.op, Conv) else weight.flatten(1)


def connect(op: Op, x: Tensor, weight: Tensor, target: Shape) -> Tensor:
    """What a projection delivers: (M, C, H, W) of its source to (M, *target).

    Args:
        weight: shaped as `neurocomp.ir.shapes.weight_shape` says.
    """
    if not isinstance(op, Conv):
        return F.linear(x.flatten(1), weight).view(-1, *target)
    if op.kernel == (1, 1) and op.groups == target[0] == x.shape[1] and x.shape[2:] == target[1:]:
        return x * weight.view(-1, 1, 1)  # a skip; far cheaper than a depthwise convolution
    return F.conv2d(x, weight, None, op.stride, op.padding, op.dilation, op.groups)


def normalised(graph: Graph) -> frozenset[str]:
    """Names of the projections that have a batch-norm of their own in float training.

    Those that are trained have one, as SNASNet's convolutions do, but the one into a membrane
    that is read out. A constant projection has one only where its population has no trained one:
    the mean of a few spikes seldom passes a threshold by itself. Batch-norm folds exactly into
    either, per target channel.
    """
    names: set[str] = set()
    for p in graph.neurons:
        incoming = graph.incoming(p.name)
        trained = [e.name for e in incoming if e.weight is None]
        if p.name != graph.output or graph.readout != "membrane":
            names.update(trained or (e.name for e in incoming))
    return frozenset(names)


def value_scale(graph: Graph, source: str) -> float:
    """2^bits of an input population, whose values g enter a network as g/2^bits; else 1."""
    neuron = graph.population(source).neuron
    return 2.0**neuron.bits if isinstance(neuron, Input) else 1.0


def first_weight(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Fresh random weights, Kaiming-uniform with SNASNet's slope."""
    weight = torch.empty(shape)
    nn.init.kaiming_uniform_(weight, a=KAIMING_SLOPE, generator=generator)
    return weight


def _synapse(graph: Graph, e: Projection, hook: Hook | None) -> Any:
    """SLAYER's synapse for a projection; the weights are set after."""
    source, target = endpoints(graph, e)
    if isinstance(e.op, Conv):
        return conv_synapse(source[0], target[0], e.op, hook)
    return dense_synapse(source, graph.population(e.target).size, hook)


def conv_synapse(source: int, target: int, op: Conv, hook: Hook | None = None) -> Any:
    """SLAYER's convolution between so many channels, its axes N, C, H, W, T."""
    with torch.random.fork_rng(devices=[]):  # its constructor draws weights
        return slayer().synapse.Conv(
            source,
            target,
            op.kernel,
            stride=op.stride,
            padding=op.padding,
            dilation=op.dilation,
            groups=op.groups,
            pre_hook_fx=hook,
        )


def dense_synapse(source: Shape, size: int, hook: Hook | None = None) -> Any:
    """SLAYER's fully connected synapse from a shape to so many neurons."""
    channels, height, width = source
    with torch.random.fork_rng(devices=[]):
        return slayer().synapse.Dense((width, height, channels), size, pre_hook_fx=hook)
