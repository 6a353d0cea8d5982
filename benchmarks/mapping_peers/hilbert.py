"""Placement along a Hilbert curve, as the neuron partitioners' papers place their clusters."""

from __future__ import annotations

import numpy as np

from neurocomp.hw.mesh import live_cores, tile_of
from neurocomp.ir import Graph
from neurocomp.ir.schedule import depths
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import CoreAddress, Placement
from neurocomp.mapping.place.order import first_cores
from neurocomp.mapping.traffic import traffic
from neurocomp.spec.target import Target


def hilbert(graph: Graph, sent: Flow, shares: np.ndarray, target: Target) -> Placement:
    """Cores along the curve, in the order of the parts' numbers or of their mean depth.

    The better one in hops counts; recursive partitioners number neighbouring parts alike.

    Args:
        shares: neurons of each population on each core, (cores, populations).
    """
    depth = depths(graph)
    layer = np.array([depth[p.name] for p in graph.neurons])
    mean = (shares @ layer) / np.maximum(shares.sum(axis=1), 1)
    curve = _curve(target, sent.n)
    ways = []
    for order in (np.arange(sent.n), np.lexsort((np.arange(sent.n), mean))):
        addresses = [curve[0]] * sent.n
        for place, core in zip(curve, order, strict=False):
            addresses[core] = place
        ways.append(Placement(tuple(addresses)))
    return min(ways, key=lambda way: traffic(sent, way, target).spike_hops)


def _curve(target: Target, n: int) -> list[CoreAddress]:
    """The live cores of as few chips as hold ``n``, along the curve through the whole board."""
    last = first_cores(n, target)[-1].chip
    places = [CoreAddress(*a) for a in live_cores(target) if a[0] <= last]
    side = 1 << max(max(tile_of(target, *a)) for a in places).bit_length()
    return sorted(places, key=lambda a: (_index(side, *tile_of(target, *a)), a))


def _index(side: int, x: int, y: int) -> int:
    """Where a tile comes on the Hilbert curve of a square with ``side`` tiles, a power of two."""
    index = 0
    s = side // 2
    while s:
        right, up = int(x & s > 0), int(y & s > 0)
        index += s * s * ((3 * right) ^ up)
        if not up:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        s //= 2
    return index
