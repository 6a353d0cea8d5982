"""Loihi 1's lists against an enumeration of every synapse, delays, and compartments."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import mlp

from neurocomp.errors import FitError
from neurocomp.hw import demand
from neurocomp.hw.demand import need
from neurocomp.hw.fields import Box
from neurocomp.hw.layer import Incoming, Layer, layer_of
from neurocomp.ir import Conv, Shape, whole
from neurocomp.ir.shapes import conv_output
from neurocomp.mapping import map_graph
from neurocomp.spec.target import load_target

CHIP, SOFT = load_target("loihi1"), load_target("loihi1-soft-reset")


def enumerated(e: Incoming, shape: Shape, box: Box) -> tuple[int, int]:
    """Input axons and words of a convolution into a box, from its synapses one by one.

    A compartment's number is (row · width + column) · channels + channel, counted within the box
    and a group's channels. A position's list holds (taps, offset) pairs; the axon takes the first
    compartment's offset up to 255, the list the rest.
    """
    op = e.op
    assert isinstance(op, Conv)
    (c0, y0, x0), (c1, y1, x1) = box
    group, group_in = shape[0] // op.groups, e.source[0] // op.groups
    axons = words = 0
    for g in range(op.groups):
        channels = [c for c in range(c0, c1) if c // group == g]
        if not channels:
            continue
        lists: dict[tuple[object, ...], list[int]] = {}
        for i, j in product(range(e.source[1]), range(e.source[2])):
            synapses = []  # (tap row, tap column, compartment)
            for y, x, ky, kx in product(
                range(y0, y1), range(x0, x1), range(op.kernel[0]), range(op.kernel[1])
            ):
                row = y * op.stride[0] - op.padding[0] + ky * op.dilation[0]
                column = x * op.stride[1] - op.padding[1] + kx * op.dilation[1]
                if (row, column) == (i, j):
                    place = ((y - y0) * (x1 - x0) + x - x0) * len(channels)
                    synapses += [(ky, kx, place + n) for n in range(len(channels))]
            if not synapses:
                continue
            axons += 1
            base = min(compartment for _, _, compartment in synapses)
            far = base - base % 256
            taps = tuple(sorted({(ky, kx) for ky, kx, _ in synapses}))
            lists[taps, far] = [compartment - base + far for _, _, compartment in synapses]
        if not lists:
            continue
        greatest = max(max(own) for own in lists.values())
        needed = greatest.bit_length()
        index = next((n for n in CHIP.core.index_bits.value if n >= needed), needed)
        for own in lists.values():
            n = len(own) * group_in
            for block in range(0, n, 64):
                size = min(64, n - block)
                words += -(-(size * (e.width + index) + 10) // 64)
    return axons, words


@st.composite
def conv_boxes(draw: st.DrawFn) -> tuple[Layer, Box]:
    groups = draw(st.sampled_from([1, 1, 2]))
    kernel, stride, dilation = (
        (draw(st.integers(1, n)), draw(st.integers(1, n))) for n in (4, 3, 2)
    )
    padding = (draw(st.integers(0, 3)), draw(st.integers(0, 2)))
    op = Conv(kernel, stride, padding, dilation, groups)
    least = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    height, width = (draw(st.integers(n, n + 8)) for n in least)
    source = (groups * draw(st.integers(1, 3)), height, width)
    shape = conv_output(op, source, groups * draw(st.sampled_from([1, 2, 9, 30])))
    start = tuple(draw(st.integers(0, n - 1)) for n in shape)
    stop = tuple(draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True))
    layer = Layer("l", shape, (Incoming("p", op, source, draw(st.sampled_from([2, 8]))),), ())
    return layer, (start, stop)  # type: ignore[return-value]


@given(conv_boxes())
@settings(max_examples=40, deadline=None)
def test_the_closed_form_is_the_enumeration(case: tuple[Layer, Box]) -> None:
    layer, box = case
    counts = need(layer, [box], CHIP)
    assert (counts.in_axons, counts.synapse_words) == enumerated(
        layer.incoming[0], layer.shape, box
    )


def test_a_delay_of_its_own_takes_bits_of_every_synapse() -> None:
    """4 → 16 at 8 bits: 16·8 + 10 = 138 bits, 3 words; delays up to 6 take 3 bits: 186, still 3;
    up to 8 take 4: 202 bits, 4 words. A delay of the whole projection is the axon's."""
    graph = mlp("m", 4, 16)
    edge = graph.projections[0]
    for delays, delay, words in ((None, 9, 3), (6, 0, 3), (8, 0, 4)):
        own = None if delays is None else np.full((16, 4), delays)
        changed = replace(edge, delays=own, delay=delay)
        other = replace(graph, projections=(changed,))
        used = demand(other, [whole(graph.population("l1"))], CHIP)
        assert used.synapse_words.used == 4 * words


def test_a_delay_that_the_chip_does_not_have() -> None:
    graph = mlp("m", 4, 4)
    slow = replace(graph.projections[0], delays=np.full((4, 4), 63))
    with pytest.raises(
        FitError, match=r"l1: projection 'p1': a synapse delays by 63 steps, loihi1"
    ):
        layer_of(replace(graph, projections=(slow,)), "l1", CHIP)
    # one step is what every projection takes: 63 is a delay by 62, which the chip has
    for delay, refused in ((63, False), (64, True)):
        late = replace(graph, projections=(replace(graph.projections[0], delay=delay),))
        if refused:
            with pytest.raises(
                FitError, match="a synapse delays by 63 steps, loihi1 by at most 62"
            ):
                layer_of(late, "l1", CHIP)
        else:
            layer_of(late, "l1", CHIP)


def test_soft_reset_takes_two_compartments_per_neuron() -> None:
    """ceil(2n/1024) cores instead of ceil(n/1024).

    Nothing else binds: 8 axons, and the lists of 512 neurons at 2 bits are 8 × 8 blocks × 3 words.
    """
    graph = mlp("m", 8, 600, bits=2)
    assert demand(graph, [whole(graph.population("l1"))], CHIP).neurons.used == 600
    assert demand(graph, [whole(graph.population("l1"))], SOFT).neurons.used == 1200
    for size, soft, hard in ((600, 2, 1), (1024, 2, 1), (300, 1, 1), (1025, 3, 2), (2048, 4, 2)):
        graph = mlp("m", 8, size, bits=2)
        for chip, cores in ((SOFT, soft), (CHIP, hard)):
            assert map_graph(graph, chip, "balanced").n_cores == cores, (size, chip.name)


def test_soft_reset_of_several_layers_adds_up() -> None:
    """One layer per core: Σ ceil(2n/1024) over 784, 300 and 10 neurons = 2 + 1 + 1 cores.

    784 → 300 at 2 bits fits beside it: a list of 300 has 4 blocks of 64 synapses (138 bits) and one
    of 44 (98 bits), 784 × (4 × 3 + 2) = 10976 words.
    """
    graph = mlp("m", 8, 784, 300, 10, bits=2)
    partition = map_graph(graph, SOFT, "compiler").partition.cores
    assert Counter(s.population for (s,) in partition) == {"l1": 2, "l2": 1, "l3": 1}
    words = demand(graph, [whole(graph.population("l2"))], SOFT).synapse_words.used
    assert words == 784 * (4 * 3 + 2)
