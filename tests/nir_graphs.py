"""NIR graphs for tests, made node by node with the nir package."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import nir
import numpy as np

from neurocomp.ir import Array, Graph
from neurocomp.snn.stepping import run_float

DT = 1e-4


def full(shape: int | tuple[int, ...], value: float) -> Array:
    """An array of one value, 0-d for an empty shape."""
    return np.full(shape, value)


def lif(
    n: int | tuple[int, ...] = 1,
    decay: float = 0.5,
    threshold: float = 1.0,
    leak: float = 0.0,
    reset: float = 0.0,
) -> nir.LIF:
    """Neurons that lose a share per step of 1e-4 s and do not scale their input: r·dt/τ = 1."""
    return nir.LIF(
        tau=full(n, DT / decay),
        r=full(n, 1 / decay),
        v_leak=full(n, leak),
        v_threshold=full(n, threshold),
        v_reset=full(n, reset),
    )


def cuba(n: int = 1, current: float = 0.5, voltage: float = 0.5, **more: Any) -> nir.CubaLIF:
    """Current-based neurons that do not scale their input."""
    given = {"v_leak": full(n, 0.0), "v_threshold": full(n, 1.0), "v_reset": full(n, 0.0), **more}
    return nir.CubaLIF(
        tau_syn=full(n, DT / current),
        tau_mem=full(n, DT / voltage),
        r=full(n, 1 / voltage),
        w_in=full(n, 1 / current),
        **given,
    )


def linear(*rows: list[float]) -> nir.Linear:
    """Weights without bias."""
    return nir.Linear(np.array(rows))


def conv(weight: Any, **fields: Any) -> nir.Conv2d:
    """A convolution; stride 1, no padding, one group, no bias unless given."""
    weight = np.asarray(weight, float)
    given = {"input_shape": None, "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    return nir.Conv2d(weight=weight, **{**given, "bias": np.zeros(len(weight)), **fields})


def pool(kind: str, kernel: int, stride: int, padding: int = 0) -> Any:
    """A SumPool2d or AvgPool2d."""
    pairs = (np.array([k, k]) for k in (kernel, stride, padding))
    return getattr(nir, kind)(*pairs)


def chain(shape: Any, *nodes: Any, output: bool = True) -> nir.NIRGraph:
    """Input, then the nodes n0, n1, … one behind the other, then Output; types unchecked."""
    named = {"in": nir.Input({"input": np.array(shape)})}
    named |= {f"n{i}": node for i, node in enumerate(nodes)}
    if output:
        named["out"] = nir.Output({"output": np.array([1])})
    return network(named, *pairwise(named))


def network(nodes: dict[str, Any], *edges: tuple[str, str]) -> nir.NIRGraph:
    """Nodes and edges as they are."""
    return nir.NIRGraph(nodes, list(edges), type_check=False)


def spikes(graph: Graph, *steps: Any) -> list[list[int]]:
    """Output spikes of a float graph per step, given the input values of each step."""
    shape = graph.inputs[0].shape
    values = np.array([np.reshape(step, shape) for step in steps])[None].astype(np.int64)
    fired = run_float(graph, values).spikes[graph.output]
    return fired[0].reshape(len(steps), -1).astype(int).tolist()


def times(graph: Graph, *steps: Any) -> list[int]:
    """Steps in which the first output neuron fires."""
    return [t for t, fired in enumerate(spikes(graph, *steps)) if fired[0]]
