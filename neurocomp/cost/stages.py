"""The stages of a candidate's network as lists of parts, without the ops of its cells.

It goes through the stages as `neurocomp.arch.build` does. A cell of two inputs hands on one signal
for every node that is there; what each of these adds is kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from neurocomp.arch import Candidate
from neurocomp.arch.cell import EdgeOp
from neurocomp.arch.network import FIXED_BITS
from neurocomp.cost.parts import Joint, Part, Population, Source, conv, pool
from neurocomp.ir import Dense, Shape, skip
from neurocomp.spec.macro import Stage


class Ends(NamedTuple):
    """What an edge of a cell joins.

    Attributes:
        stride: of the edge; bits: of the convolution that a skip has to be here, 0 where it has
            not.
    """

    source: Source
    shape: Shape
    stride: int
    bits: int

    def part(self, op: EdgeOp, *, sums: bool) -> Joint | None:
        """The projection; where nodes carry sums a skip hands terms on, and is none."""
        source, shape, stride, bits = self
        if op.op == "conv":
            return Joint(conv(op.kernel, stride), source, shape, op.bits)
        if op.op == "avgpool3":
            return Joint(pool(shape[0], 3, stride, 1), source, shape, FIXED_BITS, trained=False)
        if op.op == "skip" and bits:
            return Joint(conv(1, stride), source, shape, bits)
        if op.op == "zeroize" or sums:
            return None
        return Joint(skip(shape[0]), source, shape, FIXED_BITS, trained=False)


class CellStage(NamedTuple):
    """A cell stage.

    Attributes:
        entry: node 0; shape: of the other nodes, and of both inputs where there are two.
        bits: see `Ends`, of edges from node 0.
        into: the projection into node 0 and that population; none where another cell has them.
        joined: whether it stands right behind a cell.
    """

    genotype: int
    entry: Source
    shape: Shape
    stride: int
    bits: int
    into: tuple[Part, ...]
    joined: bool

    def ends(self, i: int, j: int) -> Ends:
        """What the edge from node i to node j joins."""
        if i == 0:
            return Ends(self.entry, self.shape, self.stride, self.bits)
        return Ends(Source(self.shape), self.shape if j else self.entry.shape, 1, 0)


@dataclass
class Walk:
    """Goes through stages.

    Attributes:
        top: where the next stage begins; owner: the genotype that has such a signal for each of
            its nodes, None = there is one.
        fixed: parts that are there once; each: once for every node of a genotype, by genotype.
        cells: cell stages so far.
    """

    candidate: Candidate
    top: Source
    width: int
    owner: int | None = None
    fixed: list[Part] = field(default_factory=list)
    each: list[tuple[int, Part]] = field(default_factory=list)
    cells: list[CellStage] = field(default_factory=list)
    _into: tuple[Part, ...] = ()  # what leads to the top and may be the next cell's
    _joined: bool = False  # whether the top is a cell's

    def behind(self, candidate: Candidate) -> Walk:
        """A walk that begins where this one ended, with a candidate's own choices."""
        return Walk(candidate, self.top, self.width, self.owner)

    def through(self, stages: Sequence[Stage]) -> Walk:
        """Go through stages."""
        before = self.top, self.owner
        for one in stages:
            self.width *= one.widen
            now = self.top, self.owner
            if one.kind == "cell":
                self._cell(one, before)
            elif one.kind == "hidden":
                self.dense(self.candidate.hidden)
            elif one.kind == "conv":
                self._lead(self._conv(one.size, one.stride, self.top))
            else:
                self._pool(self.candidate.final_pool if one.kind == "final_pool" else one.size)
            before = now
        self.settle()
        return self

    def dense(self, size: int, *, unheard: bool = False) -> None:
        """A fully connected layer."""
        joint = Joint(Dense(), self.top, (size, 1, 1), self.candidate.macro_bits)
        self._lead(joint, unheard=unheard)

    def _conv(self, kernel: int, stride: int, source: Source) -> Joint:
        _, height, width = source.shape
        shape = self.width, height // stride, width // stride
        return Joint(conv(kernel, stride), source, shape, self.candidate.macro_bits)

    def _pool(self, size: int) -> None:
        if size <= 1:
            return
        channels, height, width = self.top.shape
        shape, op = (channels, height // size, width // size), pool(channels, size, size)
        self._lead(Joint(op, self.top, shape, FIXED_BITS, trained=False), each=True)

    def _cell(self, one: Stage, before: tuple[Source, int | None]) -> None:
        """A cell; one of two inputs brings both to its own width and size."""
        genotypes, kind = self.candidate.cells, self.candidate.kind
        stride, genotype = one.stride, len(self.cells) % len(genotypes)
        bits = self.candidate.macro_bits
        if kind.inputs == 2:
            self.settle()
            rows, there = self.top.shape[1], (before, (self.top, self.owner))
            for source, owner in there:
                joint = self._conv(1, stride * source.shape[1] // rows, source)
                self._add(joint, owner)
                self.fixed.append(Population(joint.shape))
            self.top, stride = Source(joint.shape), 1
        if stride == 1 and self.top.shape[0] == self.width:
            bits = 0
        _, height, width = self.top.shape
        shape = self.width, height // stride, width // stride
        self.cells.append(
            CellStage(genotype, self.top, shape, stride, bits, self._into, self._joined)
        )
        self.top, self._into, self._joined = Source(shape), (), True
        self.owner = genotype if kind.inputs == 2 else None

    def _lead(self, joint: Joint, *, each: bool = False, unheard: bool = False) -> None:
        """Go on to the population that a projection leads to, if wanted to one for each signal."""
        self.settle()
        population = Population(joint.shape, unheard)
        if self.owner is None:
            self._into = joint, population
        else:
            self._add(joint, self.owner)
            self._add(population, self.owner if each else None)
        self.top = Source(joint.shape)
        self.owner = self.owner if each else None

    def _add(self, part: Part, owner: int | None) -> None:
        if owner is None:
            self.fixed.append(part)
        else:
            self.each.append((owner, part))

    def settle(self) -> None:
        """What led to the top is there once: no cell has taken it as its own."""
        self.fixed += self._into
        self._into, self._joined = (), False
