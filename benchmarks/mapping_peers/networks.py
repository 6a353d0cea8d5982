"""The networks that are mapped, untrained: shapes, kernels and weight bits are all that counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from mapping_networks import chain

from neurocomp.arch import Candidate, Task, build, draw, for_task
from neurocomp.arch.cell import AVGPOOL3, SKIP, conv
from neurocomp.ir import Conv, Dense, Graph, Op, Shape, average_pool
from neurocomp.ir.shapes import conv_output, n_weights
from neurocomp.spec.space import load_space

CIFAR10 = Task(shape=(3, 32, 32), input_bits=5, classes=10)
MEAN_RATE = 0.1
Step = tuple[Op, int]  # with its channels


def vgg(name: str, source: Shape, bits: int, *steps: Step) -> Graph:
    """One step after the other, whose sizes follow from the source's; pooling has 8 bit."""
    shape, layers = source, []
    for op, channels in steps:
        shape = conv_output(op, shape, channels) if isinstance(op, Conv) else (channels, 1, 1)
        pooling = isinstance(op, Conv) and op.groups > 1
        layers.append((shape, op, 8 if pooling else bits))
    return chain(name, source, *layers, bits=8)


def three(channels: int, stride: int = 1) -> Step:
    """A 3×3 convolution that keeps the size, or divides it by the stride."""
    return Conv((3, 3), (stride, stride), (1, 1)), channels


def pool(channels: int, size: int) -> Step:
    """Average pooling, a population of its own."""
    return average_pool(channels, size, size), channels


def dense(neurons: int) -> Step:
    """A fully connected layer."""
    return Dense(), neurons


def vgg9(bits: int) -> Graph:
    """VGG-9 for 32×32 images, 5.9 M weights; pooling between blocks is a stride of two."""
    return vgg(
        f"vgg9-{bits}bit", (3, 32, 32), bits,
        three(64), three(64), three(128, 2), three(128),
        three(256, 2), three(256), three(256), pool(256, 2), dense(1024), dense(10),
    )  # fmt: skip


def vgg11() -> Graph:
    """VGG-11-like, 9.2 M weights at 8 bits, 151,562 neurons; pooling is a stride of two."""
    return _vgg11("vgg11", 64)


def _vgg11(name: str, n: int) -> Graph:
    return vgg(
        name, (3, 32, 32), 8,
        three(n), three(2 * n, 2), three(4 * n, 2), three(4 * n),
        three(8 * n, 2), three(8 * n), three(8 * n, 2), three(8 * n), dense(10),
    )  # fmt: skip


def cell_dag() -> Graph:
    """Two SNASNet-like cells for CIFAR-10: 3×3 convolutions, skips and pooling; 64 channels."""
    three = conv(3, 8)
    cell = (three, SKIP, three, three, AVGPOOL3, three)
    return replace(build(Candidate(cell, 64, 4, 1024, 8, 5, 1.0, 0.5), CIFAR10), name="cell-dag")


def searched(number: int, seed: int = 0) -> Graph:
    """A candidate of our own search space for CIFAR-10, drawn, with 0.5 to 10 M weights."""
    space = for_task(load_space("spikernel"), CIFAR10)
    rng = np.random.default_rng(seed)
    while True:
        graph = build(draw(space, rng), CIFAR10)
        if 0.5e6 <= weights(graph) <= 10e6:
            number -= 1
        if number < 0:
            return graph


def plain(graph: Graph) -> Graph:
    """The same network with its fully connected layers as convolutions over the whole map.

    Where a chip's synapses of such a layer carry an index, as on Loihi 2, weights take no more than
    their bits only in this form, as the targets with plain neurons and bytes mean it.
    """
    shape = {p.name: p.shape for p in graph.populations}
    return graph.with_parts(
        graph.populations,
        tuple(
            replace(e, op=Conv(shape[e.source][1:]))
            if isinstance(e.op, Dense) and e.weight is None and shape[e.target][1:] == (1, 1)
            else e
            for e in graph.projections
        ),
    )


def wide(n_weights_wanted: float) -> Graph:
    """`vgg11` with channels scaled until it has about so many weights: 0.1 M to 100 M."""
    channels = max(4, round(64 * (n_weights_wanted / 9.2e6) ** 0.5 / 4) * 4)
    return _vgg11(f"wide-{n_weights_wanted / 1e6:g}M", channels)


def giant() -> Graph:
    """At least 50 million neurons in nine convolutional populations of 512×512 and less."""
    return vgg(
        "giant", (3, 512, 512), 4,
        three(64), three(64), three(64), three(128, 2), three(128), three(128, 2), three(128),
        pool(128, 16), dense(10),
    )  # fmt: skip


def weights(graph: Graph) -> int:
    """Distinct weights of a network."""
    shape = {p.name: p.shape for p in graph.populations}
    return sum(n_weights(e.op, shape[e.source], shape[e.target]) for e in graph.projections)


def lognormal_rates(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """Rates per neuron as measured ones are spread: lognormal of sigma 1 and mean 0.1, up to 1."""
    rng = np.random.default_rng(seed)
    mu = np.log(MEAN_RATE) - 0.5
    return {p.name: np.minimum(rng.lognormal(mu, 1.0, p.shape), 1.0) for p in graph.populations}
