"""More of a layer needs more of a core, and where it does not, by how much less at the most.

Two formats store less of more: Loihi 2 keeps a convolution's channels in power-of-two chunks, of
which 7 channels have three and 8 one; Loihi 1 shares lists between positions that see the same
taps, and a slice from the inside of a layer has edges where the whole has padding.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import CONV, NEURON, chain

from neurocomp.hw import demand
from neurocomp.hw.layer import Counts
from neurocomp.hw.words import list_words
from neurocomp.ir import (
    Conv,
    Dense,
    Graph,
    Input,
    Population,
    Projection,
    Slice,
    verify,
    whole,
)
from neurocomp.spec.target import Target, load_target

LOIHI2, LOIHI1 = load_target("loihi2"), load_target("loihi1")

NOTHING = Counts()


@st.composite
def layers(draw: st.DrawFn) -> tuple[Graph, Slice]:
    """A layer with one kind of input and of consumer, and a box of it."""
    op = draw(st.sampled_from([CONV, Conv((1, 1)), Conv((3, 1), dilation=(2, 1), padding=(2, 0)),
                               Dense()]))  # fmt: skip
    channels, height, width = (draw(st.integers(1, n)) for n in (40, 6, 6))
    source = Population("in", (draw(st.integers(1, 6)), height, width), Input())
    own = Population("l1", (channels, height, width), NEURON)
    goal = Population("l2", (3, height, width), NEURON)
    end = draw(st.sampled_from([Dense(), Conv((1, 1))]))
    edges = (
        Projection("p1", "in", "l1", op, draw(st.integers(1, 8))),
        Projection("p2", "l1", "l2", end, 8),
    )
    graph = verify(Graph("g", (source, own, goal), edges, "l2"))
    start = tuple(draw(st.integers(0, n - 1)) for n in own.shape)
    stop = tuple(draw(st.integers(a + 1, n)) for a, n in zip(start, own.shape, strict=True))
    return graph, Slice("l1", start, stop)  # type: ignore[arg-type]


def used(graph: Graph, box: Slice, chip: Target) -> Counts:
    return Counts(*(use.used for use in demand(graph, [box], chip)))


def at_most(less: Counts, more: Counts, slack: Counts = NOTHING) -> bool:
    """Whether no count of the one is above the other's and its slack together."""
    return all(a <= b + s for a, b, s in zip(less, more, slack, strict=True))


def chunk_slack(graph: Graph, box: Slice) -> Counts:
    """What the chunks of a box's channels can take beyond those of more channels.

    k chunks instead of one: k − 1 more input axons, neuron groups, and map entries at a position,
    four of which are a word of axon memory. Σ ceil((p·w + 4)/64) over k chunks is at most
    2·(k − 1) more than over one: each of k − 1 cuts rounds up once more and adds a header of 4
    bits, which can cross one more word.
    """
    into, out = graph.projections
    extra = (box.stop[0] - box.start[0]).bit_count() - 1
    positions = (box.stop[1] - box.start[1]) * (box.stop[2] - box.start[2])
    words = axons = groups = 0
    if isinstance(into.op, Conv):
        taps = prod(into.op.kernel) * graph.population("in").shape[0]
        words, axons, groups = 2 * taps * extra, extra, extra
    entries = positions * extra if isinstance(out.op, Conv) else 0
    lists = -(-entries // 4)
    total = words + axons + groups + entries + lists
    return Counts(0, groups, words, axons, 0, entries, lists, total)


@given(layers())
@settings(max_examples=60, deadline=None)
def test_loihi_2_grows_with_rows_columns_and_bits(case: tuple[Graph, Slice]) -> None:
    graph, box = case
    (c1, y1, x1), (_, height, width) = box.stop, graph.population("l1").shape
    into, out = graph.projections
    finer = replace(into, weight_bits=min(into.weight_bits + 1, 8))
    base = used(graph, box, LOIHI2)
    for stop in ((c1, min(y1 + 1, height), x1), (c1, y1, min(x1 + 1, width))):
        assert at_most(base, used(graph, replace(box, stop=stop), LOIHI2))
    assert at_most(base, used(replace(graph, projections=(finer, out)), box, LOIHI2))


@given(layers())
@settings(max_examples=100, deadline=None)
def test_loihi_2_grows_with_channels_but_for_their_chunks(case: tuple[Graph, Slice]) -> None:
    """One more channel, and all of the layer: less by no more than the chunks that are saved."""
    graph, box = case
    base, slack = used(graph, box, LOIHI2), chunk_slack(graph, box)
    everything = whole(graph.population("l1"))
    c1 = min(box.stop[0] + 1, everything.stop[0])
    assert at_most(base, used(graph, replace(box, stop=(c1, *box.stop[1:])), LOIHI2), slack)
    assert at_most(base, used(graph, everything, LOIHI2), slack)


@given(layers())
@settings(max_examples=100, deadline=None)
def test_loihi_1_grows_with_channels_and_bits(case: tuple[Graph, Slice]) -> None:
    graph, box = case
    into, out = graph.projections
    finer = replace(into, weight_bits=min(into.weight_bits + 1, 8))
    base = used(graph, box, LOIHI1)
    c1 = min(box.stop[0] + 1, graph.population("l1").shape[0])
    assert at_most(base, used(graph, replace(box, stop=(c1, *box.stop[1:])), LOIHI1))
    assert at_most(base, used(replace(graph, projections=(finer, out)), box, LOIHI1))


@given(layers())
@settings(max_examples=100, deadline=None)
def test_a_slice_of_loihi_1_takes_no_more_words_than_all_lists_unshared(
    case: tuple[Graph, Slice],
) -> None:
    """Everything else is no more than the whole's.

    Unshared, every axon of the whole has a list of its own with all taps of the kernel, the longest
    index of 12 bits at each synapse; a list of a slice is never longer, and it has no more axons.
    """
    graph, box = case
    own = graph.population("l1")
    part, all_of_it = used(graph, box, LOIHI1), used(graph, whole(own), LOIHI1)
    into = graph.projections[0]
    bound = all_of_it.synapse_words
    if isinstance(into.op, Conv):
        synapses = prod(into.op.kernel) * graph.population("in").shape[0] * own.shape[0]
        width = max(2, into.weight_bits) if into.weight_bits != 7 else 8
        bound = all_of_it.in_axons * list_words(synapses, width, 12)
    assert at_most(part, all_of_it._replace(synapse_words=bound))


@given(st.integers(1, 64), st.integers(1, 64), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_demand_grows_with_fan_in(few: int, more: int, bits: int) -> None:
    few, more = sorted((few, more))
    for chip in (LOIHI2, LOIHI1):
        for op, size in ((Dense(), 1), (CONV, 4)):
            needs = []
            for channels in (few, more):
                graph = chain("g", (channels, size, size), ((8, size, size), op, bits))
                needs.append(used(graph, whole(graph.population("l1")), chip))
            assert at_most(*needs)
