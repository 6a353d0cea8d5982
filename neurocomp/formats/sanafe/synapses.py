"""A projection as single synapses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from neurocomp.ir import Array, Conv, Graph, Projection, Shape


class Synapses(NamedTuple):
    """Source neuron, target neuron, weight and extra delay of each synapse, (N,) each."""

    source: Array
    target: Array
    weight: Array
    delay: Array


def synapses(graph: Graph, e: Projection, wait: int) -> Synapses:
    """Every synapse of a projection, pruned and zero ones included: a core stores and serves them.

    Neurons are numbered in (channel, row, column) order; taps that fall on padding are none.

    Args:
        wait: steps that all of the projection's messages wait.
    """
    assert e.weight is not None  # a verified integer graph
    source, target = graph.population(e.source).shape, graph.population(e.target).shape
    delays = np.zeros(e.weight.shape, np.int64) if e.delays is None else e.delays
    if isinstance(e.op, Conv):
        ends = _conv_ends(e.op, source, target)
    else:
        rows, columns = np.indices(e.weight.shape)
        ends = columns, rows, np.ones(e.weight.shape, bool)
    sources, targets, there = np.broadcast_arrays(*ends)
    spread = there.shape
    if isinstance(e.op, Conv):  # (o, i, ky, kx) → (o, i, ky, kx, y, x)
        weights, delays = (array[..., None, None] for array in (e.weight, delays))
    else:
        weights = e.weight
    return Synapses(
        *(
            np.broadcast_to(array, spread)[there].astype(np.int64)
            for array in (sources, targets, weights, delays + wait)
        )
    )


def _conv_ends(op: Conv, source: Shape, target: Shape) -> tuple[Array, Array, Array]:
    """Source and target neuron of each (o, i, ky, kx, y, x), and whether the source exists."""
    per_group = source[0] // op.groups
    sizes = (target[0], per_group, *op.kernel, *target[1:])
    o, i, ky, kx, y, x = np.ogrid[tuple(slice(n) for n in sizes)]
    channel = o * op.groups // target[0] * per_group + i
    row = y * op.stride[0] - op.padding[0] + ky * op.dilation[0]
    column = x * op.stride[1] - op.padding[1] + kx * op.dilation[1]
    there = (0 <= row) & (row < source[1]) & (0 <= column) & (column < source[2])
    return (
        (channel * source[1] + row) * source[2] + column,
        (o * target[1] + y) * target[2] + x,
        there,
    )
