"""A design on its backbone as a graph: populations that spike, projections still to be trained."""

from __future__ import annotations

import numpy as np

from neurocomp.ir import Conv, CubaLif, Dense, Graph, Input, Op, Population, Projection, Shape
from neurocomp.ir.shapes import weight_shape
from neurocomp.train.joint.backbone import (
    FIXED_BITS,
    Backbone,
    State,
    constant_of,
    conv_of,
)
from neurocomp.train.joint.design import Design


def build(design: Design, backbone: Backbone) -> Graph:
    """The design's network, untrained; its name is the design's id.

    A concatenation is one projection per population with weights of its own, summed in the target.
    Populations that nothing listens to, nor anything after them, are left out.
    """
    net = _Parts(backbone)
    space = backbone.space
    for name in backbone.stem.populations:
        net.population(name, backbone.stem.shape)
        net.project("input", name, backbone.stem_conv, space.stem_bits, None, "conv3")
    for cell, widths in zip(backbone.cells, design.bits, strict=True):
        for name in cell.nodes:
            net.population(name, cell.shape)
        for (node, kept), bits in zip(design.edges, widths, strict=True):
            state, constant = cell.states[kept.state], constant_of(kept.op)
            op = conv_of(kept.op, state.shape[0], cell.stride(kept.state))
            width = bits if constant is None else FIXED_BITS
            for source in state.populations:
                net.project(source, cell.nodes[node], op, width, constant, kept.op)
    return net.graph(design, net.head(backbone.top))


class _Parts:
    """Collects populations and projections."""

    def __init__(self, backbone: Backbone) -> None:
        task = backbone.task
        self._backbone = backbone
        self._shapes: dict[str, Shape] = {"input": task.shape}
        self._populations = [Population("input", task.shape, Input(task.input_bits))]
        self._projections: dict[str, Projection] = {}

    def population(self, name: str, shape: Shape, neuron: CubaLif | None = None) -> None:
        self._shapes[name] = shape
        self._populations.append(Population(name, shape, neuron or self._backbone.neuron))

    def project(
        self, source: str, target: str, op: Op, bits: int, constant: float | None, label: str
    ) -> None:
        shape = weight_shape(op, self._shapes[source], self._shapes[target])
        weight = None if constant is None else np.full(shape, constant)
        name = f"{source}-{target}.{label}"
        if name in self._projections:  # both states before the first cell are the stem
            name += "'"
        self._projections[name] = Projection(name, source, target, op, bits, weight)

    def head(self, top: State) -> str:
        """Global average pooling, a population per population of the top, and the classifier."""
        channels, height, width = top.shape
        task, space = self._backbone.task, self._backbone.space
        self_pool = Conv((height, width), groups=channels)
        pools = [f"pool.{k}" for k in range(len(top.populations))]
        for source, name in zip(top.populations, pools, strict=True):
            self.population(name, (channels, 1, 1))
            self.project(source, name, self_pool, FIXED_BITS, 1 / (height * width), "average")
        threshold = self._backbone.neuron.threshold
        self.population("out", (task.classes, 1, 1), CubaLif(threshold, 1.0, 0.0))
        for name in pools:
            self.project(name, "out", Dense(), space.head_bits, None, "dense")
        return "out"

    def graph(self, design: Design, output: str) -> Graph:
        live = {output}
        for e in reversed(self._projections.values()):  # a target's come after its sources'
            if e.target in live:
                live.add(e.source)
        return Graph(
            name=design.id,
            populations=tuple(p for p in self._populations if p.name in live),
            projections=tuple(e for e in self._projections.values() if e.target in live),
            output=output,
            timesteps=design.timesteps,
            readout="membrane",
        )
