"""A lower bound of the cores that any mapping of a network needs."""

from __future__ import annotations

from math import ceil

from neurocomp.errors import FitError
from neurocomp.hw.layer import layer_of
from neurocomp.hw.mesh import n_live_cores
from neurocomp.hw.needs import least_needs as _least
from neurocomp.ir import Graph
from neurocomp.spec.target import Target


def lower_bound_cores(graph: Graph, target: Target) -> int:
    """The greatest need of one resource over all layers, divided by a core's limit.

    Every neuron is counted once and every synapse or kernel is stored once, without padding,
    chunks, rounding to words or copies; the rest of the model can only add to that.
    """
    return _bound(graph, target)[0]


def require_room(graph: Graph, target: Target) -> None:
    """Refuse a network that no mapping can bring onto the target, before anything is cut.

    Raises:
        FitError: naming the resource, the layer that needs most of it, needed and available cores.
    """
    needed, resource, layer = _bound(graph, target)
    available = n_live_cores(target)
    if needed > available:
        raise FitError(
            f"{graph.name}: its {resource.replace('_', ' ')} alone need {needed:,} cores (most of "
            f"them '{layer}'), {target.name} has {available:,}; use a smaller network or a board "
            "with more chips"
        )


def _bound(graph: Graph, target: Target) -> tuple[int, str, str]:
    """Least cores, the resource that asks for them, and the layer that takes most of it."""
    least = {p.name: _least(layer_of(graph, p.name, target), target) for p in graph.neurons}
    bound = (1, "neurons", graph.output)
    for resource, limit in target.limits._asdict().items():
        taken = {name: needs.get(resource, 0.0) for name, needs in least.items()}
        needed = ceil(sum(taken.values()) / limit) if limit else 0
        if needed > bound[0]:
            bound = (needed, resource, max(taken, key=taken.__getitem__))
    return bound
