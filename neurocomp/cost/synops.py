"""Synaptic operations: how many additions an image costs, from measured or assumed activity."""

from __future__ import annotations

from collections.abc import Mapping

from neurocomp.ir import Graph, Input, Projection
from neurocomp.ir.shapes import endpoints, n_synapses


def synops(graph: Graph, rates: float | Mapping[str, float]) -> dict[str, float]:
    """Synaptic operations per image, by projection (LitE-SNN, Eq. 12).

    ``(1 − p)·r·kh·kw·cin·cout·H·W`` with p the pruned share and r the spikes per source neuron,
    summed over the window of T steps. Padding counts as connections, as in the paper. Skips and
    average pooling count as well: a core adds their weights like any others.

    Args:
        rates: spikes per neuron and step, one assumed value or a measured one per population.
            Graded input values are taken as an event in every step.
    """
    return {e.name: synops_of(graph, e, rates) for e in graph.projections}


def synops_of(graph: Graph, e: Projection, rates: float | Mapping[str, float]) -> float:
    """`synops` of one projection."""
    live = 1.0 if e.mask is None else float(e.mask.mean())
    if is_graded(graph, e):
        rate = 1.0
    else:
        rate = rates if isinstance(rates, float) else rates[e.source]
    return live * rate * (graph.timesteps or 1) * n_synapses(e.op, *endpoints(graph, e))


def is_graded(graph: Graph, e: Projection) -> bool:
    """Whether a projection multiplies graded input values instead of adding for spikes."""
    neuron = graph.population(e.source).neuron
    return isinstance(neuron, Input) and neuron.bits > 1
