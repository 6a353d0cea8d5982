"""Whether a target holds any network of a space at all, told before anything is trained."""

from __future__ import annotations

from collections.abc import Iterator

from neurocomp import shipped
from neurocomp.errors import FitError
from neurocomp.hw.bound import Room, needs_of, rooms
from neurocomp.hw.mesh import n_live_cores
from neurocomp.spec.joint import LiteSpace
from neurocomp.spec.target import Target, load_target
from neurocomp.train.joint.backbone import INPUTS, Backbone
from neurocomp.train.joint.build import build
from neurocomp.train.joint.design import Design, Kept, Nodes


def require_room(backbone: Backbone, nodes: Nodes | None, target: Target, cores: int) -> None:
    """Refuse a space of which no network can be mapped.

    Args:
        nodes: the kept edges where they are given, else None.
        cores: that the network may have.

    Raises:
        FitError: naming the resource, the population that takes most of it, needed and available
            cores, and the smallest shipped board of such cores that may hold it.
    """
    room = least_room(backbone, nodes, target)
    if room.cores <= cores:
        return
    live = n_live_cores(target)
    there = f"{target.name} has {live:,}" if cores == live else f"the limit is {cores:,}"
    remedies = ["use fewer channels (joint.channels)"]
    if cores < live:
        remedies.append("raise the limit")
    if room.cores > live and (board := _board(backbone, nodes, target)):
        remedies.append(f"take --hw {board.name}, which has {n_live_cores(board):,} cores")
    raise FitError(
        f"space '{backbone.space.name}' at {backbone.channels} channels: the "
        f"{room.resource.replace('_', ' ')} of even its smallest network need {room.cores:,} cores "
        f"(most of them '{room.layer}'), {there}; {', '.join(remedies)}"
    )


def least_room(backbone: Backbone, nodes: Nodes | None, target: Target) -> Room:
    """Cores that every network of a space needs at least.

    Of each resource the least over networks whose edges all have one op and the fewest bits: what
    an edge takes of a resource does not depend on the others. The greatest of these counts.
    """
    each = [
        rooms(needs_of(build(d, backbone), target), target) for d in _designs(backbone.space, nodes)
    ]
    least: list[Room] = [min(rows, key=lambda room: room.cores) for rows in zip(*each, strict=True)]
    return max(least, key=lambda room: room.cores)


def _designs(space: LiteSpace, nodes: Nodes | None) -> Iterator[Design]:
    """The cheapest ones: as given, or with one op in edges from the first or the last states."""
    for kept in (nodes,) if nodes is not None else _uniform(space):
        edges = sum(map(len, kept))
        yield Design(kept, ((min(space.bits),) * edges,) * len(space.cells), min(space.timesteps))


def _uniform(space: LiteSpace) -> Iterator[Nodes]:
    n = space.edges
    for op in space.ops:
        for part in (slice(None, n), slice(-n, None)):
            states = (tuple(range(INPUTS + j))[part] for j in range(space.nodes))
            yield tuple(tuple(Kept(s, op) for s in own) for own in states)


def _board(backbone: Backbone, nodes: Nodes | None, target: Target) -> Target | None:
    """The smallest shipped board with such cores whose bound is kept."""
    every = sorted(map(load_target, shipped.names("mappings/targets")), key=n_live_cores)
    same = (board for board in every if board.core == target.core)
    return next((b for b in same if least_room(backbone, nodes, b).cores <= n_live_cores(b)), None)
