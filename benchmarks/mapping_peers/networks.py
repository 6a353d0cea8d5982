"""The networks that are mapped, untrained: shapes, kernels and weight bits are all that counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from neurocomp.arch import Candidate, Task, build, draw, for_task
from neurocomp.arch.cell import AVGPOOL3, SKIP, conv
from neurocomp.ir import (
    Conv,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Op,
    Population,
    Projection,
    Shape,
    average_pool,
    skip,
    verify,
)
from neurocomp.ir.shapes import conv_output, n_weights
from neurocomp.spec.space import load_space

NEURON = LoihiLif(vth=64)
CIFAR10 = Task(shape=(3, 32, 32), input_bits=5, classes=10)
MEAN_RATE = 0.1


class Chain:
    """A feed-forward network that grows layer by layer."""

    def __init__(self, source: Shape, bits: int, input_bits: int = 8) -> None:
        self.bits = bits
        self.populations = [Population("in", source, Input(input_bits))]
        self.projections: list[Projection] = []

    def add(self, op: Op, channels: int, bits: int | None = None) -> Chain:
        """One layer more; its name is its place in the chain."""
        last, name = self.populations[-1], f"l{len(self.populations)}"
        conv = isinstance(op, Conv)
        shape = conv_output(op, last.shape, channels) if conv else (channels, 1, 1)
        bits = self.bits if bits is None else bits
        self.projections.append(Projection(f"to-{name}", last.name, name, op, bits))
        self.populations.append(Population(name, shape, NEURON))
        return self

    def conv(self, channels: int, stride: int = 1, bits: int | None = None) -> Chain:
        """A 3×3 convolution that keeps the size, or divides it by the stride."""
        return self.add(Conv((3, 3), (stride, stride), (1, 1)), channels, bits)

    def pool(self, size: int) -> Chain:
        """Average pooling, a population of its own."""
        channels = self.populations[-1].shape[0]
        return self.add(average_pool(channels, size, size), channels, 8)

    def dense(self, neurons: int, bits: int | None = None) -> Chain:
        """A fully connected layer."""
        return self.add(Dense(), neurons, bits)

    def graph(self, name: str) -> Graph:
        """The finished network."""
        last = self.populations[-1].name
        return verify(Graph(name, tuple(self.populations), tuple(self.projections), last))


def vgg9(bits: int) -> Graph:
    """VGG-9 for 32×32 images, 5.9 M weights; pooling between blocks is a stride of two."""
    net = Chain((3, 32, 32), bits).conv(64).conv(64).conv(128, 2).conv(128)
    net.conv(256, 2).conv(256).conv(256).pool(2)
    return net.dense(1024).dense(10).graph(f"vgg9-{bits}bit")


def vgg11() -> Graph:
    """VGG-11-like, 9.2 M weights at 8 bits, 151,562 neurons; pooling is a stride of two."""
    net = Chain((3, 32, 32), 8).conv(64).conv(128, 2).conv(256, 2).conv(256)
    return net.conv(512, 2).conv(512).conv(512, 2).conv(512).dense(10).graph("vgg11")


def pilotnet() -> Graph:
    """lava-dl's spiking PilotNet behind its input layer: 3×3 convolutions on 200×66 pixels."""
    net = Chain((3, 66, 200), 8).add(skip(3), 3)
    for channels, bits in ((24, 6), (36, 5), (48, 4)):
        net.add(Conv((3, 3), (2, 2)), channels, bits)
    net.add(Conv((3, 3), (2, 1), (1, 0)), 64, 4).add(Conv((3, 3)), 64, 4)
    return net.dense(100, 4).dense(50, 5).dense(10, 5).dense(1, 4).graph("pilotnet-lif")


def dense_pair(n: int) -> Graph:
    """n → n → n, all to all: the network on which nengo-loihi's axon count fails."""
    return Chain((n, 1, 1), 8).dense(n).dense(n).graph(f"dense-{n}")


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
    """A VGG whose channels are scaled until it has about so many weights: 0.1 M to 100 M."""
    channels = max(4, round(64 * (n_weights_wanted / 9.2e6) ** 0.5 / 4) * 4)
    net = Chain((3, 32, 32), 8).conv(channels).conv(2 * channels, 2).conv(4 * channels, 2)
    net.conv(4 * channels).conv(8 * channels, 2).conv(8 * channels)
    net.conv(8 * channels, 2).conv(8 * channels)
    return net.dense(10).graph(f"wide-{n_weights_wanted / 1e6:g}M")


def giant() -> Graph:
    """At least 50 million neurons in nine convolutional populations of 512×512 and less."""
    net = Chain((3, 512, 512), 4).conv(64).conv(64).conv(64).conv(128, 2).conv(128)
    return net.conv(128, 2).conv(128).pool(16).dense(10).graph("giant")


def weights(graph: Graph) -> int:
    """Distinct weights of a network."""
    shape = {p.name: p.shape for p in graph.populations}
    return sum(n_weights(e.op, shape[e.source], shape[e.target]) for e in graph.projections)


def lognormal_rates(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """Rates per neuron as measured ones are spread: lognormal of sigma 1 and mean 0.1, up to 1."""
    rng = np.random.default_rng(seed)
    mu = np.log(MEAN_RATE) - 0.5
    return {p.name: np.minimum(rng.lognormal(mu, 1.0, p.shape), 1.0) for p in graph.populations}
