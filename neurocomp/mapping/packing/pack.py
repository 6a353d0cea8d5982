"""From bundles of slices to cores: gathered by a plan, paired by matchings, then exchanged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import TypeAlias

from neurocomp.ir import Graph, Slice
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.effort import Effort
from neurocomp.mapping.model import Partition
from neurocomp.mapping.packing.exchange import Exchange
from neurocomp.mapping.packing.gather import gathered
from neurocomp.mapping.packing.hyper import partitioned
from neurocomp.mapping.packing.needs import Core, Needs
from neurocomp.mapping.packing.nets import nets, savings
from neurocomp.mapping.packing.pair import paired
from neurocomp.spec.target import Target

Bundle: TypeAlias = tuple[Slice, ...]  # slices that shall share a core


def packed(
    graph: Graph,
    target: Target,
    rates: Rates,
    turns: Sequence[Sequence[Bundle]],
    effort: Effort,
    seed: int | None = None,
) -> list[Partition]:
    """All bundles on few cores with few messages; none where a slice does not even fit alone.

    A bundle that does not fit a core is taken apart.

    Args:
        turns: bundles of an earlier turn get their cores first.
        effort: how often each slice may move or change places.
        seed: of the hypergraph partitioner, whose packing comes second; None = it is not asked.
    """
    slices = Partition(tuple((s,) for bundles in turns for bundle in bundles for s in bundle))
    needs = Needs(graph, slices, target)
    if not all(needs.fit([i]) for i in range(len(needs.slices))):
        return []
    numbers = count()
    whole = [[[next(numbers) for _ in bundle] for bundle in bundles] for bundles in turns]
    fitting = [
        [part for b in bundles for part in ([b] if needs.fit(b) else [[i] for i in b])]
        for bundles in whole
    ]
    found = nets(graph, slices, rates)
    saved = savings(found, len(needs.slices))
    ways = [paired(gathered(fitting, needs, saved), needs, saved, effort)]
    if seed is not None and not effort.over:
        every = [bundle for bundles in fitting for bundle in bundles]
        cores = partitioned(every, needs, found, saved, len(ways[0]), seed)
        ways.append(paired(cores, needs, saved, effort))
    return [partition(needs, Exchange(cores, needs, found).run(effort)) for cores in ways]


def partition(needs: Needs, cores: Sequence[Core]) -> Partition:
    """Cores in the order of their first slices."""
    held = [tuple(sorted(needs.slices[i] for i in core)) for core in sorted(map(sorted, cores))]
    return Partition(tuple(held))
