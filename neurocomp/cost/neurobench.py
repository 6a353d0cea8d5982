"""NeuroBench's metric keys, computed from an integer graph and the counts of a run.

The keys and their meanings are those of the NeuroBench harness (2.3; Yik et al., "The NeuroBench
framework for benchmarking neuromorphic computing algorithms and systems", Nature Communications
2025); nothing of it is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurocomp.ir import Array, Conv, Graph, Input, LoihiLif, Op, Population, Projection, Shape
from neurocomp.ir.shapes import endpoints
from neurocomp.quant.fixed import MAX_BIAS, MIN_BIAS

BIAS_BITS = (MAX_BIAS - MIN_BIAS).bit_length()


def neurobench(
    graph: Graph,
    fired: Mapping[str, int],
    operations: Mapping[str, int],
    *,
    samples: int,
    steps: int,
) -> dict[str, Any]:
    """The metrics of a run, as NeuroBench names them.

    ``footprint``: bytes of the weights at their designed width, kernels once, and of the biases.
    ``connection_sparsity``: share of the weights that are zero. ``activation_sparsity``: share of
    neurons, steps and samples without a message, over all populations of neurons, the output
    included. ``synaptic_operations`` per sample: ``Effective_ACs`` are messages of one bit that
    reach a weight other than zero, ``Effective_MACs`` the same of graded messages, ``Dense`` what
    there would be if every value and every weight counted; taps on padding never do.

    Args:
        fired: messages of each population in all samples.
        operations: by projection, messages × weights other than zero that they reached in the
            window, in all samples.
        steps: of a sample.
    """
    weights = [_weight(e) for e in graph.projections]
    n_weights = sum(weight.size for weight in weights)
    zeros = sum(int((weight == 0).sum()) for weight in weights)
    activations = samples * steps * sum(p.size for p in graph.neurons)
    messages = sum(fired[p.name] for p in graph.neurons)
    effective = {True: 0, False: 0}
    for e in graph.projections:
        effective[_is_graded(graph.population(e.source))] += operations[e.name]
    return {
        "footprint": footprint(graph),
        "connection_sparsity": zeros / n_weights,
        "activation_sparsity": 1 - messages / activations,
        "synaptic_operations": {
            "Effective_MACs": effective[True] / samples,
            "Effective_ACs": effective[False] / samples,
            "Dense": sum(
                max(0, steps - e.delay) * connections(e.op, *endpoints(graph, e))
                for e in graph.projections
            ),
        },
    }


def footprint(graph: Graph) -> int:
    """Bytes of all weights at their designed width, kernels once, and of the biases."""
    bits = sum(_weight(e).size * e.weight_bits for e in graph.projections)
    bits += sum(p.bias.size * BIAS_BITS for p in graph.populations if p.bias is not None)
    return -(-bits // 8)


def connections(op: Op, source: Shape, target: Shape) -> int:
    """Pairs of neurons that a projection connects; taps on padding are none."""
    if not isinstance(op, Conv):
        return int(np.prod(source) * np.prod(target))
    rows, columns = (_taps(op, axis, source[1 + axis], target[1 + axis]) for axis in (0, 1))
    return target[0] * (source[0] // op.groups) * rows * columns


def _taps(op: Conv, axis: int, extent: int, windows: int) -> int:
    """Taps of all windows along an axis that fall on the source."""
    at = (
        np.arange(windows)[:, None] * op.stride[axis]
        - op.padding[axis]
        + np.arange(op.kernel[axis]) * op.dilation[axis]
    )
    return int(((at >= 0) & (at < extent)).sum())


def _is_graded(p: Population) -> bool:
    """Whether a population's messages carry a number, so that a synapse must multiply."""
    if isinstance(p.neuron, Input):
        return p.neuron.bits > 1
    return not isinstance(p.neuron, LoihiLif)


def _weight(e: Projection) -> Array:
    assert e.weight is not None  # a checked integer graph
    return e.weight
