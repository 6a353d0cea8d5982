"""How often the terms of a cell's edges stand in a network, and how many populations nodes are."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from neurocomp.arch.cell import Cell, CellKind, Edge, edges, live_edges


class Copies(NamedTuple):
    """How often parts of cells are in the network.

    Attributes:
        edges: projections by edge, 0 where one is dead; None where each is there once.
        others: populations of the nodes behind the inputs. Where nodes carry sums, projections
            into node 0 and populations of node 0 stand before it.
    """

    edges: tuple[int, ...] | None
    others: tuple[int, ...]


def of_spikes(present: tuple[bool, ...], kind: CellKind) -> Copies:
    """Where nodes spike every live edge is there once, and every node that one leads to."""
    alive = live_edges(present, kind)
    ends = {j for (_, j), there in zip(edges(kind), alive, strict=True) if there}
    found = None if alive == present else tuple(map(int, alive))
    return Copies(found, (len(ends - set(range(kind.inputs))),))


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
    terms, populations = [0] * kind.nodes, [0] * kind.nodes
    terms[-1], populations[-1] = (1, 1) if after is None else after.others[:2]
    fired = set()
    counts = []
    for (i, j), op in zip(_backwards(kind), cell[::-1], strict=True):
        if op[0] == "zeroize":
            counts.append(0)
            continue
        counts.append(terms[j])  # of which all are known, since all edges out of j come before
        if op[0] == "skip" and not (resized and i == 0):
            terms[i] += terms[j]
        elif (spikes := (i, op[3] or threshold)) not in fired:
            fired.add(spikes)
            populations[i] += 1
            terms[i] += 1
    return Copies(tuple(counts[::-1]), (terms[0], populations[0], sum(populations[1:])))


@cache
def _backwards(kind: CellKind) -> tuple[Edge, ...]:
    return edges(kind)[::-1]
