"""What is exact, what is a bound and what nobody knows, case by case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from mapping_networks import CONV, cell, chain, mlp, pilotnet, pooled

from neurocomp.hw import Demand, demand
from neurocomp.hw.basis import EXACT, LOWER, UNKNOWN, UPPER, both
from neurocomp.ir import Conv, Dense, Graph, whole
from neurocomp.mapping import map_graph, summary
from neurocomp.spec.target import Target, load_target

LOIHI2, LOIHI1 = load_target("loihi2"), load_target("loihi1")
TRUENORTH, DYNAP = load_target("truenorth"), load_target("dynap-cnn")


def doubts(graph: Graph, name: str, chip: Target, *, cut: bool = True) -> dict[str, str]:
    """The resources of a whole population that are not exact, its consumers cut or not."""
    reach = {e.name: 1 for e in graph.outgoing(name)} if cut else None
    need = demand(graph, [whole(graph.population(name))], chip, reach)
    return inexact(need)


def inexact(need: Demand) -> dict[str, str]:
    return {name: use.basis for name, use in need._asdict().items() if use.basis != EXACT}


def test_bounds_of_a_sum() -> None:
    assert both() == both(EXACT, EXACT) == EXACT
    assert both(EXACT, UPPER, UPPER) == UPPER
    assert both(LOWER, EXACT) == LOWER
    assert both(LOWER, UPPER) == both(UNKNOWN, EXACT) == both(UNKNOWN, UPPER) == UNKNOWN


def test_what_the_tables_print_is_exact() -> None:
    for graph, name in ((pilotnet(), "l2"), (pilotnet(), "l6"), (mlp("m", 20, 8, 4), "l1")):
        assert doubts(graph, name, LOIHI2) == {}


def test_axon_memory_is_a_lower_bound_before_the_consumers_are_cut() -> None:
    graph = pilotnet()  # l5 feeds a Dense layer, which costs no axon memory
    assert doubts(graph, "l1", LOIHI2, cut=False) == {"axon_mem": LOWER, "total_words": LOWER}
    assert doubts(graph, "l5", LOIHI2, cut=False) == {}
    assert doubts(graph, "l1", LOIHI1, cut=False) == {"out_axons": LOWER}
    assert doubts(graph, "l9", LOIHI1, cut=False) == {}  # nothing hears it


def test_grouped_convolutions_are_bounds() -> None:
    """Pooling is depthwise: as one convolution per channel; and so it is for what feeds it."""
    graph = pooled(6, 4)
    assert doubts(graph, "l1", LOIHI2) == {
        "neuron_groups": LOWER, "synapse_words": UPPER, "in_axons": UPPER, "total_words": UNKNOWN,
    }  # fmt: skip
    assert doubts(graph, "l1", LOIHI1) == {"synapse_words": UPPER, "in_axons": UPPER}
    fed = chain("f", (1, 4, 4), ((4, 4, 4), CONV, 8), ((4, 4, 4), Conv((1, 1), groups=4), 8))
    assert doubts(fed, "l1", LOIHI2) == {"axon_map": UPPER, "axon_mem": UPPER, "total_words": UPPER}
    assert doubts(fed, "l1", LOIHI2, cut=False) == {
        "axon_map": UPPER, "axon_mem": UNKNOWN, "total_words": UNKNOWN,
    }  # fmt: skip
    assert doubts(fed, "l1", LOIHI1) == {"out_axons": UPPER}


def test_fan_out_is_printed_for_dense_consumers_only() -> None:
    graph = cell()  # a feeds b twice and c
    assert doubts(graph, "a", LOIHI2)["axon_map"] == UPPER
    twice = mlp("m", 4, 3, 2)
    (first, second), (a, b, c) = twice.projections, twice.populations
    own = replace(second, name="own", target="l1", delay=1)
    dense = replace(twice, populations=(a, b, c), projections=(first, second, own))
    assert "axon_map" not in doubts(dense, "l1", LOIHI2)


@pytest.mark.parametrize("own", [True, False])
def test_delays_on_loihi_2_are_unknown_and_counted_as_nothing(own: bool) -> None:
    graph = mlp("m", 4, 16)
    edge = graph.projections[0]
    late = replace(edge, delays=np.full((16, 4), 3)) if own else replace(edge, delay=4)
    slow = replace(graph, projections=(late,))
    for chip in (LOIHI2, load_target("loihi2-2023")):
        unknown = {"synapse_words": UNKNOWN, "total_words": UNKNOWN}
        assert doubts(slow, "l1", chip) == unknown
        before, after = (demand(g, [whole(g.population("l1"))], chip) for g in (graph, slow))
        assert after.synapse_words.used == before.synapse_words.used
    assert doubts(slow, "l1", LOIHI1) == {}  # bits of a synapse, or of an axon
    one = replace(graph, projections=(replace(edge, delay=1),))  # as every projection takes
    assert doubts(one, "l1", LOIHI2) == {}


def test_true_north_is_one_reading_of_what_is_published() -> None:
    graph = mlp("m", 64, 100, 10, bits=2)
    inside = {"synapse_words": UPPER, "in_axons": UPPER}
    assert doubts(graph, "l1", TRUENORTH) == {"neurons": UPPER, **inside}
    assert doubts(graph, "l1", TRUENORTH, cut=False)["neurons"] == UNKNOWN
    assert doubts(graph, "l2", TRUENORTH) == inside  # nothing hears it: one neuron each
    first, second = graph.projections
    other = replace(first, name="other", weight_bits=3)
    summed = replace(graph, projections=(first, other, second))
    assert doubts(summed, "l1", TRUENORTH)["in_axons"] == UNKNOWN


def test_dynap_cnn_follows_the_documentation_where_the_code_counts_more() -> None:
    for size, found in ((8, {}), (6, {"neurons": LOWER})):
        graph = chain("c", (2, size, size), ((4, size, size), CONV, 8), ((2, 1, 1), Dense(), 8))
        assert doubts(graph, "l1", DYNAP) == found
    assert doubts(pooled(4, 8), "l1", DYNAP) == {"synapse_words": UPPER}


def test_a_core_of_several_layers_is_as_sure_as_all_of_them() -> None:
    graph = cell()
    slices = [whole(graph.population(name)) for name in ("b", "out")]
    assert inexact(demand(graph, slices, LOIHI2)) == inexact(demand(graph, slices[:1], LOIHI2))
    assert inexact(demand(graph, slices[1:], LOIHI2)) == {}


def test_a_mapping_says_of_every_count_how_sure_it_is() -> None:
    graph = pooled(6, 4)
    (layer,) = summary(graph, map_graph(graph, LOIHI2, "compiler"), LOIHI2)["layers"]
    assert layer["basis"].keys() == layer["used"].keys()
    assert layer["basis"]["synapse_words"] == "upper bound"
    assert layer["basis"]["neurons"] == "exact"
    assert layer["used"]["synapse_words"] == [24, 16000]
