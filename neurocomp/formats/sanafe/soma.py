"""Which neurons SANA-FE's soma computes exactly as the chip does.

SANA-FE's ``leaky_integrate_fire`` keeps the membrane on the chip's 1/64 grid, cut toward zero
after the leak, and fires strictly above the threshold: the chip's rule. It does not round the
current, does not clip the membrane, resets nothing at a window's start, and its messages carry no
number. Populations for which that matters fire the spikes that they are given.
"""

from __future__ import annotations

import numpy as np

from neurocomp.ir import GRADED, Graph, Input, LoihiLif, Population
from neurocomp.ir.schedule import axon_delays

MAX_DELAY = 5  # of SANA-FE's dendrite, steps beyond the one that every message takes
MEMBRANE_LIMIT = 2**17  # the chip clips the membrane here, in units of the weights
UNITY = 4096  # of decays


def unlike(graph: Graph, p: Population, steps: int) -> str | None:
    """Why SANA-FE cannot compute a population's spikes over so many steps; None: it can."""
    n, incoming = p.neuron, graph.incoming(p.name)
    if not isinstance(n, LoihiLif):
        return "its messages are numbers"
    if any(isinstance(graph.population(e.source).neuron, GRADED) for e in incoming):
        return "it receives numbers"
    if n.du != UNITY - 1:
        return "its current has a memory"
    if graph.timesteps is not None and any(e.delay for e in incoming):
        return "messages of its window arrive after its end"
    waits = axon_delays(graph)
    longest = max(
        waits[e.name] + (0 if e.delays is None else int(e.delays.max())) for e in incoming
    )
    if longest > MAX_DELAY:
        return f"a message to it waits {longest} steps"
    remembered = steps if n.dv == 0 else min(steps, UNITY / n.dv)
    if _deepest_step(graph, p) * remembered >= MEMBRANE_LIMIT:
        return "the chip could clip its membrane"
    return None


def _deepest_step(graph: Graph, p: Population) -> float:
    """Bound on how far a membrane can fall in a step, in units of the weights.

    A membrane that rises too far fires, clipped or not.
    """
    total = 0.0 if p.bias is None else max(0.0, -float(p.bias.min()))
    for e in graph.incoming(p.name):
        assert e.weight is not None  # a verified integer graph
        source = graph.population(e.source).neuron
        low, high = source.limits if isinstance(source, Input) else (0, 1)
        weight = e.weight.astype(np.float64).reshape(len(e.weight), -1)
        falls = np.maximum(-weight * high, -weight * low)
        total += float(np.maximum(falls, 0.0).sum(axis=1).max())
    return total
