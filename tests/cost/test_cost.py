"""Prices: the papers' counts, and the target's."""

from dataclasses import replace

import numpy as np
import pytest
from hand_candidate import CANDIDATE, DIGITS, LAYERS, LIF

from neurocomp.arch import Candidate, Task, build
from neurocomp.arch.cell import AVGPOOL3, SKIP, SNASNET, ZEROIZE, all_cells, conv, live
from neurocomp.cost import model_bits, parameters, price, snasnet_parameters, synops
from neurocomp.errors import FitError
from neurocomp.ir import Conv, Dense, Graph, Input, Population, Projection
from neurocomp.spec.target import load_target


def trained(graph: Graph, keep: float | None = None) -> Graph:
    """Random weights wherever none are given; ``keep`` prunes all but that share of them."""
    rng = np.random.default_rng(0)
    projections = []
    for e in graph.projections:
        if e.weight is None:
            n = LAYERS[e.name][0]
            shape = graph_shape(graph, e)
            mask = None if keep is None else (np.arange(n) < keep * n).reshape(shape)
            e = replace(e, weight=rng.normal(size=shape), mask=mask)
        else:  # batch-norm's scale, folded into a skip or a pooling
            e = replace(e, weight=e.weight * rng.uniform(0.5, 2, (len(e.weight), 1, 1, 1)))
        projections.append(e)
    return graph.with_parts(graph.populations, tuple(projections))


def graph_shape(graph: Graph, e: Projection) -> tuple[int, ...]:
    source, target = graph.population(e.source).shape, graph.population(e.target).shape
    if isinstance(e.op, Dense):
        return (target[0], source[0] * source[1] * source[2])
    return (target[0], source[0], *e.op.kernel)


# --- size ---------------------------------------------------------------------------------------


def test_parameters_are_weights_and_batch_norm_and_the_outputs_bias() -> None:
    graph = build(CANDIDATE, DIGITS)
    by_hand = sum(w + 2 * f for w, f, _ in LAYERS.values()) + 10
    assert parameters(graph) == by_hand == 57_104 + 2 * 144 + 10
    assert parameters(trained(graph)) == by_hand


def test_model_bits_are_weights_at_their_designed_width() -> None:
    graph = build(CANDIDATE, DIGITS)
    by_hand = sum(w * bits for w, _, bits in LAYERS.values())
    assert model_bits(graph) == model_bits(trained(graph)) == by_hand


def test_pruned_weights_are_neither_parameters_nor_bits() -> None:
    half = trained(build(CANDIDATE, DIGITS), keep=0.5)  # all counts above are even
    assert model_bits(half) == sum(w // 2 * bits for w, _, bits in LAYERS.values())
    assert parameters(half) == sum(w // 2 + 2 * f for w, f, _ in LAYERS.values()) + 10


def test_a_trained_depthwise_convolution_is_no_pooling() -> None:
    graph = Graph(
        "g",
        (Population("in", (2, 4, 4), Input()), Population("out", (2, 4, 4), LIF)),
        (Projection("e", "in", "out", Conv((3, 3), padding=(1, 1), groups=2)),),
        output="out",
    )
    assert model_bits(graph) == 2 * 9 * 8
    weight = np.arange(18.0).reshape(2, 1, 3, 3)
    e = replace(graph.projections[0], weight=weight)
    assert model_bits(graph.with_parts(graph.populations, (e,))) == 2 * 9 * 8


@pytest.mark.parametrize(
    ("published", "macro"),
    [
        (38_126_436, {"channels": 256, "final_pool": 2, "outputs": 100}),  # CIFAR-10
        (5_827_444, {"channels": 128, "final_pool": 4, "outputs": 500}),  # CIFAR-100
    ],
)
def test_published_cells_have_their_published_parameters(published: int, macro: dict) -> None:
    """Both are met by cells with one conv3×3 and one conv1×1, and by no other choice of kernels."""
    assert snasnet_parameters([3, 1], **macro) == published
    for ones in range(7):
        for threes in range(7 - ones):
            same = snasnet_parameters([1] * ones + [3] * threes, **macro) == published
            assert same == ((ones, threes) == (1, 1))


def test_snasnets_terms_by_hand() -> None:
    # A cell without convolutions, C = 128, p = 2, CIFAR-10: every trained network of SpikeNAS-Bench
    # without a convolution has 17,179,620 parameters, and every conv3×3 adds 738,048.
    stem = 3 * 9 * 128 + 2 * 128
    reduction = 2 * 128 + 9 * 128 * 256 + 2 * 256
    classifier = 2 * 256 + 256 * 8 * 8 * 1024 + 1024 * 100 + 100
    plain = snasnet_parameters([], channels=128, final_pool=2, outputs=100)
    assert plain == stem + reduction + classifier == 17_179_620
    one = snasnet_parameters([3], channels=128, final_pool=2, outputs=100)
    assert one - plain == 9 * 128**2 + 2 * 128 + 9 * 256**2 + 2 * 256 == 738_048


def test_no_cell_is_below_ten_million_parameters_with_final_pooling_two() -> None:
    assert snasnet_parameters([], channels=128, final_pool=2, outputs=100) > 17_000_000
    assert snasnet_parameters([], channels=128, final_pool=2, outputs=500) > 17_000_000


@pytest.mark.parametrize(
    ("kernels", "percent"),
    [((1, 3), 100), ((1, 5), 86), ((3, 5), 76), ((1, 7), 59), ((3, 7), 41), ((5, 7), 22)],
)
def test_feasible_shares_at_ten_million_parameters(kernels: tuple[int, int], percent: int) -> None:
    """Over the 7,556 live cells, C = 128, p = 4, CIFAR-100 (with CIFAR-10 set 3 would have 77)."""
    a, b = kernels
    ops = (ZEROIZE, SKIP, conv(a, 8), conv(b, 8), AVGPOOL3)
    cells = {live(cell) for cell in all_cells(SNASNET, ops, direct=True)}
    assert len(cells) == 7_556
    feasible = sum(
        snasnet_parameters(
            [op.kernel for op in cell if op.kernel], channels=128, final_pool=4, outputs=500
        )
        <= 10_000_000
        for cell in cells
    )
    assert round(100 * feasible / len(cells)) == percent


def test_the_spiking_network_differs_from_snasnets_by_what_it_lacks() -> None:
    """Same cell, C = 128, p = 4: no batch-norm before reduction and pooling, no voting outputs."""
    ops = (ZEROIZE, ZEROIZE, conv(5, 8), ZEROIZE, ZEROIZE, ZEROIZE)
    graph = build(Candidate(ops, 128, 4, 1024, 8, 5, 1.0, 0.5), Task((3, 32, 32), 8, 10))
    theirs = snasnet_parameters([5], channels=128, final_pool=4, outputs=100)
    assert theirs - parameters(graph) == 2 * 128 + 2 * 256 + 1024 * 90 + 90


# --- synaptic operations ------------------------------------------------------------------------


def test_synops_of_a_hand_made_network() -> None:
    mask = np.arange(2 * 3 * 9) % 3 > 0  # a third is pruned
    graph = Graph(
        "g",
        (
            Population("pixels", (3, 4, 4), Input(bits=4)),
            Population("hidden", (2, 4, 4), LIF),
            Population("out", (5, 1, 1), LIF),
        ),
        (
            Projection(
                "a",
                "pixels",
                "hidden",
                Conv((3, 3), padding=(1, 1)),
                mask=mask.reshape(2, 3, 3, 3),
            ),
            Projection("b", "hidden", "out", Dense()),
        ),
        output="out",
        timesteps=6,
    )
    # Pixels are events in each of 6 steps: 2/3 · 6 · 3·3·3·2·4·4 additions.
    # Hidden neurons fire 0.25 times a step: 1.5 spikes each, 32 of them, 5 targets each.
    assert synops(graph, 0.25) == {"a": pytest.approx(4 * 864), "b": pytest.approx(1.5 * 160)}
    measured = {"pixels": 0.9, "hidden": 0.5}
    assert synops(graph, measured)["b"] == pytest.approx(3 * 160)


def test_spikes_that_come_from_outside_count_at_their_rate() -> None:
    graph = Graph(
        "g",
        (Population("in", (4, 1, 1), Input(bits=1)), Population("out", (3, 1, 1), LIF)),
        (Projection("e", "in", "out", Dense()),),
        output="out",
        timesteps=10,
    )
    assert synops(graph, 0.2) == {"e": pytest.approx(0.2 * 10 * 12)}


# --- the price on a target ----------------------------------------------------------------------


def conv_then_dense(side: int, channels: int = 16) -> Graph:
    return Graph(
        "net",
        (
            Population("pixels", (1, side, side), Input(bits=4)),
            Population("conv", (channels, side, side), LIF),
            Population("out", (10, 1, 1), LIF),
        ),
        (
            Projection("a", "pixels", "conv", Conv((3, 3), padding=(1, 1)), weight_bits=8),
            Projection("b", "conv", "out", Dense(), weight_bits=2),
        ),
        output="out",
        timesteps=4,
    )


def test_price_of_a_network_by_hand() -> None:
    cost = price(conv_then_dense(8), load_target("loihi2"), rate=0.5)
    assert cost.params == (9 * 16 + 2 * 16) + 1024 * 10 + 10
    assert cost.model_bits == 9 * 16 * 8 + 1024 * 10 * 2
    # A quarter of a core is filled by 1,024 of 4,095 neurons, a sixth by the output's 10 neurons
    # and entries, 1,024 axons and 1,024·10·(2 + 12)/64 words: 3,284 of 20,000.
    assert (cost.cores, cost.chips) == (1, 1)
    # One core each. Conv: 9 taps of ceil((16·8 + 4)/64) = 3 words.
    # Dense: 1024 axons of ceil((10·(2 + 12) + 4)/64) = 3 words.
    assert cost.stored_bits == 64 * (9 * 3 + 1024 * 3)
    assert cost.synops == pytest.approx(4 * 9 * 1024 + 0.5 * 4 * 10 * 1024)


def test_every_core_stores_its_own_copy_of_a_kernel() -> None:
    # 16·24·24 neurons: tiles of 8 columns hold all 24 rows (3,072 neurons of 4,095), so 3 cores.
    # The output has 9,216 axons. With one word each, 2 × 9,216 of a core's 20,000 words, an axon
    # holds ceil((n·14 + 4)/64) = 1 word for n ≤ 4 neurons: 3 cores for 10.
    cost = price(conv_then_dense(24), load_target("loihi2"))
    # Where layers share cores, 9,216/4,095 + (20 + 9,216·140/64 + 9,216)/20,000 = 2.25 + 1.47.
    assert cost.cores == 4
    assert cost.stored_bits == 64 * (3 * 9 * 3 + 3 * 9_216)


def test_a_neuron_with_too_many_synapses_is_refused() -> None:
    # 16·28·28 = 12,544 axons of one word each.
    with pytest.raises(FitError, match=r"out: one neuron .* 25,\d+ total words, a core .* 20,000"):
        price(conv_then_dense(28), load_target("loihi2"))


def test_what_a_board_cannot_hold_is_refused() -> None:
    # 96·96 = 9,216 positions of 64 channels: 589,824 neurons, of which a core holds 4,095.
    graph = Graph(
        "wide",
        (Population("pixels", (1, 96, 96), Input()), Population("conv", (64, 96, 96), LIF)),
        (Projection("a", "pixels", "conv", Conv((3, 3), padding=(1, 1))),),
        output="conv",
        timesteps=1,
    )
    with pytest.raises(
        FitError,
        match=r"wide: its neurons alone need 145 cores \(most of them 'conv'\), loihi2 has 128",
    ):
        price(graph, load_target("loihi2"))
    board = price(graph, load_target("kapoho-point"))
    assert board.cores == 145
    assert board.chips == -(-145 // load_target("kapoho-point").cores_per_chip) > 1


def test_pruning_saves_bits_and_operations_but_no_words() -> None:
    graph = build(CANDIDATE, DIGITS)
    dense, half = (price(graph, load_target("loihi2"), prune=p) for p in (0.0, 0.5))
    assert half.model_bits * 2 == dense.model_bits
    assert half.synops * 2 == dense.synops
    assert (half.stored_bits, half.cores, half.params) == (
        dense.stored_bits,
        dense.cores,
        dense.params,
    )
