"""Is a graph well formed? Called between stages, so that every stage may trust its input."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict

import numpy as np

from neurocomp.errors import InputError
from neurocomp.ir.graph import GRADED, Array, Graph, Input, LoihiLif, Population, Projection
from neurocomp.ir.schedule import axon_delays
from neurocomp.ir.shapes import mismatch, weight_shape

MAX_NEURONS = 2**40  # a declared size above this is a damaged file, not a network


def verify(graph: Graph, *, trained: bool = False, integer: bool = False) -> Graph:
    """Return the graph if it is well formed.

    Args:
        trained: every projection must have its weights.
        integer: additionally all weights and biases are integers and all neurons the chip's.

    Raises:
        InputError: with all faults at once, each naming its population or projection.
    """
    faults = [*_name_faults(graph)]
    if not faults:
        for p in graph.populations:
            faults += _population_faults(graph, p, integer)
    if not faults:
        for e in graph.projections:
            faults += _projection_faults(graph, e, trained or integer, integer)
    if faults:
        raise InputError.from_faults(f"network '{graph.name}'", faults)
    axon_delays(graph)
    return graph


def _name_faults(graph: Graph) -> list[str]:
    names = [p.name for p in graph.populations]
    faults = [
        f"two {kind}s are named '{n}'"
        for kind, all_names in (
            ("population", names),
            ("projection", [e.name for e in graph.projections]),
        )
        for n, count in Counter(all_names).items()
        if count > 1
    ]
    known = set(names)
    for e in graph.projections:
        faults += [
            f"projection '{e.name}': {end} '{n}' is no population"
            for end, n in (("source", e.source), ("target", e.target))
            if n not in known
        ]
    if graph.output not in known:
        faults.append(f"output '{graph.output}' is no population")
    if graph.readout not in ("membrane", "spikes"):
        faults.append(f"readout must be 'membrane' or 'spikes', got '{graph.readout}'")
    if graph.timesteps is not None and graph.timesteps < 1:
        faults.append(f"timesteps must be at least 1, got {graph.timesteps}")
    if not any(isinstance(p.neuron, Input) for p in graph.populations):
        faults.append("there is no input population")
    return faults


def _population_faults(graph: Graph, p: Population, integer: bool) -> list[str]:
    where = f"population '{p.name}'"
    faults = []
    if len(p.shape) != 3 or min(p.shape) < 1 or p.size > MAX_NEURONS:
        return [f"{where}: shape must be three positive sizes, got {p.shape}"]
    for key, value in asdict(p.neuron).items():
        if not math.isfinite(value):
            faults.append(f"{where}: {key} must be a finite number, got {value}")
    is_input = isinstance(p.neuron, Input)
    if is_input and graph.incoming(p.name):
        faults.append(f"{where}: an input cannot have incoming projections")
    if not is_input and not graph.incoming(p.name):
        faults.append(f"{where}: no projection leads to it")
    if isinstance(p.neuron, Input) and not 1 <= p.neuron.bits <= 16:
        faults.append(f"{where}: input bits must be 1 to 16, got {p.neuron.bits}")
    if integer and not is_input and not isinstance(p.neuron, (LoihiLif, *GRADED)):
        faults.append(
            f"{where}: an integer graph needs a LoihiLif neuron or a sigma-delta one, "
            f"got {p.neuron}"
        )
    if p.bias is not None:
        faults += _array_faults(f"{where}: bias", p.bias, (p.shape[0],), integer)
    return faults


def _projection_faults(graph: Graph, e: Projection, trained: bool, integer: bool) -> list[str]:
    where = f"projection '{e.name}'"
    source, target = graph.population(e.source).shape, graph.population(e.target).shape
    why = mismatch(e.op, source, target)
    if why:
        return [f"{where}: {why}"]
    faults = []
    if not 1 <= e.weight_bits <= 8:
        faults.append(f"{where}: weight bits must be 1 to 8, got {e.weight_bits}")
    if e.delay < 0:
        faults.append(f"{where}: delay must not be negative, got {e.delay}")
    shape = weight_shape(e.op, source, target)
    if e.weight is not None:
        faults += _array_faults(f"{where}: weight", e.weight, shape, integer)
    elif trained:
        faults.append(f"{where}: has no weights; train the network first")
    if e.mask is not None and (e.mask.dtype != np.bool_ or e.mask.shape != shape):
        faults.append(
            f"{where}: mask must be booleans of shape {shape}, "
            f"got {e.mask.dtype} of shape {e.mask.shape}"
        )
    if e.delays is not None:
        faults += _delay_faults(f"{where}: delays", e.delays, shape)
    return faults


def _delay_faults(what: str, delays: Array, shape: tuple[int, ...]) -> list[str]:
    faults = _array_faults(what, delays, shape, integer=True)
    if not faults and delays.min() < 0:
        faults.append(f"{what} must not be negative, got {delays.min()}")
    return faults


def _array_faults(what: str, array: Array, shape: tuple[int, ...], integer: bool) -> list[str]:
    if array.shape != shape:
        return [f"{what} must have shape {shape}, got {array.shape}"]
    kinds = "i" if integer else "if"
    if array.dtype.kind not in kinds:
        return [f"{what} must be {'integers' if integer else 'numbers'}, got {array.dtype}"]
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return [f"{what} has {int((~np.isfinite(array)).sum())} values that are not finite"]
    return []
