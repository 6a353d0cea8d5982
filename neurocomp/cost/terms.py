"""What the parts of a candidate's network add to its price, each worked out once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from neurocomp.arch.cell import ZEROIZE, EdgeOp
from neurocomp.arch.network import FIXED_BITS
from neurocomp.errors import FitError
from neurocomp.hw.layer import ENDLESS
from neurocomp.hw.needs import Needs, heard_needs, sent_needs
from neurocomp.hw.words import stored_width
from neurocomp.ir import Conv, Dense, Op, Shape, average_pool, skip
from neurocomp.ir.shapes import n_weights
from neurocomp.spec.target import Target


class Amounts(NamedTuple):
    """Eq. 2's parameters, trained weights at their designed width, and `Needs`."""

    params: float = 0.0
    model_bits: float = 0.0
    neurons: float = 0.0
    synapse_words: float = 0.0
    in_axons: float = 0.0
    axon_map: float = 0.0
    total_words: float = 0.0


class Source(NamedTuple):
    """Where a projection comes from; what lies outside is on no core."""

    shape: Shape
    outside: bool = False


class Ends(NamedTuple):
    """What an edge of a cell joins.

    Attributes:
        width: channels of the cell's nodes; stride: of the edge.
        bits: weight bits of a skip that has to be a convolution.
    """

    source: Source
    shape: Shape
    width: int
    stride: int
    bits: int

    @property
    def resized(self) -> bool:
        """Whether a skip has to be a convolution here."""
        return self.stride > 1 or self.source.shape[0] != self.width


class Terms:
    """Prices projections and populations on a target; bits beyond its own need endless words."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._known: dict[tuple[object, ...], Amounts] = {}

    def node(self, shape: Shape, *, last: bool = False) -> Amounts:
        """A population without its projections; nobody on the chip hears the last."""
        size = shape[0] * shape[1] * shape[2]
        sent = sent_needs(None, shape, self._target) if last else Needs()
        return Amounts(
            neurons=size, axon_map=sent.axon_map, total_words=size + sent.total_words
        )

    def conv(self, kernel: int, stride: int, source: Source, shape: Shape, bits: int) -> Amounts:
        """A trained convolution that keeps rows and columns, or divides them by the stride."""
        key = kernel, stride, source, shape, bits
        if key not in self._known:
            op = Conv((kernel, kernel), (stride, stride), (kernel // 2, kernel // 2))
            self._known[key] = self._amounts(op, source, shape, bits)
        return self._known[key]

    def pool(self, size: int, stride: int, padding: int, source: Source, shape: Shape) -> Amounts:
        """Average pooling."""
        key = size, stride, padding, source, shape
        if key not in self._known:
            op = average_pool(source.shape[0], size, stride, padding)
            self._known[key] = self._amounts(op, source, shape, FIXED_BITS, trained=False)
        return self._known[key]

    def dense(self, source: Source, size: int, bits: int) -> Amounts:
        """Every neuron to every neuron."""
        key = source, size, bits
        if key not in self._known:
            self._known[key] = self._amounts(Dense(), source, (size, 1, 1), bits)
        return self._known[key]

    def edge(self, op: EdgeOp, ends: Ends, *, sums: bool) -> Amounts:
        """An edge of a cell; where nodes carry sums, a skip hands terms on and adds none."""
        source, shape, _, stride, bits = ends
        if op == ZEROIZE:
            return Amounts()
        if op.op == "conv":
            return self.conv(op.kernel, stride, source, shape, op.bits)
        if op.op == "avgpool3":
            return self.pool(3, stride, 1, source, shape)
        if ends.resized:
            return self.conv(1, stride, source, shape, bits)
        if sums:
            return Amounts()
        return self._amounts(skip(shape[0]), source, shape, FIXED_BITS, trained=False)

    def _amounts(
        self, op: Op, source: Source, shape: Shape, bits: int, *, trained: bool = True
    ) -> Amounts:
        weights = n_weights(op, source.shape, shape) * trained
        filters = shape[0] * trained if isinstance(op, Conv) else 0
        needs = Needs()
        injected = self._target.core.format == "loihi2" and op == skip(shape[0])
        if not (source.outside and injected):
            needs = heard_needs(op, source.shape, shape, self._width(bits), self._target)
        if not source.outside:
            sent = sent_needs(op, source.shape, self._target)
            needs = Needs(*map(sum, zip(needs, sent, strict=True)))
        return Amounts(weights + 2 * filters, weights * bits, *needs)

    def _width(self, bits: int) -> int:
        try:
            return stored_width(bits, self._target.core.weight_bits.value)
        except FitError:
            return ENDLESS


def together(parts: Iterable[Amounts]) -> Amounts:
    """Several parts of a network together."""
    return Amounts(*map(sum, zip(Amounts(), *parts, strict=True)))
