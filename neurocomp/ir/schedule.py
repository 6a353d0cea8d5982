"""When each population computes: pipeline depth, and the delay each projection needs for it.

Every projection takes at least one step on the chip. A population at depth d works on step t of a
sample's window at global step t + d; a projection that skips layers must wait for the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import networkx as nx
import numpy as np

from neurocomp.errors import InputError
from neurocomp.ir.graph import Graph, Projection


def topological_order(graph: Graph) -> list[str]:
    """Population names, sources first; projections with a delay do not count as edges.

    Raises:
        InputError: the projections without delay form a cycle.
    """
    dag = nx.DiGraph()
    dag.add_nodes_from(p.name for p in graph.populations)
    dag.add_edges_from((e.source, e.target) for e in graph.projections if e.delay == 0)
    rank = {p.name: i for i, p in enumerate(graph.populations)}
    try:
        return list(nx.lexicographical_topological_sort(dag, key=rank.__getitem__))
    except nx.NetworkXUnfeasible:
        cycle = " → ".join(a for a, _ in nx.find_cycle(dag))
        raise InputError(
            f"{graph.name}: projections without delay form a cycle: {cycle}; "
            "give the feedback projection a delay of at least 1"
        ) from None


def depths(graph: Graph) -> dict[str, int]:
    """Pipeline depth of each population: the least that lets every message arrive in time.

    Inputs have 0, others the longest path of undelayed projections; more where a delayed projection
    comes from so deep that its delay alone does not make up for it. A loop that takes longer than
    its delays cannot be mended so, see `axon_delays`.
    """
    depth = {p.name: 0 for p in graph.populations}
    for name in topological_order(graph):
        for e in graph.incoming(name):
            if e.delay == 0:
                depth[name] = max(depth[name], depth[e.source] + 1)
    deeper = dict(depth)
    for _ in range(len(depth) + 1):
        late = [e for e in graph.projections if deeper[e.target] < deeper[e.source] + 1 - e.delay]
        if not late:
            return deeper
        for e in late:
            deeper[e.target] = max(deeper[e.target], deeper[e.source] + 1 - e.delay)
    return depth


def components(graph: Graph) -> tuple[tuple[str, ...], ...]:
    """The populations of neurons, sources first, those that lie on a common loop together.

    Delayed projections count: every population stands behind all that it ever hears, so that a
    component can make many steps before the next one makes its first. Within a component the
    order is topological, as in `topological_order`.
    """
    rank = {name: i for i, name in enumerate(topological_order(graph))}
    inputs = {p.name for p in graph.inputs}
    every = nx.DiGraph()
    every.add_nodes_from(rank)
    every.add_edges_from((e.source, e.target) for e in graph.projections)
    loops = nx.condensation(every)
    members = {
        i: tuple(sorted(names, key=rank.__getitem__)) for i, names in loops.nodes(data="members")
    }
    order = nx.lexicographical_topological_sort(loops, key=lambda i: rank[members[i][0]])
    return tuple(members[i] for i in order if members[i][0] not in inputs)


def axon_delays(graph: Graph) -> dict[str, int]:
    """Extra steps each projection's messages must wait on the chip, by projection name.

    ``depth[target] + delay − depth[source] − 1``: 0 on the longest path, positive on every
    shorter one, so that all paths meet in the same step of the window.

    Raises:
        InputError: a delayed projection closes a loop that is longer than its delay.
    """
    depth = depths(graph)
    result = {}
    for e in graph.projections:
        wait = depth[e.target] + e.delay - depth[e.source] - 1
        if wait < 0:
            raise InputError(
                f"{graph.name}: projection '{e.name}' needs a delay of at least {e.delay - wait}, "
                f"got {e.delay}: its loop takes one step per projection"
            )
        result[e.name] = wait
    return result


def split_delays(graph: Graph) -> Graph:
    """The same network with one projection per delay, for whoever executes it.

    A projection with ``delays`` becomes one per distinct delay that any weight has, named
    ``name@extra``, with the weights of the other delays zero.
    """
    if all(e.delays is None for e in graph.projections):
        return graph
    return graph.with_parts(
        graph.populations, tuple(part for e in graph.projections for part in _parts(e))
    )


def _parts(e: Projection) -> Iterator[Projection]:
    if e.delays is None or e.weight is None:
        yield e
        return
    for extra in np.unique(e.delays[e.weight != 0]):
        yield replace(
            e,
            name=f"{e.name}@{extra}",
            weight=np.where(e.delays == extra, e.weight, 0),
            delay=e.delay + int(extra),
            delays=None,
        )
