"""Lower bounds of a layer's cores: never above what the search for a tiling finds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import CONV, chain, mlp, pilotnet, target, yolo

from neurocomp.hw import dynapcnn, layer_cores, least_cores
from neurocomp.hw.layer import ENDLESS, Incoming, Layer, Outgoing, layer_of
from neurocomp.hw.least.loihi2 import most_channels
from neurocomp.hw.least.positions import fewest_pieces, heard_by, lists
from neurocomp.hw.least.tiles import tiles
from neurocomp.hw.needs import least_needs
from neurocomp.hw.tiles import tilings
from neurocomp.ir import Conv, Dense, Graph, Op, Shape
from neurocomp.ir.shapes import conv_output
from neurocomp.spec.target import Target, load_target

NAMES = ("loihi2", "loihi2-2023", "loihi1", "loihi1-soft-reset", "truenorth", "dynap-cnn")
SHIPPED = {name: load_target(name) for name in NAMES}
NARROW = {  # small cores, so that small layers are cut by every limit
    "loihi2": {"neurons": 64, "synapse_words": 300, "in_axons": 90, "axon_map": 60, "axon_mem": 9,
               "total_words": 400},
    "loihi1": {"neurons": 64, "synapse_words": 150, "in_axons": 50, "out_axons": 40},
    "truenorth": {"neurons": 40, "in_axons": 64},
}  # fmt: skip


def narrow(name: str, **rules: bool) -> Target:
    """A chip with cores that hold next to nothing."""
    base = load_target(name)
    core = base.core.model_dump() | NARROW[name]
    return target(core=core, rules=rules or base.rules.model_dump())


SMALL = [narrow(name) for name in NARROW]
SMALL += [narrow("loihi2", padded_x=False), narrow("loihi2", padded_x=False, channel_chunks=True)]


@st.composite
def ops(draw: st.DrawFn, source: Shape) -> tuple[Op, Shape]:
    """A projection from a source, with the shape that it leads to."""
    if draw(st.sampled_from(["conv", "conv", "conv", "dense"])) == "dense":
        return Dense(), (draw(st.integers(1, 40)), 1, 1)
    kernel = draw(st.sampled_from([(1, 1), (3, 3), (2, 2), (3, 1), (5, 5)]))
    stride, dilation = (draw(st.sampled_from([(1, 1), (1, 1), (2, 2), (1, 2)])) for _ in "ab")
    padding = tuple(draw(st.sampled_from([0, k // 2])) for k in kernel)
    groups = draw(st.sampled_from([1, 1, source[0]]))
    op = Conv(kernel, stride, padding, dilation, groups)  # type: ignore[arg-type]
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True)]
    if any(n + 2 * p < r for n, p, r in zip(source[1:], padding, reach, strict=True)):
        op = Conv((1, 1), groups=groups)
    return op, conv_output(op, source, groups * draw(st.integers(1, 24 // groups + 1)))


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """A layer with one or two projections in and none to two out; widths as all chips store."""
    source = (draw(st.sampled_from([1, 2, 3, 8])), draw(st.integers(1, 9)), draw(st.integers(1, 9)))
    op, shape = draw(ops(source))
    width = draw(st.sampled_from([2, 4, 8]))
    incoming = [Incoming("a", op, source, width)]
    if draw(st.booleans()):
        incoming.append(Incoming("b", Conv((1, 1)), (draw(st.integers(1, 4)), *shape[1:]), width))
    outgoing = []
    for name in draw(st.sampled_from(["", "x", "xy"])):
        end, goal = draw(ops(shape))
        outgoing.append(Outgoing(name, end, goal, draw(st.sampled_from([2, 3]))))
    return Layer("l", shape, tuple(incoming), tuple(outgoing), draw(st.integers(0, 1)))


def fewest(layer: Layer, chip: Target) -> int:
    """What the whole search finds; it is asked without the bound."""
    return min((n for n, _ in tilings(layer, chip)), default=ENDLESS)


@given(layers(), st.sampled_from([*SHIPPED.values(), *SMALL]))
@settings(max_examples=400, deadline=None)
def test_no_tiling_takes_fewer_cores_than_the_bound(layer: Layer, chip: Target) -> None:
    assert 1 <= least_cores(layer, chip) <= fewest(layer, chip)


@pytest.mark.parametrize("name", ["loihi2", "loihi2-2023", "loihi1"])
@pytest.mark.parametrize("graph", [pilotnet(), yolo(), mlp("m", 784, 512, 10)])
def test_bounds_of_real_networks_are_tight(graph: Graph, name: str) -> None:
    """Two thirds of the cores at the least, over all layers of a network together."""
    chip = SHIPPED[name]
    wide = [layer_of(graph, p.name, chip) for p in graph.neurons]
    found = [(least_cores(layer, chip), fewest(layer, chip)) for layer in wide]
    assert all(least <= cores for least, cores in found)
    fits = [pair for pair in found if pair[1] < ENDLESS]
    assert sum(least for least, _ in fits) >= 2 / 3 * sum(cores for _, cores in fits)


def test_dense_layers_are_bounded_to_the_core() -> None:
    """2560 → 100 at 4 bits: of 12000 words each axon has 4, so 15 neurons: 7 cores."""
    chip = SHIPPED["loihi2-2023"]
    assert least_cores(layer_of(pilotnet(), "l6", chip), chip) == 7
    # Loihi 1, 1024 → 600 at 8 bits: 16 words an axon hold a block of 64 (9 words) and
    # (7 · 64 − 10) / 8 = 54 more: 118 neurons on a core, 600 / 118 → 6
    graph = mlp("m", 1024, 600)
    assert least_cores(layer_of(graph, "l1", SHIPPED["loihi1"]), SHIPPED["loihi1"]) == 6
    assert layer_cores(graph, "l1", SHIPPED["loihi1"]).n_cores == 6


def test_what_certainly_does_not_fit() -> None:
    """5000 sources are more than Loihi 1's 4096 axons, 129 at 2 bits more than TrueNorth's 256."""
    for name, sources, bits in (("loihi1", 5000, 8), ("truenorth", 129, 2), ("loihi2", 16001, 2)):
        layer = layer_of(mlp("m", sources, 4, bits=bits), "l1", SHIPPED[name])
        assert least_cores(layer, SHIPPED[name]) == ENDLESS
        assert fewest(layer, SHIPPED[name]) == ENDLESS


def test_most_channels_are_those_whose_chunks_fit() -> None:
    """9 taps at 8 bits: chunks of 8, 4, 2, 1 channels take 2, 1, 1, 1 words: 7 are 3, 8 are 2."""
    kernel = (9, 0, 8)
    fit = {words: most_channels(64, 9 * words, (kernel,), True) for words in range(1, 7)}
    # 16 take ceil(132/64) = 3 words, 32 ceil(260/64) = 5: with 4 words 16 + 4, with 6 32 + 4
    assert fit == {1: 4, 2: 8, 3: 16, 4: 20, 5: 32, 6: 36}
    assert most_channels(64, 8, (kernel,), True) == 0
    assert most_channels(64, 9, (kernel,), False) == 8  # 9 · 8 · 8 bits are 9 words without headers
    assert most_channels(30, 54, (kernel,), True) == 30  # all that there are
    # depthwise 3×3 at 8 bits takes a word per tap and channel, beside the other kernel's
    assert most_channels(64, 100, ((9, 1, 8),), True) == 11
    assert most_channels(64, 36, (kernel, (9, 1, 8)), True) == 2  # 9 · 1 + 9 · 2 = 27, of 4: 45


def test_fewest_tiles_of_neurons_and_channels() -> None:
    """4 × 5 × 6 neurons, at most 30 on a core: without padding 4 tiles of a channel each.

    Padded: 8 columns of 3 rows fit (24) beside 4 (8 · 4 = 32 do not): 4 channels × 2 pieces of
    rows = 8; 4 columns × 5 rows (20) are 4 × 2 as well; 2 columns × 5 rows × 3 channels (30) are
    2 × 3 = 6, and with one channel in a piece of its own no fewer.
    """
    assert tiles((4, 5, 6), 30, 4, False) == 4
    assert tiles((4, 5, 6), 30, 4, True) == 6
    assert tiles((4, 5, 6), 120, 1, False) == 4
    assert tiles((4, 5, 6), 0, 4, True) == tiles((4, 5, 6), 30, 0, True) == ENDLESS


def test_pieces_hear_less_the_more_they_are() -> None:
    """3×3 over 4 × 4 with padding: whole it hears 16; half the rows hear 3, so 12; quarters 3 × 3.

    Pieces of a single row hear 3 rows as well: they are beaten by the halves.
    """
    (heard,) = heard_by((1, 4, 4), ((CONV, (2, 4, 4)),))
    assert [fewest_pieces(heard, most) for most in (16, 15, 12, 9)] == [1, 2, 2, 4]
    assert fewest_pieces(heard, 8) == ENDLESS


def test_lists_hold_less_the_more_pieces_there_are() -> None:
    """The same layer: lists of {0 1}, {0 1 2} and {1 2} along an axis, 7 · 7 taps of 2 channels.

    A single neuron hears nine sources through a tap each, which needs an index for several channels
    only; headers are 10 bits, the shortest index 6, in sixty-fourths of a block's synapse.
    """
    found = lists((1, 4, 4), ((CONV, (2, 4, 4)),), 6)
    assert found.rows[0] == (1, (98,), 98 * (10 + 64 * 6), 98 * (10 + 64 * 6))
    assert found.rows[-1].taps == (18,)
    assert found.rows[-1][2:] == (18 * (10 + 64 * 6), 18 * 10)
    assert found.axons == 16


def test_a_word_of_dynap_cnn_holds_one_weight() -> None:
    """3×3 from 2 to 4 channels are 72 weights, stored as 2 · 16 · 4; 3 → 5 dense ones 15, as 3 · 8.

    A dense layer of 5 × 2 × 2 neurons is stored by its channels.
    """
    chip = SHIPPED["dynap-cnn"]
    for shape, op, source, least, stored in (
        ((4, 4, 4), Conv((3, 3), (1, 1), (1, 1)), (2, 4, 4), 72, 128),
        ((5, 1, 1), Dense(), (3, 1, 1), 15, 24),
        ((5, 2, 2), Dense(), (3, 1, 1), 15, 24),
    ):
        layer = Layer("l", shape, (Incoming("p", op, source, 8),), ())
        box = ((0, 0, 0), shape)
        assert least_needs(layer, chip)["synapse_words"] == least
        assert dynapcnn.need(layer, [box], chip, [1]).synapse_words == stored


def test_a_layer_that_hears_nothing_but_padding() -> None:
    """A 2×2 kernel with padding 1 and dilation 2 steps over the only source position."""
    op = Conv((2, 2), (2, 2), (1, 1), (1, 2))
    layer = Layer("l", (12, 1, 1), (Incoming("p", op, (8, 1, 1), 8),), ())
    for name in ("loihi1", "loihi2"):
        assert least_cores(layer, SHIPPED[name]) == fewest(layer, SHIPPED[name]) == 1


def test_a_layer_of_the_output_needs_one_core_at_the_least() -> None:
    graph = chain("c", (1, 3, 3), ((1, 3, 3), CONV, 8))
    for chip in SHIPPED.values():
        if chip.core.format != "truenorth":
            assert least_cores(layer_of(graph, "l1", chip), chip) == 1
