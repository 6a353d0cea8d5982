"""The stages of a candidate's network as sums: what does not depend on the ops of its cells.

It goes through the stages as `neurocomp.arch.build` does, and adds up instead of joining. A cell
of two inputs hands on one part for every node that is there; what each of them adds is kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from neurocomp.arch import Candidate, Task
from neurocomp.cost.terms import Amounts, Ends, Source, Terms
from neurocomp.ir import Shape
from neurocomp.spec.macro import Stage


class Top(NamedTuple):
    """What a stage hands on; ``owner``: genotype with a part for each of its nodes, None = one."""

    source: Source
    owner: int | None = None


class CellStage(NamedTuple):
    """A cell stage.

    Attributes:
        entry: node 0, or the inputs of a cell with two; shape: of the other nodes.
        into: projections into node 0, and `node` 0 itself; nothing where a cell stands before.
        joined: whether it stands right behind a cell.
    """

    genotype: int
    entry: Source
    shape: Shape
    stride: int
    bits: int
    into: Amounts
    node: Amounts
    joined: bool

    def ends(self, i: int, j: int, inputs: int) -> Ends:
        """What the edge from node i to node j joins."""
        first = inputs == 1 and i == 0 < j
        source = self.entry if i == 0 else Source(self.shape)
        shape = self.entry.shape if inputs == 1 and j == 0 else self.shape
        return Ends(source, shape, self.shape[0], self.stride if first else 1, self.bits)


@dataclass
class Walk:
    """Goes through stages.

    Attributes:
        fixed: what is there once; parts: once for every node of a genotype, by genotype.
        cells: cell stages so far.
    """

    candidate: Candidate
    terms: Terms
    top: Top
    width: int
    before: Top | None = None
    fixed: list[Amounts] = field(default_factory=list)
    parts: list[tuple[int, Amounts]] = field(default_factory=list)
    cells: list[CellStage] = field(default_factory=list)
    _entry: tuple[Amounts, Amounts] | None = None  # of a node that may be node 0 of a cell
    _joined: bool = False

    @classmethod
    def at_image(cls, candidate: Candidate, task: Task, terms: Terms) -> Walk:
        """At the image, before the first stage."""
        return cls(candidate, terms, Top(Source(task.shape, outside=True)), candidate.channels)

    def behind(self, candidate: Candidate) -> Walk:
        """A walk that goes on from here with what is still to be chosen."""
        return Walk(candidate, self.terms, self.top, self.width, self.before)

    def through(self, stages: Sequence[Stage]) -> Walk:
        """Go through stages."""
        for one in stages:
            self.width *= one.widen
            old = self.top
            if one.kind == "cell":
                self._cell(one)
            elif one.kind == "hidden":
                self.dense(self.candidate.hidden)
            elif one.kind == "conv":
                self._conv(one)
            else:
                self._pool(self.candidate.final_pool if one.kind == "final_pool" else one.size)
            self.before = old
        self._settle()
        return self

    def dense(self, size: int, *, last: bool = False) -> None:
        """A fully connected layer."""
        self._settle()
        self._add(self.terms.dense(self.top.source, size, self.candidate.macro_bits))
        shape = size, 1, 1
        self.fixed.append(self.terms.node(shape, last=last))
        self.top = Top(Source(shape))

    def _conv(self, one: Stage) -> None:
        self._settle()
        _, height, width = self.top.source.shape
        shape = self.width, height // one.stride, width // one.stride
        bits = self.candidate.macro_bits
        term = self.terms.conv(one.size, one.stride, self.top.source, shape, bits)
        self._lead_to(shape, term, self.top.owner)
        self.top = Top(Source(shape))

    def _pool(self, size: int) -> None:
        if size <= 1:
            return
        self._settle()
        channels, height, width = self.top.source.shape
        shape = channels, height // size, width // size
        term = self.terms.pool(size, size, 0, self.top.source, shape)
        owner = self.top.owner
        if owner is None:
            self._lead_to(shape, term, None)
        else:
            self.parts += [(owner, term), (owner, self.terms.node(shape))]
        self.top = Top(Source(shape), owner)

    def _cell(self, one: Stage) -> None:
        candidate = self.candidate
        genotype = len(self.cells) % len(candidate.cells)
        _, height, width = self.top.source.shape
        shape = self.width, height // one.stride, width // one.stride
        into, node = self._entry or (Amounts(), Amounts())
        entry, joined, owner = self.top.source, self._joined, None
        self._entry, self._joined = None, True
        if candidate.kind.inputs == 2:
            self.fixed += [into, node]
            self._states(shape, one.stride)
            entry, into, node, owner = Source(shape), Amounts(), Amounts(), genotype
        bits = candidate.macro_bits
        self.cells.append(
            CellStage(genotype, entry, shape, one.stride, bits, into, node, joined)
        )
        self.top = Top(Source(shape), owner)

    def _states(self, shape: Shape, stride: int) -> None:
        """The inputs of a cell with two: 1×1 convolutions to its width and size."""
        bits = self.candidate.macro_bits
        for one in (self.before or self.top, self.top):
            step = stride * one.source.shape[1] // self.top.source.shape[1]
            self._add(self.terms.conv(1, step, one.source, shape, bits), one.owner)
            self.fixed.append(self.terms.node(shape))

    def _add(self, term: Amounts, owner: int | None = -1) -> None:
        """A projection from each of the parts that are handed on."""
        owner = self.top.owner if owner == -1 else owner
        if owner is None:
            self.fixed.append(term)
        else:
            self.parts.append((owner, term))

    def _lead_to(self, shape: Shape, term: Amounts, owner: int | None) -> None:
        """A node with what leads into it, which a cell may take as its own."""
        node = self.terms.node(shape)
        if owner is None:
            self._entry = term, node
        else:
            self.parts.append((owner, term))
            self._entry = Amounts(), node

    def _settle(self) -> None:
        """What led to the last node is there once: no cell has taken it as its own."""
        self.fixed += self._entry or ()
        self._entry, self._joined = None, False
