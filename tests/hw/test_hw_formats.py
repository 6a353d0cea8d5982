"""TrueNorth's and DYNAP-CNN's cores, worked out by hand, and cores that hold unequal amounts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import CONV, cell, chain, mlp, target

from neurocomp.errors import FitError
from neurocomp.hw import demand, layer_cores
from neurocomp.hw.layer import Counts, layer_of
from neurocomp.hw.mesh import hops, tile_of
from neurocomp.hw.seats import seats
from neurocomp.ir import Conv, Dense, Graph, Slice, average_pool, whole
from neurocomp.mapping import map_graph, summary
from neurocomp.spec.core import CoreKind
from neurocomp.spec.target import Target, load_target

TRUENORTH, DYNAP = load_target("truenorth"), load_target("dynap-cnn")


def used(graph: Graph, name: str, chip: Target) -> dict[str, int]:
    need = demand(graph, [whole(graph.population(name))], chip)
    return {key: use.used for key, use in need._asdict().items() if use.used}


def test_truenorth_takes_an_axon_per_bit_and_a_neuron_per_axon_it_feeds() -> None:
    """64 → 100 → 10 at 2 bits: 64 · 2 axons; each of the 100 is heard on 2 axons, so it is there
    twice; crossing points 128 · 200 / 64 words. The last layer is heard by nothing on the chip."""
    graph = mlp("m", 64, 100, 10, bits=2)
    assert used(graph, "l1", TRUENORTH) == {
        "neurons": 200, "neuron_groups": 1, "synapse_words": 400, "in_axons": 128,
    }  # fmt: skip
    assert used(graph, "l2", TRUENORTH) == {
        "neurons": 10, "neuron_groups": 1, "synapse_words": 32, "in_axons": 200,
    }  # fmt: skip
    assert map_graph(graph, TRUENORTH, "compiler").n_cores == 2
    addresses = map_graph(graph, TRUENORTH, "balanced").placement.addresses  # of 4096 cores
    a, b = (tile_of(TRUENORTH, *address) for address in addresses)
    assert hops(a, b) == 1


def test_truenorth_counts_the_field_of_a_box() -> None:
    """3×3 from 8 channels at 2 bits: a box of 2 × 2 hears 4 × 4 × 8 sources, 256 axons; 3 × 3 not.

    6 × 6 outputs are then 9 boxes, 4 channels each; nothing on the chip hears them.
    """
    graph = chain("c", (8, 8, 8), ((4, 6, 6), Conv((3, 3)), 2))
    box = Slice("l1", (0, 2, 2), (4, 4, 4))
    assert demand(graph, [box], TRUENORTH).in_axons[:2] == (256, 256)
    priced = layer_cores(graph, "l1", TRUENORTH)
    assert (priced.n_cores, priced.tile, priced.binding) == (9, (4, 2, 2), "in_axons")
    assert priced.synapse_words == 9 * 256 * 16 // 64


def test_truenorth_neurons_that_nobody_hears_are_there_once() -> None:
    """A stride of 2 with 1×1 kernels hears 4 of 16 neurons, on 2 axons each: 4 · 2 + 12."""
    graph = chain("c", (1, 4, 4), ((1, 4, 4), CONV, 2), ((1, 2, 2), Conv((1, 1), (2, 2)), 2))
    heard = {"p2": 4 * 2}
    need = demand(graph, [whole(graph.population("l1"))], TRUENORTH, heard)
    assert need.neurons.used == 4 * 2 + 12


def test_truenorth_fan_in_that_no_core_has() -> None:
    with pytest.raises(FitError, match=r"l1: one neuron .* needs 1,568 in axons, .* has 256; feed"):
        map_graph(mlp("m", 784, 10, bits=2), TRUENORTH, "balanced")
    with pytest.raises(FitError, match="weights of 8 bits: the target stores at most 4"):
        map_graph(mlp("m", 10, 10), TRUENORTH, "balanced")


def test_dynap_cnn_kernel_and_neuron_memory() -> None:
    """sinabs' own example: 16 → 32 channels, 3×3, on 64 × 64: 16·32·4·4 = 8 Ki and 128 Ki.

    9 taps are rounded up to 16; 24 channels to 32; a Dense layer of 11 from 4 × 4 × 64 is a 4 × 4
    kernel: 64 · 16 · 16.
    """
    graph = chain("s", (16, 64, 64), ((32, 64, 64), CONV, 8))
    assert used(graph, "l1", DYNAP) == {
        "neurons": 128 * 1024, "neuron_groups": 1, "synapse_words": 8 * 1024,
    }  # fmt: skip
    graph = chain("d", (3, 8, 8), ((24, 8, 8), CONV, 4), ((11, 1, 1), Dense(), 8))
    assert used(graph, "l1", DYNAP) == {
        "neurons": 24 * 64, "neuron_groups": 1, "synapse_words": 3 * 16 * 32, "out_axons": 1,
    }  # fmt: skip
    assert used(graph, "l2", DYNAP)["synapse_words"] == 24 * 64 * 16


def test_dynap_cnn_stores_the_zeros_of_a_grouped_convolution() -> None:
    """Pooling 2×2 over 6 channels: 6 · 4 taps · 8 channels, as if it were not grouped."""
    graph = chain("p", (6, 8, 8), ((6, 4, 4), average_pool(6, 2, 2), 8))
    assert used(graph, "l1", DYNAP)["synapse_words"] == 6 * 4 * 8


def speck() -> Graph:
    """Six layers whose needs are of every kind of core: 32 Ki neurons first, 64 Ki kernels last."""
    two = Conv((3, 3), (2, 2), (1, 1))
    return chain(
        "speck", (2, 128, 128),
        ((8, 64, 64), two, 8), ((16, 32, 32), two, 8), ((32, 16, 16), two, 8),
        ((64, 8, 8), two, 8), ((64, 4, 4), two, 8), ((11, 1, 1), Dense(), 8),
    )  # fmt: skip


@pytest.mark.parametrize("policy", ["balanced", "compiler"])
def test_dynap_cnn_layers_find_cores_that_hold_them(policy: str) -> None:
    graph = speck()
    mapping = map_graph(graph, DYNAP, policy)
    core = {
        s.population: place.core
        for (s,), place in zip(mapping.partition.cores, mapping.placement.addresses, strict=True)
    }
    assert sorted(core) == ["l1", "l2", "l3", "l4", "l5", "l6"]
    assert core["l1"] in (0, 1, 2, 3, 4)  # 8 · 64 · 64 = 32 Ki neurons
    assert core["l4"] in (3, 4, 5, 6)  # 32 · 2^(4 + 6) = 32 Ki kernels
    assert core["l5"] in (5, 6)  # 64 · 2^(4 + 6) = 64 Ki kernels
    row = summary(graph, mapping, DYNAP)["layers"][4]
    assert row["used"]["synapse_words"] == [65536, 65536]
    assert row["used"]["neurons"] == [1024, 16384]  # of its own core


def test_dynap_cnn_does_not_cut_a_layer() -> None:
    big = chain("b", (16, 64, 64), ((32, 64, 64), CONV, 8))
    with pytest.raises(FitError, match="l1: the layer needs 131,072 neurons, a core of dynap-cnn"):
        layer_cores(big, "l1", DYNAP)
    for policy in ("balanced", "compiler"):
        with pytest.raises(FitError, match="neurons"):
            map_graph(big, DYNAP, policy)


def test_dynap_cnn_layers_that_fit_one_by_one_but_not_together() -> None:
    """Three layers of 64 Ki kernels, and two cores for them."""
    layers = [((64, 4, 4), CONV, 8)] * 4
    graph = chain("t", (64, 4, 4), *layers[:3])
    with pytest.raises(FitError, match=r"t: its layers do not all find a core .*l1: 1,024 neurons"):
        map_graph(graph, DYNAP, "balanced")


def test_dynap_cnn_has_two_destinations() -> None:
    with pytest.raises(FitError, match="a: the layer needs 3 out axons, a core of dynap-cnn has 2"):
        map_graph(cell(), DYNAP, "balanced")


@pytest.mark.parametrize(
    ("source", "shape", "op", "fault"),
    [
        ((1, 9, 9), (1, 3, 3), Conv((3, 3), (3, 3)), "stride 3, possible are 1, 2, 4, 8"),
        ((1, 9, 9), (1, 5, 5), Conv((3, 3), dilation=(2, 2)), "dilation 2, at most 1"),
        ((1, 40, 40), (1, 24, 24), Conv((17, 17)), "kernel 17, at most 16 is possible"),
        ((1, 9, 9), (1, 7, 9), Conv((3, 1)), "kernel 3 × 1, kernels must be square"),
        ((1, 9, 9), (1, 9, 23), Conv((3, 3), padding=(1, 8)), "padding 8, at most 7"),
        ((1, 130, 9), (1, 64, 4), Conv((3, 3), (2, 2)), "input size 130, at most 128"),
        ((1, 70, 9), (1, 68, 7), Conv((3, 3)), "output size 68, at most 64"),
        ((1025, 3, 3), (1, 3, 3), Conv((1, 1)), "channels 1025, at most 1024"),
        ((1, 1, 3), (1, 1, 1), Dense(), "kernel 1 × 3, kernels must be square"),
    ],
)
def test_dynap_cnn_shapes(source: Any, shape: Any, op: Any, fault: str) -> None:
    with pytest.raises(FitError, match=rf"l1: projection 'p1': dynap-cnn: .*{fault}"):
        layer_of(chain("s", source, (shape, op, 8)), "l1", DYNAP)


def test_seats_are_a_matching() -> None:
    """Cores of 30, 10 and 20 neurons: 5 and then 15 must give way to what fits nowhere else."""
    kinds = tuple(
        CoreKind.model_validate({"cores": [core], "neurons": most})
        for core, most in ((0, 30), (1, 10), (3, 20))
    )
    dead = [{"chip": 0, "core": core} for core in (2, 4, 5)]
    chip = target(neurons=40, dead_cores=dead).model_copy(update={"core_kinds": kinds})
    assert [chip.limits_of(core).neurons for core in range(4)] == [30, 10, 40, 20]
    five, fifteen, twentyfive = (Counts(neurons=n) for n in (5, 15, 25))
    assert seats([five, fifteen, twentyfive], chip) == [(0, 1), (0, 3), (0, 0)]
    assert seats([fifteen, fifteen, fifteen], chip) is None
    assert seats([], chip) == []


@st.composite
def slices(draw: st.DrawFn, chip: str) -> tuple[Graph, Slice]:
    """A layer that feeds another, and a slice of it."""
    most = 4 if chip == "truenorth" else 8
    channels, height, width = (draw(st.integers(1, n)) for n in (12, 6, 6))
    source = (draw(st.integers(1, 4)), height, width)
    op = draw(st.sampled_from([CONV, Conv((1, 1)), Dense()]))
    after = draw(st.sampled_from([((3, height, width), CONV), ((5, 1, 1), Dense())]))
    graph = chain(
        "g", source,
        ((channels, height, width), op, draw(st.integers(1, most))),
        (*after, draw(st.integers(1, most))),
    )  # fmt: skip
    shape = graph.population("l1").shape
    start = tuple(draw(st.integers(0, n - 1)) for n in shape)
    stop = tuple(draw(st.integers(a + 1, n)) for a, n in zip(start, shape, strict=True))
    return graph, Slice("l1", start, stop)  # type: ignore[arg-type]


@given(slices("truenorth"))
@settings(max_examples=40, deadline=None)
def test_a_slice_never_needs_more_than_the_whole_on_truenorth(case: tuple[Graph, Slice]) -> None:
    never_more(*case, TRUENORTH, set())


@given(slices("loihi2"))
@settings(max_examples=40, deadline=None)
def test_a_slice_never_needs_more_than_the_whole_on_loihi_2(case: tuple[Graph, Slice]) -> None:
    """Without the chunks of the compiler's tables, in which 7 channels (4 + 2 + 1) take more than
    8; with them, for slices that hold all channels."""
    graph, s = case
    never_more(graph, s, target(rules={}), set())
    c0, (_, y0, x0), (_, y1, x1) = graph.population("l1").shape[0], s.start, s.stop
    never_more(graph, Slice("l1", (0, y0, x0), (c0, y1, x1)), load_target("loihi2"), set())


@given(slices("loihi1"))
@settings(max_examples=40, deadline=None)
def test_a_slice_never_needs_more_than_the_whole_on_loihi_1(case: tuple[Graph, Slice]) -> None:
    """But for the words of a convolution: an inner slice has edges where the whole has padding, and
    so more positions that see different taps and share no list."""
    graph, s = case
    conv = isinstance(graph.projections[0].op, Conv)
    never_more(graph, s, load_target("loihi1"), {"synapse_words"} if conv else set())


def never_more(graph: Graph, s: Slice, chip: Target, but: set[str]) -> None:
    part = demand(graph, [s], chip)
    all_of_it = demand(graph, [whole(graph.population("l1"))], chip)
    for name, use in part._asdict().items():
        assert name in but or use.used <= getattr(all_of_it, name).used, name


@pytest.mark.parametrize("chip", ["loihi1", "loihi2", "truenorth", "dynap-cnn"])
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_demand_grows_with_bits_and_fan_in(chip: str, data: st.DataObject) -> None:
    limit = load_target(chip)
    bits = sorted(
        data.draw(
            st.lists(st.integers(1, limit.core.weight_bits.value[-1]), min_size=2, max_size=2)
        )
    )
    fan = sorted(data.draw(st.lists(st.integers(1, 20), min_size=2, max_size=2)))
    for op, size in ((Dense(), 1), (CONV, 4)):
        needs = [
            demand(graph, [whole(graph.population("l1"))], limit)
            for graph in (
                chain("g", (n, size, size), ((8, size, size), op, b))
                for n, b in zip(fan, bits, strict=True)
            )
        ]
        assert all(a.used <= b.used for a, b in zip(*needs, strict=True))
