"""What layers of the graph become in a netx file, and what a file cannot hold of them."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from neurocomp.errors import InputError
from neurocomp.formats.netx.dense import MAX_DELAY
from neurocomp.formats.netx.neurons import neuron_fields
from neurocomp.formats.netx.weights import headroom, refusal
from neurocomp.ir import Conv, Delta, Graph, Population, Projection

Fields: TypeAlias = dict[str, Any]


def encoder_fields(graph: Graph, p: Population) -> Fields:
    """Weight and bias of the transform, and the neurons."""
    (e,) = graph.incoming(p.name)
    assert e.weight is not None  # a verified integer graph
    fields: Fields = {"weight": np.array([e.weight.flat[0]])}
    if p.bias is not None:
        fields["bias"] = np.array([p.bias.flat[0]])
    return fields | _neuron(p)


def _neuron(p: Population) -> Fields:
    fields = neuron_fields(p.neuron)
    if fields is None:
        raise InputError(f"population '{p.name}': netx cannot hold its neuron, {p.neuron}")
    return {f"neuron/{key}": value for key, value in fields.items()}


def conv_fields(graph: Graph, p: Population, e: Projection) -> Fields:
    """A convolution and its neurons."""
    op, weight = e.op, e.weight
    assert isinstance(op, Conv)  # chosen by the caller
    assert weight is not None  # a verified integer graph
    if isinstance(p.neuron, Delta):
        raise InputError(f"population '{p.name}': netx has delta encoders in the input layer only")
    if e.delays is not None or extra_delay(graph, e):
        raise InputError(f"projection '{e.name}': netx drops the delays of a convolution")
    why = refusal(weight.astype(np.int32), dense=False)
    if why is not None:
        raise InputError(f"projection '{e.name}': {why}")
    return {
        "type": "conv",
        "shape": np.array(p.shape),
        "inChannels": graph.population(e.source).shape[0],
        "outChannels": p.shape[0],
        "kernelSize": np.array(op.kernel),
        "stride": np.array(op.stride),
        "padding": np.array(op.padding),
        "dilation": np.array(op.dilation),
        "groups": op.groups,
        "weight": weight,
        **({} if p.bias is None else {"bias": p.bias}),
        **_neuron(p),
    }


def dense_fields(graph: Graph, p: Population, e: Projection, recurrent: list[Projection]) -> Fields:
    """A dense layer and its neurons, recurrent where there is such a projection."""
    if isinstance(p.neuron, Delta):
        raise InputError(f"population '{p.name}': netx has delta encoders in the input layer only")
    fields: Fields = {
        "type": "dense_rec" if recurrent else "dense",
        "shape": np.array(p.shape[:1]),
        "inFeatures": graph.population(e.source).size,
        "outFeatures": p.size,
        "weight": e.weight,
        **({} if p.bias is None else {"bias": p.bias}),
        **_neuron(p),
    }
    for again in recurrent:
        fields["weight_rec"] = again.weight
    delay = _dense_delay(graph, [e, *recurrent])
    if delay is not None:
        fields["delay"] = delay
    _require_kept([e, *recurrent], has_delay=delay is not None)
    return fields


def _dense_delay(graph: Graph, together: list[Projection]) -> Any:
    """The layer's delay field, one for both matrices; None without extra delays."""
    extra = [extra_delay(graph, e) + (0 if e.delays is None else e.delays) for e in together]
    if any(not np.array_equal(extra[0], other) for other in extra) or np.max(extra[0]) > MAX_DELAY:
        raise InputError(
            f"projection '{together[-1].name}': the delays of a layer must be at most {MAX_DELAY} "
            "beyond its step, and equal for its recurrent synapses"
        )
    return extra[0] if np.any(extra[0]) else None


def extra_delay(graph: Graph, e: Projection) -> int:
    """Steps beyond the one that every layer of netx takes."""
    step = 1 if graph.timesteps is None or e.source == e.target else 0
    if e.delay < step:
        raise InputError(
            f"projection '{e.name}': a free-running network takes a step per projection; "
            f"give it a delay of at least 1, got {e.delay}"
        )
    return e.delay - step


def _require_kept(together: list[Projection], *, has_delay: bool) -> None:
    """Dense weights must come through netx and Lava unchanged."""
    weight = np.hstack([e.weight for e in together if e.weight is not None]).astype(np.int32)
    why = refusal(weight, dense=True)
    if why is None and has_delay and len(together) > 1 and headroom(weight):
        why = (
            "netx forgets the exponent of recurrent weights with delays; scale them up by "
            f"{1 << headroom(weight)}"
        )
    if why is not None:
        raise InputError(f"projection '{together[0].name}': {why}")
