"""A candidate as a graph: populations that spike, projections that are still to be trained.

SNASNet's macro-architecture, for example, becomes stem conv3×3 → cell (C channels) → reduction
conv3×3 to 2C → average pooling 2 → cell (2C) → average pooling p → fully connected → output.
Every node is one population over the sum of its edges' projections. Where nodes carry sums, a
population stands before each convolution instead, and a skip hands its sum on: the projections
into its source go into its target as well, under the same name with the target behind an "@".

Skips and average pooling have constant weights (1 and 1/k²), and the mean of a few spikes seldom
passes a threshold: scoring and training put a batch-norm on the projections of a population that
nothing else feeds, as of the two poolings here, and fold its scale per channel into the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from neurocomp.arch.candidate import Candidate
from neurocomp.arch.cell import SKIP, ZEROIZE, Cell, EdgeOp, edges
from neurocomp.arch.network import Network, Signal, Term
from neurocomp.errors import InputError
from neurocomp.ir import CubaLif, Graph, Shape
from neurocomp.spec.macro import Stage, stage
from neurocomp.spec.space import Space


@dataclass(frozen=True, slots=True)
class Task:
    """What a network is for: the images it sees and the classes it tells apart.

    Attributes:
        shape: of an image, (channels, height, width).
        input_bits: bits of the graded pixel values, shown at every step.
    """

    shape: Shape
    input_bits: int
    classes: int


def for_task(space: Space, task: Task) -> Space:
    """The space without the choices of final pooling that do not divide the task's images.

    Raises:
        InputError: the images cannot be made smaller as the space wants, or no choice of final
            pooling divides them.
    """
    rows, columns = _reduced(task, space.macro)
    fitting = tuple(p for p in space.final_pool if rows % p == 0 and columns % p == 0)
    if space.final_pool and not fitting:
        _, height, width = task.shape
        offered = ", ".join(map(str, space.final_pool))
        known = [p for p in range(1, min(rows, columns) + 1) if rows % p == 0 == columns % p]
        raise InputError(
            f"space '{space.name}': final_pool: of images of {height}×{width} pixels the last "
            f"cell sees {rows}×{columns}, which none of {offered} divides; "
            f"offer one of {', '.join(map(str, known))}"
        )
    return space.model_copy(update={"final_pool": fitting})


def build(candidate: Candidate, task: Task) -> Graph:
    """The candidate's network for a task, untrained; its name is the candidate's id.

    The cells' nodes are named as in the canonical candidate, so that equal networks are equal
    graphs.

    Raises:
        InputError: the task's images cannot be made smaller as the candidate wants.
    """
    made = candidate.canonical()
    rows, columns = _reduced(task, made.macro)
    pool = max(made.final_pool, 1)
    if rows % pool or columns % pool:
        raise InputError(
            f"candidate {made.id}: final_pool {pool} does not divide the {rows}×{columns} "
            f"nodes of the last cell; choose a divisor of both"
        )
    net = Network(CubaLif(made.threshold, 1.0, made.voltage_decay))
    out = _Builder(made, task, net).output()
    return net.graph(made.id, out, made.timesteps)


def _reduced(task: Task, macro: Sequence[str]) -> tuple[int, int]:
    """Rows and columns before the final pooling; `InputError` where a stride does not divide."""
    _, height, width = task.shape
    rows, columns = height, width
    for text in macro:
        step = stage(text).stride
        if rows % step or columns % step:
            raise InputError(
                f"images of {height}×{width} pixels: stage '{text}' divides the {rows}×{columns} "
                f"nodes before it by {step}, which they do not allow; crop or pad the images"
            )
        rows, columns = rows // step, columns // step
    return rows, columns


class _Builder:
    """Goes through the stages; what leads on are the signals that make up a stage's output."""

    def __init__(self, candidate: Candidate, task: Task, net: Network) -> None:
        self._candidate, self._task, self._net = candidate, task, net
        self._width = candidate.channels
        self._numbers = {"conv": 0, "cell": 0, "pool": 0}

    def output(self) -> str:
        """Go through all stages; the output's name."""
        candidate, net = self._candidate, self._net
        before: Sequence[Signal] = ()
        top: Sequence[Signal] = (net.input(self._task.shape, self._task.input_bits),)
        for text in candidate.macro:
            before, top = top, self._stage(stage(text), before, top)
        out = self._dense("out", top, self._task.classes)
        return net.spikes(out, neuron=CubaLif(candidate.threshold, 1.0, 0.0))

    def _stage(
        self, one: Stage, before: Sequence[Signal], top: Sequence[Signal]
    ) -> Sequence[Signal]:
        self._width *= one.widen
        if one.kind == "hidden":
            return (self._fire(self._dense("fc", top, self._candidate.hidden)),)
        kind = "pool" if one.kind == "final_pool" else one.kind
        size = self._candidate.final_pool if one.kind == "final_pool" else one.size
        if kind == "pool" and size <= 1:
            return top
        self._numbers[kind] += 1
        if kind == "cell":
            return self._cell(one, before, top)
        if kind == "pool":
            return tuple(self._pool(signal, size, k) for k, signal in enumerate(top))
        return (self._conv(top, size, one.stride),)

    def _conv(self, top: Sequence[Signal], kernel: int, stride: int) -> Signal:
        n = self._numbers["conv"]
        name = "stem" if n == 1 else "reduce" if n == 2 else f"reduce{n - 1}"
        terms = [
            self._net.conv(label, source, self._width, kernel, self._candidate.macro_bits, stride)
            for label, source in self._sources(f"{name}.conv{kernel}", top)
        ]
        return self._node(name, terms)

    def _pool(self, signal: Signal, size: int, part: int) -> Signal:
        name = f"pool{self._numbers['pool']}" + (f".{part + 1}" if part else "")
        term = self._net.pool(f"{name}.avgpool{size}", self._net.spikes(signal), size, size)
        return self._node(name, [term])

    def _dense(self, name: str, top: Sequence[Signal], size: int) -> Signal:
        bits = self._candidate.macro_bits
        sources = self._sources(f"{name}.dense", top)
        terms = [self._net.dense(label, source, size, bits) for label, source in sources]
        return Signal(name, (size, 1, 1), tuple(terms))

    def _cell(
        self, one: Stage, before: Sequence[Signal], top: Sequence[Signal]
    ) -> Sequence[Signal]:
        candidate = self._candidate
        number = self._numbers["cell"]
        cell = candidate.cells[(number - 1) % len(candidate.cells)]
        name, kind = f"cell{number}", candidate.kind
        nodes: dict[int, Signal] = {}
        if kind.inputs == 1:
            nodes[0] = top[0]
        else:
            for i, part in enumerate((before, top)):
                nodes[i] = self._state(f"{name}.n{i}", part, top[0].shape, one.stride)
        there = {j for (_, j), op in zip(edges(kind), cell, strict=True) if op != ZEROIZE}
        for j in sorted(there - set(nodes)):
            terms = self._incoming(name, cell, nodes, j, one)
            nodes[j] = self._node(f"{name}.n{j}", terms, nodes[0].shape)
        self._feed_back(name, cell, nodes)
        return tuple(nodes[j] for j in kind.outputs if j in nodes)

    def _state(self, name: str, part: Sequence[Signal], top: Shape, stride: int) -> Signal:
        """An input of a cell with two: 1×1 convolutions to the cell's width and size."""
        step = stride * part[0].shape[1] // top[1]
        terms = [
            self._net.conv(label, source, self._width, 1, self._candidate.macro_bits, step)
            for label, source in self._sources(f"{name}.conv1", part)
        ]
        return self._node(name, terms)

    def _incoming(
        self, name: str, cell: Cell, nodes: dict[int, Signal], j: int, one: Stage
    ) -> list[Term]:
        """The terms of a node's forward edges."""
        terms: list[Term] = []
        for (i, to), op in zip(edges(self._candidate.kind), cell, strict=True):
            if to == j and i < j and op != ZEROIZE:
                first = i == 0 and self._candidate.kind.inputs == 1
                terms += self._edge(f"{name}.n{i}-n{j}", nodes[i], op, one if first else Stage(""))
        return terms

    def _edge(self, name: str, source: Signal, op: EdgeOp, one: Stage) -> Sequence[Term]:
        """The terms of an edge; one that changes width or size is a convolution at least."""
        net, step = self._net, one.stride
        resized = step > 1 or source.shape[0] != self._width
        if op == SKIP and not resized and self._candidate.kind.sums:
            return source.terms
        spikes = net.spikes(source, op.threshold)
        if op.op == "conv":
            label = f"{name}.conv{op.kernel}"
            return [net.conv(label, spikes, self._width, op.kernel, op.bits, step)]
        if op == SKIP and resized:
            bits = self._candidate.macro_bits
            return [net.conv(f"{name}.conv1", spikes, self._width, 1, bits, step)]
        if op == SKIP:
            return [net.skip(f"{name}.skip", spikes)]
        return [net.pool(f"{name}.avgpool3", spikes, 3, step, 1)]

    def _feed_back(self, name: str, cell: Cell, nodes: dict[int, Signal]) -> None:
        """Projections of backward edges, into populations that are there already."""
        for (j, i), op in zip(edges(self._candidate.kind), cell, strict=True):
            if j > i and op != ZEROIZE:
                target = self._net.spikes(nodes[i])
                for term in self._edge(f"{name}.n{j}-n{i}", nodes[j], op, Stage("")):
                    self._net.join(term, target, delay=1)

    def _node(self, name: str, terms: Sequence[Term], shape: Shape | None = None) -> Signal:
        """What terms add up to: spikes at once, unless nodes carry sums.

        Args:
            shape: of a node that hears nothing but what is fed back.
        """
        signal = Signal(name, terms[0].shape if terms or shape is None else shape, tuple(terms))
        return signal if self._candidate.kind.sums else self._fire(signal)

    def _fire(self, signal: Signal) -> Signal:
        self._net.spikes(signal)
        return signal

    def _sources(self, label: str, top: Sequence[Signal]) -> list[tuple[str, str]]:
        """(label, population) of each part of what leads here."""
        names = [self._net.spikes(signal) for signal in top]
        if len(names) == 1:
            return [(label, names[0])]
        return [(f"{label}.{k}", name) for k, name in enumerate(names, 1)]
