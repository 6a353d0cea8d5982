"""What pricing keeps of candidates that it has seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter, mul
from typing import Generic, TypeAlias, TypeVar

from neurocomp.arch import Candidate
from neurocomp.arch.cell import edges, live_edges
from neurocomp.cost.groups import Group, groups_of
from neurocomp.cost.price import Room, Work
from neurocomp.cost.tally import Size

Ops: TypeAlias = tuple[int, ...]  # a number per op, 0 = zeroize
_Piece = TypeVar("_Piece")


class Pieces(Generic[_Piece]):
    """Prices of pieces.

    Attributes:
        of: prices by the ops that decide on them, which the function takes out of all ops.
        names: of each piece, as in `Group`.
        outside: what stands outside the cells.
    """

    def __init__(self, groups: Sequence[Group], nothing: _Piece) -> None:
        self.of: list[tuple[Callable[[Ops], object], dict[object, _Piece]]] = [
            (itemgetter(*group.places), {}) for group in groups
        ]
        self.names = tuple(group.names for group in groups)
        self.outside: _Piece = nothing


class Known:
    """What is known of candidates that differ in their ops alone."""

    def __init__(self, candidate: Candidate, sizes: Pieces[Size]) -> None:
        self._kind = candidate.kind
        self._n_edges = len(edges(candidate.kind))
        self._live: dict[tuple[bool, ...], tuple[bool, ...]] = {}
        groups = groups_of(candidate.kind, candidate.macro, len(candidate.cells))
        self.work: Pieces[Work] = Pieces(groups.work, Work())
        self.sizes = sizes
        self.rooms: Pieces[Room] = Pieces(groups.rooms, Room())

    def live(self, ops: list[int]) -> Ops:
        """The ops of all genotypes without the dead ones."""
        n = self._n_edges
        if len(ops) == n:
            return self._live_cell(ops)
        cells = (self._live_cell(ops[k : k + n]) for k in range(0, len(ops), n))
        return tuple(op for cell in cells for op in cell)

    def _live_cell(self, ops: list[int]) -> Ops:
        present = tuple(map(bool, ops))
        alive = self._live.get(present)
        if alive is None:
            alive = self._live[present] = live_edges(present, self._kind)
        return tuple(map(mul, ops, alive))
