"""Model size: SpiKernel's parameter count, designed bits, and SNASNet's own macro-network.

Eq. 2 of SpiKernel: ``P = Σ_l (h·w·c·f + bias_l)`` over the layers with trained weights. With
batch-norm's two values per filter as the bias of a convolution, and a bias for the last layer only,
it gives the published counts (`snasnet_parameters`).
"""

from __future__ import annotations

from collections.abc import Sequence

from neurocomp.ir import Conv, Graph, Projection
from neurocomp.ir.shapes import endpoints, n_weights


def is_fixed(graph: Graph, projection: Projection) -> bool:
    """Is this a skip or an average pooling, whose weights are given and not trained?

    That is a depthwise convolution with equal weights at all its taps, of which a channel may go
    to several; batch-norm may have given every channel a scale of its own.
    """
    op, weight = projection.op, projection.weight
    if not isinstance(op, Conv) or weight is None:
        return False
    source, target = endpoints(graph, projection)
    if op.groups != source[0] or target[0] % source[0]:
        return False
    taps = weight.reshape(target[0], -1)
    return bool((taps == taps[:, :1]).all())


def n_trained(graph: Graph, e: Projection) -> int:
    """Trained weights of a projection that are not pruned; shared kernels count once."""
    if is_fixed(graph, e):
        return 0
    return n_weights(e.op, *endpoints(graph, e)) if e.mask is None else int(e.mask.sum())


def trained_weights(graph: Graph) -> dict[str, int]:
    """`n_trained` of every projection that is trained at all, by name."""
    return {e.name: n_trained(graph, e) for e in graph.projections if not is_fixed(graph, e)}


def n_parameters(graph: Graph, e: Projection) -> int:
    """Eq. 2's parameters of a projection: trained weights, batch-norm's two values per filter."""
    if is_fixed(graph, e):
        return 0
    filters = graph.population(e.target).shape[0] if isinstance(e.op, Conv) else 0
    return n_trained(graph, e) + 2 * filters


def output_bias(graph: Graph) -> int:
    """Biases of the output, the only layer that Eq. 2 gives any."""
    return graph.population(graph.output).size


def parameters(graph: Graph) -> int:
    """Eq. 2: trained weights, batch-norm's scale and shift per filter, and the output's bias.

    Skips and average pooling count nothing, fully connected layers before the output no bias:
    as in SNASNet, so that the count can be compared with published ones.
    """
    return sum(n_parameters(graph, e) for e in graph.projections) + output_bias(graph)


def model_bits(graph: Graph) -> int:
    """Bits of the trained weights at their designed width: ``Σ_l b_l · weights_l``.

    The size of LitE-SNN's loss (Eqs. 15–20); biases are not counted there.
    """
    bits = {e.name: e.weight_bits for e in graph.projections}
    return sum(count * bits[name] for name, count in trained_weights(graph).items())


def snasnet_parameters(
    kernels: Sequence[int],
    *,
    channels: int,
    final_pool: int,
    outputs: int,
    image: int = 32,
    in_channels: int = 3,
    hidden: int = 1024,
) -> int:
    """Eq. 2 of SNASNet's own macro-network, in which nodes carry analog sums.

    Beside `build`'s layers it has a batch-norm in front of the reduction and of the final pooling,
    and a group of output neurons per class that vote.

    Args:
        kernels: of the cell's convolutions, one entry each.
        channels: of the first cell.
        outputs: neurons of the last layer: 100 for CIFAR-10, 500 for CIFAR-100.
        image: rows and columns of the images.
    """
    wide = 2 * channels
    cells = sum(k * k * c * c + 2 * c for k in map(int, kernels) for c in (channels, wide))
    stem = 9 * in_channels * channels + 2 * channels
    reduction = 2 * channels + 9 * channels * wide + 2 * wide
    side = image // (2 * final_pool)
    classifier = 2 * wide + wide * side * side * hidden + hidden * outputs + outputs
    return stem + cells + reduction + classifier
