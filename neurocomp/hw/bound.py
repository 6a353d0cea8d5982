"""A lower bound of the cores that any mapping of a network needs."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import NamedTuple

from neurocomp.errors import FitError
from neurocomp.hw.layer import layer_of
from neurocomp.hw.mesh import n_live_cores
from neurocomp.hw.needs import Needs, least_needs
from neurocomp.ir import Graph
from neurocomp.spec.target import Target


class Room(NamedTuple):
    """Cores that one resource asks for at least, and the layer that takes most of it."""

    resource: str
    cores: int
    layer: str


def lower_bound_cores(graph: Graph, target: Target) -> int:
    """The greatest need of one resource over all layers, divided by a core's limit.

    Every neuron is counted once and every synapse or kernel is stored once, without padding,
    chunks, rounding to words or copies; the rest of the model can only add to that.
    """
    return max(rooms(needs_of(graph, target), target), key=lambda room: room.cores).cores


def require_room(name: str, needs: Mapping[str, Needs], target: Target) -> None:
    """Refuse a network that no mapping can bring onto the target, before anything is cut.

    Args:
        name: of the network; needs: of its populations, see `needs_of`.

    Raises:
        FitError: naming the resource, the layer that needs most of it, needed and available cores.
    """
    room = max(rooms(needs, target), key=lambda room: room.cores)
    available = n_live_cores(target)
    if room.cores > available:
        raise FitError(
            f"{name}: its {room.resource.replace('_', ' ')} alone need {room.cores:,} cores "
            f"(most of them '{room.layer}'), {target.name} has {available:,}; use a smaller "
            "network or a board with more chips"
        )


def needs_of(graph: Graph, target: Target) -> dict[str, Needs]:
    """What each population takes at least, by its name."""
    return {p.name: least_needs(layer_of(graph, p.name, target), target) for p in graph.neurons}


def rooms(needs: Mapping[str, Needs], target: Target) -> list[Room]:
    """By resource with a known limit, what any mapping needs at least."""
    made = [Room("neurons", 1, next(iter(needs)))]
    for resource, limit in target.limits._asdict().items():
        taken = {name: getattr(least, resource, 0.0) for name, least in needs.items()}
        if limit:
            layer = max(taken, key=taken.__getitem__)
            made.append(Room(resource, ceil(sum(taken.values()) / limit), layer))
    return made
