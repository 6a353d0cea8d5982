"""A graph → a NIR file: real parameters for whoever reads it, and ours beside them as metadata.

The neurons are NIR's for a time step dt, by forward Euler (see `neurocomp.formats.nir.neurons`). An
integer graph is written with the real numbers that its integers mean; what is lost is only the
chip's rounding of states to 1/64. `read_nir` makes the same graph of the file again.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import nir
import numpy as np

from neurocomp.atomic import writing
from neurocomp.errors import InputError
from neurocomp.formats.nir.express import effective, neuron_node
from neurocomp.formats.nir.neurons import DEFAULT_DT
from neurocomp.formats.nir.nodes import OUR_NOTES, require_name
from neurocomp.ir import (
    Array,
    Conv,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    verify,
)
from neurocomp.ir.schedule import split_delays


def write_nir(
    graph: Graph,
    path: Path,
    *,
    cores: Mapping[str, Sequence[int]] | None = None,
    dt: float = DEFAULT_DT,
) -> None:
    """Write a graph with weights; the file appears whole or not at all.

    Our metadata stands under "neurocomp": of the network its name, window, dt and whether it is an
    integer one; of populations their order, input bits and cores; of projections their order,
    weight bits, exponent, mask and delay. Pruned weights are written as zeros, and projections with
    delays per synapse as one per delay.

    Args:
        cores: the cores that hold each population, by name, for the file's readers.
        dt: time step in seconds that time constants and delays are written for.

    Raises:
        InputError: no weights yet, or what NIR cannot hold, naming the population or projection:
            sigma-delta neurons, currents without leak, a membrane that is read and also sent on,
            dense synapses onto maps.
    """
    verify(graph, trained=True)
    if not 0 < dt < np.inf:
        raise InputError(f"dt must be a positive number of seconds, got {dt}")
    require_name(graph.name, "network")
    for name in cores or {}:
        graph.population(name)  # known, or an error
    network = _Writer(split_delays(graph), dt, cores or {}).network()
    buffer = io.BytesIO()
    nir.write(buffer, network)
    with writing(Path(path)) as out:
        out.write(buffer.getvalue())


class _Writer:
    """Nodes and edges of one graph."""

    def __init__(self, graph: Graph, dt: float, cores: Mapping[str, Sequence[int]]) -> None:
        self._graph, self._dt, self._cores = graph, dt, cores
        self._maps = _maps(graph)
        self._nodes: dict[str, nir.NIRNode] = {}
        self._edges: list[tuple[str, str]] = []

    def network(self) -> nir.NIRGraph:
        """The whole NIR graph."""
        graph = self._graph
        for i, p in enumerate(graph.populations):
            self._population(p, i)
        for i, e in enumerate(graph.projections):
            self._projection(e, i)
        dims = np.array(self._dims(graph.output))
        self._edges.append((graph.output, self._add("output", nir.Output({"output": dims}), {})))
        notes: dict[str, Any] = {"name": graph.name, "dt": self._dt, "reset": "zero"}
        if any(isinstance(p.neuron, LoihiLif) for p in graph.neurons):
            notes["integer"] = 1
        if graph.timesteps is not None:
            notes["timesteps"] = graph.timesteps
        metadata = {OUR_NOTES: notes}
        # nir's check takes every kernel for a square one
        return nir.NIRGraph(self._nodes, self._edges, metadata=metadata, type_check=False)

    def _population(self, p: Population, index: int) -> None:
        notes: dict[str, Any] = {"index": index}
        dims = self._dims(p.name)
        if isinstance(p.neuron, Input):
            notes |= {"bits": p.neuron.bits, "signed": int(p.neuron.signed)}
            node = nir.Input({"input": np.array(dims)})
        else:
            is_read = p.name == self._graph.output and self._graph.readout == "membrane"
            if is_read and self._graph.outgoing(p.name):
                raise InputError(
                    f"population '{p.name}': is read as a membrane and sends spikes as well, "
                    "which no NIR node does"
                )
            if is_read:
                notes["threshold"] = effective(p).threshold
            node = neuron_node(p, dims, self._dt, is_read=is_read)
        if p.name in self._cores:
            notes["cores"] = np.array(self._cores[p.name], dtype=np.int64)
        self._add(p.name, node, notes)

    def _projection(self, e: Projection, index: int) -> None:
        """The nodes of a projection, one behind the other."""
        notes: dict[str, Any] = {
            "index": index,
            "weight_bits": e.weight_bits,
            "exponent": e.exponent,
            "delay": e.delay,
        }
        if e.mask is not None:
            notes["mask"] = e.mask
        dims = self._dims(e.source)
        way = [e.source]
        if e.delay > int(e.source == e.target):  # the way back to itself takes a step anyway
            delay = nir.Delay(np.full(dims, e.delay * self._dt))
            way.append(self._add(f"{e.name}.delay", delay, {}))
        weight, bias = _weight(e), self._bias(e)
        if isinstance(e.op, Conv):
            if e.op.groups > 1:
                notes["groups"] = e.op.groups
            node = _conv(e.op, _ungrouped(weight, e.op.groups), bias, dims)
        elif e.target in self._maps:
            if self._dims(e.target)[1:] != (1, 1):
                raise InputError(
                    f"projection '{e.name}': NIR has no dense synapses onto maps, "
                    f"'{e.target}' is shaped {self._dims(e.target)}"
                )
            notes["dense"] = 1
            channels, height, width = dims
            whole = weight.reshape(-1, channels, height, width)
            node = _conv(Conv((height, width)), whole, bias, dims)
        else:
            if len(dims) > 1:
                flatten = nir.Flatten({"input": np.array(dims)}, start_dim=0, end_dim=-1)
                way.append(self._add(f"{e.name}.flatten", flatten, {}))
            node = nir.Linear(weight) if bias is None else nir.Affine(weight, bias)
        way += [self._add(e.name, node, notes), e.target]
        self._edges += pairwise(way)

    def _bias(self, e: Projection) -> Array | None:
        """The target's bias, at the first projection into it, unless its current has a memory."""
        p = self._graph.population(e.target)
        first = self._graph.incoming(e.target)[0]
        if p.bias is None or e is not first or effective(p).current_decay < 1:
            return None
        return _real(p.bias)

    def _dims(self, name: str) -> tuple[int, ...]:
        """NIR's axes of a population: (channels, height, width), or (neurons,)."""
        shape = self._graph.population(name).shape
        return shape if name in self._maps else shape[:1]

    def _add(self, name: str, node: nir.NIRNode, notes: dict[str, Any]) -> str:
        """Add a node; where a name is taken, it gets another and ours goes into the metadata."""
        require_name(name, f"network '{self._graph.name}'")
        free = name
        while free in self._nodes:
            free += "_"
        if free != name:
            notes = notes | {"name": name}
        node.metadata = {OUR_NOTES: notes} if notes else {}
        self._nodes[free] = node
        return free


def _maps(graph: Graph) -> frozenset[str]:
    """Populations with three axes: those with rows or columns, and all that convolutions touch.

    A dense projection onto such a population is written as a convolution by a kernel as large as
    the source, which then has three axes as well.
    """
    maps = {p.name for p in graph.populations if p.shape[1:] != (1, 1)}
    for e in graph.projections:
        if isinstance(e.op, Conv):
            maps |= {e.source, e.target}
    while more := {e.source for e in graph.projections if e.target in maps} - maps:
        maps |= more
    return frozenset(maps)


def _ungrouped(weight: Array, groups: int) -> Array:
    """Weights of one group that do the same: nir's own check takes no other convolution."""
    per_group, inputs = len(weight) // groups, weight.shape[1]
    full = np.zeros((len(weight), inputs * groups, *weight.shape[2:]), weight.dtype)
    for g in range(groups):
        rows = slice(g * per_group, (g + 1) * per_group)
        full[rows, g * inputs : (g + 1) * inputs] = weight[rows]
    return full


def _conv(op: Conv, weight: Array, bias: Array | None, dims: tuple[int, ...]) -> nir.Conv2d:
    return nir.Conv2d(
        input_shape=dims[1:],
        weight=weight,
        stride=op.stride,
        padding=op.padding,
        dilation=op.dilation,
        groups=1,
        bias=np.zeros(len(weight)) if bias is None else bias,
    )


def _weight(e: Projection) -> Array:
    """The weights that act, as real numbers."""
    assert e.weight is not None  # a verified trained graph
    return _real(e.weight if e.mask is None else np.where(e.mask, e.weight, 0))


def _real(values: Array) -> Array:
    """Floats as they are; the chip's integers are exact in single precision."""
    return values if values.dtype.kind == "f" else values.astype(np.float32)
