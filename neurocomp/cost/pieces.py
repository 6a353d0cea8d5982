"""Prices of many candidates of one space: what they share is priced once.

What a projection costs, its op decides; how many cores a population takes, the ops on all edges of
its node decide. So a candidate's price is a sum of pieces that are found in dictionaries, without
building the network. Cells of two inputs, or whose nodes carry sums, are priced as whole networks.
Parameters and bits of pieces that are new are summed up, all else needs the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TypeVar

from neurocomp.arch import Candidate, Task, build
from neurocomp.arch.cell import ZEROIZE
from neurocomp.cost.groups import groups_of
from neurocomp.cost.known import Known, Ops, Pieces
from neurocomp.cost.price import (
    ASSUMED_RATE,
    Price,
    Room,
    Work,
    combined,
    least_cores,
    n_available,
    room_of,
    total_room,
    total_work,
    work_of,
)
from neurocomp.cost.size import output_bias
from neurocomp.cost.tally import Size, sizes_of, total_size
from neurocomp.errors import FitError
from neurocomp.hw.layer import ENDLESS, UNLIMITED
from neurocomp.ir import Graph
from neurocomp.spec.target import Target

TARGET = "target"
_Piece = TypeVar("_Piece")
_COLUMN: dict[str, Callable[[tuple[float, ...]], float]] = {
    name: itemgetter(place) for place, name in enumerate(Work._fields)
}
_CORES: Callable[[Room], float] = itemgetter(0)


class Pricer:
    """Prices candidates on a target; equal to `price` of the networks that they build."""

    def __init__(self, task: Task, target: Target, rate: float = ASSUMED_RATE) -> None:
        self._task, self._target, self._rate = task, target, rate
        self._available = n_available(target)
        self._known: dict[tuple[object, ...], Known] = {}
        self._sizes: dict[tuple[object, ...], Pieces[Size]] = {}
        self._last: tuple[tuple[object, ...], Known | None] = (), None
        self._numbers = {ZEROIZE: 0}
        self._faults: dict[Room, str] = {}

    def __call__(self, candidate: Candidate) -> Price:
        """The price of a candidate.

        Raises:
            FitError: a population does not fit a core, or the board has too few.
        """
        known, ops = self._of(candidate)
        rooms = self._parts(candidate, known, ops, known.rooms)
        for room in rooms:
            if room in self._faults:
                raise FitError(self._faults[room])
        work = total_work(self._parts(candidate, known, ops, known.work))
        what = f"network '{candidate.id}'"
        return combined(work, total_room(rooms), self._target, candidate.prune, what)

    def excess(
        self, candidate: Candidate, limits: Iterable[tuple[str, float]]
    ) -> tuple[str, float] | None:
        """The first limit that a candidate passes, in microseconds; None where it is within all.

        Pieces that are not known yet are priced only where those that are known keep the limit.

        Args:
            limits: ("cores" or a field of `Work`, the most of it). Populations may share cores, so
                only what needs more of them in every mapping passes that limit.

        Returns:
            The limit's name with what the candidate has, or with a lower bound of that; the name
            is "target" where it does not fit the target with one population per core.
        """
        known, ops = self._of(candidate)
        most_cores: float = self._available
        for name, most in limits:
            if name == "cores":
                most_cores = min(most_cores, most)
                continue
            kept = 1.0 if name == "params" else 1.0 - candidate.prune
            column = _COLUMN[name]
            if name in Size._fields:
                found = self._total(candidate, known, ops, known.sizes, column, most / kept)
            else:
                found = self._total(candidate, known, ops, known.work, column, most / kept)
            if kept * found > most:
                return name, kept * found
        cores = self._total(candidate, known, ops, known.rooms, _CORES, most_cores)
        if cores > self._available:
            return TARGET, cores
        if cores <= most_cores:
            return None
        least = self._least_cores(candidate, known, ops, most_cores)
        return ("cores", least) if least > most_cores else None

    def total(self, candidate: Candidate, name: str) -> float:
        """What a candidate has of a field of `Work`, or the least "cores" that it needs."""
        known, ops = self._of(candidate)
        if name == "cores":
            return self._least_cores(candidate, known, ops, UNLIMITED)
        kept = 1.0 if name == "params" else 1.0 - candidate.prune
        column = _COLUMN[name]
        if name in Size._fields:
            sizes = self._parts(candidate, known, ops, known.sizes)
            return kept * sum(column(part) for part in sizes)
        return kept * sum(column(part) for part in self._parts(candidate, known, ops, known.work))

    def _of(self, c: Candidate) -> tuple[Known, Ops]:
        """What is known of candidates that differ in their ops alone, and this one's live ops."""
        key = (c.channels, c.final_pool, c.hidden, c.macro_bits, c.timesteps, c.kind, c.macro)
        last, known = self._last
        if known is None or key != last:
            known = self._known.get(key)
            if known is None:
                known = self._known[key] = Known(c, self._sizes_of(c))
            self._last = key, known
        numbers = self._numbers
        try:
            return known, known.live([numbers[op] for op in c.cell])
        except KeyError:
            for op in c.cell:
                numbers.setdefault(op, len(numbers))
            return self._of(c)

    def _sizes_of(self, c: Candidate) -> Pieces[Size]:
        """Sizes of pieces, which candidates share that differ in their timesteps as well."""
        key = (c.channels, c.final_pool, c.hidden, c.macro_bits, c.kind, c.macro, len(c.cells))
        groups = groups_of(c.kind, c.macro, len(c.cells))
        return self._sizes.setdefault(key, Pieces(groups.work, Size()))

    def _total(
        self,
        candidate: Candidate,
        known: Known,
        ops: Ops,
        pieces: Pieces[_Piece],
        column: Callable[[_Piece], float],
        most: float,
    ) -> float:
        """What all pieces have together; a lower bound where what is known passes the most."""
        try:
            return column(pieces.outside) + sum([column(of[take(ops)]) for take, of in pieces.of])
        except KeyError:
            found = [of[take(ops)] for take, of in pieces.of if take(ops) in of]
            least = sum([column(part) for part in (pieces.outside, *found)])
            if least > most:
                return least
            parts = self._parts(candidate, known, ops, pieces)
            return sum([column(part) for part in parts])

    def _least_cores(self, candidate: Candidate, known: Known, ops: Ops, most: float) -> int:
        """Cores in any mapping, of the pieces that are known if these alone need more than most."""
        rooms = known.rooms
        there = [of[take(ops)] for take, of in rooms.of if take(ops) in of]
        least = least_cores(total_room([rooms.outside, *there]), self._target)
        if least > most or len(there) == len(rooms.of):
            return least
        return least_cores(total_room(self._parts(candidate, known, ops, rooms)), self._target)

    def _parts(
        self, candidate: Candidate, known: Known, ops: Ops, pieces: Pieces[_Piece]
    ) -> list[_Piece]:
        """All pieces of a candidate."""
        if any(take(ops) not in of for take, of in pieces.of):
            learn = self._measure if pieces is known.sizes else self._learn
            learn(candidate, known, ops)
        return [pieces.outside, *(of[take(ops)] for take, of in pieces.of)]

    def _measure(self, candidate: Candidate, known: Known, ops: Ops) -> None:
        """Sum up the sizes of a candidate's pieces."""
        left = sizes_of(candidate, self._task)
        for (take, sizes), names in zip(known.sizes.of, known.sizes.names, strict=True):
            sizes[take(ops)] = total_size([size for name, size in left if name.startswith(names)])
            left = [one for one in left if not one[0].startswith(names)]
        outside = total_size([size for _, size in left])
        known.sizes.outside = outside._replace(params=outside.params + self._task.classes)

    def _learn(self, candidate: Candidate, known: Known, ops: Ops) -> None:
        """Build a candidate's network and price the pieces of it that are not known yet."""
        graph = build(candidate, self._task, renamed=False)
        rest = {p.name for p in graph.neurons}
        for (take, of), names in zip(known.rooms.of, known.rooms.names, strict=True):
            there = _there(graph, names)
            rest.difference_update(there)
            if take(ops) not in of:
                of[take(ops)] = self._room(graph, there)
        left = {e.name: e for e in graph.projections}
        for (take, costs), names in zip(known.work.of, known.work.names, strict=True):
            mine = [name for name in left if name.startswith(names)]
            costs[take(ops)] = total_work(
                work_of(graph, left.pop(name), self._rate) for name in mine
            )
        work = total_work(work_of(graph, e, self._rate) for e in left.values())
        known.work.outside = work._replace(params=work.params + output_bias(graph))
        known.rooms.outside = self._room(graph, sorted(rest))

    def _room(self, graph: Graph, names: Sequence[str]) -> Room:
        """The room of some populations together; what fits no core takes endless cores."""
        try:
            return total_room(room_of(graph, name, self._target) for name in names)
        except FitError as fault:
            endless = Room(ENDLESS + len(self._faults))
            self._faults[endless] = str(fault)
            return endless


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
