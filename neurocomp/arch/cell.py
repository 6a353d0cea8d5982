"""Cells: an op on every edge between a few nodes, and which cells are the same network."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import permutations, product
from typing import NamedTuple, TypeAlias


class EdgeOp(NamedTuple):
    """What an edge does: zeroize, skip, avgpool3, or a convolution with its weight bits.

    Attributes:
        kernel: side of the convolution's kernel, 0 for the other ops.
        bits: designed weight bits of the convolution, 0 for the other ops.
        threshold: of the LIF in front of the convolution where nodes carry sums; 0 = the
            candidate's own.
    """

    op: str
    kernel: int = 0
    bits: int = 0
    threshold: float = 0.0

    @property
    def label(self) -> str:
        """Name in projections and files: skip, avgpool3, conv5, …"""
        return f"conv{self.kernel}" if self.op == "conv" else self.op


ZEROIZE = EdgeOp("zeroize")
SKIP = EdgeOp("skip")
AVGPOOL3 = EdgeOp("avgpool3")


def conv(kernel: int, bits: int, threshold: float = 0.0) -> EdgeOp:
    """A convolution with a square kernel."""
    return EdgeOp("conv", kernel, bits, threshold)


class CellKind(NamedTuple):
    """How the nodes of a cell are joined, see `neurocomp.spec.space.Space`.

    Attributes:
        nodes: inputs included.
        inputs: 1 = node 0; the last node is the output. 2 = nodes 0 and 1; all others together
            are the output.
        feedback: edges may run backward.
        sums: nodes carry sums instead of spikes.
    """

    nodes: int = 4
    inputs: int = 1
    feedback: bool = False
    sums: bool = False

    @property
    def outputs(self) -> tuple[int, ...]:
        """Nodes that the cell's output consists of."""
        return (self.nodes - 1,) if self.inputs == 1 else tuple(range(2, self.nodes))


SNASNET = CellKind()
Edge: TypeAlias = tuple[int, int]
Cell: TypeAlias = tuple[EdgeOp, ...]  # an op per edge, in the order of `edges`


@lru_cache
def edges(kind: CellKind) -> tuple[Edge, ...]:
    """Edges (from, to): forward (0,1), (0,2), …, (nodes−2, nodes−1), then backward (1,0), (2,0), ….

    No edge joins two inputs.
    """
    pairs = [(i, j) for i in range(kind.nodes) for j in range(i + 1, kind.nodes)]
    forward = tuple((i, j) for i, j in pairs if j >= kind.inputs)
    return forward + tuple((j, i) for i, j in pairs) * kind.feedback


def direct_edge(kind: CellKind) -> Edge | None:
    """The edge from a cell's only input to its only output."""
    return (0, kind.nodes - 1) if kind.inputs == 1 else None


def live(cell: Cell, kind: CellKind = SNASNET) -> Cell:
    """The cell with every edge zeroized that does not lie on a way from an input to an output."""
    present = tuple([op.op != "zeroize" for op in cell])
    alive = live_edges(present, kind)
    if alive == present:
        return cell
    return tuple([op if counts else ZEROIZE for op, counts in zip(cell, alive, strict=True)])


@lru_cache(maxsize=1 << 16)
def live_edges(present: tuple[bool, ...], kind: CellKind) -> tuple[bool, ...]:
    """Of each edge that is there, whether its start is reached and its end reaches an output."""
    there = [e for e, p in zip(edges(kind), present, strict=True) if p]
    reached = _closure(set(range(kind.inputs)), there)
    reaching = _closure(set(kind.outputs), [(j, i) for i, j in there])
    return tuple(
        p and i in reached and j in reaching for (i, j), p in zip(edges(kind), present, strict=True)
    )


def _closure(start: set[int], joins: list[Edge]) -> set[int]:
    """All nodes that lie on a way from one of the start's."""
    found = set(start)
    while more := {j for i, j in joins if i in found} - found:
        found |= more
    return found


def canonical(cell: Cell, kind: CellKind = SNASNET) -> Cell:
    """The one cell that stands for all genotypes of the same network.

    Dead edges are zeroized and the inner nodes are named so that the tuple of ops is least among
    the namings that keep every edge's direction.
    """
    alive = live(cell, kind)
    dead = alive.count(ZEROIZE)
    named = (
        tuple(ZEROIZE if old is None else alive[old] for old in order) for order in _orders(kind)
    )
    return min(c for c in named if c.count(ZEROIZE) == dead)  # else an edge would turn round


@lru_cache
def _orders(kind: CellKind) -> tuple[tuple[int | None, ...], ...]:
    """For every naming of the inner nodes: which old edge stands at each edge (None: none)."""
    position = {e: k for k, e in enumerate(edges(kind))}
    fixed = {*range(kind.inputs)} | ({kind.nodes - 1} if kind.inputs == 1 else set())
    inner = [n for n in range(kind.nodes) if n not in fixed]
    orders = []
    for names in permutations(inner):
        old = {n: n for n in fixed} | dict(zip(inner, names, strict=True))
        orders.append(
            tuple(
                position.get((old[i], old[j])) if (i < j) == (old[i] < old[j]) else None
                for i, j in edges(kind)
            )
        )
    return tuple(orders)


def all_cells(kind: CellKind, choices: tuple[EdgeOp, ...], direct: bool) -> Iterator[Cell]:
    """Every genotype of a cell of one input without feedback, dead ones included.

    Args:
        direct: the edge from input to output is not zeroize.
    """
    some = tuple(op for op in choices if op != ZEROIZE)
    always = direct_edge(kind) if direct else None
    return product(*(some if e == always else choices for e in edges(kind)))


def n_convolutions(cell: Cell, kind: CellKind = SNASNET) -> int:
    """Live convolutions: the count baseline that a score has to beat."""
    return sum(op.op == "conv" for op in live(cell, kind))
