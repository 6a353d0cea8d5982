"""Tilings and prices: legal, as few cores as any, and the same arithmetic as `demand`."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import CONV, chain, mlp, pilotnet, target

from neurocomp.errors import FitError
from neurocomp.hw import demand, layer_cores, loihi2
from neurocomp.hw.fields import Region, axis_field, interval, region
from neurocomp.hw.layer import layer_of
from neurocomp.hw.mesh import Point, chip_of, hops, live_cores, n_live_cores, tile_of, xy_links
from neurocomp.hw.tiles import boxes, n_boxes, tile_fits, tilings
from neurocomp.ir import Conv, Dense, Graph, Shape, Slice
from neurocomp.spec.target import Target, load_target


def test_boxes_of_a_tiling_cover_everything_once() -> None:
    found = list(boxes((3, 5, 4), (2, 3, 4)))
    assert found == [
        ((0, 0, 0), (2, 3, 4)), ((0, 3, 0), (2, 5, 4)),
        ((2, 0, 0), (3, 3, 4)), ((2, 3, 0), (3, 5, 4)),
    ]  # fmt: skip
    assert n_boxes((3, 5, 4), (2, 3, 4)) == 4


@pytest.mark.parametrize("op", [CONV, Conv((2, 2), (3, 3)), Conv((3, 3), (2, 2), (1, 1), (2, 2))])
def test_axis_field_is_the_convolutions_index_arithmetic(op: Conv) -> None:
    for start, stop in ((0, 1), (0, 3), (2, 4)):
        expected = {
            o * op.stride[0] - op.padding[0] + k * op.dilation[0]
            for o in range(start, stop)
            for k in range(op.kernel[0])
        }
        mask = axis_field(op, 0, start, stop, 8)
        assert {i for i in range(8) if mask >> i & 1} == expected & set(range(8))


def test_region_of_a_box() -> None:
    """Channels 4 to 6 of 12 in 3 groups lie in group 1, which hears source channels 2 and 3."""
    op = Conv((3, 3), (2, 2), (1, 1), groups=3)
    found = region(op, (6, 8, 8), (12, 4, 4), ((4, 1, 0), (6, 2, 2)))
    assert found == Region((2, 4), interval(1, 4), interval(0, 4))
    assert (found.positions, found.size) == (12, 24)
    everything = region(Dense(), (6, 8, 8), (10, 1, 1), ((4, 0, 0), (6, 1, 1)))
    assert everything.size == 6 * 8 * 8
    assert Region((2, 2), 3, 3).size == Region((0, 2), 0, 3).positions == 0


def test_layer_cores_of_known_layers() -> None:
    """2560 → 100 at 4 bits needs 2560 × ceil((16 n + 4) / 64) words for n neurons on a core.

    12000 words allow 4 per axon, 252 bits: 15 neurons and so 7 cores, the last with 10 neurons and
    3 words per axon.
    """
    priced = layer_cores(pilotnet(), "l6", load_target("loihi2-2023"))
    assert priced == (7, "synapse_words", (15, 1, 1), 2560 * (6 * 4 + 3))
    # 64 channels × 4 rows × 22 columns: 32 columns of 1 row fit once (2048), 2 × 32 = 4096 do not;
    # 8 columns and all rows fit (2048): 3 cores
    assert layer_cores(pilotnet(), "l4", load_target("loihi2-2023")).n_cores == 3


def test_price_names_what_binds() -> None:
    assert layer_cores(mlp("m", 100, 10), "l1", target(in_axons=100)).binding == "in_axons"
    many = chain("c", (1, 8, 8), ((8, 8, 8), CONV, 2))
    assert layer_cores(many, "l1", target()).binding == "neurons"


@pytest.mark.parametrize(
    ("graph", "chip", "message"),
    [
        (
            chain("k", (64, 4, 4), ((2, 4, 4), CONV, 8)),
            target(synapse_words=500),
            r"l1: one neuron with its synapses needs 576 synapse words, a core of small has 500; "
            r"use fewer weight bits",
        ),
        (mlp("m", 900, 4), target(in_axons=99), r"needs 900 in axons, a core .* has 99; feed it"),
        (mlp("m", 10, 4), target(total_words=12), r"needs 2\d total words, .*has 12; use fewer"),
        (
            chain("p", (1, 2, 2), ((1, 2, 2), CONV, 8), ((2, 1, 1), Dense(), 8)),
            target(in_axons=3),
            r"l2: one neuron .* needs 4 in axons, a core of small has 3",
        ),
    ],
)  # fmt: skip
def test_what_never_fits_says_why(graph: Graph, chip: Target, message: str) -> None:
    with pytest.raises(FitError, match=message):
        layer_cores(graph, graph.output, chip)


@st.composite
def layer_cases(draw: st.DrawFn) -> tuple[Graph, Target]:
    kernel = draw(st.integers(1, 3))
    channels, height, width = (draw(st.integers(1, n)) for n in (12, 5, 9))
    sources = draw(st.integers(1, 3))
    groups = draw(st.sampled_from([1, 1, sources]))
    op = Conv((kernel, kernel), padding=(kernel // 2, kernel // 2), groups=groups)
    size = height + 1 - kernel % 2, width + 1 - kernel % 2
    graph = chain(
        "g", (sources, *(n - 1 + kernel - 2 * (kernel // 2) for n in size)),
        ((channels * groups, *size), op, draw(st.integers(1, 8))),
        ((3, 1, 1), Dense(), 8) if draw(st.booleans()) else ((3, *size), Conv((1, 1)), 4),
    )  # fmt: skip
    core = {
        "neurons": draw(st.sampled_from([7, 31, 64, 200])),
        "synapse_words": draw(st.sampled_from([20, 100, 1000])),
        "axon_map": draw(st.sampled_from([20, 500])),
        "total_words": draw(st.sampled_from([150, 1500])),
        "rules": {name: draw(st.booleans()) for name in ("padded_x", "channel_chunks")},
    }
    return graph, target(**core)


@given(layer_cases())
@settings(max_examples=30, deadline=None)
def test_no_tiling_of_boxes_needs_fewer_cores(case: tuple[Graph, Target]) -> None:
    """Against every tile there is, each of its boxes asked of `demand`."""
    graph, chip = case
    shape = graph.population("l1").shape
    widths = [x for x in range(1, shape[2] + 1) if not chip.flags.padded_x or x & (x - 1) == 0]

    def legal(tile: Shape) -> bool:
        return all(demand(graph, [Slice("l1", *b)], chip).fits for b in boxes(shape, tile))

    tiles = list(product(range(1, shape[0] + 1), range(1, shape[1] + 1), {*widths, shape[2]}))
    tiles.sort(key=lambda tile: n_boxes(shape, tile))
    best = next((n_boxes(shape, tile) for tile in tiles if legal(tile)), None)
    if best is None:
        with pytest.raises(FitError, match="one neuron with its synapses needs"):
            layer_cores(graph, "l1", chip)
    else:
        priced = layer_cores(graph, "l1", chip)
        assert legal(priced.tile)
        assert priced.n_cores == n_boxes(shape, priced.tile) == best


@given(layer_cases(), st.integers(0, 19), st.integers(1, 20), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_room_is_need_turned_round(
    case: tuple[Graph, Target], start: int, n: int, columns: int
) -> None:
    graph, chip = case
    layer = layer_of(graph, "l1", chip)
    channels, height, width = layer.shape
    start, columns = min(start, channels - 1), min(columns, width)
    stop = min(start + n, channels)
    room = loihi2.room(layer, chip, start, stop)
    counted = loihi2.padded(columns) if chip.flags.padded_x else columns
    most = min(room.rows(columns, counted), height)
    fit = [
        rows
        for rows in range(1, height + 1)
        if demand(graph, [Slice("l1", (start, 0, 0), (stop, rows, columns))], chip).fits
    ]
    assert most == max(fit, default=0)


def test_tilings_are_offered_as_far_as_they_are_worth_it() -> None:
    chip = load_target("loihi2")
    layer = layer_of(pilotnet(), "l2", chip)
    tight, loose = list(tilings(layer, chip)), list(tilings(layer, chip, worth=lambda n: 2 * n))
    assert set(tight) < set(loose)
    fewest = min(n for n, _ in tight)
    assert max(n for n, _ in loose[-5:]) <= 2 * fewest
    assert all(tile_fits(layer, chip, tile) for _, tile in loose)


def test_tiles_chips_and_ways() -> None:
    """Tiles are numbered down the columns, chips on the board as well, edges touching."""
    chip = target(
        mesh={"columns": 3, "rows": 2, "cores_per_tile": 4}, board={"columns": 2, "rows": 2}
    )
    assert [tile_of(chip, 0, core) for core in (0, 3, 4, 8, 23)] == [
        Point(0, 0), Point(0, 0), Point(0, 1), Point(1, 0), Point(2, 1),
    ]  # fmt: skip
    assert [chip_of(chip, n) for n in range(4)] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert tile_of(chip, 3, 8) == Point(3 + 1, 2 + 0)
    assert hops(Point(0, 3), Point(4, 1)) == 6
    assert list(xy_links(Point(0, 1), Point(2, 0))) == [(0, 1, 1, 1), (1, 1, 2, 1), (2, 1, 2, 0)]
    assert list(xy_links(Point(1, 1), Point(1, 1))) == []


def test_dead_cores_are_left_out() -> None:
    dead = [{"chip": 0, "core": 1}, {"chip": 1, "core": 0}, {"chip": 0, "core": 1}]
    chip = target(
        mesh={"columns": 2, "rows": 1, "cores_per_tile": 1},
        board={"columns": 2, "rows": 1},
        dead_cores=dead,
    )
    assert list(live_cores(chip)) == [(0, 0), (1, 1)]
    assert n_live_cores(chip) == 2
