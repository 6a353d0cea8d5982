"""From a graph to a checked mapping."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

import numpy as np

from neurocomp.errors import FitError, InputError
from neurocomp.hw.mesh import n_live_cores
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Given, rates_of
from neurocomp.mapping.bound import require_room
from neurocomp.mapping.check import check
from neurocomp.mapping.flow import flow
from neurocomp.mapping.model import Mapping, Partition
from neurocomp.mapping.partition import PARTITIONERS
from neurocomp.mapping.place import PLACERS
from neurocomp.mapping.place.kinds import by_kind
from neurocomp.mapping.route import ROUTERS
from neurocomp.spec.policy import Policy, load_policy
from neurocomp.spec.target import Target

T = TypeVar("T")


def map_graph(
    graph: Graph, target: Target, policy: str, *, rates: Given | None = None, seed: int = 0
) -> Mapping:
    """Partition, place and route a network, trained or not, and check the result.

    The same graph, target, policy, rates and seed give the same mapping in every process.

    Args:
        policy: name of a shipped policy, or the path of a user's own file.
        rates: spikes per neuron and step by population, one number or an array of its shape;
            None assumes 0.1 everywhere. They decide what is near to what, never what fits.

    Raises:
        FitError: the network does not fit; names layer, limit, needed and available.
        InputError: an unknown policy or algorithm, or rates that do not suit the graph.
    """
    chosen = load_policy(policy)
    activity = rates_of(graph, rates)
    require_room(graph, target)
    partition = _algorithm("partitioner", chosen, PARTITIONERS)(graph, target, activity)
    _require_cores(graph, partition, target)
    if target.core_kinds:
        placement = by_kind(graph, partition, target)
    else:
        place = _algorithm("placer", chosen, PLACERS)
        between = flow(graph, partition, activity)
        placement = place(between, target, np.random.default_rng(seed))
    mapping = Mapping(
        network=graph.name,
        graph_digest=graph.digest(),
        target=target.name,
        policy=chosen.name,
        seed=seed,
        partition=partition,
        placement=placement,
        routes=_algorithm("router", chosen, ROUTERS)(graph, partition),
    )
    return check(graph, mapping, target)


def _require_cores(graph: Graph, partition: Partition, target: Target) -> None:
    needed, available = len(partition.cores), n_live_cores(target)
    if needed > available:
        cores = Counter(name for core in partition.cores for name in {s.population for s in core})
        layer, most = cores.most_common(1)[0]
        raise FitError(
            f"{graph.name}: needs {needed:,} cores ('{layer}' alone {most:,}), {target.name} has "
            f"{available:,}; use a smaller network, fewer weight bits or a board with more chips"
        )


def _algorithm(kind: str, policy: Policy, registry: dict[str, T]) -> T:
    name = getattr(policy, kind)
    if name not in registry:
        raise InputError(f"policy {policy.name}: {InputError.unknown(kind, name, list(registry))}")
    return registry[name]
