"""LitE-SNN's backbone for a task: states, cells, edges and what an op is between two of them.

A state is what a node can listen to: populations of equal shape whose channels stand side by side.
The stem is a state of as many populations as a cell has nodes, so that every state looks like a
cell's output. Edges are numbered as in SpikeDHS: node by node, within a node by state.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from neurocomp.arch import Task
from neurocomp.errors import InputError
from neurocomp.ir import Conv, CubaLif, Shape
from neurocomp.spec.joint import LiteSpace

INPUTS = 2  # states before a cell: the outputs of the two cells before it
FIXED_BITS = 8  # of skips and average pooling, whose weights are constants
STEM_KERNEL = 3


class State(NamedTuple):
    """Populations of one shape whose channels stand side by side."""

    populations: tuple[str, ...]
    shape: Shape

    @property
    def channels(self) -> int:
        """Channels of all populations together."""
        return len(self.populations) * self.shape[0]

    @property
    def neurons(self) -> int:
        """Neurons of all populations together."""
        channels, height, width = self.shape
        return len(self.populations) * channels * height * width


class Cell(NamedTuple):
    """A cell: its nodes' names and shape, and all states that its nodes may listen to."""

    name: str
    nodes: tuple[str, ...]
    shape: Shape
    states: tuple[State, ...]

    def stride(self, state: int) -> int:
        """How much finer a state's maps are: its scale is as much smaller as its channels."""
        return self.shape[0] // self.states[state].shape[0]


class Edge(NamedTuple):
    """A possible edge of every cell: from a state to a node."""

    state: int
    node: int


@dataclass(frozen=True)
class Backbone:
    """The backbone of a space for a task, with so many channels per node at scale 1."""

    space: LiteSpace
    task: Task
    channels: int

    @property
    def neuron(self) -> CubaLif:
        """Of every population that fires."""
        return CubaLif(self.space.neuron.threshold, 1.0, self.space.neuron.voltage_decay)

    @cached_property
    def stem(self) -> State:
        """The populations after the input."""
        names = tuple(f"stem.{k}" for k in range(self.space.nodes))
        return State(names, (self.channels, *self._maps(1)))

    @property
    def stem_conv(self) -> Conv:
        """From the input to each population of the stem."""
        stride, pad = self.space.stem_stride, STEM_KERNEL // 2
        return Conv((STEM_KERNEL, STEM_KERNEL), stride=(stride, stride), padding=(pad, pad))

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All cells, first to last.

        Raises:
            InputError: a cell's maps would be empty.
        """
        made: list[Cell] = []
        outputs = [self.stem, self.stem]
        for i, scale in enumerate(self.space.cells, 1):
            factor = scale * self.space.stem_stride
            if factor > min(self.task.shape[1:]):
                raise InputError(
                    f"space '{self.space.name}': cells: scale {scale} leaves nothing of images of "
                    f"{self.task.shape[1]}×{self.task.shape[2]} pixels, divided by {factor}; use "
                    "smaller scales or a smaller stem_stride"
                )
            shape = (self.channels * scale, *self._maps(scale))
            nodes = tuple(f"cell{i}.n{j}" for j in range(self.space.nodes))
            own = tuple(State((name,), shape) for name in nodes[:-1])
            made.append(Cell(f"cell{i}", nodes, shape, (*outputs[-INPUTS:], *own)))
            outputs.append(State(nodes, shape))
        return tuple(made)

    def _maps(self, scale: int) -> tuple[int, int]:
        """Height and width of maps at a scale."""
        _, height, width = self.task.shape
        factor = self.space.stem_stride * scale
        return -(-height // factor), -(-width // factor)

    @property
    def top(self) -> State:
        """The last cell's output."""
        last = self.cells[-1]
        return State(last.nodes, last.shape)

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """Every possible edge of a cell; their number is the space's, not the task's."""
        return edges_of(self.space)


def edges_of(space: LiteSpace) -> tuple[Edge, ...]:
    """Every possible edge of a cell of a space."""
    return tuple(Edge(s, j) for j in range(space.nodes) for s in range(INPUTS + j))


def is_trained(op: str) -> bool:
    """Whether an op has weights to train; skips and average pooling have constants."""
    return op.startswith("conv")


def conv_of(op: str, source: int, stride: int) -> Conv:
    """The convolution that an op is, out of a population of ``source`` channels.

    A skip is the identity: it takes every stride-th pixel, and where the target has m times the
    channels each goes to m of them. Average pooling treats channels alike.
    """
    if op == "skip":
        return Conv((1, 1), stride=(stride, stride), groups=source)
    if op == "avgpool3":
        return Conv((3, 3), stride=(stride, stride), padding=(1, 1), groups=source)
    k = int(op.removeprefix("conv"))
    return Conv((k, k), stride=(stride, stride), padding=(k // 2, k // 2))


def constant_of(op: str) -> float | None:
    """Every weight of an op that is not trained, None for one that is."""
    return {"skip": 1.0, "avgpool3": 1 / 9}.get(op)
