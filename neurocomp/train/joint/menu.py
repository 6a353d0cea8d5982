"""What every choice costs, as arrays: weights, work, and what a core of the target holds for it.

Axes: c cells, e possible edges, o ops, b bit widths, l layers (populations), r resources of a core
with a known limit. Needs are `neurocomp.hw`'s, of a whole population on one core, so that bits
count as they are stored (1 as 2) and channels in power-of-two chunks. What a projection adds to its
target and to its source does not depend on the others, but for fractions of a word of axon memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.hw.demand import need
from neurocomp.hw.layer import Counts, Incoming, Layer, Outgoing, layer_of
from neurocomp.hw.words import stored_width
from neurocomp.ir import Conv, Graph, Shape
from neurocomp.ir.shapes import n_synapses, n_weights
from neurocomp.spec.target import Target
from neurocomp.train.joint.backbone import FIXED_BITS, Backbone, State, conv_of, is_trained
from neurocomp.train.joint.build import build
from neurocomp.train.joint.design import Design, Kept

Floats: TypeAlias = npt.NDArray[np.float64]
Indices: TypeAlias = npt.NDArray[np.int64]


class Choice(NamedTuple):
    """One op on one possible edge of one cell, by index and as what it is."""

    cell: int
    edge: int
    op: int
    conv: Conv
    state: State
    shape: Shape


@dataclass(frozen=True)
class Menu:
    """Costs of a backbone's choices on a target."""

    backbone: Backbone
    target: Target

    @property
    def shape(self) -> tuple[int, int, int]:
        """Cells, possible edges, ops."""
        return len(self.backbone.cells), len(self.backbone.edges), len(self.backbone.space.ops)

    @cached_property
    def weights(self) -> Floats:
        """(c, e, o) trained weights."""
        made = np.zeros(self.shape)
        for k in self._trained():
            each = n_weights(k.conv, k.state.shape, k.shape)
            made[k.cell, k.edge, k.op] = len(k.state.populations) * each
        return made

    @cached_property
    def macs(self) -> Floats:
        """(c, e, o) multiply-accumulates per step with trained weights, nothing pruned."""
        made = np.zeros(self.shape)
        for k in self._trained():
            each = n_synapses(k.conv, k.state.shape, k.shape)
            made[k.cell, k.edge, k.op] = len(k.state.populations) * each
        return made

    @cached_property
    def senders(self) -> Floats:
        """(c, e) neurons of the state that an edge comes from."""
        edges, cells = self.backbone.edges, self.backbone.cells
        return np.array([[cell.states[e.state].neurons for e in edges] for cell in cells], float)

    @cached_property
    def layers(self) -> dict[str, int]:
        """Index of every population that lives on cores."""
        return {p.name: i for i, p in enumerate(self._reference.neurons)}

    @cached_property
    def targets(self) -> Indices:
        """(c, e) layer that an edge leads to."""
        edges, cells = self.backbone.edges, self.backbone.cells
        return np.array([[self.layers[cell.nodes[e.node]] for e in edges] for cell in cells])

    @cached_property
    def sources(self) -> Floats:
        """(c, e, l) one where an edge comes from a layer."""
        made = np.zeros((*self.shape[:2], len(self.layers)))
        for c, cell in enumerate(self.backbone.cells):
            for e, edge in enumerate(self.backbone.edges):
                for name in cell.states[edge.state].populations:
                    made[c, e, self.layers[name]] = 1.0
        return made

    @cached_property
    def limits(self) -> Floats:
        """(r,) what a core holds of each resource whose limit is known."""
        return np.array([n for n in self.target.limits if n is not None], float)

    @cached_property
    def taken(self) -> Floats:
        """(c, e, o, b, r) what an edge adds to the layer that it leads to."""
        space, widths = self.backbone.space, self.target.core.weight_bits.value
        made = np.zeros((*self.shape, len(space.bits), len(self.limits)))
        known: dict[tuple[Incoming, Shape], Floats] = {}
        for k in self._choices():
            for b, bits in enumerate(space.bits):
                designed = bits if is_trained(space.ops[k.op]) else FIXED_BITS
                each = Incoming("", k.conv, k.state.shape, stored_width(designed, widths))
                if (each, k.shape) not in known:
                    known[each, k.shape] = self._limited(_plus_one_in(each, k.shape, self.target))
                made[k.cell, k.edge, k.op, b] = len(k.state.populations) * known[each, k.shape]
        return made

    @cached_property
    def given(self) -> Floats:
        """(c, e, o, r) what an edge adds to each layer that it comes from."""
        made = np.zeros((*self.shape, len(self.limits)))
        for k in self._choices():
            added = _plus_one_out(Outgoing("", k.conv, k.shape), k.state.shape, self.target)
            made[k.cell, k.edge, k.op] = self._limited(added)
        return made

    @cached_property
    def base(self) -> Floats:
        """(l, r) what the layers need without the edges that are chosen.

        It is what they need in one design, less what that design's edges add.
        """
        made = np.zeros((len(self.layers), len(self.limits)))
        for name, layer in self.layers.items():
            p = self._reference.population(name)
            whole = ((0, 0, 0), p.shape)
            made[layer] = self._limited(
                need(layer_of(self._reference, name, self.target), [whole], self.target)
            )
        for c in range(self.shape[0]):
            for e in self._reference_edges:
                made[self.targets[c, e]] -= self.taken[c, e, 0, 0]
                made -= self.sources[c, e][:, None] * self.given[c, e, 0]
        return made

    @cached_property
    def _reference_edges(self) -> list[int]:
        """Both edges of the first node, the first of every other: so every cell is listened to."""
        return [e for e, edge in enumerate(self.backbone.edges) if edge.state <= (edge.node == 0)]

    @cached_property
    def _reference(self) -> Graph:
        space = self.backbone.space
        inputs = ((0, 1), *[(0,)] * (space.nodes - 1))
        nodes = tuple(tuple(Kept(s, space.ops[0]) for s in states) for states in inputs)
        bits = ((space.bits[0],) * (space.nodes + 1),) * len(space.cells)
        return build(Design(nodes, bits, space.timesteps[0]), self.backbone)

    def _choices(self) -> Iterator[Choice]:
        for c, cell in enumerate(self.backbone.cells):
            for e, edge in enumerate(self.backbone.edges):
                state = cell.states[edge.state]
                for o, op in enumerate(self.backbone.space.ops):
                    conv = conv_of(op, state.shape[0], cell.stride(edge.state))
                    yield Choice(c, e, o, conv, state, cell.shape)

    def _trained(self) -> Iterator[Choice]:
        return (k for k in self._choices() if is_trained(self.backbone.space.ops[k.op]))

    def _limited(self, counts: Counts) -> Floats:
        """Counts of the resources that have a limit."""
        pairs = zip(counts, self.target.limits, strict=True)
        return np.array([n for n, limit in pairs if limit is not None], float)


def _plus_one_in(e: Incoming, shape: Shape, target: Target) -> Counts:
    """What one more projection adds to the layer that it leads to."""
    return _minus(*(_need(shape, (e,) * n, (), target) for n in (2, 1)))


def _plus_one_out(e: Outgoing, shape: Shape, target: Target) -> Counts:
    """What one more projection adds to the layer that it comes from."""
    some = (Incoming("", Conv((1, 1)), shape, FIXED_BITS),)
    return _minus(*(_need(shape, some, (e,) * n, target) for n in (2, 1)))


def _need(
    shape: Shape, incoming: tuple[Incoming, ...], outgoing: tuple[Outgoing, ...], target: Target
) -> Counts:
    return need(Layer("", shape, incoming, outgoing), [((0, 0, 0), shape)], target)


def _minus(a: Counts, b: Counts) -> Counts:
    return Counts(*(x - y for x, y in zip(a, b, strict=True)))
