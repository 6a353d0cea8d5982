"""Pairing: cores that still fit together are merged, by maximum matchings."""

from __future__ import annotations

import networkx as nx

from neurocomp.mapping.effort import Effort
from neurocomp.mapping.packing.needs import Core, Needs
from neurocomp.mapping.packing.nets import Savings

MAX_CORES = 512  # the emptiest ones are looked at: pairs grow with the square


def paired(cores: list[Core], needs: Needs, saved: Savings, effort: Effort) -> list[Core]:
    """Merge pairs of cores until none fits together, or the time is up.

    Each round takes a matching with the most pairs, and among those the one that saves most
    messages.
    """
    while True:
        pairs = _fitting(cores, needs, effort)
        if not pairs:
            return cores
        graph = nx.Graph()
        for a, b in pairs:
            graph.add_edge(a, b, weight=_gain(cores[a], cores[b], saved))
        matching = nx.max_weight_matching(graph, maxcardinality=True)
        partner = {min(pair): max(pair) for pair in matching}
        gone = set(partner.values())
        cores = [
            core + (cores[partner[i]] if i in partner else [])
            for i, core in enumerate(cores)
            if i not in gone
        ]


def _fitting(cores: list[Core], needs: Needs, effort: Effort) -> list[tuple[int, int]]:
    """Pairs that fit a core, among the cores with the fewest neurons."""
    neurons = [sum(needs.alone[i].neurons for i in core) for core in cores]
    fewest = sorted(range(len(cores)), key=lambda c: (neurons[c], c))[:MAX_CORES]
    most = needs.target.limits.neurons
    pairs = []
    for k, a in enumerate(fewest):
        if effort.over:
            break
        for b in fewest[:k]:
            if most is not None and neurons[a] + neurons[b] > most:
                break
            if needs.fit(cores[a] + cores[b]):
                pairs.append((min(a, b), max(a, b)))
    return sorted(pairs)


def _gain(a: Core, b: Core, saved: Savings) -> float:
    other = set(b)
    return sum(gain for i in a for j, gain in saved[i].items() if j in other)
