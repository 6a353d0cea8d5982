"""A graph as a torch module of SLAYER parts, for float or quantisation-aware training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from neurocomp.errors import InputError
from neurocomp.ir import Array, Graph, Projection, verify
from neurocomp.ir.schedule import topological_order
from neurocomp.ir.shapes import endpoints, weight_shape
from neurocomp.quant.discretize import Plan, discretize
from neurocomp.snn.compconv import Scored
from neurocomp.snn.levels import Levels, Masked
from neurocomp.snn.lif import Surrogate
from neurocomp.snn.population import Engine, Neurons
from neurocomp.snn.synapses import Hook, Synapses, first_weight, normalised, value_scale
from neurocomp.spec.train import Learnable


@dataclass(frozen=True, slots=True, eq=False)
class Activity:
    """What a forward pass gave.

    Attributes:
        spikes: per population that fires, (T, B, C, H, W).
        readout: (B, N): the output's membrane at the window's end, or its spike count.
    """

    spikes: dict[str, Tensor]
    readout: Tensor


class Network(nn.Module):
    """A feed-forward graph that can be trained; made by `floating` or `quantised`.

    Attributes:
        synapses, neurons: in the order of the graph's ``projections`` and ``neurons``.
    """

    def __init__(self, graph: Graph, synapses: list[Synapses], neurons: list[Neurons]) -> None:
        super().__init__()
        self.graph = graph
        self.synapses = nn.ModuleList(synapses)
        self.neurons = nn.ModuleList(neurons)
        rank = {p.name: i for i, p in enumerate(graph.neurons)}
        position = {e.name: i for i, e in enumerate(graph.projections)}
        self._schedule = [
            (name, rank[name], [(position[e.name], e.source) for e in graph.incoming(name)])
            for name in topological_order(graph)
            if name in rank
        ]

    @classmethod
    def floating(
        cls,
        graph: Graph,
        *,
        seed: int,
        kept: float = 1.0,
        surrogate: Surrogate | None = None,
        engine: Engine = "exact",
        learn: Sequence[Learnable] = (),
    ) -> Network:
        """An untrained architecture in float, with fresh weights and a batch-norm per projection.

        Which projections have one, `normalised` says; constant weights stay as they are.
        Populations without any get a bias.

        Args:
            kept: below 1, every trained projection without a mask of its own learns which share of
                its weights stays (`neurocomp.snn.compconv.Scored`).
            learn: parameters of neurons that are trained; see `neurocomp.snn.learnt.Learnt`.

        Raises:
            InputError: the graph is malformed or cannot be trained (`require_trainable`).
        """
        require_trainable(graph)
        generator = torch.Generator().manual_seed(seed)
        norms = normalised(graph)
        synapses = [_fresh(graph, e, generator, kept) for e in graph.projections]
        for e, made in zip(graph.projections, synapses, strict=True):
            if e.name in norms:
                made.norm = nn.BatchNorm2d(graph.population(e.target).shape[0])
        neurons = [
            Neurons(
                p,
                fires=_fires(graph, p.name),
                biased=p.bias is not None
                or not any(e.name in norms for e in graph.incoming(p.name)),
                grid=None,
                surrogate=surrogate or Surrogate(),
                engine=engine,
                learn=learn,
            )
            for p in graph.neurons
        ]
        return cls(graph, synapses, neurons)

    @classmethod
    def quantised(
        cls,
        graph: Graph,
        plan: Plan,
        *,
        fixed: frozenset[str] = frozenset(),
        surrogate: Surrogate | None = None,
        engine: Engine = "exact",
    ) -> Network:
        """A trained float graph on the grids of a plan, in exact arithmetic.

        Args:
            fixed: projections whose weights are not trained any further.

        Raises:
            InputError: the graph cannot be trained, its plan does not fit it, or a grid is
                coarser than 1, which SLAYER's neuron cannot hold.
        """
        require_trainable(graph)
        for name, grid in plan.grids.items():
            if grid < 0:
                raise InputError(
                    f"population '{name}': its grid 2^{-grid} is coarser than 1; scale its "
                    "threshold and weights down"
                )
        integer = discretize(graph, plan)
        synapses = []
        for e in graph.projections:
            assert e.weight is not None  # discretize refuses a graph without weights
            scale = value_scale(graph, e.source)
            mask = None if e.mask is None else torch.tensor(e.mask)
            levels = Levels(e.weight_bits, 2.0 ** plan.steps[e.name] * scale, mask)
            made = Synapses(graph, e, _tensor(e.weight) * scale, levels)
            made.synapse.weight.requires_grad_(e.name not in fixed)
            synapses.append(made)
        neurons = [
            Neurons(
                replace(integer.population(p.name), bias=p.bias),
                fires=_fires(graph, p.name),
                biased=p.bias is not None,
                grid=plan.grids[p.name],
                surrogate=surrogate or Surrogate(),
                engine=engine,
            )
            for p in graph.neurons
        ]
        return cls(graph, synapses, neurons)

    def forward(self, values: Tensor) -> Tensor:
        """Logits (B, N): the membrane divided by T, or the spike counts."""
        return self.logits(self.run(values))

    def logits(self, activity: Activity) -> Tensor:
        """Logits (B, N) of what `run` gave."""
        readout = activity.readout
        return readout / self.timesteps if self.graph.readout == "membrane" else readout

    def run(self, values: Tensor) -> Activity:
        """All spikes and the readout.

        Args:
            values: integers of the input's bits, any dtype, (B, C, H, W), shown at every step,
                or (B, T, C, H, W).
        """
        source = self.graph.inputs[0]
        shown = values[None] if values.dim() == 4 else values.transpose(0, 1)
        # Channels last, as cuDNN and oneDNN are fastest; all that follows keeps it.
        shown = shown.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
        sent = {source.name: shown.to(torch.float32) / value_scale(self.graph, source.name)}
        for name, node, incoming in self._schedule:
            drives = [self.synapses[i](sent[origin]) for i, origin in incoming]
            sent[name] = self.neurons[node](sum(drives[1:], drives[0]), self.timesteps)
        del sent[source.name]
        if self.graph.readout == "membrane":
            return Activity(sent, sent.pop(self.graph.output).flatten(1))
        return Activity(sent, sent[self.graph.output].sum(0).flatten(1))

    @property
    def timesteps(self) -> int:
        """T, the steps of a sample's window."""
        assert self.graph.timesteps is not None  # require_trainable
        return self.graph.timesteps


def require_trainable(graph: Graph) -> None:
    """Only what the module can run passes.

    Raises:
        InputError: malformed, no window, several inputs, delays, or a membrane that is read out
            and also sends spikes.
    """
    verify(graph)
    faults = []
    if graph.timesteps is None:
        faults.append("training needs a window; give the network timesteps")
    if len(graph.inputs) != 1:
        faults.append(f"training needs exactly one input, got {len(graph.inputs)}")
    faults += [
        f"projection '{e.name}': training needs delay 0, got {e.delay}"
        for e in graph.projections
        if e.delay
    ]
    if graph.readout == "membrane" and graph.outgoing(graph.output):
        faults.append(f"output '{graph.output}' is read as a membrane, so it cannot send spikes")
    if faults:
        raise InputError.from_faults(f"network '{graph.name}'", faults)


def _fresh(graph: Graph, e: Projection, generator: torch.Generator, kept: float) -> Synapses:
    """A projection with fresh weights and its own mask or one that it learns, or its constants."""
    hook: Hook | None = None if e.mask is None else Masked(torch.tensor(e.mask))
    if e.weight is not None:
        made = Synapses(graph, e, _tensor(e.weight) * value_scale(graph, e.source), hook)
        made.synapse.weight.requires_grad_(False)
        return made
    weight = first_weight(weight_shape(e.op, *endpoints(graph, e)), generator)
    if kept < 1.0 and hook is None:
        hook = Scored(weight, kept)
    return Synapses(graph, e, weight, hook)


def _fires(graph: Graph, name: str) -> bool:
    return name != graph.output or graph.readout != "membrane"


def _tensor(array: Array) -> Tensor:
    return torch.tensor(array, dtype=torch.float32)
