"""The same network, however it is written down: neither names nor order may decide anything.

Algorithms break ties by names and by order. They are given a network whose populations and
projections are named and ordered by what they are and how they hang together, and what they find is
translated back. Populations are told apart by colour refinement (Weisfeiler and Lehman 1968); where
that leaves some alike, one of them is set apart and refined again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from neurocomp.errors import FitError
from neurocomp.ir import Conv, Graph, Input, Projection
from neurocomp.ir.schedule import depths
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.model import Partition

Ranks: TypeAlias = dict[str, int]  # population → place in the order; equal where they are alike
TOKEN = re.compile(r"(?:layer|synapses)#\d{6}")  # a name that no network has


@dataclass(frozen=True, slots=True, eq=False)
class Canonical:
    """A network under names of its own.

    Attributes:
        graph: populations and projections in canonical order.
        rates: spikes per neuron and step under the same names.
        names: of populations and projections, canonical → given.
    """

    graph: Graph
    rates: Rates
    names: Mapping[str, str]

    def given(self, partition: Partition) -> Partition:
        """The same partition under the given names."""
        return Partition(
            tuple(
                tuple(sorted(replace(s, population=self.names[s.population]) for s in core))
                for core in partition.cores
            )
        )

    def fault(self, fault: FitError) -> FitError:
        """The same error under the given names."""
        return FitError(TOKEN.sub(lambda found: self.names[found[0]], str(fault)))


def canonical(graph: Graph, rates: Rates) -> Canonical:
    """The network in canonical order; sources come before what hears them, as far as no loop."""
    rank = _told_apart(graph, _first_ranks(graph, rates))
    populations = sorted(graph.populations, key=lambda p: rank[p.name])
    new = {p.name: f"layer#{i:06}" for i, p in enumerate(populations)}
    edges = sorted(graph.projections, key=lambda e: (rank[e.source], rank[e.target], _kind(e)))
    projections = [
        replace(e, name=f"synapses#{i:06}", source=new[e.source], target=new[e.target])
        for i, e in enumerate(edges)
    ]
    names = {new[name]: name for name in new}
    names |= {e.name: given.name for e, given in zip(projections, edges, strict=True)}
    return Canonical(
        replace(
            graph,
            populations=tuple(replace(p, name=new[p.name]) for p in populations),
            projections=tuple(projections),
            output=new[graph.output],
        ),
        Rates(
            {new[name]: value for name, value in rates.values.items()},
            frozenset(new[name] for name in rates.assumed),
        ),
        names,
    )


def _first_ranks(graph: Graph, rates: Rates) -> Ranks:
    """By depth, shape and role, then by rates; a common factor of all rates changes no rank."""
    depth = depths(graph)
    return _ranked(
        {
            p.name: (
                depth[p.name],
                p.shape,
                isinstance(p.neuron, Input),
                p.name == graph.output,
                tuple(np.ravel(rates.values[p.name]).tolist()),
            )
            for p in graph.populations
        }
    )


def _told_apart(graph: Graph, rank: Ranks) -> Ranks:
    """Ranks refined until all differ; of those that nothing tells apart the first comes first."""
    rank = _refined(graph, rank)
    while max(rank.values()) + 1 < len(rank):
        times = Counter(rank.values())
        tied = min(r for r, n in times.items() if n > 1)
        first = next(p.name for p in graph.populations if rank[p.name] == tied)
        rank = _refined(graph, _ranked({name: (r, name != first) for name, r in rank.items()}))
    return rank


def _refined(graph: Graph, rank: Ranks) -> Ranks:
    """Ranks that differ where those of neighbours do, again until nothing changes."""
    while True:
        finer = _ranked(
            {
                name: (
                    r,
                    sorted((_kind(e), rank[e.source]) for e in graph.incoming(name)),
                    sorted((_kind(e), rank[e.target]) for e in graph.outgoing(name)),
                )
                for name, r in rank.items()
            }
        )
        if max(finer.values()) == max(rank.values()):
            return finer
        rank = finer


def _ranked(keys: Mapping[str, Any]) -> Ranks:
    """The place of each key among the different ones."""
    rank = -1
    ranks: Ranks = {}
    last = None
    for name in sorted(keys, key=keys.__getitem__):
        rank += keys[name] != last
        ranks[name], last = rank, keys[name]
    return ranks


def _kind(e: Projection) -> tuple[Any, ...]:
    """What a projection is, as far as it is mapped by that."""
    op = e.op
    conv = (
        (op.kernel, op.stride, op.padding, op.dilation, op.groups) if isinstance(op, Conv) else ()
    )
    return conv, e.weight_bits, e.delay, 0 if e.delays is None else int(e.delays.max(initial=0))
