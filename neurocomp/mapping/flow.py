"""Messages between cores: how many each logical core sends to each other one per step."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from neurocomp.hw.fields import Region
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.connections import connections
from neurocomp.mapping.model import Partition


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Expected messages per step.

    Attributes:
        n: number of logical cores.
        between: (n, n) sparse, from core i to another core j.
        inputs: (n,) messages to each core from input populations, from outside the mesh.
    """

    n: int
    between: csr_array
    inputs: npt.NDArray[np.float64]

    @property
    def messages(self) -> float:
        """Between all cores."""
        return float(self.between.sum())


def flow(graph: Graph, partition: Partition, rates: Rates) -> Flow:
    """Σ rate of the neurons of a core that have a target on another core.

    A neuron sends one message to a core, however many of its targets are there and through however
    many projections.
    """
    n = len(partition.cores)
    regions: dict[tuple[int | None, int, str], set[Region]] = {}
    for c in connections(graph, partition):
        if c.source != c.target:
            regions.setdefault((c.source, c.target, c.population), set()).add(c.region)
    pairs: dict[tuple[int, int], float] = {}
    inputs = np.zeros(n)
    for (source, target, name), found in regions.items():
        messages = _expected(rates, name, found)
        if source is None:
            inputs[target] += messages
        else:
            pairs[source, target] = pairs.get((source, target), 0.0) + messages
    ends = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    values = np.array([pairs[source, target] for source, target in ends.tolist()], np.float64)
    return Flow(n, csr_array((values, (ends[:, 0], ends[:, 1])), shape=(n, n)), inputs)


def _expected(rates: Rates, population: str, regions: set[Region]) -> float:
    """Spikes per step of the union of regions of one population."""
    if len(regions) == 1:
        return rates.of(population, *regions)
    distinct = sorted(r for r in regions if not any(r != s and _inside(r, s) for s in regions))
    pieces = distinct if len(distinct) == 1 else _disjoint(distinct)
    return sum(rates.of(population, piece) for piece in pieces)


def _inside(a: Region, b: Region) -> bool:
    if a.rows & ~b.rows or a.columns & ~b.columns:
        return False
    return b.channels[0] <= a.channels[0] and a.channels[1] <= b.channels[1]


def _disjoint(regions: list[Region]) -> list[Region]:
    """The union of regions as regions that do not overlap.

    Channels are cut where any region starts or stops; in each piece the rows fall into classes that
    the same regions cover, and the columns of a class are the union of theirs.
    """
    edges = sorted({edge for r in regions for edge in r.channels})
    pieces = []
    for start, stop in pairwise(edges):
        classes: list[tuple[int, int]] = []
        for r in regions:
            if r.channels[0] <= start and stop <= r.channels[1]:
                classes = _covered(classes, r)
        pieces += [Region((start, stop), rows, columns) for rows, columns in classes]
    return pieces


def _covered(classes: list[tuple[int, int]], r: Region) -> list[tuple[int, int]]:
    """Disjoint (rows, columns) classes after a region is added to them."""
    made = []
    new = r.rows
    for rows, columns in classes:
        both, only = rows & r.rows, rows & ~r.rows
        made += [(both, columns | r.columns)] if both else []
        made += [(only, columns)] if only else []
        new &= ~rows
    return [*made, (new, r.columns)] if new else made
