"""What happens on cores and mesh per step: the events that energy and time are made of."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from neurocomp.hw.mesh import tile_of
from neurocomp.ir import Conv, Graph, Projection, Slice
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import Mapping
from neurocomp.mapping.traffic import Traffic
from neurocomp.spec.target import Target

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Expected events of one step; arrays hold one value per logical core.

    Attributes:
        neurons: neurons held; spikes: of these.
        dense, conv: synaptic operations through `Dense` and `Conv` projections. Weights of zero
            are stored and therefore count.
        sent: messages to other cores, one for each; received: from other cores and from inputs.
        on_mesh: what the messages of all cores together do on the mesh.
        tiles: number of tiles in use.
    """

    neurons: Values
    spikes: Values
    dense: Values
    conv: Values
    sent: Values
    received: Values
    on_mesh: Traffic
    tiles: int


def events(
    graph: Graph, mapping: Mapping, sent: Flow, on_mesh: Traffic, rates: Rates, target: Target
) -> Events:
    """Count the events; the work grows with slices and their projections.

    Args:
        sent: the mapping's messages; on_mesh: the `traffic` that they make.
    """
    neurons, spikes, dense, conv = (np.zeros(mapping.n_cores) for _ in range(4))
    for core, slices in enumerate(mapping.partition.cores):
        for s in slices:
            neurons[core] += prod(b - a for a, b in zip(s.start, s.stop, strict=True))
            spikes[core] += rates.within(s)
            for e in graph.incoming(s.population):
                kind = conv if isinstance(e.op, Conv) else dense
                kind[core] += operations(graph, e, s, rates)
    tiles = {tile_of(target, *address) for address in mapping.placement.addresses}
    return Events(
        neurons=neurons,
        spikes=spikes,
        dense=dense,
        conv=conv,
        sent=np.asarray(sent.between.sum(axis=1)).ravel(),
        received=np.asarray(sent.between.sum(axis=0)).ravel() + sent.inputs,
        on_mesh=on_mesh,
        tiles=len(tiles),
    )


def operations(graph: Graph, e: Projection, s: Slice, rates: Rates) -> float:
    """Synaptic operations per step of a projection onto a slice of its target.

    Σ over source neurons of rate × targets in the slice. A neuron's targets are a product of
    channels, rows and columns, so that a population of one rate costs a few sums.
    """
    source, target = graph.population(e.source).shape, graph.population(e.target).shape
    axes = [_targets(e, source, target, s, axis) for axis in range(3)]
    rate = rates.values[e.source]
    if isinstance(rate, float):
        return rate * prod(float(axis.sum()) for axis in axes)
    return float(np.einsum("cyx,c,y,x->", rate, *axes))


def _targets(
    e: Projection, source: tuple[int, ...], target: tuple[int, ...], s: Slice, axis: int
) -> Values:
    """By source index along an axis: how many indices of the slice it has synapses to."""
    start, stop = s.start[axis], s.stop[axis]
    if not isinstance(e.op, Conv):
        return np.full(source[axis], float(stop - start))
    made = np.arange(start, stop)
    if axis == 0:
        group = np.bincount(made // (target[0] // e.op.groups), minlength=e.op.groups)
        return np.repeat(group, source[0] // e.op.groups).astype(np.float64)
    i = axis - 1
    taps = np.arange(e.op.kernel[i]) * e.op.dilation[i]
    at = np.ravel(made[:, None] * e.op.stride[i] - e.op.padding[i] + taps)
    at = at[(at >= 0) & (at < source[axis])]
    return np.bincount(at, minlength=source[axis]).astype(np.float64)
