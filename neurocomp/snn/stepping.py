"""A float graph stepped as it stands, without SLAYER: what a float network's spikes are.

Double precision, delays and ways back included; nothing is trained here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from neurocomp.errors import InputError
from neurocomp.ir import Array, CubaLif, Graph, Population, Projection, verify
from neurocomp.ir.schedule import split_delays, topological_order
from neurocomp.quant.reference import input_frames
from neurocomp.snn.synapses import connect


@dataclass(frozen=True, eq=False)
class FloatTrace:
    """What a float run of B samples over T steps gave.

    Attributes:
        spikes: per population (inputs left out) booleans shaped (B, T, C, H, W).
        readout: (B, N) of the output population: its membrane at the end, or its spike counts.
    """

    spikes: dict[str, Array]
    readout: Array


def run_float(graph: Graph, values: Array) -> FloatTrace:
    """Execute a trained float graph on a batch of samples.

    Args:
        values: integers (B, T, C, H, W), or (B, C, H, W) shown at each of the graph's timesteps.

    Raises:
        InputError: no weights, neurons other than `CubaLif`, or values that do not suit the input.
    """
    verify(graph, trained=True)
    drive = torch.from_numpy(input_frames(graph, values)).double()
    batch, steps = drive.shape[:2]
    graph = split_delays(graph)
    source = graph.inputs[0].name
    cells = {p.name: _Cell(graph, p, batch) for p in graph.neurons}
    order = [cells[name] for name in topological_order(graph) if name != source]
    sent = {source: drive}
    for p in graph.neurons:
        sent[p.name] = torch.zeros((batch, steps, *p.shape), dtype=torch.float64)
    for t in range(steps):
        for cell in order:
            sent[cell.name][:, t] = cell.step(sent, t)
    output = graph.output
    readout = cells[output].v if graph.readout == "membrane" else sent[output].sum(dim=1)
    spikes = {name: sent[name].numpy().astype(np.bool_) for name in cells}
    return FloatTrace(spikes, readout.flatten(1).numpy())


class _Cell:
    """One population: its state, and its projections as torch has them.

    A membrane that is read out never fires.
    """

    def __init__(self, graph: Graph, p: Population, batch: int) -> None:
        if not isinstance(p.neuron, CubaLif):
            raise InputError(f"population '{p.name}': must have CubaLif neurons, got {p.neuron}")
        self.name, self._shape, self._neuron = p.name, p.shape, p.neuron
        self._fires = p.name != graph.output or graph.readout != "membrane"
        self._incoming = [(e, _weight(e)) for e in graph.incoming(p.name)]
        bias = np.zeros(1) if p.bias is None else p.bias
        self._bias = torch.from_numpy(bias.astype(np.float64)).view(-1, 1, 1)
        self._u = torch.zeros((batch, *p.shape), dtype=torch.float64)
        self.v = torch.zeros_like(self._u)

    def step(self, sent: dict[str, torch.Tensor], t: int) -> torch.Tensor:
        """Spikes (B, C, H, W) at step t, from what was sent up to it."""
        n = self._neuron
        self._u = self._u * (1 - n.current_decay)
        for e, weight in self._incoming:
            if t >= e.delay:
                self._u += connect(e.op, sent[e.source][:, t - e.delay], weight, self._shape)
        self.v = self.v * (1 - n.voltage_decay) + self._u + self._bias
        spikes = (self.v > n.threshold) & self._fires
        self.v = self.v.masked_fill(spikes, 0.0)
        return spikes


def _weight(e: Projection) -> torch.Tensor:
    """The weights that act, in double precision."""
    assert e.weight is not None  # a verified trained graph
    weight = e.weight if e.mask is None else np.where(e.mask, e.weight, 0)
    return torch.from_numpy(weight.astype(np.float64))
