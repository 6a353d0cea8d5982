"""Limits on many candidates of one space, judged without building a network.

Parameters, bits and what no mapping can do without are sums over a network's projections and
populations. Those outside the cells follow from the macro choices; those of an edge from its op, so
that a table of ops gives what an edge adds. A candidate that was never seen is then a look-up for
each of its edges.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from operator import getitem, mul
from typing import NamedTuple

from neurocomp.arch import Candidate, Task, build
from neurocomp.arch.cell import Cell, CellKind
from neurocomp.cost.copies import Copies, of_spikes, of_sums
from neurocomp.cost.layout import Head, Trunk, split
from neurocomp.cost.price import ASSUMED_RATE, Price, price
from neurocomp.cost.terms import Amounts, Terms
from neurocomp.hw.mesh import n_live_cores
from neurocomp.hw.needs import Needs
from neurocomp.spec.target import Target

TARGET = "target"
_COLUMN = {name: column for column, name in enumerate(Amounts._fields)}
_RESOURCES = ("total_words", *(name for name in Needs._fields if name != "total_words"))


class Pricer:
    """Prices candidates of spaces on a target."""

    def __init__(self, task: Task, target: Target, rate: float = ASSUMED_RATE) -> None:
        self._task, self._target, self._rate = task, target, rate
        self._terms = Terms(target)
        self._plans: dict[tuple[CellKind, tuple[str, ...], int], _Plan] = {}
        self._available = n_live_cores(target)
        limits = target.limits._asdict()
        self._limited = [(_COLUMN[name], limits[name]) for name in _RESOURCES if limits[name]]

    def __call__(self, candidate: Candidate) -> Price:
        """The price of a candidate's network, which is built.

        Raises:
            FitError: as `neurocomp.cost.price.price`.
        """
        graph = build(candidate, self._task)
        return price(graph, self._target, rate=self._rate, prune=candidate.prune)

    def excess(
        self, candidate: Candidate, limits: Iterable[tuple[str, float]]
    ) -> tuple[str, float] | None:
        """The first limit that a candidate passes, in microseconds; None where it is within all.

        Args:
            limits: (params, model_bits or cores, the most of it). Populations may share cores, so
                only what needs more of them in every mapping passes that limit.

        Returns:
            The limit's name with what the candidate has, or with a lower bound of its cores; the
            name is "target" where the target has fewer of them.
        """
        sums = self._sums(candidate)
        most_cores, cores = float(self._available), TARGET
        for name, most in limits:
            if name == "cores":
                if most < most_cores:
                    most_cores, cores = most, name
                continue
            found = _amount(sums, _COLUMN[name])
            if name == "model_bits":
                found *= 1.0 - candidate.prune
            if found > most:
                return name, found
        for column, limit in self._limited:
            found = _amount(sums, column)
            if found > most_cores * limit:
                return cores, ceil(found / limit)
        return None

    def total(self, candidate: Candidate, name: str) -> float:
        """A candidate's params or model_bits, or the least "cores" that it needs."""
        sums = self._sums(candidate)
        if name == "cores":
            return max(1, *(ceil(_amount(sums, column) / m) for column, m in self._limited))
        kept = 1.0 - candidate.prune if name == "model_bits" else 1.0
        return kept * _amount(sums, _COLUMN[name])

    def _sums(self, c: Candidate) -> _Sums:
        """What a candidate's amounts are the sum of."""
        plan = self._plans.get((c.kind, c.macro, len(c.cell)))
        if plan is None:
            plan = self._plans[c.kind, c.macro, len(c.cell)] = _Plan(c)
        pool = c.final_pool if plan.pooled else 0
        trunk = plan.trunks.get((c.channels, c.macro_bits, pool))
        if trunk is None:
            trunk = Trunk(c, plan.first, self._task, self._terms)
            plan.trunks[c.channels, c.macro_bits, pool] = trunk
        head = trunk.heads.get((c.final_pool, c.hidden))
        if head is None:
            head = trunk.heads[c.final_pool, c.hidden] = trunk.head(c, plan.rest)
        return _Sums(trunk, head, plan.copies(c, trunk), c.cell)


class _Sums(NamedTuple):
    """What the amounts of a candidate are the sum of."""

    trunk: Trunk
    head: Head
    copies: _All
    cell: Cell


class _All(NamedTuple):
    """The copies of all groups of cells, one after the other.

    Attributes:
        others: into node 0, of node 0 and of other nodes, of each group.
        last: nodes of the last cell.
    """

    edges: tuple[int, ...]
    others: tuple[int, ...]
    last: int


def _amount(sums: _Sums, column: int) -> float:
    """How much a candidate has of something."""
    trunk, head, (edges, others, last), cell = sums
    tables = trunk.tables[column] or trunk.fill(column)
    ops = cell if trunk.order is None else trunk.order(cell)
    total: float = head.fixed[column] + last * head.parts[column]
    total += sum(map(mul, others, trunk.others[column]))
    return total + sum(map(mul, edges, map(getitem, tables, ops)))


class _Plan:
    """Candidates of one macro-architecture.

    Attributes:
        first: stages up to the last cell; rest: those behind it.
        pooled: whether the final pooling is among the first.
    """

    def __init__(self, candidate: Candidate) -> None:
        self.first, self.rest = split(candidate.macro)
        self.pooled = any(one.kind == "final_pool" for one in self.first)
        self.trunks: dict[tuple[int, int, int], Trunk] = {}
        self._known: dict[tuple[bool, ...], _All] = {}

    def copies(self, candidate: Candidate, trunk: Trunk) -> _All:
        """How often the parts of a candidate's cells are there."""
        if candidate.kind.sums:
            return _all(_copies_of_sums(candidate, trunk), trunk.last)
        present = tuple([op[0] != "zeroize" for op in candidate.cell])
        found = self._known.get(present)
        if found is None:
            n, kind = trunk.n_edges, candidate.kind
            cells = [of_spikes(present[k : k + n], kind) for k in range(0, len(present), n)]
            found = self._known[present] = _all(
                [cells[g.genotype] for g in trunk.groups], trunk.last
            )
        return found


def _copies_of_sums(candidate: Candidate, trunk: Trunk) -> list[Copies]:
    cells, found = candidate.cells, list[Copies]()
    for group in trunk.groups:
        after = None if group.follower is None else found[group.follower]
        cell, threshold = cells[group.genotype], candidate.threshold
        found.append(of_sums(cell, candidate.kind, threshold, resized=group.resized, after=after))
    return found


def _all(groups: list[Copies], last: int) -> _All:
    """The copies of groups one after the other."""
    return _All(
        tuple([n for g in groups for n in g.edges]),
        tuple([n for g in groups for n in (g.into, g.node, g.others)]),
        groups[last].others,
    )
