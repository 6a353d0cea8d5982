"""Partitioners: the contract of all, and the parts that the portfolio is made of."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_networks import CONV, NEURON, cell, chain, mlp, pilotnet, target

from neurocomp.errors import FitError, InputError
from neurocomp.hw import demand, layer_cores
from neurocomp.hw.layer import Counts, layer_of
from neurocomp.hw.tiles import boxes
from neurocomp.ir import (
    Conv,
    Dense,
    Graph,
    Input,
    Population,
    Projection,
    Shape,
    Slice,
    verify,
    whole,
)
from neurocomp.mapping.activity import rates_of
from neurocomp.mapping.effort import EFFORTS, effort_named
from neurocomp.mapping.listening import listening, reach
from neurocomp.mapping.model import Partition
from neurocomp.mapping.packing.exchange import Exchange
from neurocomp.mapping.packing.gather import gathered
from neurocomp.mapping.packing.hyper import partitioned
from neurocomp.mapping.packing.needs import Needs
from neurocomp.mapping.packing.nets import Net, nets, savings
from neurocomp.mapping.packing.pack import packed
from neurocomp.mapping.packing.pair import paired
from neurocomp.mapping.packing.plan import Class, Fill, Step, n_cores, plan
from neurocomp.mapping.portfolio import PARTITIONERS, Portfolio
from neurocomp.mapping.tiling.axons import Axons, counter
from neurocomp.mapping.tiling.choose import Search, Yardstick
from neurocomp.mapping.tiling.heard import Heard
from neurocomp.mapping.tiling.ways import Ways
from neurocomp.spec.policy import load_policy
from neurocomp.spec.target import Limits, Target, load_target

FAST = EFFORTS["fast"]
OLD, LOIHI1 = load_target("loihi2-2023"), load_target("loihi1")


def loop() -> Graph:
    """A layer that feeds itself back, and an input that feeds two layers."""
    populations = (
        Population("in", (6, 1, 1), Input()),
        Population("a", (30, 1, 1), NEURON),
        Population("b", (9, 1, 1), NEURON),
    )
    projections = (
        Projection("in-a", "in", "a", Dense(), 4),
        Projection("in-b", "in", "b", Dense(), 4),
        Projection("a-a", "a", "a", Dense(), 4, delay=1),
        Projection("a-b", "a", "b", Dense(), 4),
    )
    return verify(Graph("loop", populations, projections, "b"))


CASES = {
    "one neuron": (mlp("m", 1, 1), target()),
    "one core is enough": (mlp("m", 4, 4), target()),
    "a DAG": (cell(), target(neurons=24)),
    "a DAG on lists": (cell(), LOIHI1),
    "feedback": (loop(), target(synapse_words=60)),
    "feedback on lists": (loop(), LOIHI1),
    "odd sizes": (chain("o", (5, 7, 11), ((13, 7, 11), CONV, 3), ((7, 7, 11), CONV, 5)), target()),
}


def require_legal(graph: Graph, partition: Partition, chip: Target) -> None:
    """All neurons once, all limits kept."""
    sizes = Counter[str]()
    for s in (s for core in partition.cores for s in core):
        sizes[s.population] += s.size
    assert sizes == Counter({p.name: p.size for p in graph.neurons})
    entries = reach(graph, chip, partition, list(listening(graph, partition)))
    for core, slices in enumerate(partition.cores):
        assert demand(graph, slices, chip, entries[core]).excess() == {}


def partitions(
    name: str, graph: Graph, chip: Target, effort: str = "fast", policy: str = "balanced"
) -> Portfolio:
    how = load_policy(policy)
    return PARTITIONERS[name](graph, chip, rates_of(graph, None), how, effort_named(effort), 0)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("name", PARTITIONERS)
@pytest.mark.parametrize("case", CASES)
def test_every_partition_is_legal_and_comes_again(name: str, case: str, effort: str) -> None:
    graph, chip = CASES[case]
    first, again = (partitions(name, graph, chip, effort) for _ in range(2))
    assert list(first.partitions) == list(again.partitions) != []
    assert first.yardstick == again.yardstick
    for partition in first.partitions:
        require_legal(graph, partition, chip)
        assert all(core == tuple(sorted(core)) for core in partition.cores)


@pytest.mark.parametrize("name", PARTITIONERS)
def test_every_partitioner_says_what_does_not_fit(name: str) -> None:
    graph = mlp("m", 10, 4)
    message = r"l1: one neuron with its synapses needs 10 synapse words, a core of small has 9; use"
    with pytest.raises(FitError, match=message):
        partitions(name, graph, target(synapse_words=9))


def test_efforts_have_names() -> None:
    with pytest.raises(InputError, match=r"unknown effort 'qualty'; did you mean 'quality'"):
        effort_named("qualty")


@pytest.mark.parametrize("case", CASES)
def test_the_unit_is_one_layer_per_core(case: str) -> None:
    """Cores of the best tiling of single layers: as the estimate says, unless axons ask for more;
    never more than the compiler's."""
    graph, chip = CASES[case]
    unit, compiled = (partitions(name, graph, chip).yardstick for name in ("portfolio", "compiler"))
    least = sum(layer_cores(graph, p.name, chip).n_cores for p in graph.neurons)
    assert least <= unit.cores <= compiled.cores


def test_cores_follow_the_layers() -> None:
    """The start of placement: a core's number rises with the first slice it holds."""
    graph = pilotnet()
    rank = {p.name: i for i, p in enumerate(graph.neurons)}
    for name in PARTITIONERS:
        (partition, *_) = partitions(name, graph, OLD).partitions
        first = [min(rank[s.population] for s in core) for core in partition.cores]
        assert sum(a > b for a, b in pairwise(first)) <= len(first) // 4


def test_a_larger_network_on_the_chip_itself() -> None:
    for partition in partitions("portfolio", pilotnet(), OLD).partitions:
        require_legal(pilotnet(), partition, OLD)


@pytest.mark.parametrize("n", [1024, 2048])
def test_consumers_are_counted_in_the_producers_axons(n: int) -> None:
    """Dense n → n twice on Loihi 1: a neuron needs an axon to every core of the next layer."""
    graph = mlp("m", n, n, n)
    for name in PARTITIONERS:
        (partition, *_) = partitions(name, graph, LOIHI1).partitions
        require_legal(graph, partition, LOIHI1)
        second = sum(core[0].population == "l2" for core in partition.cores)
        largest = max(s.size for core in partition.cores for s in core if s.population == "l1")
        assert largest * second <= 4096


def test_feedback_that_cannot_settle_or_fit_says_so() -> None:
    """30 neurons hear each other on 30 cores at least, which 20 axons cannot serve."""
    raw = LOIHI1.model_dump()
    raw["core"]["out_axons"]["value"] = 20
    raw["core"]["synapse_words"]["value"] = 36  # 6 + 30 axons, one word each: one neuron
    with pytest.raises(FitError, match=r"a: one neuron .* needs \d+ out axons, .* has 20; lead"):
        partitions("portfolio", loop(), Target.model_validate(raw))


def test_layers_that_can_never_settle_say_which_limit_stands_in_the_way() -> None:
    """Two layers of n neurons hear each other all to all: pieces of a and b neurons need

    a × ⌈n/b⌉ and b × ⌈n/a⌉ axons, whose product is n² at least: more than 1000² for n = 1001.
    """
    layers = [Population(name, (1001, 1, 1), NEURON) for name in "ab"]
    ends = (("in", "a", 0), ("a", "b", 0), ("b", "a", 2))
    graph = Graph(
        "loop",
        (Population("in", (8, 1, 1), Input()), *layers),
        tuple(Projection(f"{a}-{b}", a, b, Dense(), 8, delay=d) for a, b, d in ends),
        "b",
    )
    raw = LOIHI1.model_dump()
    limits = {"neurons": 600, "synapse_words": 10**7, "in_axons": 10**6, "out_axons": 1000}
    raw["core"] |= {name: {"value": value} for name, value in limits.items()}
    message = r"^b: a piece of \d+ neurons needs 1,\d+ out axons, a core of loihi1 has 1,000; the"
    with pytest.raises(FitError, match=message):
        partitions("compiler", verify(graph), Target.model_validate(raw))


def test_layers_that_are_cut_together_send_each_other_little() -> None:
    """Two layers of 8 rows on cores of 32 neurons, i.e. 4 rows in all: cores with 2 rows of each.

    Per border one row of 8 neurons is heard across it, in both directions of the first layer:
    3 borders × 2 × 8 × 0.1 messages. One layer per core: l2's 2 cores hear 5 of l1's rows each.
    """
    graph = chain("b", (1, 8, 8), ((1, 8, 8), CONV, 8), ((1, 8, 8), CONV, 8))
    heard = Heard(graph, rates_of(graph, {"in": 0.0, "l1": 0.1, "l2": 0.1}))
    together = {"l1": (1, 2, 8), "l2": (1, 2, 8)}
    assert heard.messages(together) == pytest.approx(3 * 2 * 8 * 0.1)
    assert heard.messages({"l2": (1, 4, 8)}) == pytest.approx(2 * 5 * 8 * 0.1)
    assert heard.messages({"l1": (1, 2, 8)}) == 0.0


LIMITS = Limits(10, None, 20, None, None, None, None, None)


def needs(neurons: int, words: int) -> Counts:
    return Counts(neurons=neurons, synapse_words=words)


def test_plan_packs_by_classes() -> None:
    """3 slices of 6 neurons, one to a core; 4 of 2 neurons, two to a core: the third core has none.

    The two with 15 words cannot go where 6 words are: a fourth core holds one of them, a fifth too.
    """
    steps = plan([Class(4, needs(2, 1)), Class(3, needs(6, 6)), Class(2, needs(1, 15))], LIMITS)
    assert steps == [
        Step(kind=2, group=None, n_cores=2, n_each=1),
        Step(kind=1, group=None, n_cores=3, n_each=1),
        Step(kind=0, group=0, n_cores=1, n_each=4),
    ]
    assert n_cores(steps) == 5
    assert plan([], LIMITS) == []


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.integers(1, 10), st.integers(0, 20)),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=60, deadline=None)
def test_plan_places_everything_within_the_limits(given_: list[tuple[int, int, int]]) -> None:
    classes = [Class(n, needs(a, b)) for n, a, b in given_]
    steps = plan(classes, LIMITS)
    placed = Counter[int]()
    groups: list[tuple[int, Counts]] = []
    for step in steps:
        held = Counts()
        if step.group is not None:
            left, held = groups[step.group]
            assert step.n_cores <= left
            groups[step.group] = (left - step.n_cores, held)
        own = classes[step.kind].needs
        held = Counts(*(h + step.n_each * o for h, o in zip(held, own, strict=True)))
        assert held.neurons <= 10
        assert held.synapse_words <= 20
        groups.append((step.n_cores, held))
        placed[step.kind] += step.n_cores * step.n_each
    assert placed == Counter({i: c.number for i, c in enumerate(classes)})
    assert sum(n for n, _ in groups) == n_cores(steps)


def test_fills_take_what_is_left() -> None:
    """3 cores with 4 neurons free take 4 channels each of a layer of 22, a new one the last 10."""
    sizes = np.array([10, 8, 4, 2, 1])
    given_ = np.array([needs(n, 0) for n in sizes])
    fill = Fill(22, sizes, given_, least=2)
    steps = plan([Class(3, needs(6, 6))], LIMITS, [fill])
    assert steps == [
        Step(kind=0, group=None, n_cores=3, n_each=1),
        Step(kind=1, group=0, n_cores=3, n_each=4),
        Step(kind=1, group=None, n_cores=1, n_each=10),
    ]
    assert n_cores(steps) == 4
    assert n_cores(plan([Class(3, needs(6, 6))], LIMITS, [fill._replace(least=5)])) == 6


def slices_of(graph: Graph, tiles: dict[str, Shape]) -> Partition:
    """Every box on a core of its own."""
    return Partition(
        tuple(
            (Slice(p.name, *box),) for p in graph.neurons for box in boxes(p.shape, tiles[p.name])
        )
    )


def test_slices_that_save_messages_share_a_core() -> None:
    """4 bands of 2 rows in two layers; a core holds two bands: each with the one it feeds."""
    graph = chain("b", (1, 8, 8), ((1, 8, 8), CONV, 8), ((1, 8, 8), CONV, 8))
    chip = target(neurons=32)
    slices = slices_of(graph, {"l1": (1, 2, 8), "l2": (1, 2, 8)})
    rates = {"in": 0.0, "l1": 0.1, "l2": 0.1}
    sent = nets(graph, slices, rates_of(graph, rates))
    saved = savings(sent, 8)
    # band 0 of l1, rows 0 and 1, is heard by band 0 of l2 (both rows) and band 1 (row 1 alone)
    assert Net(pytest.approx(0.8), 0, (0, 4)) in sent
    assert Net(pytest.approx(0.8), 0, (0, 4, 5)) in sent
    assert saved[0][4] == pytest.approx(0.1 * 16)
    assert saved[0][5] == pytest.approx(0.1 * 8)
    assert saved[4][5] == pytest.approx(0.1 * 16)  # both hear rows 1 and 2 of l1
    found = Needs(graph, slices, chip)
    cores = gathered([[[i] for i in range(8)]], found, saved)
    assert sorted(cores) == [[0, 1], [2, 3], [4, 5], [6, 7]]
    better = Exchange(cores, found, sent)
    before = better.messages()
    assert sorted(better.run(EFFORTS["quality"])) == [[0, 4], [1, 5], [2, 6], [3, 7]]
    assert before == pytest.approx(10 * 8 * 0.1)  # bands 0, 1 → rows 0 to 4; bands 2, 3 → 3 to 7
    assert better.messages() == pytest.approx(6 * 8 * 0.1)


def test_pairs_that_fit_only_because_they_share_a_kernel() -> None:
    """Two bands of 16 channels: a kernel of 81 words (27 × 3) fits 100 once, not twice."""
    graph = chain("k", (3, 2, 2), ((16, 2, 2), CONV, 8))
    chip = target(synapse_words=100)
    slices = slices_of(graph, {"l1": (16, 1, 2)})
    found = Needs(graph, slices, chip)
    saved = savings(nets(graph, slices, rates_of(graph, None)), 2)
    cores = gathered([[[0], [1]]], found, saved)
    assert cores == [[0], [1]]
    assert paired(cores, found, saved, FAST) == [[0, 1]]


def test_pairing_prefers_what_saves_most() -> None:
    """Six slices of 4 neurons, 8 to a core: the matching joins each producer and its consumer."""
    graph = chain("p", (4, 3, 1), ((4, 3, 1), Conv((1, 1)), 8), ((4, 3, 1), Conv((1, 1)), 8))
    chip = target(neurons=8)
    slices = slices_of(graph, {"l1": (4, 1, 1), "l2": (4, 1, 1)})
    saved = savings(nets(graph, slices, rates_of(graph, None)), 6)
    cores = paired([[i] for i in range(6)], Needs(graph, slices, chip), saved, FAST)
    assert cores == [[0, 3], [1, 4], [2, 5]]


def test_a_bundle_that_does_not_fit_is_taken_apart() -> None:
    """Two layers of 40 neurons do not share a core with 64; a slice of 80 fits none at all."""
    graph = mlp("m", 1, 40, 40)
    chip, rates = target(synapse_words=2000, total_words=4000), rates_of(graph, None)
    both = tuple(whole(p) for p in graph.neurons)
    (found,) = packed(graph, chip, rates, [[both]], FAST)
    assert found == Partition(((both[0],), (both[1],)))
    graph = mlp("m", 1, 80)
    assert packed(graph, chip, rates, [[(whole(graph.neurons[0]),)]], FAST) == []


def test_the_hypergraph_partitioner_joins_what_talks_and_keeps_the_limits() -> None:
    """Six pairs that talk, in bundles of one slice; 8 neurons to a core, so three pairs to three.

    With 4 neurons to a core nothing can be joined, whatever the parts: six cores.
    """
    pytest.importorskip("mtkahypar")
    graph = chain("p", (4, 3, 1), ((4, 3, 1), Conv((1, 1)), 8), ((4, 3, 1), Conv((1, 1)), 8))
    slices = slices_of(graph, {"l1": (4, 1, 1), "l2": (4, 1, 1)})
    sent = nets(graph, slices, rates_of(graph, None))
    for neurons, n, joined in ((8, 3, [[0, 3], [1, 4], [2, 5]]), (4, 3, [[i] for i in range(6)])):
        found = Needs(graph, slices, target(neurons=neurons))
        cores = partitioned([[i] for i in range(6)], found, sent, savings(sent, 6), n, seed=0)
        assert sorted(map(sorted, cores)) == joined


def test_without_the_hypergraph_partitioner_the_others_remain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("neurocomp.mapping.portfolio.available", lambda: False)
    graph, chip = CASES["a DAG"]
    for partition in partitions("portfolio", graph, chip, "quality").partitions:
        require_legal(graph, partition, chip)


@pytest.mark.parametrize("chip", [OLD, LOIHI1])
@pytest.mark.parametrize(
    ("op", "tile", "cut"),
    [
        (CONV, (4, 2, 2), (3, 2, 4)),
        (CONV, (3, 6, 1), (5, 1, 6)),
        (Conv((2, 2), (2, 2)), (2, 3, 3), (2, 2, 1)),
        (Conv((3, 3), padding=(1, 1), groups=2), (3, 2, 3), (4, 3, 2)),
        (Dense(), (3, 2, 2), (4, 1, 1)),
    ],
)
def test_reach_is_that_of_the_neediest_box(
    op: Conv | Dense, tile: Shape, cut: Shape, chip: Target
) -> None:
    """Axis by axis, and box by box from the connections."""
    shape = (6, 3, 3) if isinstance(op, Conv) and op.stride == (2, 2) else (6, 6, 6)
    end = (10, 1, 1) if isinstance(op, Dense) else shape
    graph = chain("r", (6, 6, 6), ((6, 6, 6), CONV, 8), (end, op, 8))
    layer = layer_of(graph, "l1", chip)
    slices = slices_of(graph, {"l1": tile, "l2": cut})
    found = Needs(graph, slices, chip)
    most = max(
        r["p2"] for s, r in zip(found.slices, found.reach, strict=True) if s.population == "l1"
    )
    (e,) = layer.outgoing
    assert counter(layer, e, chip, cut)(tile) == most
    assert Axons(graph, chip).reach("l1", {"l2": cut})(tile) == [most]


def test_needs_of_slices_agree_with_the_checkers_count() -> None:
    graph = cell()
    slices = slices_of(graph, {"a": (2, 3, 4), "b": (4, 2, 2), "c": (3, 3, 2), "out": (2, 1, 1)})
    for chip in (OLD, LOIHI1):
        found = Needs(graph, slices, chip)
        entries = reach(graph, chip, slices, list(listening(graph, slices)))
        for i, core in enumerate(slices.cores):
            assert tuple(use.used for use in demand(graph, core, chip, entries[i])) == found.of([i])


def test_whole_populations_on_one_core_hear_themselves() -> None:
    graph = loop()
    partition = Partition((tuple(sorted(whole(p) for p in graph.neurons)),))
    require_legal(graph, partition, OLD)
    assert Slice("a", (0, 0, 0), (30, 1, 1)) in partition.cores[0]


def test_nothing_more_is_tried_once_the_time_is_up() -> None:
    """What could be paired, exchanged or cut in another way stays as it is; nobody gets a share."""
    over = effort_named("quality", seconds=-1.0)
    assert over.over
    assert over.share(0.5).over
    assert not effort_named("quality", seconds=60.0).share(0.5).over
    assert effort_named("quality").share(0.5) == effort_named("quality")
    graph = chain("p", (4, 3, 1), ((4, 3, 1), Conv((1, 1)), 8), ((4, 3, 1), Conv((1, 1)), 8))
    chip, rates = target(neurons=8), rates_of(graph, None)
    slices = slices_of(graph, {"l1": (4, 1, 1), "l2": (4, 1, 1)})
    needs, sent = Needs(graph, slices, chip), nets(graph, slices, rates)
    apart = [[i] for i in range(6)]
    assert paired(apart, needs, savings(sent, 6), over) == apart
    wrong = [[0, 4], [1, 3], [2, 5]]
    assert Exchange(wrong, needs, sent).run(over) == wrong
    assert sorted(Exchange(wrong, needs, sent).run(FAST)) == [[0, 3], [1, 4], [2, 5]]
    tiles = {"l1": (4, 1, 1), "l2": (4, 1, 1)}
    ways = Ways(graph, chip, rates, Axons(graph, chip), tiles)
    start = {ways.block([name]): ways.way({name: tile}) for name, tile in tiles.items()}
    for effort, messages in ((over, 1.2), (FAST, 0.0)):  # 3 pieces hear 4 neurons, or their own
        search = Search(ways, start, Yardstick(6, 2.4, 128), effort)
        _, heard = search.descend(load_policy("min-energy"))
        assert (search.choice.keys() == start.keys()) == (effort is over)
        assert heard == pytest.approx(messages + 1.2)  # from the input
