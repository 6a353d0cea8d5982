"""Which parts of a candidate's network the same ops decide on."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from neurocomp.arch.cell import CellKind, edges
from neurocomp.spec.macro import stage


class Group(NamedTuple):
    """Populations or projections whose price the same ops decide on.

    Attributes:
        places: of the ops, among those of all genotypes.
        names: how the projections' names begin, or the populations' names; of populations, one
            that ends in "-" begins the names of projections out of it, "" is all of them.
    """

    places: tuple[int, ...]
    names: tuple[str, ...]


class Groups(NamedTuple):
    """The pieces of a kind of candidates: those that add work, and those that take room."""

    work: tuple[Group, ...]
    rooms: tuple[Group, ...]


@lru_cache
def groups_of(kind: CellKind, macro: tuple[str, ...], genotypes: int) -> Groups:
    """The pieces of candidates of one kind: an edge, and a node with all edges that touch it.

    Where a cell follows on a cell, the last node of one is node 0 of the other.
    """
    every = edges(kind)
    if kind.sums or kind.inputs > 1:
        whole = Group(tuple(range(genotypes * len(every))), ("",))
        return Groups((whole,), (whole,))
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
    return Groups(
        tuple(Group(places, tuple(names)) for places, names in work.items()),
        tuple(Group(places, tuple(names)) for places, names in rooms.items()),
    )
