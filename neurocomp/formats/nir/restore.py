"""What our own metadata says of a NIR file that we have written."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurocomp.formats.nir.nodes import Node, checked, require_name
from neurocomp.ir import Array, Conv, CubaLif, Dense, Graph, LoihiLif, Op, Projection

DECAY_UNITY = 4096  # of the chip's decays
MAX_WHOLE = 2**31


def as_it_was(op: Conv, weight: Array, note: Node) -> tuple[Op, Array]:
    """The operation that one of our own files holds as a convolution in one group."""
    if note.count("dense", 0):
        return Dense(), weight.reshape(len(weight), -1)
    groups = note.count("groups", 1)
    if groups == 1 or op.groups != 1:
        return op, weight
    channels, inputs = weight.shape[:2]
    if groups < 1 or channels % groups or inputs % groups:
        raise note.fault(f"metadata: groups: {groups} does not divide the weights {weight.shape}")
    parts = weight.reshape(groups, channels // groups, groups, inputs // groups, *op.kernel)
    own = parts[np.arange(groups), :, np.arange(groups)]
    if np.count_nonzero(own) != np.count_nonzero(weight):
        raise note.fault("metadata: groups: the weights connect different groups")
    return replace(op, groups=groups), own.reshape(channels, -1, *op.kernel)


def noted(e: Projection, note: Node, weight_bits: int | None) -> Projection:
    """The projection with its name, bits, exponent and mask."""
    assert e.weight is not None  # what is read has weights
    mask = note.notes.get("mask")
    if mask is not None:
        stored = checked(note, "metadata: mask", mask)
        if stored.size != e.weight.size:
            raise note.fault(
                f"metadata: mask: is shaped {stored.shape}, the weights {e.weight.shape}"
            )
        mask = stored.astype(np.bool_).reshape(e.weight.shape)
    return replace(
        e,
        name=require_name(note.string("name") or e.name, note.where),
        weight_bits=weight_bits or note.count("weight_bits", e.weight_bits),
        exponent=note.count("exponent", 0),
        mask=mask,
    )


def integer_graph(graph: Graph, node: Node) -> Graph:
    """The integer graph that one of our own files holds as real numbers.

    Raises:
        InputError: a threshold, bias or weight that is not whole.
    """
    populations = []
    for p in graph.populations:
        if isinstance(p.neuron, CubaLif):
            n = p.neuron
            vth = int(_whole(node, f"threshold of '{p.name}'", np.array(n.threshold)))
            du, dv = (round(d * DECAY_UNITY) for d in (n.current_decay, n.voltage_decay))
            bias = None if p.bias is None else _whole(node, f"bias of '{p.name}'", p.bias)
            p = replace(p, neuron=LoihiLif(vth, du - 1, dv), bias=bias)
        populations.append(p)
    projections = tuple(
        replace(e, weight=_whole(node, f"weight of '{e.name}'", e.weight))
        for e in graph.projections
        if e.weight is not None
    )
    return graph.with_parts(tuple(populations), projections)


def _whole(node: Node, what: str, values: Array) -> Array:
    if (values != np.rint(values)).any() or np.abs(values).max() >= MAX_WHOLE:
        raise node.fault(f"is marked as an integer network, but the {what} is not whole")
    return values.astype(np.int32)
