"""An integer graph → a netx file that stock netx loads and that fires the same spikes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from neurocomp.atomic import writing
from neurocomp.errors import InputError
from neurocomp.formats.netx.chain import BITS_KEY, SIGNED_KEY
from neurocomp.formats.netx.fields import (
    Fields,
    conv_fields,
    dense_fields,
    encoder_fields,
    extra_delay,
)
from neurocomp.formats.netx.weights import refusal
from neurocomp.ir import (
    GRADED,
    Conv,
    Delta,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    skip,
)
from neurocomp.ir.verify import verify


def write_netx(graph: Graph, path: Path) -> None:
    """Write a sequential integer graph; the file appears whole or not at all.

    A file holds no window, no readout and no designed weight bits: netx resets by its argument
    ``reset_interval`` (with ``reset_offset=1``) and recovers the bits from the weights. Where the
    input takes more than spikes and has no neurons, load with ``input_message_bits``. A dense layer
    whose weights netx's Dense would clip, outside −256 to 254, is written as the convolution over
    the whole layer before it, which computes the same; so are the dense layers before it.

    Raises:
        InputError: not an integer graph, or one that netx cannot hold, naming the population or
            projection: several inputs or branches, delays of convolutions, weights of more than
            eight bits, biases of sigma neurons, other scalings of sigma-delta neurons.
    """
    verify(graph, integer=True)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for i, fields in enumerate(_layers(graph)):
            group = file.create_group(f"layer/{i}")
            group.create_dataset("type", data=np.array([fields.pop("type")], "S10"))
            for key, value in fields.items():
                group.create_dataset(key, data=value)
    with writing(Path(path)) as out:
        out.write(buffer.getvalue())


class _Layer(NamedTuple):
    """A population with what the layer before it, and it itself, project onto it."""

    before: Population
    population: Population
    forward: Projection
    recurrent: list[Projection]


def _layers(graph: Graph) -> Iterator[Fields]:
    """The layers of the file, first to last."""
    before, *rest = _sequence(graph)
    values = before.neuron
    assert isinstance(values, Input)  # the sequence starts there
    if rest and _is_encoder(graph, rest[0]):
        before = rest.pop(0)
    layers = [_layer(graph, a, b) for a, b in pairwise([before, *rest])]
    n_conv = _n_convolutions(graph, layers)
    spatial = n_conv > 0 or before.shape[1:] != (1, 1)
    if spatial or before is not graph.inputs[0] or values != Input():
        yield {
            "type": "input",
            "shape": np.array(before.shape if spatial else before.shape[:1]),
            BITS_KEY: values.bits,
            SIGNED_KEY: values.signed,
            **({} if before is graph.inputs[0] else encoder_fields(graph, before)),
        }
    for layer in layers[:n_conv]:
        yield conv_fields(graph, layer.population, _convolution(layer))
    if spatial and layers[n_conv:]:
        yield {"type": "flatten", "shape": np.array([layers[n_conv].before.size, 1, 1])}
    for layer in layers[n_conv:]:
        yield dense_fields(graph, layer.population, layer.forward, layer.recurrent)


def _n_convolutions(graph: Graph, layers: list[_Layer]) -> int:
    """How many layers the file holds as convolutions: all up to the last that must be one.

    netx has no convolution of a flat layer, so that dense layers before it become one as well.
    """
    last = max((i for i, layer in enumerate(layers) if _must_be_conv(layer)), default=-1)
    for layer in layers[: last + 1]:
        p, e = layer.population, layer.forward
        delayed = isinstance(e.op, Dense) and (e.delays is not None or extra_delay(graph, e))
        if layer.recurrent or delayed:
            raise InputError(
                f"population '{p.name}': netx must hold it as a convolution, as '"
                f"{layers[last].population.name}' can be nothing else, and its convolutions have "
                "no recurrent synapses and no delays; drop these, or use smaller dense weights"
            )
    return last + 1


def _must_be_conv(layer: _Layer) -> bool:
    """Whether a layer is a convolution, or has dense weights that only a convolution can hold."""
    weight = layer.forward.weight
    assert weight is not None  # a verified integer graph
    if isinstance(layer.forward.op, Conv):
        return True
    integer = weight.astype(np.int32)
    fits = refusal(integer, dense=True) is None or refusal(integer, dense=False) is not None
    return not (fits or isinstance(layer.population.neuron, GRADED))  # wide graded sums would wrap


def _convolution(layer: _Layer) -> Projection:
    """The forward projection as a convolution: over the whole layer before, if it is dense."""
    e, before = layer.forward, layer.before
    if isinstance(e.op, Conv) or e.weight is None:
        return e
    weight = e.weight.reshape(-1, *before.shape)
    return replace(e, op=Conv(kernel=before.shape[1:]), weight=weight)


def _sequence(graph: Graph) -> list[Population]:
    """The populations from the input to the output, each fed by the one before and by itself."""
    if len(graph.inputs) != 1:
        raise InputError(f"{graph.name}: netx has one input, the graph {len(graph.inputs)}")
    order = [graph.inputs[0]]
    while followers := _followers(graph, order[-1]):
        if len(followers) > 1 or graph.population(followers[0]) in order:
            raise InputError(
                f"population '{order[-1].name}': feeds {', '.join(followers)}; a netx file is a "
                "sequence of layers; write it as NIR instead"
            )
        order.append(graph.population(followers[0]))
    if order[-1].name != graph.output:
        raise InputError(
            f"{graph.name}: the output must be the last layer, '{order[-1].name}', "
            f"is '{graph.output}'"
        )
    return order


def _followers(graph: Graph, p: Population) -> list[str]:
    return [e.target for e in graph.outgoing(p.name) if e.target != p.name]


def _layer(graph: Graph, before: Population, p: Population) -> _Layer:
    """A population's layer; one projection from the layer before, and maybe a recurrent one."""
    forward = [e for e in graph.incoming(p.name) if e.source == before.name]
    recurrent = [e for e in graph.incoming(p.name) if e.source == p.name]
    ops_differ = any(not isinstance(e.op, Dense) for e in forward + recurrent) and recurrent
    if len(forward) != 1 or len(recurrent) > 1 or ops_differ:
        raise InputError(
            f"population '{p.name}': netx has one projection per layer, and a recurrent one of "
            f"dense layers; found {', '.join(e.name for e in forward + recurrent)}"
        )
    if isinstance(forward[0].op, Dense) and p.shape[1:] != (1, 1):
        raise InputError(f"population '{p.name}': a dense layer of netx is flat, is {p.shape}")
    return _Layer(before, p, forward[0], recurrent)


def _is_encoder(graph: Graph, p: Population) -> bool:
    """Whether a population is what netx makes of an input layer with neurons."""
    e, *others = graph.incoming(p.name)
    assert e.weight is not None  # a verified integer graph
    if others or e.op != skip(p.shape[0]) or extra_delay(graph, e) or e.delays is not None:
        return False
    driven_by_bias = isinstance(p.neuron, Delta) or (
        isinstance(p.neuron, LoihiLif) and p.neuron.du == 4095  # no memory in the current
    )
    biases = () if p.bias is None else p.bias
    return driven_by_bias and len(np.unique(e.weight)) == 1 and len(np.unique(biases)) <= 1
