"""Limits on many candidates of one space, judged without building a network.

Parameters, bits and what no mapping can do without are sums over a network's projections and
populations. Those outside the cells follow from the macro choices; those of an edge from its op, so
that a table of ops gives what an edge adds. A candidate that was never seen is then a look-up for
each of its edges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from math import ceil
from operator import getitem, mul
from typing import Any, NamedTuple

from neurocomp.arch import Candidate, Task, build
from neurocomp.arch.cell import ZEROIZE, Cell, CellKind, edges, live_edges
from neurocomp.cost.copies import Copies, of_spikes, of_sums
from neurocomp.cost.layout import Frame, Group, KnownCopies, Tables, Trunk
from neurocomp.cost.parts import AMOUNTS, Prices
from neurocomp.cost.price import ASSUMED_RATE, Price, kept_bits, price
from neurocomp.hw.layer import ENDLESS
from neurocomp.hw.mesh import n_live_cores
from neurocomp.hw.needs import Needs
from neurocomp.spec.macro import Stage, stage
from neurocomp.spec.target import Target

TARGET = "target"
_COLUMN = {name: column for column, name in enumerate(AMOUNTS)}
_RESOURCES = ("total_words", *(name for name in Needs._fields if name != "total_words"))
_is_there = ZEROIZE.__ne__


class _Sums(NamedTuple):
    """What the amounts of a candidate are the sum of; see `Copies` and `Row`."""

    frame: Frame
    ops: Cell
    edges: tuple[int, ...] | None
    others: tuple[int, ...]

    def of(self, column: int) -> float:
        """How much a candidate has of one of `AMOUNTS`."""
        frame, ops, copies, counts = self
        fixed, others, tables = frame.rows[column] or frame.row(column)
        total: float = fixed + sum(map(mul, counts, others))
        adds = map(getitem, tables, ops)
        return total + sum(adds if copies is None else map(mul, copies, adds))


class Pricer:
    """Prices candidates of spaces on a target."""

    def __init__(self, task: Task, target: Target, rate: float = ASSUMED_RATE) -> None:
        self._task, self._target, self._rate = task, target, rate
        self._prices, self._tables = Prices(target), Tables()
        self._frames: dict[tuple[object, ...], Frame] = {}
        self._trunks: dict[tuple[object, ...], Trunk] = {}
        self._copies: dict[CellKind, KnownCopies] = {}
        self._available = n_live_cores(target)
        limits = ((name, getattr(target.limits, name)) for name in _RESOURCES)
        self._limited: list[tuple[int, int]] = [
            (_COLUMN[name], most) for name, most in limits if most
        ]

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
            name is "target" where the target has fewer of them, or stores no such weights
            (`ENDLESS` cores and more).
        """
        sums = self._sums(candidate)
        most_cores: float = self._available
        cores = TARGET
        for name, most in limits:
            if name == "cores":
                if most < most_cores:
                    most_cores, cores = most, name
                continue
            found = sums.of(_COLUMN[name])
            if name == "model_bits":
                found = kept_bits(found, candidate.prune)
            if found > most:
                return name, found
        for column, limit in self._limited:
            found = sums.of(column)
            if found > most_cores * limit:
                n = ceil(found / limit)
                return (cores if n < ENDLESS else TARGET), n
        return None

    def total(self, candidate: Candidate, name: str) -> float:
        """A candidate's params or model_bits, or the least "cores" that it needs."""
        sums = self._sums(candidate)
        if name == "cores":
            return max(1, *(ceil(sums.of(column) / most) for column, most in self._limited))
        found = sums.of(_COLUMN[name])
        return kept_bits(found, candidate.prune) if name == "model_bits" else found

    def _sums(self, c: Candidate) -> _Sums:
        """What a candidate's amounts are the sum of."""
        key = c.channels, c.final_pool, c.hidden, c.macro_bits, c.kind, c.macro, len(c.cell)
        frame = self._frames.get(key) or self._frame(c, key)
        trunk = frame.trunk
        present = tuple(map(_is_there, c.cell))
        try:
            copies = trunk.copies[present]
        except KeyError:
            copies = trunk.copies[present] = _of_spikes(c.kind, present)
        if copies is None:
            return self._sums(c.live())
        if c.kind.sums:
            copies = _of_sums(c, trunk.groups)
        ops = c.cell if trunk.order is None else tuple([c.cell[k] for k in trunk.order])
        return _Sums(frame, ops, *copies)

    def _frame(self, c: Candidate, key: tuple[Any, ...]) -> Frame:
        """What is known of candidates that differ in their ops alone, where nothing is known."""
        first, rest, pooled = _split(c.macro)
        part = (c.channels, pooled and c.final_pool, *key[3:])
        if part not in self._trunks:
            copies = self._copies.setdefault(c.kind, {})
            self._trunks[part] = Trunk(c, first, self._task, self._prices, self._tables, copies)
        frame = self._frames[key] = Frame(c, self._trunks[part], rest, self._task, self._prices)
        return frame


@cache
def _split(macro: tuple[str, ...]) -> tuple[list[Stage], list[Stage], bool]:
    """Stages up to the last cell, those behind it, whether the final pooling is in the first."""
    stages = [stage(text) for text in macro]
    kinds = [one.kind for one in stages]
    behind = len(kinds) - kinds[::-1].index("cell")
    return stages[:behind], stages[behind:], "final_pool" in kinds[:behind]


def _of_spikes(kind: CellKind, present: tuple[bool, ...]) -> Copies | None:
    n = len(edges(kind))
    cells = [present[k : k + n] for k in range(0, len(present), n)]
    if any(live_edges(cell, kind) != cell for cell in cells):
        return None
    return _together([of_spikes(cell, kind) for cell in cells])


def _of_sums(c: Candidate, groups: Sequence[Group]) -> Copies:
    if len(groups) == 1:
        resized = groups[0].key.resized
        return of_sums(c.cell, c.kind, c.threshold, resized=resized, after=None)
    cells, found = c.cells, list[Copies]()
    for (genotype, resized, follower), _ in groups:
        after = None if follower is None else found[follower]
        cell = cells[genotype]
        found.append(of_sums(cell, c.kind, c.threshold, resized=resized, after=after))
    return _together(found)


def _together(cells: Sequence[Copies]) -> Copies:
    """The copies of several cells, one after the other."""
    if len(cells) == 1:
        return cells[0]
    counts = None if cells[0].edges is None else tuple(n for one in cells for n in one.edges or ())
    return Copies(counts, tuple(n for one in cells for n in one.others))
