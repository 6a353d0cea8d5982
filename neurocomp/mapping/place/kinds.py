"""Placing on chips whose cores hold unequal amounts: what fits where comes before distances."""

from __future__ import annotations

from neurocomp.errors import FitError
from neurocomp.hw.demand import demand
from neurocomp.hw.layer import Counts
from neurocomp.hw.seats import seats
from neurocomp.ir import Graph
from neurocomp.mapping.model import CoreAddress, Partition, Placement
from neurocomp.spec.target import Target


def by_kind(graph: Graph, partition: Partition, target: Target) -> Placement:
    """Every logical core on a core that has room for it; the policy's placer has no say.

    Raises:
        FitError: there is no such placement.
    """
    demands = [demand(graph, slices, target) for slices in partition.cores]
    places = seats([Counts(*(use.used for use in d)) for d in demands], target)
    if places is None:
        needs = "; ".join(
            f"{slices[0].population}: {d.neurons.used:,} neurons, {d.synapse_words.used:,} words"
            for slices, d in zip(partition.cores, demands, strict=True)
        )
        raise FitError(
            f"{graph.name}: its layers do not all find a core of {target.name} with room for them "
            f"({needs}); use fewer channels, smaller kernels or smaller feature maps"
        )
    return Placement(tuple(CoreAddress(*place) for place in places))
