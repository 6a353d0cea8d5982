"""The network that holds all choices at once, of the same SLAYER parts as `snn.Network`.

A node is one LIF over the sum of its edges, and an edge is the sum of its ops weighted by α
(LitE-SNN, Eq. 3). All of them are linear, so their kernels are added up first, padded to one size
and with a skip's and a pooling's constants on the diagonal, and each state is convolved once for
all nodes that listen to it. Batch-norm stands on the node's sum, where that leaves room for it; so
that ops are comparable without one of their own, every trained kernel is brought to unit gain.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurocomp.ir import Conv, Population, Shape
from neurocomp.snn.compconv import CompConv
from neurocomp.snn.lif import Surrogate
from neurocomp.snn.population import Neurons
from neurocomp.snn.synapses import conv_synapse, dense_synapse, first_weight
from neurocomp.train.joint.backbone import (
    INPUTS,
    Backbone,
    Cell,
    State,
    constant_of,
    conv_of,
    edges_of,
)
from neurocomp.train.joint.choices import Live, Shares


class Pass(NamedTuple):
    """What a forward pass gave.

    Attributes:
        outputs: (T, B, classes), of the classifier at every step.
        rates: (cells, states, T), spikes per neuron of the two states before a cell and its nodes.
        top: (T,), spikes per neuron of the global pooling.
    """

    outputs: Tensor
    rates: Tensor
    top: Tensor


class Supernet(nn.Module):
    """The backbone at the size of the search, every edge with all ops that it may be."""

    def __init__(
        self, backbone: Backbone, live: Live, kept: float, surrogate: Surrogate, seed: int
    ) -> None:
        """Fresh weights for a seed.

        Args:
            live: ops that each possible edge may be, by index.
            kept: share of every convolution's weights that pruning leaves.
        """
        super().__init__()
        self.backbone, self.kept, self.surrogate = backbone, kept, surrogate
        self.steps = max(backbone.space.timesteps)
        generator = torch.Generator().manual_seed(seed)
        stem, top, task = backbone.stem, backbone.top, backbone.task
        self.stem = _conv(task.shape[0], stem.channels, backbone.stem_conv, generator)
        self.stem_fires = self.fires((stem.channels, *stem.shape[1:]))
        self.cells = nn.ModuleList(SuperCell(self, c, live, generator) for c in backbone.cells)
        self.pool_fires = self.fires((top.channels, 1, 1))
        self.classifier = dense_synapse((top.channels, 1, 1), task.classes)
        weight = first_weight((task.classes, top.channels), generator)
        self.classifier.weight = nn.Parameter(weight.view(self.classifier.weight.shape))

    def fires(self, shape: Shape) -> Fires:
        """Neurons of a shape with a batch-norm in front."""
        return Fires(Population("", shape, self.backbone.neuron), self.surrogate)

    def forward(self, values: Tensor, shares: Shares) -> Pass:
        """Outputs and rates for input integers (B, C, H, W) that are shown at every step."""
        weight = self.stem.weight[..., 0]
        shown = values.to(weight.dtype) / 2.0**self.backbone.task.input_bits
        conv = self.backbone.stem_conv
        drive = F.conv2d(shown, weight, None, conv.stride, conv.padding)
        before = after = self.stem_fires(drive[None], self.steps)
        rates = []
        for cell, bits in zip(self.cells, shares.bits, strict=True):
            states = cell([before, after], shares.ops, bits, self.steps)
            rates.append(torch.stack([x.mean((1, 2, 3, 4)) for x in states]))
            before, after = after, torch.cat(states[INPUTS:], 2)
        pooled = self.pool_fires(after.mean((3, 4), keepdim=True), self.steps)
        outputs = F.linear(pooled.flatten(2), self.classifier.weight.flatten(1))
        return Pass(outputs, torch.stack(rates), pooled.mean((1, 2, 3, 4)))


class Fires(nn.Module):
    """Batch-norm of a drive (T or 1, B, C, H, W), then neurons; gives spikes (T, B, C, H, W).

    The norm is the batch's always: means over mixed choices are not those of decided ones.
    """

    def __init__(self, population: Population, surrogate: Surrogate) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(population.shape[0], track_running_stats=False)
        self.neurons = Neurons(
            population, fires=True, biased=False, grid=None, surrogate=surrogate, engine="exact"
        )

    def forward(self, drive: Tensor, steps: int) -> Tensor:
        spikes: Tensor = self.neurons(self.norm(drive.flatten(0, 1)).view(drive.shape), steps)
        return spikes


class SuperCell(nn.Module):
    """A cell with all its possible edges."""

    def __init__(self, net: Supernet, cell: Cell, live: Live, generator: torch.Generator) -> None:
        super().__init__()
        self.cell = cell
        self.nodes = nn.ModuleList(net.fires(cell.shape) for _ in cell.nodes)
        self.edges = nn.ModuleDict()
        ops = net.backbone.space.ops
        self._heard: list[list[tuple[int, int]]] = [
            [] for _ in cell.states
        ]  # (edge, node) by state
        for e, edge in enumerate(edges_of(net.backbone.space)):
            if live[e]:
                named = {o: ops[o] for o in live[e]}
                self.edges[str(e)] = MixedEdge(net, cell, edge.state, named, generator)
                self._heard[edge.state].append((e, edge.node))

    def forward(self, states: list[Tensor], ops: Tensor, bits: Tensor, steps: int) -> list[Tensor]:
        """The states before the cell and its nodes' spikes, each (T, B, C, H, W).

        Args:
            ops: (edges, ops). bits: (edges, widths).
        """
        states = list(states)
        drives: dict[int, Tensor] = {}
        for s in range(INPUTS - 1):
            self._hear(s, states[s], drives, ops, bits)
        for j, node in enumerate(self.nodes):
            s = INPUTS - 1 + j
            self._hear(s, states[s], drives, ops, bits)
            states.append(node(drives[j], steps))
        return states

    def _hear(
        self, state: int, x: Tensor, drives: dict[int, Tensor], ops: Tensor, bits: Tensor
    ) -> None:
        """Add what all edges from a state deliver to the drives of their nodes."""
        heard = self._heard[state]
        if not heard:
            return
        kernels = [self.edges[str(e)].kernel(ops[e], bits[e]) for e, _ in heard]
        size = max(k.shape[-1] for k in kernels)
        kernel = torch.cat([_padded(k, size) for k in kernels])
        made = F.conv2d(x.flatten(0, 1), kernel, None, self.cell.stride(state), size // 2)
        parts = made.view(*x.shape[:2], *made.shape[1:]).chunk(len(heard), 2)
        for (_, node), part in zip(heard, parts, strict=True):
            drives[node] = drives[node] + part if node in drives else part


class MixedEdge(nn.Module):
    """An edge with all ops that it may be, as one kernel."""

    def __init__(
        self, net: Supernet, cell: Cell, state: int, ops: dict[int, str], generator: torch.Generator
    ) -> None:
        super().__init__()
        source, channels = cell.states[state], cell.shape[0]
        self.size = max(conv_of(op, 1, 1).kernel[0] for op in ops.values())
        self.synapses, self.compress = nn.ModuleDict(), nn.ModuleDict()
        self._fixed: list[int] = []
        for o, op in ops.items():
            constant = constant_of(op)
            if constant is None:
                synapse = _conv(source.channels, channels, conv_of(op, 1, 1), generator)
                self.synapses[str(o)] = synapse
                widths = net.backbone.space.bits
                self.compress[str(o)] = CompConv(synapse.weight.detach(), net.kept, widths)
            else:
                self._fixed.append(o)
                kernel = _diagonal(source, channels, conv_of(op, 1, 1).kernel[0], constant)
                self.register_buffer(f"constant{o}", kernel, persistent=False)

    def kernel(self, ops: Tensor, bits: Tensor) -> Tensor:
        """``Σ_o ops_o·W_o``, (target channels, source channels, size, size).

        A trained W_o is ``M ⊙ Σ_b bits_b·Q_b(W)`` over ``std(W)·√(kept·fan_in)``.
        """
        parts = []
        for o, synapse in self.synapses.items():
            compress, weight = self.compress[o], synapse.weight
            assert isinstance(compress, CompConv)
            gain = math.sqrt(compress.share * weight[0].numel())
            mixed = compress.mixed(weight, bits)[..., 0] / gain
            parts.append(ops[int(o)] * _padded(mixed, self.size))
        parts += [ops[o] * _padded(getattr(self, f"constant{o}"), self.size) for o in self._fixed]
        return sum(parts[1:], parts[0])


def _conv(source: int, target: int, op: Conv, generator: torch.Generator) -> nn.Module:
    """SLAYER's convolution with fresh weights."""
    synapse: nn.Module = conv_synapse(source, target, op)
    weight = first_weight((target, source, *op.kernel), generator)
    synapse.weight = nn.Parameter(weight[..., None])
    return synapse


def _diagonal(source: State, target: int, size: int, value: float) -> Tensor:
    """The constant kernel of a skip or a pooling: every population's channel c to m targets."""
    kernel = torch.zeros(target, source.channels, size, size)
    channels = source.shape[0]
    to = torch.arange(target)
    for k in range(len(source.populations)):
        kernel[to, k * channels + to // (target // channels)] = value
    return kernel


def _padded(kernel: Tensor, size: int) -> Tensor:
    """A square kernel with zeros around it."""
    edge = (size - kernel.shape[-1]) // 2
    return F.pad(kernel, (edge, edge, edge, edge)) if edge else kernel
