"""The graph under construction: layer after layer, and what the next layer may stand on."""

from __future__ import annotations

from math import prod

import numpy as np

from neurocomp.formats.hdf5 import Node
from neurocomp.formats.netx.neurons import read_neuron
from neurocomp.formats.netx.weights import IntArray
from neurocomp.ir import GRADED, Input, Neuron, Population, Projection, Shape, Sigma

VALUES = "in"
MESSAGE_BITS = 16  # of the graded messages that a network without its first layers takes
BITS_KEY, SIGNED_KEY = "valueBits", "valueSigned"  # our own: what an input layer takes
MAX_CHANNELS = 2**22  # or neurons of a dense layer
MAX_EXTENT = 2**16  # rows and columns
MAX_NEURONS = 2**31  # of one layer; Intel's largest machine has 1.15e9


class Chain:
    """Populations and projections so far.

    Attributes:
        shape: of the layer before, None before the first.
        flat: netx sees that layer as one-dimensional.
        flattened: a flatten layer stands behind it.
        graded: its messages are numbers, not spikes.
        name: of the layer being read: its ``kind`` and its number among the layers with neurons.
    """

    def __init__(self, skip_layers: int) -> None:
        self.populations: list[Population] = []
        self.projections: list[Projection] = []
        self.shape: Shape | None = None
        self.flat = self.flattened = self.graded = False
        self.number, self.kind, self.name = 0, "", ""
        self._skip_layers = skip_layers
        self._n_layers = 0
        self._values = Input()

    def begin(self, number: int, kind: str) -> None:
        """The next layer of the file."""
        self.number, self.kind, self.name = number, kind, f"{kind}{self._n_layers}"

    def declare(self, shape: Shape, *, flat: bool, values: Input | None = None) -> None:
        """The values from outside; spikes unless said."""
        self.shape, self.flat = shape, flat
        self._values = values or Input()

    def source(self) -> str:
        """The population that the layer stands on.

        For the first one that is not left out these are the values from outside: those of the
        input layer, or the messages of the last layer that is left out.
        """
        if self._left_out or self.populations:
            return VALUES if self._left_out else self.populations[-1].name
        assert self.shape is not None  # declared by the caller
        values = self._values
        if self._n_layers:
            values = Input(bits=MESSAGE_BITS, signed=True) if self.graded else Input()
        self.populations.append(Population(VALUES, self.shape, values))
        return VALUES

    def add(self, population: Population, projections: tuple[Projection, ...], flat: bool) -> None:
        """A layer with neurons; only its shape and kind of messages if it is left out."""
        if not self._left_out:
            self.populations.append(population)
            self.projections += projections
        self._n_layers += 1
        self.shape, self.flat = population.shape, flat
        self.graded = isinstance(population.neuron, GRADED)

    @property
    def connects(self) -> bool:
        """Whether netx connects the layer to one before it (the first takes what it is given)."""
        return any(not isinstance(p.neuron, Input) for p in self.populations)

    @property
    def _left_out(self) -> bool:
        return self.number < self._skip_layers


def read_shape(node: Node) -> tuple[int, ...]:
    """A layer's ``shape``, checked to be one of a network and not of a damaged file."""
    sizes = node.integers("shape")
    low, extent = min(sizes, default=0), max(sizes[1:], default=1)
    if low < 1 or sizes[0] > MAX_CHANNELS or extent > MAX_EXTENT or prod(sizes) > MAX_NEURONS:
        raise node.fault(
            f"shape: sizes must be positive, at most {MAX_CHANNELS:,} channels, {MAX_EXTENT:,} "
            f"rows and columns and {MAX_NEURONS:,} neurons, got {sizes}"
        )
    return sizes


def layer_neuron(node: Node, *, is_input: bool = False) -> Neuron:
    """The neuron of a layer, which netx needs."""
    return read_neuron(node.child("neuron"), is_input=is_input)


def layer_bias(node: Node, shape: Shape, neuron: Neuron) -> IntArray | None:
    """A layer's bias per channel, None where there is none.

    Raises:
        InputError: one value per neuron of a convolution, which the graph does not hold, or a bias
            of sigma neurons, which have none.
    """
    if "bias" not in node:
        return None
    if isinstance(neuron, Sigma):
        raise node.fault("bias: sigma neurons have none, netx cannot load it")
    stored = node.shape("bias")
    if prod(stored) not in (1, shape[0]) or len(stored) != 1:
        raise node.fault(f"bias: must be one value per channel, shape {shape[:1]}, is {stored}")
    return np.broadcast_to(node.array("bias"), shape[:1]).copy()
