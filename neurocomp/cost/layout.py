"""What candidates have in common that differ in the ops of their cells alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from neurocomp.arch import Candidate, Task
from neurocomp.arch.cell import EdgeOp, edges
from neurocomp.cost.copies import Copies
from neurocomp.cost.parts import AMOUNTS, Part, Population, Prices, Source
from neurocomp.cost.stages import CellStage, Ends, Walk
from neurocomp.spec.macro import Stage


class Table(dict[EdgeOp, float]):
    """What ops add on one edge of all cells that share it; an op that is new is worked out."""

    def __init__(self, add: Callable[[EdgeOp], float]) -> None:
        super().__init__()
        self._add = add

    def __missing__(self, op: EdgeOp) -> float:
        found = self[op] = self._add(op)
        return found


KnownCopies: TypeAlias = dict[tuple[bool, ...], Copies | None]  # by which edges have an op
Tables: TypeAlias = dict[tuple[int, tuple[Ends, ...]], Table]  # by amount and what the edges join


class Row(NamedTuple):
    """One of `AMOUNTS`: what is there once, what `Copies.others` count, what ops add by edge."""

    fixed: float
    others: tuple[float, ...]
    tables: tuple[Table, ...]


class Use(NamedTuple):
    """How a cell stage uses a genotype.

    Attributes:
        resized: no skip from node 0 hands terms on; follower: group of the cell that the output is
            node 0 of. Both count only where nodes carry sums.
    """

    genotype: int
    resized: bool = False
    follower: int | None = None


class Group(NamedTuple):
    """Cell stages that use one genotype in the same way."""

    key: Use
    stages: list[CellStage]


class Trunk:
    """The stages up to the last cell.

    Attributes:
        groups: of its cells; a follower stands before what it follows.
        copies: in networks whose nodes spike, as far as they are known; None = an edge is dead.
        order: places in a candidate's ops of the ops of all groups; None = they are the same.
    """

    def __init__(
        self,
        c: Candidate,
        stages: Sequence[Stage],
        task: Task,
        prices: Prices,
        tables: Tables,
        copies: KnownCopies,
    ) -> None:
        self.copies = copies
        self._prices, self._tables, self._kind = prices, tables, c.kind
        self._walk = Walk(c, Source(task.shape, outside=True), c.channels).through(stages)
        self._rows: list[Row | None] = [None] * len(AMOUNTS)
        self.groups = _groups(self._walk.cells, sums=c.kind.sums)
        n = len(edges(c.kind))
        order = [g.key.genotype * n + k for g in self.groups for k in range(n)]
        self.order = None if order == list(range(len(c.cell))) else order

    @property
    def last(self) -> int:
        """Place of the last cell's group, where groups are genotypes."""
        return self._walk.cells[-1].genotype

    def behind(self, candidate: Candidate) -> Walk:
        """A walk that begins behind the last cell."""
        return self._walk.behind(candidate)

    def row(self, column: int) -> Row:
        """An amount, without the stages behind the last cell."""
        row = self._rows[column]
        if row is None:
            row = self._rows[column] = self._row(column)
        return row

    def _row(self, column: int) -> Row:
        price, kind = self._prices.of[column], self._kind
        fixed, others = sum(map(price, self._walk.fixed)), list[float]()
        for group in self.groups:
            each = sum(price(part) for k, part in self._walk.each if k == group.key.genotype)
            nodes = each + sum(price(Population(one.shape)) for one in group.stages)
            into = [one.into for one in group.stages if one.into]
            heard, firing = (sum(price(one[k]) for one in into) for k in (0, 1))
            if kind.sums:
                others += [heard, firing, nodes]
            else:
                fixed += heard + firing
                others.append(nodes)
        tables = (
            self._table(column, tuple([one.ends(i, j) for one in group.stages]))
            for group in self.groups
            for i, j in edges(kind)
        )
        return Row(fixed, tuple(others), tuple(tables))

    def _table(self, column: int, ends: tuple[Ends, ...]) -> Table:
        """The table of edges with such ends, which trunks share."""
        price, sums = self._prices.of[column], self._kind.sums

        def add(op: EdgeOp) -> float:
            parts = (one.part(op, sums=sums) for one in ends)
            return sum(price(part) for part in parts if part is not None)

        return self._tables.setdefault((column, ends), Table(add))


class Frame:
    """All stages, at one choice of everything but the cells' ops.

    Attributes:
        rows: by amount; None = `row` has not been asked for it.
    """

    def __init__(
        self, candidate: Candidate, trunk: Trunk, rest: Sequence[Stage], task: Task, prices: Prices
    ) -> None:
        walk = trunk.behind(candidate).through(rest)
        walk.dense(task.classes, unheard=True)
        walk.settle()
        self._fixed: list[Part] = walk.fixed
        self._each = [part for _, part in walk.each]
        self.trunk, self._prices, self._classes = trunk, prices, task.classes
        self.rows: list[Row | None] = [None] * len(AMOUNTS)

    def row(self, column: int) -> Row:
        """Work out an amount; outputs have a bias each."""
        fixed, others, tables = self.trunk.row(column)
        price = self._prices.of[column]
        fixed += sum(map(price, self._fixed)) + (self._classes if column == 0 else 0)
        if self._each:
            last, each = self.trunk.last, sum(map(price, self._each))
            others = (*others[:last], others[last] + each, *others[last + 1 :])
        row = self.rows[column] = Row(fixed, others, tables)
        return row


def _groups(cells: Sequence[CellStage], *, sums: bool) -> list[Group]:
    """The groups of cell stages: by genotype, or from the last to the first of those with sums."""
    found: dict[Use, Group] = {}
    after: int | None = None
    for cell in reversed(cells) if sums else cells:
        use = Use(cell.genotype, bool(cell.bits), after) if sums else Use(cell.genotype)
        found.setdefault(use, Group(use, [])).stages.append(cell)
        after = list(found).index(use) if cell.joined else None
    return list(found.values())
