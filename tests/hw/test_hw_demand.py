"""What slices need of a core, worked out by hand, and the rules that always hold."""

from __future__ import annotations

import pytest
from mapping_networks import CONV, cell, chain, mlp, pooled, target

from neurocomp.errors import FitError
from neurocomp.hw import Demand, Use, demand
from neurocomp.hw.layer import layer_of
from neurocomp.ir import (
    Conv,
    Dense,
    Slice,
    skip,
    whole,
)
from neurocomp.spec.target import load_target

LOIHI2, LOIHI1 = load_target("loihi2"), load_target("loihi1")


def used(need: Demand) -> dict[str, int]:
    return {name: use.used for name, use in need._asdict().items() if use.used}


def test_use_and_demand_tell_what_is_too_much() -> None:
    assert Use(5, None).fits
    assert Use(5, 5).fits
    assert not Use(6, 5).fits
    need = demand(mlp("m", 20, 8), [Slice("l1", (0, 0, 0), (8, 1, 1))], target(in_axons=19))
    assert not need.fits
    assert need.excess() == {"in_axons": Use(20, 19)}
    assert need.binding() == "in_axons"


def test_dense_slice() -> None:
    """10 of 64 → 10 at 8 bits: 64 axons × ceil((10·20 + 4) / 64) = 64 × 4 words; sent to host."""
    graph = mlp("m", 64, 10)
    assert used(demand(graph, [whole(graph.population("l1"))], LOIHI2)) == {
        "neurons": 10, "neuron_groups": 1, "synapse_words": 256, "in_axons": 64, "axon_map": 10,
        "total_words": 10 + 1 + 256 + 64 + 10,
    }  # fmt: skip


def test_conv_slice_counts_padded_columns_chunks_and_positions() -> None:
    """24 channels × 3 rows × 5 columns of a 3×3 convolution from 2 channels at 6 bits.

    Neurons 24·3·8. Chunks 16 + 8: 18 taps × (ceil(100/64) + ceil(52/64)) = 18 × 3 words. The map
    has 15 positions × 2 chunks, the lists to one destination a quarter of that, rounded up.
    """
    graph = chain("c", (2, 8, 8), ((24, 8, 8), CONV, 6), ((8, 8, 8), CONV, 8))
    box = Slice("l1", (0, 2, 3), (24, 5, 8))
    assert used(demand(graph, [box], load_target("loihi2-2023"))) == {
        "neurons": 576, "neuron_groups": 1, "synapse_words": 54, "in_axons": 2, "axon_map": 30,
        "axon_mem": 8, "total_words": 576 + 1 + 54 + 2 + 30 + 8,
    }  # fmt: skip
    assert demand(graph, [box], LOIHI2).neuron_groups.used == 2  # one per chunk since 2024


def test_destinations_decide_axon_memory() -> None:
    """A slice with 30 map entries that 5 cores hear: 150 entries, four to a word."""
    graph = chain("c", (2, 8, 8), ((24, 8, 8), CONV, 6), ((8, 8, 8), CONV, 8))
    box = Slice("l1", (0, 2, 3), (24, 5, 8))
    assert demand(graph, [box], LOIHI2, {"p2": 5 * 30}).axon_mem.used == 38


def test_to_dense_every_neuron_has_a_map_entry_and_no_list() -> None:
    graph = chain("c", (1, 4, 4), ((4, 4, 4), CONV, 8), ((3, 1, 1), Dense(), 8))
    need = demand(graph, [whole(graph.population("l1"))], LOIHI2, {"p2": 999})
    assert (need.axon_map.used, need.axon_mem.used) == (64, 0)


def test_without_the_chips_rules_nothing_is_padded_or_chunked() -> None:
    graph = chain("c", (1, 3, 3), ((6, 3, 3), CONV, 8), ((2, 3, 3), CONV, 8))
    box = [whole(graph.population("l1"))]
    plain = demand(graph, box, target(rules={}))
    assert (plain.neurons.used, plain.in_axons.used) == (54, 1)
    assert (plain.synapse_words.used, plain.axon_map.used) == (9 * 1, 9)  # 6·8 + 4 = 52 bits
    ruled = demand(graph, box, target())
    assert (ruled.neurons.used, ruled.in_axons.used) == (6 * 3 * 4, 2)  # chunks 4 + 2
    assert (ruled.synapse_words.used, ruled.axon_map.used) == (9 * 2, 9 * 2)


def test_a_kernel_is_stored_once_for_all_slices_on_a_core() -> None:
    """Two bands of the same 16 channels share kernel and axon; other channels add theirs."""
    graph = chain("c", (3, 8, 8), ((32, 8, 8), CONV, 8))
    upper, lower = Slice("l1", (0, 0, 0), (16, 2, 8)), Slice("l1", (0, 6, 0), (16, 8, 8))
    other = Slice("l1", (16, 0, 0), (32, 2, 8))
    one, two, three = (
        demand(graph, slices, LOIHI2) for slices in ([upper], [upper, lower], [upper, other])
    )
    assert one.synapse_words.used == two.synapse_words.used == 27 * 3  # 132 bits
    assert (one.in_axons.used, two.in_axons.used) == (1, 1)
    assert two.neurons.used == 2 * one.neurons.used
    assert two.neuron_groups.used == 2
    assert three.synapse_words.used == 27 * 5  # channels 0 to 32 in one chunk: 260 bits


def test_slices_of_several_populations_add_up() -> None:
    graph = cell()
    a, c = Slice("a", (0, 0, 0), (4, 2, 2)), whole(graph.population("c"))
    parts = [used(demand(graph, [s], LOIHI2)) for s in (a, c)]
    both = used(demand(graph, [a, c], LOIHI2))
    assert both == {key: sum(part.get(key, 0) for part in parts) for key in both}


def test_a_node_that_sums_operations_needs_all_their_kernels() -> None:
    """b: 3×3 from 4 channels at 4 bits, 36 × ceil(20/64), and a skip: 4 groups × 1 word."""
    graph = cell()
    need = demand(graph, [whole(graph.population("b"))], LOIHI2)
    assert need.synapse_words.used == 36 + 4
    assert need.in_axons.used == 1 + 4


def test_several_consumers_have_map_entries_each() -> None:
    """a feeds b by a convolution (1 chunk), b by a skip (4 groups) and c by a convolution."""
    graph = cell()
    assert demand(graph, [Slice("a", (0, 0, 0), (4, 2, 2))], LOIHI2).axon_map.used == 4 * (
        1 + 4 + 1
    )


def test_depthwise_convolution_is_one_convolution_per_channel() -> None:
    """Pooling 2×2 over 6 channels: 6 × 4 taps × 1 word and 6 axons."""
    graph = pooled(6, 4)
    need = demand(graph, [whole(graph.population("l1"))], LOIHI2)
    assert (need.synapse_words.used, need.in_axons.used) == (24, 6)


def test_values_handed_in_from_outside_take_an_axon_and_no_synapses() -> None:
    """An encoder behind the input: 3 × 66 × 16 neurons, one map entry per position."""
    graph = chain("e", (3, 66, 200), ((3, 66, 200), skip(3), 8), ((4, 66, 200), CONV, 8))
    box = Slice("l1", (0, 0, 0), (3, 66, 16))
    assert used(demand(graph, [box], LOIHI2)) == {
        "neurons": 3168, "neuron_groups": 1, "in_axons": 1, "axon_map": 1056, "axon_mem": 264,
        "total_words": 3168 + 1 + 1 + 1056 + 264,
    }  # fmt: skip
    small = Slice("l1", (0, 0, 0), (3, 2, 2))
    assert demand(graph, [small], LOIHI1).synapse_words.used > 0


def test_grouped_convolution_is_cut_at_its_groups() -> None:
    """12 channels in 2 groups of 6, from 8: own channels 4 to 10 are 2 and 4 of them.

    Each group hears 4 channels through 1 tap: 4 × (1 + 1) words, one chunk and axon each.
    """
    op = Conv((1, 1), groups=2)
    graph = chain("g", (8, 2, 2), ((12, 2, 2), op, 8), ((4, 2, 2), Conv((1, 1), groups=4), 8))
    need = demand(graph, [Slice("l1", (4, 0, 0), (10, 2, 2))], LOIHI2)
    assert (need.synapse_words.used, need.in_axons.used) == (8, 2)
    # toward 4 groups of 3 channels: 4..6 lies in one group, 6..9 and 9..10 in the next two;
    # chunks 2 | 2 + 1 | 1 at 4 positions
    assert need.axon_map.used == 4 * (1 + 2 + 1)


def test_a_weight_too_wide_names_the_projection() -> None:
    narrow = target(weight_bits=[2, 4])
    with pytest.raises(FitError, match=r"l1: projection 'p1': weights of 8 bits.*at most 4"):
        layer_of(mlp("m", 4, 4), "l1", narrow)


def test_loihi_1_dense() -> None:
    """1024 → 113 at 8 bits: a list has 64 + 49 synapses, ceil(522/64) + ceil(402/64) = 9 + 7."""
    graph = mlp("m", 1024, 113, 7)
    need = demand(graph, [whole(graph.population("l1"))], LOIHI1)
    assert (need.synapse_words.used, need.in_axons.used) == (1024 * 16, 1024)
    assert need.out_axons.used == 113  # one destination each, until the consumers are cut
    assert demand(graph, [whole(graph.population("l1"))], LOIHI1, {"p2": 226}).out_axons.used == 226
    assert demand(graph, [whole(graph.population("l2"))], LOIHI1).out_axons.used == 0


def test_loihi_1_shares_lists_between_positions_that_see_the_same_taps() -> None:
    """3×3 over 4×4 with padding: each axis sees taps {0 1}, {0 1 2}, {1 2}: 3 × 3 lists.

    2 input channels and 1 output at 8 bits, index 6 bits (outputs up to 10 apart): a list of t taps
    has 2·t synapses: t = 4 (four corners): 8·14 + 10 = 122 bits = 2 words; t = 6 (four edges):
    12·14 + 10 = 178 bits = 3; t = 9: 18·14 + 10 = 262 bits = 5.
    """
    graph = chain("c", (2, 4, 4), ((1, 4, 4), CONV, 8), ((5, 4, 4), CONV, 8))
    need = demand(graph, [whole(graph.population("l1"))], LOIHI1)
    assert need.synapse_words.used == 4 * 2 + 4 * 3 + 5
    assert need.in_axons.used == 16
    assert need.out_axons.used == 16  # a population axon per position


def test_loihi_1_compartment_offsets_have_eight_bits() -> None:
    """1×1 over 20×20 with one channel: one list, again from compartment 256 on; 1 synapse each.

    The index reaches 256, so it takes 9 bits: 8 + 9 + 10 = 27 bits in either.
    """
    graph = chain("c", (1, 20, 20), ((1, 20, 20), Conv((1, 1)), 8))
    need = demand(graph, [whole(graph.population("l1"))], LOIHI1)
    assert need.synapse_words.used == 2


def test_loihi_1_population_axons_tell_32_channels_apart_in_one_slot() -> None:
    for channels, slots in ((32, 4), (33, 8)):
        graph = chain("c", (1, 2, 2), ((channels, 2, 2), CONV, 8), ((1, 2, 2), CONV, 8))
        assert demand(graph, [whole(graph.population("l1"))], LOIHI1).out_axons.used == slots


def test_loihi_1_padding_only_needs_nothing() -> None:
    """Output row 0 of a 1×1 convolution with padding 1 hears nothing."""
    graph = chain("c", (1, 2, 2), ((1, 4, 4), Conv((1, 1), padding=(1, 1)), 8))
    need = demand(graph, [Slice("l1", (0, 0, 0), (1, 1, 4))], LOIHI1)
    assert (need.synapse_words.used, need.in_axons.used) == (0, 0)


def test_a_chip_of_one_bit_stores_no_signed_weight() -> None:
    with pytest.raises(FitError, match=r"l1: projection 'p1': weights of 1 bits.*at most 1"):
        layer_of(mlp("m", 4, 4, bits=1), "l1", target(weight_bits=[1]))
