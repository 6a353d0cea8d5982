"""How often the terms of a cell's edges stand in a network, and how many populations nodes are."""

from __future__ import annotations

from functools import lru_cache
from operator import mul
from typing import NamedTuple

from neurocomp.arch.cell import Cell, CellKind, edges


class Copies(NamedTuple):
    """How often parts of cells are in the network.

    Attributes:
        edges: projections by edge, of one without an op any number; None where each is there once.
        others: populations of the nodes behind the inputs. Where nodes carry sums, projections
            into node 0 and populations of node 0 stand before it.
    """

    edges: tuple[int, ...] | None
    others: tuple[int, ...]


def of_spikes(present: tuple[bool, ...], kind: CellKind) -> Copies:
    """Where nodes spike every edge is there once, and every node that one leads to.

    Args:
        present: whether an edge has an op, none of them dead.
    """
    ends = {j for (_, j), there in zip(edges(kind), present, strict=True) if there}
    return Copies(None, (len(ends - set(range(kind.inputs))),))


def of_sums(
    cell: Cell, kind: CellKind, threshold: float, *, resized: bool, after: Copies | None
) -> Copies:
    """Where nodes carry sums.

    A node is a population for each threshold that its sum is fired with, and all terms of the sum
    lead into each of them. A skip hands them on: they are in its target's sum as well.

    Args:
        cell: without dead edges.
        threshold: of the network's neurons.
        resized: edges from node 0 change width or size, which no skip does.
        after: of the cell that this one's output is node 0 of; None = it is fired once.
    """
    first = kind.nodes - 1
    out = (1, 1) if after is None else after.others[:2]
    terms, counts, populations = _behind(cell[first:], first, threshold, out)
    fired, handed = _outgoing(cell[:first], threshold, resized)
    into = fired + sum(map(mul, handed, terms))
    return Copies(terms + counts, (into, fired, populations))


@lru_cache(maxsize=1 << 14)
def _behind(
    ops: Cell, nodes: int, threshold: float, out: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """The nodes behind node 0: copies of their sums' terms and of edges out of them, populations.

    Args:
        ops: of the edges out of them; nodes: how many they are.
        out: copies of the last one's terms, and how often it is fired.
    """
    terms, populations = out
    found: tuple[int, ...] = (terms,)
    counts: tuple[int, ...] = ()
    stop = len(ops)
    while len(found) < nodes:
        start = stop - len(found)
        fired, handed = _outgoing(ops[start:stop], threshold, False)
        populations += fired
        counts, stop = found + counts, start
        found = (fired + sum(map(mul, handed, found)), *found)
    return found, counts, populations


@lru_cache(maxsize=1 << 14)
def _outgoing(ops: Cell, threshold: float, resized: bool) -> tuple[int, tuple[bool, ...]]:
    """Of the edges out of a node: thresholds it is fired with, and which hand its terms on."""
    handed = tuple([op.op == "skip" and not resized for op in ops])
    firing = (op for op, on in zip(ops, handed, strict=True) if not on and op.op != "zeroize")
    return len({op.threshold or threshold for op in firing}), handed
