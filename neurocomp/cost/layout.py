"""What candidates have in common that differ in the ops of their cells alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from neurocomp.arch import Candidate, Task
from neurocomp.arch.cell import Cell, EdgeOp, edges
from neurocomp.cost.stages import CellStage, Walk
from neurocomp.cost.terms import Amounts, Ends, Terms, together
from neurocomp.spec.macro import Stage, stage


class Table(dict[EdgeOp, float]):
    """What ops add on one edge of all cells that share it; an op that is new is worked out."""

    def __init__(self, add: Callable[[EdgeOp], float]) -> None:
        super().__init__()
        self._add = add

    def __missing__(self, op: EdgeOp) -> float:
        found = self[op] = self._add(op)
        return found


@dataclass(frozen=True)
class Group:
    """Cell stages that use one genotype in the same way.

    Attributes:
        resized: edges from node 0 change width or size; follower: group of the cell that the
            output is node 0 of. Both count only where nodes carry sums.
    """

    genotype: int
    resized: bool = False
    follower: int | None = None
    stages: list[CellStage] = field(default_factory=list, compare=False)


class Head(NamedTuple):
    """What there is once with a head, and what per node of the last cell."""

    fixed: Amounts
    parts: Amounts


class Trunk:
    """The stages up to the last cell.

    Attributes:
        groups: of its cells; a follower stands before what it follows.
        last: place of the last cell's group; n_edges: of a genotype.
        order: takes the ops of all groups out of a candidate's; None = they are the same.
        others: by amount, of each group what there is per projection into node 0, per population
            of node 0 and per population of another node.
        tables: by amount, what ops add, by group and edge; `fill` makes them.
        heads: the stages behind the last cell, by the choices that are left.
    """

    def __init__(self, c: Candidate, stages: Sequence[Stage], task: Task, terms: Terms) -> None:
        self._task, self._terms, self._kind = task, terms, c.kind
        self._walk = Walk.at_image(c, task, terms).through(stages)
        self.groups = _groups(self._walk.cells, sums=c.kind.sums)
        self.n_edges = len(edges(c.kind))
        genotypes = [group.genotype for group in self.groups]
        self.last = genotypes.index(self._walk.cells[-1].genotype)
        plain = genotypes == list(range(len(c.cells)))
        self.order = None if plain else lambda cell: _ops(cell, genotypes, self.n_edges)
        self._fixed = together(self._walk.fixed)
        parts = [part for group in self.groups for part in self._parts(group)]
        self.others = list(zip(*parts, strict=True))
        self.tables: list[list[Table] | None] = [None] * len(Amounts._fields)
        self.heads: dict[tuple[int, int], Head] = {}

    def head(self, candidate: Candidate, stages: Sequence[Stage]) -> Head:
        """The stages behind the last cell, and the output, whose neurons have a bias each."""
        walk = self._walk.behind(candidate).through(stages)
        walk.dense(self._task.classes, last=True)
        bias = Amounts(params=self._task.classes)
        return Head(
            together([self._fixed, bias, *walk.fixed]), together(part for _, part in walk.parts)
        )

    def fill(self, column: int) -> list[Table]:
        """Make the tables of an amount; edges of equal ends have one."""
        inputs, sums, edge = self._kind.inputs, self._kind.sums, self._terms.edge
        shared: dict[tuple[Ends, ...], Table] = {}
        found = []
        for group in self.groups:
            for i, j in edges(self._kind):
                ends = tuple(one.ends(i, j, inputs) for one in group.stages)

                def add(op: EdgeOp, ends: tuple[Ends, ...] = ends) -> float:
                    return sum(edge(op, one, sums=sums)[column] for one in ends)

                found.append(shared.setdefault(ends, Table(add)))
        self.tables[column] = found
        return found

    def _parts(self, group: Group) -> tuple[Amounts, Amounts, Amounts]:
        nodes = [self._terms.node(one.shape) for one in group.stages]
        nodes += [part for owner, part in self._walk.parts if owner == group.genotype]
        return (
            together(one.into for one in group.stages),
            together(one.node for one in group.stages),
            together(nodes),
        )


def split(macro: Sequence[str]) -> tuple[list[Stage], list[Stage]]:
    """The stages up to the last cell, and those behind it."""
    stages = [stage(text) for text in macro]
    behind = max(k for k, one in enumerate(stages) if one.kind == "cell") + 1
    return stages[:behind], stages[behind:]


def _groups(cells: Sequence[CellStage], *, sums: bool) -> list[Group]:
    """The groups of cell stages: by genotype, or from the last to the first of those with sums."""
    found: list[Group] = []
    after: int | None = None
    for cell in reversed(cells) if sums else cells:
        group = Group(cell.genotype)
        if sums:
            group = Group(cell.genotype, cell.ends(0, 1, 1).resized, after)
        if group not in found:
            found.append(group)
        place = found.index(group)
        found[place].stages.append(cell)
        after = place if cell.joined else None
    return found


def _ops(cell: Cell, genotypes: Sequence[int], n: int) -> Cell:
    """The ops of several genotypes, one after the other."""
    return tuple(op for k in genotypes for op in cell[k * n : (k + 1) * n])
