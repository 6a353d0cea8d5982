"""A mapped integer graph and a sample → the groups and edges of a SANA-FE network.

SANA-FE's messages are spikes and all its neurons stand on cores. Values from outside therefore
become one neuron per bit on each core that listens to them; their packets stay on that core, as
values from outside cross no mesh. The bias of a population in a sample's window is such a value as
well: its window starts the later the deeper it lies, SANA-FE's own bias at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from neurocomp.formats.sanafe.groups import (
    CONV,
    DENSE,
    GIVEN,
    INPUTS,
    LIF,
    Description,
    Edges,
    Group,
)
from neurocomp.formats.sanafe.layout import Layout
from neurocomp.formats.sanafe.soma import UNITY, unlike
from neurocomp.formats.sanafe.synapses import Synapses, synapses
from neurocomp.ir import Array, Conv, Graph, Input, LoihiLif, Population
from neurocomp.ir.schedule import axon_delays, depths


def describe(graph: Graph, layout: Layout, sent: dict[str, Array]) -> Description:
    """Groups and edges of an integer graph.

    Args:
        sent: what every population sends in one sample, (steps, C, H, W).
    """
    context = _Context.of(graph, layout, sent)
    groups: list[Group] = []
    edges: list[Edges] = []
    for p in graph.populations:
        made = _outside(context, p) if isinstance(p.neuron, Input) else _inside(context, p)
        groups += made[0]
        edges += made[1]
    name = _plain(graph.name)
    return Description(name, tuple(groups), tuple(edges), context.steps, context.given)


@dataclass(frozen=True, slots=True)
class _Context:
    """What all populations share; names, cores and starts are by population."""

    graph: Graph
    sent: dict[str, Array]
    names: dict[str, str]
    cores: dict[str, Array]
    starts: dict[str, int]
    given: dict[str, str]
    steps: int

    @classmethod
    def of(cls, graph: Graph, layout: Layout, sent: dict[str, Array]) -> _Context:
        """The context of a graph."""
        window = len(sent[graph.inputs[0].name])
        starts = depths(graph)
        reasons = {p.name: unlike(graph, p, window) for p in graph.neurons}
        return cls(
            graph=graph,
            sent=sent,
            names={p.name: f"p{i}_{_plain(p.name)}" for i, p in enumerate(graph.populations)},
            cores={p.name: layout.core_of(p) for p in graph.neurons},
            starts=starts,
            given={name: why for name, why in reasons.items() if why is not None},
            steps=window + max(starts.values()),
        )

    def trains(self, messages: Array, start: int) -> Array:
        """Spikes (window, …) at the steps from ``start`` on, (steps, N)."""
        fired = np.zeros((self.steps, messages[0].size), bool)
        fired[start : start + len(messages)] = messages.reshape(len(messages), -1)
        return fired

    def wires(self, p: Population) -> list[tuple[str, Synapses]]:
        """Synapses out of a population by target; a target that is told its spikes feels none."""
        waits = axon_delays(self.graph)
        found = []
        for e in self.graph.outgoing(p.name):
            made = synapses(self.graph, e, waits[e.name])
            if e.target in self.given:
                made = made._replace(weight=np.zeros_like(made.weight))
            found.append((e.target, made))
        return found


def _outside(context: _Context, p: Population) -> tuple[list[Group], list[Edges]]:
    """An input population: a neuron for each listening core, bit and value.

    A synapse becomes one for each bit, with the weight times the bit's worth.
    """
    assert isinstance(p.neuron, Input)
    bits, name = p.neuron.bits, context.names[p.name]
    worth = 1 << np.arange(bits)
    if p.neuron.signed:
        worth[-1] *= -1
    wires = context.wires(p)
    if not wires:
        return [], []
    keys = [
        (context.cores[target][wire.target] * bits + np.arange(bits)[:, None]) * p.size
        + wire.source
        for target, wire in wires
    ]
    known = np.unique(np.concatenate([key.reshape(-1) for key in keys]))
    place, value = np.divmod(known, p.size)
    core, bit = np.divmod(place, bits)
    shown = context.sent[p.name].reshape(-1, p.size)[:, value] >> bit & 1
    group = Group(name, core, INPUTS, trains=context.trains(shown, 0))
    edges = []
    for (target, wire), key in zip(wires, keys, strict=True):
        per_bit = Synapses(
            np.searchsorted(known, key).reshape(-1),
            np.tile(wire.target, bits),
            (worth[:, None] * wire.weight).reshape(-1),
            np.tile(wire.delay, bits),
        )
        edges.append(Edges(name, context.names[target], per_bit))
    return [group], edges


def _inside(context: _Context, p: Population) -> tuple[list[Group], list[Edges]]:
    """A population of neurons, and what drives it with its bias."""
    name, start = context.names[p.name], context.starts[p.name]
    incoming = context.graph.incoming(p.name)
    group = Group(
        name=name,
        cores=context.cores[p.name],
        soma=GIVEN,
        synapse=CONV if all(isinstance(e.op, Conv) for e in incoming) else DENSE,
    )
    edges = [Edges(name, context.names[target], wire) for target, wire in context.wires(p)]
    if p.name in context.given:
        fired = context.trains(context.sent[p.name] != 0, start)
        return [replace(group, trains=fired)], edges
    assert isinstance(p.neuron, LoihiLif)  # else it is given
    leak = (UNITY - p.neuron.dv) / UNITY
    attributes = {"threshold": p.neuron.vth, "leak_decay": leak, "input_decay": 0.0}
    group = replace(group, soma=LIF, attributes=attributes)
    if p.bias is None:
        return [group], edges
    biases = np.repeat(p.bias.astype(np.int64), p.size // p.shape[0])
    if context.graph.timesteps is None:
        return [replace(group, biases=biases)], edges
    driver, drive = _window_bias(context, group, biases, start)
    return [group, driver], [*edges, drive]


def _window_bias(context: _Context, group: Group, biases: Array, start: int) -> tuple[Group, Edges]:
    """A neuron on each core of a group that brings the biases in every step of the window."""
    assert context.graph.timesteps is not None
    cores, number = np.unique(group.cores, return_inverse=True)
    on = np.ones((context.graph.timesteps, len(cores)), bool)
    driver = Group(f"{group.name}_bias", cores, INPUTS, trains=context.trains(on, start - 1))
    felt = np.flatnonzero(biases)
    wire = Synapses(number[felt], felt, biases[felt], np.zeros_like(felt))
    return driver, Edges(driver.name, group.name, wire)


def _plain(name: str) -> str:
    """A name without the signs that SANA-FE's files give a meaning."""
    return re.sub(r"[^0-9A-Za-z_]", "_", name)
