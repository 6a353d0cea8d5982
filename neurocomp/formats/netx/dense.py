"""What dense layers of a netx file add to the graph: plain and recurrent, with delays."""

from __future__ import annotations

import warnings
from math import prod

import numpy as np

from neurocomp.errors import InputWarning
from neurocomp.formats.hdf5 import Node
from neurocomp.formats.netx.chain import Chain, layer_bias, layer_neuron, read_shape
from neurocomp.formats.netx.neurons import NO_NEURON
from neurocomp.formats.netx.weights import IntArray, clipped, grid, headroom, refusal
from neurocomp.ir import GRADED, Dense, Population, Projection

MAX_DELAY = 62


def dense(chain: Chain, node: Node) -> None:
    """A fully connected layer, with recurrent synapses where its type is dense_rec.

    Weights of both matrices share one grid. Where a recurrent layer has delays, stock netx forgets
    the exponent by which it has shifted the weights; they are read as the numbers it computes with.
    """
    size = prod(read_shape(node))
    if "weight" in node and node.is_group("weight"):
        raise node.fault("complex weights are not supported, nor are their neurons (RF)")
    parts = [_matrix(node, "weight", size)]
    _require_source(chain, node, parts[0].shape[1])
    neuron = layer_neuron(node) if "neuron" in node else NO_NEURON
    if chain.kind == "dense_rec":
        if isinstance(neuron, GRADED) and not chain.graded:
            raise node.fault("recurrent sigma-delta neurons need graded messages as input")
        parts.append(_matrix(node, "weight_rec", size))
        if parts[1].shape != (size, size):
            raise node.fault(f"weight_rec: must be shaped {(size, size)}, is {parts[1].shape}")
    delays = _delays(node, parts[0].shape) if "delay" in node else None
    if delays is not None and parts[-1].shape != parts[0].shape:
        raise node.fault("a recurrent layer with delays must have as many inputs as neurons")
    sources = (chain.source(), chain.name)
    shape = (size, 1, 1)
    projections = _projections(node, sources, parts, delays)
    population = Population(chain.name, shape, neuron, layer_bias(node, shape, neuron))
    chain.add(population, projections, flat=True)
    chain.flattened = False


def _require_source(chain: Chain, node: Node, columns: int) -> None:
    """The layer before must have as many neurons as the weight has columns."""
    if chain.shape is None:
        chain.declare((columns, 1, 1), flat=True)
    assert chain.shape is not None  # declared above or before
    if chain.connects and not chain.flat and not chain.flattened:
        raise node.fault("a dense layer behind a convolution needs a flatten layer in between")
    if columns != prod(chain.shape):
        raise node.fault(f"weight: has {columns} columns, the layer before is {chain.shape}")


def _matrix(node: Node, key: str, rows: int) -> IntArray:
    stored = node.shape(key)
    if len(stored) == 1 and stored[0] and stored[0] % rows == 0:
        stored = (rows, stored[0] // rows)
    if len(stored) != 2 or stored[0] != rows or not stored[1]:
        raise node.fault(f"{key}: must be shaped ({rows}, inputs), is {stored}")
    return node.array(key).reshape(stored)


def _projections(
    node: Node, sources: tuple[str, str], parts: list[IntArray], delays: IntArray | None
) -> tuple[Projection, ...]:
    """One projection per matrix, from the layer before and from the layer itself."""
    joint = np.hstack(parts)
    weights = clipped(joint)
    if (joint != weights).any():
        text = f"{node.where}: netx clips the weights to −256 to 254"
        warnings.warn(text, InputWarning, stacklevel=5)
    why = refusal(weights, dense=True)
    if why is not None:
        raise node.fault(why)
    bits, exponent = grid(weights)
    if delays is not None and len(parts) > 1:
        shift = headroom(weights)
        weights, exponent = weights << shift, exponent + shift
    split = np.split(weights, [parts[0].shape[1]], axis=1)
    same = delays is None or bool((delays == delays.flat[0]).all())
    return tuple(
        Projection(
            name=f"{source}-{sources[1]}",
            source=source,
            target=sources[1],
            op=Dense(),
            weight_bits=bits,
            weight=np.ascontiguousarray(weight),
            exponent=exponent,
            delay=1 + (int(delays.flat[0]) if same and delays is not None else 0),
            delays=None if same else delays,
        )
        for source, weight in zip(sources, split[: len(parts)], strict=False)
    )


def _delays(node: Node, shape: tuple[int, ...]) -> IntArray:
    """Extra steps per synapse: given for all, per target, per source, or per synapse.

    Where a list suits both, netx takes it for the targets.
    """
    stored = node.shape("delay")
    rows, columns = shape
    if stored not in ((), (rows,), (columns,), (rows, columns)):
        raise node.fault(
            f"delay: must be one number, ({rows},), ({columns},) or {shape}, is {stored}"
        )
    delays = node.array("delay")
    if delays.min() < 0:
        raise node.fault(f"delay: must not be negative, got {delays.min()}")
    if delays.max() > MAX_DELAY:
        text = f"{node.where}: netx clamps delays to {MAX_DELAY}"
        warnings.warn(text, InputWarning, stacklevel=5)
    if stored == (rows,):
        delays = delays[:, None]
    return np.broadcast_to(np.minimum(delays, MAX_DELAY), shape).copy()
