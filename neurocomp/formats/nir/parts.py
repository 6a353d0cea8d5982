"""Populations and projections of what a walk through a NIR graph has found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from neurocomp.formats.nir.neurons import Neurons, neurons_of
from neurocomp.formats.nir.nodes import Node
from neurocomp.formats.nir.restore import as_it_was, noted
from neurocomp.formats.nir.walk import Arrival, Found
from neurocomp.ir import Array, Conv, CubaLif, Dense, Input, Population, Projection, skip

DEFAULT_BITS = 8
LAST = 2**31  # the rank of what has no number of ours


class Parts:
    """Makes the parts of a graph; arguments as of `read_nir`."""

    def __init__(
        self,
        nodes: Mapping[str, Node],
        found: Found,
        dt: float,
        weight_bits: int | None,
        input_bits: int,
    ) -> None:
        self._nodes, self._found, self._dt = nodes, found, dt
        self._bits, self._input_bits = weight_bits, input_bits
        self._uses = Counter(a.trail[-1].name for a in found.arrivals if a.trail)

    def all(self) -> tuple[tuple[Population, ...], tuple[Projection, ...]]:
        """Populations and projections, in our own files' order, else as they were discovered."""
        signals, nodes = self._found.signals, self._nodes
        names = sorted(signals, key=lambda name: nodes[name].count("index", LAST))
        neurons = {
            name: neurons_of(nodes[name], signals[name], self._dt)
            for name in names
            if nodes[name].kind != "Input"
        }
        biases = {name: self._bias(name, n) for name, n in neurons.items()}
        populations = [
            Population(name, signals[name].shape, neurons[name].cuba, biases[name][0])
            if name in neurons
            else self._input(name)
            for name in names
        ]
        made = [self._projection(a, neurons[a.target]) for a in self._found.arrivals]
        projections = [e for _, e in sorted(made, key=lambda ranked: ranked[0])]
        for name, (_, steady) in biases.items():
            if steady is not None:
                on, ways = _always_on(name, steady, self._bits or DEFAULT_BITS)
                populations.append(on)
                projections += ways
        return tuple(populations), tuple(_unique(projections))

    def _input(self, name: str) -> Population:
        node = self._nodes[name]
        values = Input(node.count("bits", self._input_bits), bool(node.count("signed", 0)))
        return Population(name, self._found.signals[name].shape, values)

    def _bias(self, name: str, neurons: Neurons) -> tuple[Array | None, Array | None]:
        """The bias per channel, and what has to come from an extra neuron instead, per neuron."""
        channels = self._found.signals[name].shape[0]
        drift = np.broadcast_to(neurons.drift, channels)
        own = drift if drift.any() else None
        steady = self._found.biases.get(name)
        if steady is None:
            return own, None
        steady = _scaled(steady, neurons.gain)
        rows = steady.reshape(channels, -1)
        if neurons.cuba.current_decay < 1.0 or (rows != rows[:, :1]).any():
            return own, steady
        return (rows[:, 0] if own is None else own + rows[:, 0]), None

    def _projection(self, arrival: Arrival, neurons: Neurons) -> tuple[int, Projection]:
        """A projection and its rank; named after its last node, if that is no other's."""
        route, trail = arrival.route, arrival.trail
        channels = route.signal.shape[0]
        op, weight = route.linear or (skip(channels), np.ones((channels, 1, 1, 1)))
        own = trail[-1] if trail and self._uses[trail[-1].name] == 1 else None
        note = own if own is not None and len(trail) == 1 else None
        if note is not None and isinstance(op, Conv):
            op, weight = as_it_was(op, weight, note)
        e = Projection(
            name=f"{arrival.source}-{arrival.target}" if own is None else own.name,
            source=arrival.source,
            target=arrival.target,
            op=op,
            weight_bits=self._bits or DEFAULT_BITS,
            weight=_scaled(weight, neurons.gain),
            delay=max(route.delay, int(arrival.source == arrival.target)),
        )
        if note is None:
            return LAST, e
        return note.count("index", LAST), noted(e, note, self._bits)


def _scaled(values: Array, gain: Array) -> Array:
    """Weights or biases, first axis channels or neurons, times a factor per channel."""
    if values.dtype.kind != "f":
        values = values.astype(np.float64)
    if (gain == 1.0).all():
        return values
    factors = np.repeat(gain, len(values) // gain.size)
    return np.asarray(values * factors.reshape(-1, *[1] * (values.ndim - 1)))


def _always_on(
    name: str, steady: Array, bits: int
) -> tuple[Population, tuple[Projection, Projection]]:
    """A neuron that fires at every step and drives a population by one weight per neuron.

    This is what a constant input is to a current with memory, and a bias that differs within a
    channel. Its bias of 1 alone passes the threshold; the way back to itself only keeps it in the
    graph, where every population hears something.
    """
    on = f"{name}.bias"
    neuron = CubaLif(threshold=0.5, current_decay=1.0, voltage_decay=1.0)
    return Population(on, (1, 1, 1), neuron, np.ones(1)), (
        Projection(f"{on}-{on}", on, on, Dense(), bits, np.ones((1, 1)), delay=1),
        Projection(f"{on}-{name}", on, name, Dense(), bits, steady.reshape(-1, 1)),
    )


def _unique(projections: Iterable[Projection]) -> Iterator[Projection]:
    """Projections of the same name get numbers behind it."""
    seen: Counter[str] = Counter()
    for e in projections:
        seen[e.name] += 1
        yield e if seen[e.name] == 1 else replace(e, name=f"{e.name}#{seen[e.name]}")
