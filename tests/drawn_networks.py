"""Random integer networks: any operation, every kind of neuron, delays, loops and sums."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from backend_networks import mapped, projection, tiles
from hypothesis import assume
from hypothesis import strategies as st

from neurocomp.errors import InputError
from neurocomp.ir import (
    GRADED,
    Array,
    Conv,
    Delta,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Neuron,
    Op,
    Population,
    Projection,
    Shape,
    Sigma,
    SigmaDelta,
    skip,
)
from neurocomp.ir.shapes import conv_extent, weight_shape
from neurocomp.mapping.model import Mapping
from neurocomp.quant.check import check

LIF, SIGMA_DELTA, MIXED, LOUD = "lif", "sigma-delta", "mixed", "loud"


@st.composite
def networks(draw: st.DrawFn, family: str = LIF) -> Graph:
    """A small network with a window or, where every projection has a delay, without.

    Args:
        family: kinds of neurons; "sigma-delta" takes values of 16 bits, whose sums pass 2^24, and
            "loud" any neurons, values of 16 bits and great weights, whose sums pass all words.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    window = draw(st.sampled_from([None, 1, 2, 3, 4]))
    shape = draw(st.tuples(st.integers(1, 4), st.integers(2, 5), st.integers(2, 5)))
    populations = [Population("p0", shape, draw(_inputs(family)))]
    projections: list[Projection] = []
    for i in range(1, draw(st.integers(1, 3)) + 1):
        source, name = draw(st.sampled_from(populations)), f"p{i}"
        op, shape = draw(operations(source.shape, dense=0.6 if family == LOUD else 0.25))
        neuron = draw(_neurons(family))
        wired = [draw(_projections(rng, source, name, op, shape, family))]
        for other in populations[1:]:
            if draw(st.booleans()):
                op = skip(shape[0]) if other.shape == shape else Dense()
                e = draw(_projections(rng, other, name, op, shape, family, kept=0.5))
                wired.append(replace(e, delay=draw(st.integers(0, 2))))
        populations.append(Population(name, shape, neuron, _bias(draw, rng, neuron, shape, window)))
        if draw(st.booleans()):
            e = draw(_projections(rng, populations[-1], name, skip(shape[0]), shape, family))
            wired.append(replace(e, delay=draw(st.integers(1, 3))))
        projections += [
            replace(e, name=f"{e.source}>{name}.{n}", delay=max(e.delay, window is None))
            for n, e in enumerate(wired)
        ]
    parts = tuple(populations), tuple(projections)
    try:
        return check(Graph("drawn", *parts, populations[-1].name, window, "spikes"))
    except InputError:
        assume(False)
        raise


def _inputs(family: str) -> st.SearchStrategy[Input]:
    wide = [Input(16, signed=True), Input(16)]
    few = [Input(1), Input(3), Input(4, signed=True)]
    return st.sampled_from(wide if family in (SIGMA_DELTA, LOUD) else few)


def _neurons(family: str) -> st.SearchStrategy[Neuron]:
    lif = st.builds(
        LoihiLif,
        vth=st.integers(0, 24),
        du=st.sampled_from([2047, 900, 0, -1] if family == LOUD else [4095, 4095, 2047, 900]),
        dv=st.sampled_from([0, 2048, 1365, 4096]),
    )
    if family == LIF:
        return lif
    scales = {
        "vth": st.integers(0, 300 if family in (SIGMA_DELTA, LOUD) else 9),
        "spike_exp": st.integers(0, 6 if family in (SIGMA_DELTA, LOUD) else 2),
        "state_exp": st.integers(0, 2),
    }
    graded = st.one_of(
        st.builds(Delta, **scales), st.builds(SigmaDelta, **scales), st.just(Sigma())
    )
    return graded if family == SIGMA_DELTA else st.one_of(lif, graded)


@st.composite
def _projections(
    draw: st.DrawFn,
    rng: np.random.Generator,
    source: Population,
    name: str,
    op: Op,
    shape: Shape,
    family: str,
    kept: float = 1.0,
) -> Projection:
    """Random weights, and delays of single synapses of dense layers."""
    bits = draw(st.sampled_from([8, 5, 2, 1]))
    exponent = draw(st.sampled_from([7, 5, 2, 0] if family == LOUD else [0, 1, 2]))
    form = weight_shape(op, source.shape, shape)
    e = projection(rng, source.name, name, op, form, bits=bits, exponent=exponent, kept=kept)
    if isinstance(op, Dense) and draw(st.integers(0, 2)) == 0:
        return replace(e, delays=rng.integers(0, 3, form))
    return e


def _bias(
    draw: st.DrawFn, rng: np.random.Generator, neuron: Neuron, shape: Shape, window: int | None
) -> Array | None:
    """A bias where Lava's own processes have one that can wait for its window."""
    if isinstance(neuron, Sigma) or (isinstance(neuron, GRADED) and window is not None):
        return None
    return rng.integers(-20, 21, shape[0]) if draw(st.booleans()) else None


@st.composite
def operations(draw: st.DrawFn, source: Shape, dense: float = 0.25) -> tuple[Op, Shape]:
    """An operation on a source shape, a share of them dense, and the shape that it makes."""
    if draw(st.integers(1, 20)) <= 20 * dense:
        return Dense(), (draw(st.integers(1, 6)), 1, 1)
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    low = st.tuples(st.integers(0, 1), st.integers(0, 1))
    groups = draw(st.sampled_from([1, source[0]]))
    op = Conv(draw(pair), draw(pair), draw(low), (1 + draw(low)[0], 1 + draw(low)[1]), groups)
    height, width = (
        conv_extent(source[1 + i], op.kernel[i], op.stride[i], op.padding[i], op.dilation[i])
        for i in (0, 1)
    )
    assume(height > 0 and width > 0)
    return op, (groups * draw(st.integers(1, 3)), height, width)


@st.composite
def mappings(draw: st.DrawFn, graph: Graph) -> Mapping:
    """The graph cut into boxes, on any number of cores, on up to three chips."""
    cut = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 3))
    slices = [s for p in graph.neurons for s in tiles(p, draw(cut))]
    slices = draw(st.permutations(slices))
    n_cores = draw(st.integers(1, len(slices)))
    cores = [tuple(slices[i::n_cores]) for i in range(n_cores)]
    chips = draw(st.lists(st.integers(0, 2), min_size=n_cores, max_size=n_cores))
    return mapped(graph, cores, chips)


def shown(graph: Graph, samples: int, seed: int, steps: int = 5) -> Array:
    """Values of all sizes that the input takes; per step where there is no window."""
    source = graph.inputs[0]
    assert isinstance(source.neuron, Input)
    low, high = source.neuron.limits
    lead = (samples, steps) if graph.timesteps is None else (samples,)
    rng = np.random.default_rng(seed)
    values = rng.integers(low, high + 1, (*lead, *source.shape))
    return np.where(rng.random(values.shape) < 0.5, values, values // 64)
