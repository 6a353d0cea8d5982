"""Messages as nets: neurons that the same slices hear, and what slices save that share a core.

The messages of a partition are ``Σ messages of a net × (cores that hold its slices − 1)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise
from typing import NamedTuple, TypeAlias

from neurocomp.hw.fields import Region
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.connections import connections
from neurocomp.mapping.model import Partition

Savings: TypeAlias = list[dict[int, float]]  # messages that pairs save on one core, by slice
MAX_SIBLINGS = 32  # slices that hear the same source; more of them are not compared pair by pair


class Net(NamedTuple):
    """Neurons of one slice that the same slices hear.

    Attributes:
        messages: expected spikes per step.
        source: the slice, None for an input population.
        slices: the hearing slices and the source, ascending.
    """

    messages: float
    source: int | None
    slices: tuple[int, ...]


def nets(graph: Graph, slices: Partition, rates: Rates) -> list[Net]:
    """All nets between at least two slices; ``slices`` has one slice per core."""
    heard: dict[tuple[str, int | None], dict[Region, set[int]]] = {}
    for c in connections(graph, slices):
        regions = heard.setdefault((c.population, c.source), {})
        regions.setdefault(c.region, set()).add(c.target)
    found = []
    for (population, source), regions in heard.items():
        own = set() if source is None else {source}
        alike: dict[tuple[int, ...], float] = {}
        for cell, hearers in _cells(regions):
            ends = tuple(sorted(own | hearers))
            alike[ends] = alike.get(ends, 0.0) + rates.of(population, cell)
        found += [Net(n, source, ends) for ends, n in alike.items() if len(ends) > 1]
    return found


def savings(found: Iterable[Net], n: int) -> Savings:
    """Messages per step that pairs of slices save on a common core, by slice."""
    saved: Savings = [{} for _ in range(n)]
    for net in found:
        pairs: Iterable[tuple[int, int]] = combinations(net.slices, 2)
        if len(net.slices) > MAX_SIBLINGS:
            source = net.source
            pairs = [(source, i) for i in net.slices if i != source] if source is not None else []
        for a, b in pairs:
            saved[a][b] = saved[a].get(b, 0.0) + net.messages
            saved[b][a] = saved[b].get(a, 0.0) + net.messages
    return saved


def _cells(regions: dict[Region, set[int]]) -> Iterator[tuple[Region, set[int]]]:
    """Disjoint regions that cover the given ones, each with all who hear it."""
    if len(regions) == 1:
        yield from regions.items()
        return
    edges = sorted({edge for r in regions for edge in r.channels})
    rows, columns = _parts(r.rows for r in regions), _parts(r.columns for r in regions)
    for start, stop in pairwise(edges):
        for y in rows:
            near = [
                (r, hearers)
                for r, hearers in regions.items()
                if r.channels[0] <= start and stop <= r.channels[1] and r.rows & y
            ]
            for x in columns if near else ():
                hearers = set[int]().union(*(h for r, h in near if r.columns & x))
                if hearers:
                    yield Region((start, stop), y, x), hearers


def _parts(masks: Iterable[int]) -> list[int]:
    """Disjoint sets such that each of the given ones is a union of some."""
    parts: list[int] = []
    for mask in dict.fromkeys(masks):
        rest = mask
        for part in parts:
            rest &= ~part
        split = [piece for part in parts for piece in (part & mask, part & ~mask) if piece]
        parts = [*split, rest] if rest else split
    return parts
