"""Prices of many candidates of one space: what they share is priced once.

What a projection costs, its op decides; how many cores a population takes, the ops on all edges of
its node decide. So a candidate's price is a sum of pieces that are found in dictionaries, without
building the network. Cells of two inputs, or whose nodes carry sums, are priced as whole networks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from neurocomp.arch import Candidate, Task, build
from neurocomp.arch.cell import CellKind, EdgeOp, edges, live
from neurocomp.cost.price import (
    ASSUMED_RATE,
    Price,
    Room,
    Work,
    combined,
    n_available,
    room_of,
    total_room,
    total_work,
    work_of,
)
from neurocomp.cost.size import output_bias
from neurocomp.errors import FitError
from neurocomp.hw.layer import NO_LIMIT
from neurocomp.ir import Graph
from neurocomp.spec.space import stage
from neurocomp.spec.target import Target

_Ops: TypeAlias = tuple[EdgeOp, ...]
_COLUMN = {name: itemgetter(place) for place, name in enumerate(Work._fields)}
_CORES = itemgetter(0)


class Pricer:
    """Prices candidates on a target; equal to `price` of the networks that they build."""

    def __init__(self, task: Task, target: Target, rate: float = ASSUMED_RATE) -> None:
        self._task, self._target, self._rate = task, target, rate
        self._available = n_available(target)
        self._known: dict[tuple[object, ...], _Known] = {}
        self._faults: dict[Room, str] = {}

    def __call__(self, candidate: Candidate) -> Price:
        """The price of a candidate.

        Raises:
            FitError: a population does not fit a core, or the board has too few.
        """
        known, ops = self._of(candidate)
        rooms = self._rooms(candidate, known, ops)
        for room in rooms:
            if room in self._faults:
                raise FitError(self._faults[room])
        work = total_work(self._work(candidate, known, ops))
        what = f"network '{candidate.id}'"
        return combined(work, total_room(rooms), self._target, candidate.prune, what)

    def exceeds(self, candidate: Candidate, limits: Iterable[tuple[str, float]]) -> bool:
        """Whether a candidate does not fit the target, or passes a limit.

        Args:
            limits: ("cores" or a field of `Work`, the most of it).
        """
        known, ops = self._of(candidate)
        most_cores: float = self._available
        work = None
        for name, most in limits:
            if name == "cores":
                most_cores = min(most_cores, most)
                continue
            work = work or self._work(candidate, known, ops)
            kept = 1.0 if name == "params" else 1.0 - candidate.prune
            if kept * sum(map(_COLUMN[name], work)) > most:
                return True
        return bool(sum(map(_CORES, self._rooms(candidate, known, ops))) > most_cores)

    def _of(self, c: Candidate) -> tuple[_Known, _Ops]:
        """What is known of candidates that differ in their ops alone, and this one's live ops."""
        key = (c.channels, c.final_pool, c.hidden, c.macro_bits, c.timesteps, c.kind, c.macro)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known(
                _groups(c.kind, c.macro, len(c.cells)), len(edges(c.kind))
            )
        if len(c.cell) == known.n_edges:
            return known, live(c.cell, c.kind)
        return known, c.live().cell

    def _work(self, candidate: Candidate, known: _Known, ops: _Ops) -> list[Work]:
        try:
            found = [of[take(ops)] for take, of in known.work]
        except KeyError:
            self._learn(candidate, known, ops)
            found = [of[take(ops)] for take, of in known.work]
        found.append(known.outside[0])
        return found

    def _rooms(self, candidate: Candidate, known: _Known, ops: _Ops) -> list[Room]:
        try:
            found = [of[take(ops)] for take, of in known.rooms]
        except KeyError:
            self._learn(candidate, known, ops)
            found = [of[take(ops)] for take, of in known.rooms]
        found.append(known.outside[1])
        return found

    def _learn(self, candidate: Candidate, known: _Known, ops: _Ops) -> None:
        """Build a candidate's network and price the pieces of it that are not known yet."""
        graph = build(candidate, self._task, renamed=False)
        rest = {p.name for p in graph.neurons}
        for (take, of), group in zip(known.rooms, known.groups.rooms, strict=True):
            there = _there(graph, group.names)
            rest.difference_update(there)
            if take(ops) not in of:
                of[take(ops)] = self._room(graph, there)
        left = {e.name: e for e in graph.projections}
        for (take, costs), group in zip(known.work, known.groups.work, strict=True):
            mine = [name for name in left if name.startswith(group.names)]
            costs[take(ops)] = total_work(
                work_of(graph, left.pop(name), self._rate) for name in mine
            )
        work = total_work(work_of(graph, e, self._rate) for e in left.values())
        work = work._replace(params=work.params + output_bias(graph))
        known.outside = work, self._room(graph, sorted(rest))

    def _room(self, graph: Graph, names: Sequence[str]) -> Room:
        """The room of some populations together; what fits no core takes endless cores."""
        try:
            return total_room(room_of(graph, name, self._target) for name in names)
        except FitError as fault:
            endless = Room(NO_LIMIT + len(self._faults))
            self._faults[endless] = str(fault)
            return endless


class _Group(NamedTuple):
    """Populations or projections whose price the same ops decide on.

    Attributes:
        places: of the ops, among those of all genotypes.
        names: how the projections' names begin, or the populations' names; of populations, one
            that ends in "-" begins the names of projections out of it, "" is all of them.
    """

    places: tuple[int, ...]
    names: tuple[str, ...]


class _Groups(NamedTuple):
    """The pieces of a kind of candidates: those that add work, and those that take room."""

    work: tuple[_Group, ...]
    rooms: tuple[_Group, ...]


class _Known:
    """Prices of pieces, by the ops that decide on them, which ``take`` takes out of all ops.

    Attributes:
        n_edges: of a cell.
        outside: what stands outside the cells.
    """

    def __init__(self, groups: _Groups, n_edges: int) -> None:
        self.groups, self.n_edges = groups, n_edges
        self.work: list[tuple[Callable[[_Ops], object], dict[object, Work]]] = [
            (itemgetter(*group.places), {}) for group in groups.work
        ]
        self.rooms: list[tuple[Callable[[_Ops], object], dict[object, Room]]] = [
            (itemgetter(*group.places), {}) for group in groups.rooms
        ]
        self.outside = Work(), Room()


@lru_cache
def _groups(kind: CellKind, macro: tuple[str, ...], genotypes: int) -> _Groups:
    """The pieces of candidates of one kind: an edge, and a node with all edges that touch it.

    Where a cell follows on a cell, the last node of one is node 0 of the other.
    """
    every = edges(kind)
    if kind.sums or kind.inputs > 1:
        whole = _Group(tuple(range(genotypes * len(every))), ("",))
        return _Groups((whole,), (whole,))
    stages = [stage(text).kind for text in macro]
    cells = [at for at, name in enumerate(stages) if name == "cell"]
    last = kind.nodes - 1
    rooms: dict[tuple[int, ...], list[str]] = {}
    work: dict[tuple[int, ...], list[str]] = {}
    before: tuple[int, ...] = ()
    for k, at in enumerate(cells):
        shift = k % genotypes * len(every)
        for place, (i, j) in enumerate(every):
            work.setdefault((shift + place,), []).append(f"cell{k + 1}.n{i}-n{j}.")
        touching = [
            tuple(shift + place for place, e in enumerate(every) if j in e)
            for j in range(kind.nodes)
        ]
        first = f"cell{k}.n{last}" if before else f"cell{k + 1}.n0-"
        rooms.setdefault(before + touching[0], []).append(first)
        joined = stages[at + 1 : at + 2] == ["cell"]
        for j in range(1, last if joined else last + 1):
            rooms.setdefault(touching[j], []).append(f"cell{k + 1}.n{j}")
        before = touching[last] if joined else ()
    return _Groups(
        tuple(_Group(places, tuple(names)) for places, names in work.items()),
        tuple(_Group(places, tuple(names)) for places, names in rooms.items()),
    )


def _there(graph: Graph, names: Sequence[str]) -> list[str]:
    """The populations of those names that are in the network."""
    known = {p.name for p in graph.neurons}
    if "" in names:
        return sorted(known)
    found = [name for name in names if name in known]
    for start in names:
        if start.endswith("-"):
            found += sorted({e.source for e in graph.projections if e.name.startswith(start)})
    return found
