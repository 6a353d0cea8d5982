"""A graph while it grows: populations, and projections that do not know their target yet."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from neurocomp.ir import (
    Conv,
    CubaLif,
    Dense,
    Graph,
    Input,
    Op,
    Population,
    Projection,
    Shape,
    average_pool,
    skip,
)
from neurocomp.ir.schedule import depths
from neurocomp.ir.shapes import weight_shape

FIXED_BITS = 8  # of skips and average pooling, whose weights are constants


@dataclass(frozen=True, slots=True)
class Term:
    """A projection without a target.

    Attributes:
        shape: of what it delivers.
        weight: the constant of a projection that is not trained.
    """

    label: str
    source: str
    op: Op
    bits: int
    shape: Shape
    weight: float | None = None


@dataclass(slots=True)
class Signal:
    """A sum of terms: what a node carries.

    It becomes spikes where somebody needs spikes: one population per threshold.

    Attributes:
        fired: populations over this sum, by threshold.
    """

    name: str
    shape: Shape
    terms: tuple[Term, ...]
    fired: dict[float, str] = field(default_factory=dict)


class Network:
    """Collects populations and projections."""

    def __init__(self, neuron: CubaLif) -> None:
        self._neuron = neuron
        self._shapes: dict[str, Shape] = {}
        self._populations: list[Population] = []
        self._projections: list[Projection] = []
        self._labels: Counter[str] = Counter()

    def input(self, shape: Shape, bits: int) -> Signal:
        """The population of the image's values."""
        self._shapes["input"] = shape
        self._populations.append(Population("input", shape, Input(bits)))
        return Signal("input", shape, (), {0.0: "input"})

    def spikes(self, signal: Signal, threshold: float = 0.0, neuron: CubaLif | None = None) -> str:
        """The population that fires over a sum, made where it is not there yet.

        Args:
            threshold: 0 = the network's own.
        """
        if threshold == self._neuron.threshold:
            threshold = 0.0
        if threshold not in signal.fired:
            name = f"{signal.name}>{threshold:g}" if threshold else signal.name
            chosen = neuron or self._neuron
            if threshold:
                chosen = replace(chosen, threshold=threshold)
            self._shapes[name] = signal.shape
            self._populations.append(Population(name, signal.shape, chosen))
            signal.fired[threshold] = name
            for term in signal.terms:
                self.join(term, name)
        return signal.fired[threshold]

    def join(self, term: Term, target: str, delay: int = 0) -> None:
        """A projection; one whose name is taken is named after its target as well."""
        self._labels[term.label] += 1
        name = term.label if self._labels[term.label] == 1 else f"{term.label}@{target}"
        if name != term.label:
            self._labels[name] += 1
            if self._labels[name] > 1:  # a term that stands several times in one sum
                name = f"{name}.{self._labels[name]}"
        constant = None
        if term.weight is not None:
            shape = weight_shape(term.op, self._shapes[term.source], self._shapes[target])
            constant = np.full(shape, term.weight)
        self._projections.append(
            Projection(name, term.source, target, term.op, term.bits, constant, delay=delay)
        )

    def conv(
        self, label: str, source: str, channels: int, kernel: int, bits: int, stride: int = 1
    ) -> Term:
        """A convolution that keeps rows and columns, or divides them by the stride."""
        _, height, width = self._shapes[source]
        op = Conv((kernel, kernel), (stride, stride), (kernel // 2, kernel // 2))
        return Term(label, source, op, bits, (channels, height // stride, width // stride))

    def skip(self, label: str, source: str) -> Term:
        """The same spikes again."""
        shape = self._shapes[source]
        return Term(label, source, skip(shape[0]), FIXED_BITS, shape, 1.0)

    def pool(self, label: str, source: str, size: int, stride: int, padding: int = 0) -> Term:
        """Average pooling."""
        channels, height, width = self._shapes[source]
        op = average_pool(channels, size, stride, padding)
        shape = channels, height // stride, width // stride
        return Term(label, source, op, FIXED_BITS, shape, 1 / size**2)

    def dense(self, label: str, source: str, size: int, bits: int) -> Term:
        """Every neuron to every neuron."""
        return Term(label, source, Dense(), bits, (size, 1, 1))

    def graph(self, name: str, output: str, timesteps: int) -> Graph:
        """The graph as it stands; feedback gets the delay that its loop needs on a chip.

        A chip takes a step per projection, so what is fed back from depth d to depth e arrives
        d − e + 1 steps later; SNASNet's own feedback arrives after one step however long the loop.
        """
        graph = Graph(
            name=name,
            populations=tuple(self._populations),
            projections=tuple(self._projections),
            output=output,
            timesteps=timesteps,
            readout="membrane",
        )
        if not any(e.delay for e in self._projections):
            return graph
        depth = depths(graph)
        timed = (
            replace(e, delay=max(depth[e.source] - depth[e.target], 0) + 1) if e.delay else e
            for e in self._projections
        )
        return graph.with_parts(graph.populations, tuple(timed))
