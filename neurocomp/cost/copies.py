"""How often the terms of a cell's edges stand in a network, and how many populations nodes are."""

from __future__ import annotations

from typing import NamedTuple

from neurocomp.arch.cell import Cell, CellKind, edges, live, live_edges


class Copies(NamedTuple):
    """How often the parts of a cell are in the network.

    Attributes:
        edges: projections, or terms of it, by edge; 0 where it is dead.
        into: those into node 0; node: populations of node 0; others: of all other nodes.
    """

    edges: tuple[int, ...]
    into: int
    node: int
    others: int


def of_spikes(present: tuple[bool, ...], kind: CellKind) -> Copies:
    """Where nodes spike every live edge is there once, and every node that one leads to."""
    alive = live_edges(present, kind)
    ends = {j for (_, j), there in zip(edges(kind), alive, strict=True) if there}
    return Copies(tuple(map(int, alive)), 1, 1, len(ends - set(range(kind.inputs))))


def of_sums(
    cell: Cell, kind: CellKind, threshold: float, *, resized: bool, after: Copies | None
) -> Copies:
    """Where nodes carry sums.

    A node is a population for each threshold that its sum is fired with, and all terms of the sum
    lead into each of them. A skip hands them on: they are in its target's sum as well.

    Args:
        threshold: of the network's neurons.
        resized: edges from node 0 change width or size, which no skip does.
        after: of the cell that this one's output is node 0 of; None = it is fired once.
    """
    terms, populations = [0] * kind.nodes, [0] * kind.nodes
    terms[-1], populations[-1] = (1, 1) if after is None else (after.into, after.node)
    fired: set[tuple[int, float]] = set()
    ops = live(cell, kind)
    for (i, j), op in zip(reversed(edges(kind)), reversed(ops), strict=True):
        if op.op == "skip" and not (resized and i == 0):  # all edges out of j have been seen
            terms[i] += terms[j]
        elif op.op != "zeroize":
            start = i, 0.0 if op.threshold == threshold else op.threshold
            if start not in fired:
                fired.add(start)
                populations[i] += 1
                terms[i] += 1
    counts = tuple(
        terms[j] if op.op != "zeroize" else 0 for (_, j), op in zip(edges(kind), ops, strict=True)
    )
    return Copies(counts, terms[0], populations[0], sum(populations[1:]))
