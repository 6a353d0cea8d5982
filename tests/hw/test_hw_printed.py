"""More tables that Intel's compiler printed: Dense layers of networks that are no netx files.

They stand in notebooks of lava-dl's branch S4D_debug (state_space_models/sCIFAR, limits of 2024)
and of lava-optimization (tutorials/tutorial_02_solving_qubos.ipynb, limits of 2023).
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from mapping_networks import CONV, chain, mesh, mlp, target
from mapping_networks import board as board_of

from neurocomp.errors import FitError
from neurocomp.hw import demand
from neurocomp.hw.demand import need
from neurocomp.hw.layer import Incoming, Layer, Outgoing
from neurocomp.hw.tiles import boxes
from neurocomp.ir import Conv, Dense, Graph, Shape, whole
from neurocomp.mapping import map_graph
from neurocomp.mapping.tiling.compiler import compiler_tile
from neurocomp.spec.target import Target, load_target

NEW, OLD = load_target("loihi2"), load_target("loihi2-2023")


def test_a_dense_layer_of_mostly_zeros_at_four_bits() -> None:
    """num_cores_estimate.ipynb: 256 → 256, weights 0 to 9 of which 90 % are 0, on 3 cores.

    Whole: 256 × ceil((256·16 + 4)/64) = 256 × 65 = 16640 of 16000, ratio 2; so 4095, 2047, 1023,
    511, 255 (256 × 64 = 16384 words) and 127, the sixth try, as printed ("converged after
    iteration=6"): 256 × ceil(2036/64) = 256 × 32 = 8192 words, 51.20 %.
    """
    graph = mlp("ff", 256, 256, bits=4)
    cores = map_graph(graph, NEW, "compiler").partition.cores
    needs = [demand(graph, core, NEW) for core in cores]
    assert [n.neurons.used for n in needs] == [127, 127, 2]
    first = needs[0]
    assert (first.in_axons.used, first.synapse_words.used, first.axon_map.used) == (256, 8192, 127)
    assert first.total_words.used == 256 + 1 + 127 + 8192 + 127
    assert first.total_words.used / 200 == pytest.approx(43.52, abs=0.01)


@pytest.mark.parametrize(
    ("targets", "words", "printed"),
    [(128, 128 * 41, (32.80, 28.16)), (10, 128 * 4, (3.20, 3.31))],
)
def test_feed_forward_and_decoder(targets: int, words: int, printed: tuple[float, float]) -> None:
    """s4d_validation.ipynb: 128 → 128 (2564 bits, 41 words), 128 → 10 (204 bits, 4) at 8 bits."""
    graph = mlp("ff", 128, targets)
    used = demand(graph, [whole(graph.population("l1"))], NEW)
    assert used.synapse_words.used == words
    assert used.total_words.used == 128 + 1 + targets + words + targets
    shares = used.synapse_words.used / 160, used.total_words.used / 200
    assert shares == pytest.approx(printed, abs=0.01)


def test_a_recurrent_layer_with_a_second_consumer() -> None:
    """tutorial_02_solving_qubos.ipynb: 1000 variables that feed each other, and their cost.

    Weights of one sign at one bit: a synapse takes 13 bits. Whole: 1000 × ceil(13004/64) = 204000
    words are 17 times 12000, rounded up: 4095, 240 (1000 × 49, ratio 5), 48. That is 20 cores of 48
    with 1000 × ceil(628/64) = 10000 words and one of 40 with 1000 × ceil(524/64) = 9000; printed
    are 21 cores and means, cut to integers: 47 neurons, 9952 words and 95 map entries, two for each
    neuron, one per consumer.
    """
    edge = Incoming("own", Dense(), (1000, 1, 1), 1)
    ends = (Outgoing("own", Dense(), (1000, 1, 1), 1), Outgoing("cost", Dense(), (1, 1, 1), 1))
    layer = Layer("variables", (1000, 1, 1), (edge,), ends)
    tile = compiler_tile(layer, OLD, lambda tile: [tile[0], tile[0]])
    assert tile == (48, 1, 1)
    needs = [need(layer, [box], OLD) for box in boxes(layer.shape, tile)]
    assert len(needs) == 21
    mean = [int(Fraction(sum(column), len(needs))) for column in zip(*needs, strict=True)]
    assert mean[:4] == [47, 1, 9952, 1000]
    assert (mean[5], mean[6]) == (95, 0)


def test_the_cost_of_that_layer() -> None:
    """1000 → 1 at one bit: 1000 × ceil(17/64) words on one core, as printed."""
    edge = Incoming("cost", Dense(), (1000, 1, 1), 1)
    counts = need(Layer("cost", (1, 1, 1), (edge,), ()), [((0, 0, 0), (1, 1, 1))], OLD)
    assert (counts.neurons, counts.in_axons, counts.synapse_words) == (1, 1000, 1000)


def tiles(graph: Graph, chip: Target = NEW) -> dict[str, Counter[Shape]]:
    """The shapes of the compiler's boxes, and how many there are of each."""
    found: dict[str, Counter[Shape]] = {}
    for (s,) in map_graph(graph, chip, "compiler").partition.cores:
        found.setdefault(s.population, Counter())[s.shape] += 1
    return found


def test_columns_that_are_narrower_than_their_power_of_two() -> None:
    """32 channels of 9 × 10: 10 columns are counted as 16, 32·9·16 = 4608 of 4095 neurons. At 8
    columns 32·9·8 = 2304; the second tile has 2."""
    graph = chain("c", (1, 9, 10), ((32, 9, 10), CONV, 8))
    assert tiles(graph) == {"l1": {(32, 9, 8): 1, (32, 9, 2): 1}}


def test_odd_rows_are_cut_into_bands_of_the_same_height() -> None:
    """64 channels of 15 × 32 at 4095 neurons: R = ceil(30720/4095) = 8, so 2^1 bands of 8 rows (8
    and 7); 64·8·4 = 2048 neurons fit, 8 columns are 4096: one too many. The 2023 compiler cuts no
    rows: 64·15·4 = 3840."""
    graph = chain("c", (1, 15, 32), ((64, 15, 32), CONV, 8))
    assert tiles(graph) == {"l1": {(64, 8, 4): 8, (64, 7, 4): 8}}
    assert tiles(graph, OLD) == {"l1": {(64, 15, 4): 8}}


def test_channels_are_halved_until_the_kernels_fit_also_odd_ones() -> None:
    """3×3 from 128 channels at 8 bits to 200 channels on 4 × 4: 1152 taps, chunks of 200 are
    128 + 64 + 8: ceil(1028/64) + ceil(516/64) + ceil(68/64) = 17 + 9 + 2 = 28, 32256 words; 100 are
    64 + 32 + 4: 9 + 5 + 1 = 15, 17280 words; 50 are 32 + 16 + 2: 5 + 3 + 1 = 9, 10368 words."""
    graph = chain("c", (128, 4, 4), ((200, 4, 4), CONV, 8))
    assert tiles(graph) == {"l1": {(50, 4, 4): 4}}
    need = demand(graph, map_graph(graph, NEW, "compiler").partition.cores[0], NEW)
    assert need.synapse_words.used == 1152 * 9


def test_the_total_binds_before_any_part_does() -> None:
    """9000 → 10 at 2 bits (14 per synapse): 9000 axons and 9000 × ceil(144/64) = 27000 words are
    too many; ratio 2 leads to 2047, …, 7: 9000 × ceil(102/64) = 18000 words of 16000; 3: 9000 ×
    ceil(46/64) = 9000 words fit, and with 9000 axons and 3 neurons make 18007 of 20000.
    """
    graph = mlp("m", 9000, 10, bits=2)
    assert tiles(graph) == {"l1": {(3, 1, 1): 3, (1, 1, 1): 1}}
    cores = map_graph(graph, NEW, "compiler").partition.cores
    assert demand(graph, cores[0], NEW).total_words.used == 9000 + 1 + 3 + 9000 + 3
    # 10500 axons and as many words are 21001 and more, though each alone fits: nothing helps
    with pytest.raises(FitError, match=r"needs 21,003 total words, a core of loihi2 has 20,000"):
        map_graph(mlp("m", 10500, 10, bits=2), NEW, "compiler")


def test_a_pointwise_and_a_grouped_convolution() -> None:
    """1×1 from 64 to 48 channels at 4 bits: 64 × (ceil(132/64) + ceil(68/64)) = 64 × 5 words.

    3×3 in 4 groups of 16 → 12 channels: per group 16·9 taps and chunks 8 + 4: 144 × 2 words.
    """
    graph = chain("g", (64, 7, 7), ((48, 7, 7), Conv((1, 1)), 4))
    assert demand(graph, [whole(graph.population("l1"))], NEW).synapse_words.used == 64 * 5
    grouped = Conv((3, 3), padding=(1, 1), groups=4)
    graph = chain("g", (64, 7, 7), ((48, 7, 7), grouped, 4))
    used = demand(graph, [whole(graph.population("l1"))], NEW)
    assert (used.synapse_words.used, used.in_axons.used) == (4 * 144 * 2, 4 * 2)


def test_chip_after_chip_on_a_board_with_dead_cores() -> None:
    """9 Dense cores on chips of 4 with one dead: 3, 4 and 2 of them."""
    board = target(
        in_axons=100, neurons=1, mesh=mesh(2, 2), board=board_of(3),
        dead_cores=[{"chip": 0, "core": 1}],
    )  # fmt: skip
    addresses = map_graph(mlp("m", 4, 9), board, "compiler").placement.addresses
    assert addresses == (
        (0, 0), (0, 2), (0, 3), (1, 0), (1, 1), (1, 2), (1, 3), (2, 0), (2, 1),
    )  # fmt: skip
