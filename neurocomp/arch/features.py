"""What can be read off a candidate without running it: numbers that predictors learn from.

A batch-normed convolution delivers sums of mean 0 and variance 1, so how hard a LIF is driven is
known beforehand: a node that sums m of them has standard deviation √m, one whose input arrives by
two skips twice that input's. ``θ/σ``, threshold over standard deviation, says how selective a LIF
is. It is the threshold's share of the membrane that a constant drive ends at, ``threshold ·
voltage_decay``, that is compared.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from neurocomp.arch.candidate import Candidate
from neurocomp.arch.cell import ZEROIZE, Cell, CellKind, Edge, EdgeOp, edges, live


class Unit(NamedTuple):
    """One LIF population of a cell.

    Attributes:
        depth: convolutions on the longest way from the cell's input to it.
        drive: standard deviation σ of what it sums.
        threshold: its own.
    """

    depth: int
    drive: float
    threshold: float


@dataclass(frozen=True, slots=True)
class _Node:
    """What a node carries: how often each independent unit-variance part is in it."""

    parts: Counter[Edge | int]
    longest: int
    shortest: int

    @property
    def deviation(self) -> float:
        return math.sqrt(sum(n * n for n in self.parts.values()))


def features(candidate: Candidate) -> dict[str, float | str]:
    """Named numbers, and for every edge the name of its op.

    Per cell, with the cell's number in front where cells differ: ``depth`` and ``shortest``
    (convolutions on the longest and shortest way), ``convolutions``, ``out`` (σ of its output),
    ``through`` (the input's share of it) and, for LIFs that stand d convolutions deep, ``d.units``
    and the mean, least and greatest ``θ/σ``. Feedback is left out.
    """
    found: dict[str, float | str] = {
        name: float(getattr(candidate, name))
        for name in ("channels", "final_pool", "hidden", "macro_bits", "timesteps", "prune")
    }
    for number, cell in enumerate(candidate.cells, 1):
        prefix = f"{number}." if len(candidate.cells) > 1 else ""
        for (i, j), op in zip(edges(candidate.kind), cell, strict=True):
            found[f"{prefix}{i}-{j}"] = f"{op.label}>{op.threshold:g}" if op.bits else op.label
            found[f"{prefix}{i}-{j}.bits"] = float(op.bits)
        found |= {prefix + name: value for name, value in _of_cell(cell, candidate)}
    return found


def depth(candidate: Candidate) -> float:
    """Convolutions on the longest way through a cell, mean over the genotypes."""
    ends = (
        flow(live(cell, candidate.kind), candidate.kind, candidate.threshold)[1]
        for cell in candidate.cells
    )
    return sum(end.longest for end in ends) / len(candidate.cells)


def drive(candidate: Candidate) -> float:
    """A predictor without training: depth, and LIFs that first let through and then select.

    Mean over the cells of ``depth − mean θ/σ of the LIFs that hear the cell's input + mean θ/σ of
    those behind convolutions`` (mean of the depths' means). What first turns the image into spikes
    should lose little of it, what comes later gains from firing seldom. The form was found on one
    half of a sample of SpikeNAS-Bench and judged on the other; it ranks cells, not widths.
    """
    total = 0.0
    for cell in candidate.cells:
        units, out = flow(live(cell, candidate.kind), candidate.kind, candidate.threshold)
        levels = sorted({u.depth for u in units})
        means = {d: _mean([_demand(u, candidate) for u in units if u.depth == d]) for d in levels}
        later = [means[d] for d in levels if d]
        total += out.longest - means.get(0, 0.0) + _mean(later)
    return total / len(candidate.cells)


def flow(cell: Cell, kind: CellKind, threshold: float) -> tuple[list[Unit], _Node]:
    """The LIFs of a live cell and its output (with several, all of them side by side).

    Args:
        threshold: of LIFs that have none of their own.
    """
    nodes: dict[int, _Node] = {i: _Node(Counter({i: 1}), 0, 0) for i in range(kind.inputs)}
    units: list[Unit] = []
    for j in range(kind.inputs, kind.nodes):
        incoming = [
            (e, op)
            for e, op in zip(edges(kind), cell, strict=True)
            if e[1] == j and e[0] in nodes and e[0] < j and op != ZEROIZE
        ]
        if incoming:
            nodes[j] = _summed(incoming, nodes, kind, threshold, units)
    ends = [nodes[j] for j in kind.outputs if j in nodes] or [nodes[0]]
    parts: Counter[Edge | int] = Counter()
    for end in ends:
        parts += end.parts
    return units, _Node(parts, max(e.longest for e in ends), min(e.shortest for e in ends))


def _summed(
    incoming: list[tuple[Edge, EdgeOp]],
    nodes: dict[int, _Node],
    kind: CellKind,
    threshold: float,
    units: list[Unit],
) -> _Node:
    """A node over its edges; its LIF, or those before its convolutions, join the units."""
    parts: Counter[Edge | int] = Counter()
    longest, shortest = [], []
    for e, op in incoming:
        source = nodes[e[0]]
        fired = op.op == "conv" or not kind.sums
        if kind.sums and op.op != "skip":
            units.append(Unit(source.longest, source.deviation, op.threshold or threshold))
        if op.op == "conv":
            parts[e] += 1
        elif not fired:
            parts.update(source.parts)
        longest.append(source.longest + (op.op == "conv"))
        shortest.append(source.shortest + (op.op == "conv"))
    # Constant projections are normalised only where no convolution stands beside them.
    node = _Node(parts or Counter({incoming[0][0]: 1}), max(longest), min(shortest))
    if not kind.sums:
        units.append(Unit(node.longest, node.deviation, threshold))
    return node


def _of_cell(cell: Cell, candidate: Candidate) -> Iterator[tuple[str, float]]:
    alive = live(cell, candidate.kind)
    units, out = flow(alive, candidate.kind, candidate.threshold)
    yield "depth", float(out.longest)
    yield "shortest", float(out.shortest)
    yield "convolutions", float(sum(op.op == "conv" for op in alive))
    yield "out", out.deviation
    yield "through", out.parts[0] / out.deviation
    for level in range(candidate.kind.nodes):
        found = [_demand(u, candidate) for u in units if u.depth == level] or [0.0]
        yield f"{level}.units", float(sum(u.depth == level for u in units))
        yield f"{level}.mean", _mean(found)
        yield f"{level}.least", min(found)
        yield f"{level}.greatest", max(found)


def _demand(unit: Unit, candidate: Candidate) -> float:
    return unit.threshold * candidate.voltage_decay / unit.drive


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
