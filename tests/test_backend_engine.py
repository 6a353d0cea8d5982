"""The engine and the programs it runs, without Lava: exact against the integer reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backend_networks import (
    READOUT,
    chain,
    dag,
    images,
    mapped,
    projection,
    run_engines,
    running,
    spread,
    tiles,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from neurocomp.backend.emit import emit
from neurocomp.backend.emit.boxes import coverage, field_of_view, intersect, join
from neurocomp.backend.emit.program import Part
from neurocomp.backend.engine.membrane import MAX_PEAK, Membrane, state_dtype, sum_dtype
from neurocomp.backend.engine.messages import pack, packed_size, unpack
from neurocomp.errors import InputError
from neurocomp.ir import (
    Conv,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    Slice,
    skip,
    whole,
)
from neurocomp.ir.shapes import conv_extent, weight_shape
from neurocomp.mapping.model import CoreAddress, Mapping, Placement, Route
from neurocomp.quant import fixed, reference
from neurocomp.quant.check import check

DECAYS = st.sampled_from([0, 1, 1365, 2047, 2048, 3072, 4094, 4095]) | st.integers(0, 4095)


@settings(max_examples=100, deadline=None)
@given(
    neuron=st.builds(LoihiLif, vth=st.integers(0, fixed.MAX_VTH), du=DECAYS, dv=DECAYS),
    peak=st.sampled_from([1, 300, 2**15, 2**17 - 1, 2**17, 2**17 + 1, 2**22]),
    bias=st.integers(fixed.MIN_BIAS, fixed.MAX_BIAS),
    seed=st.integers(0, 2**32 - 1),
    window=st.integers(1, 9),
)
def test_membrane_follows_the_integer_rules(
    neuron: LoihiLif, peak: int, bias: int, seed: int, window: int
) -> None:
    """Two windows of sums up to the bound, extremes often, equal `fixed.step` in v and spikes."""
    rng = np.random.default_rng(seed)
    n = 40
    part = Part(Slice("p", (0, 0, 0), (n, 1, 1)), neuron, np.full(n, bias), peak, ())
    membrane = Membrane(part, 1, watched=True)
    a = rng.integers(-peak, peak + 1, (window, 1, 1, 1, n))
    extreme = rng.random(a.shape) < 0.5
    a[extreme] = peak * rng.choice([-1, 1], extreme.sum())
    sums = (64 * a).astype(sum_dtype(peak))
    for _ in range(2):
        u = v = np.zeros((1, 1, 1, n), np.int64)
        sent, expected = np.zeros(a.shape, np.bool_), np.zeros(a.shape, np.bool_)
        membrane.rest()
        for t, _ in membrane.run(sums, sent):
            u, v, spikes = fixed.step(u, v, a[t], bias, neuron)
            expected[t] = spikes
            assert (membrane.state("v") == v).all()
            assert (membrane.state("u") == u).all()


def test_float32_only_where_it_is_exact() -> None:
    half = LoihiLif(vth=10, du=4095, dv=2048)
    assert state_dtype(half, 2**17) is np.float32
    assert state_dtype(half, 2**17 + 1) is np.float64
    assert state_dtype(replace(half, du=2047), 100) is np.float32  # u keeps 2048/4096
    assert state_dtype(replace(half, dv=0), 100) is np.float32  # v keeps all
    assert state_dtype(replace(half, dv=1000), 100) is np.float64
    assert state_dtype(replace(half, du=1000), 100) is np.float64


def test_sums_take_the_float_that_holds_them() -> None:
    """2^24 + 1 is the first integer that float32 has not."""
    assert np.float32(2**24 + 1) == 2**24
    assert sum_dtype(2**24) is np.float32
    assert sum_dtype(2**24 + 1) is np.float64
    with pytest.raises(InputError, match=r"synaptic sums up to \d+ are beyond \d+"):
        sum_dtype(MAX_PEAK + 1)


def test_packed_spikes_come_back() -> None:
    box = Slice("p", (0, 0, 0), (3, 1, 1))
    spikes = np.array([1, 0, 1, 1, 0, 0, 0, 1, 1], np.bool_).reshape(3, 1, 1, 3)
    packed = pack(spikes)
    assert packed.tolist() == [0b10110001, 0b10000000]
    assert packed_size(box, 3, graded=False) == 2
    assert (unpack(packed, box, 3, graded=False) == spikes).all()


def test_packed_messages_come_back() -> None:
    box = Slice("p", (0, 0, 0), (2, 1, 1))
    messages = np.array([-(2**31), 7, 0, 2**31 - 1], np.int32).reshape(2, 1, 1, 2)
    packed = pack(messages)
    assert packed_size(box, 2, graded=True) == len(packed) == 16
    assert (unpack(packed, box, 2, graded=True) == messages).all()


def test_boxes_meet_and_join() -> None:
    left, right = Slice("p", (0, 0, 0), (2, 4, 2)), Slice("p", (0, 0, 2), (2, 4, 4))
    below, corner = Slice("p", (0, 4, 0), (2, 6, 4)), Slice("p", (2, 0, 0), (3, 1, 1))
    assert join([right, below, left, corner]) == (Slice("p", (0, 0, 0), (2, 6, 4)), corner)
    assert intersect(left, right) is None
    assert intersect(left, Slice("q", (0, 0, 0), (2, 4, 2))) is None
    assert intersect(left, Slice("p", (1, 3, 1), (9, 9, 9))) == Slice("p", (1, 3, 1), (2, 4, 2))


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6)),
    cuts=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
    seed=st.integers(0, 999),
)
def test_joined_boxes_hold_the_same_neurons_once(
    shape: tuple[int, int, int], cuts: tuple[int, int, int], seed: int
) -> None:
    population = Population("p", shape, LoihiLif(1))
    boxes = [s for s in tiles(population, cuts) if np.random.default_rng(seed).random() < 0.7]
    before = coverage(boxes, whole(population))
    joined = join(boxes)
    assert (coverage(joined, whole(population)) == before).all()
    assert len(joined) <= len(boxes)
    assert len(join(tiles(population, cuts))) == 1


def test_field_of_view_by_hand() -> None:
    """Rows 1..2 of a stride-2, dilated, padded convolution; channels of the second group."""
    op = Conv((3, 1), stride=(2, 1), padding=(1, 0), dilation=(2, 1), groups=2)
    target = Slice("t", (3, 1, 2), (4, 3, 5))
    seen = field_of_view(op, target, 4, "s", (6, 9, 9))
    # rows: 1·2 − 1 = 1 to (2·2 − 1) + 2·2 = 7; columns as they are; group 1 of 2 = channels 3..5
    assert seen == Slice("s", (3, 1, 2), (6, 8, 5))


BATCHES = {"chain": chain, "dag": dag, "running": running}


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(("cuts", "chips"), [((1, 1, 1), 1), ((2, 2, 1), 1), ((3, 2, 2), 3)])
def test_mapped_networks_equal_the_reference(
    name: str, cuts: tuple[int, int, int], chips: int
) -> None:
    """Several windows back to back, the last batch smaller: no spike and no readout differs."""
    graph = BATCHES[name]()
    steps = None if graph.timesteps else 9
    batches = [images(graph, n, seed=n, steps=steps) for n in (4, 4, 1)]
    program = emit(graph, spread(graph, cuts, chips))
    assert len(program.chips) == min(chips, sum(len(tiles(p, cuts)) for p in graph.neurons))
    for values, trace in zip(batches, run_engines(graph, program, batches), strict=True):
        expected = reference.run(graph, values)
        assert not any(trace.mismatches(expected).values())
        for p in graph.neurons:
            if p.neuron != READOUT:
                assert 0.02 < expected.spikes[p.name].mean() < 0.6, p.name


@st.composite
def networks(draw: st.DrawFn) -> Graph:
    """Small random networks: any convolution, dense layers, sums, skips and loops with delays."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.tuples(st.integers(1, 4), st.integers(2, 5), st.integers(2, 5)))
    populations = [Population("p0", shape, Input(draw(st.sampled_from([1, 3]))))]
    projections: list[Projection] = []
    for i in range(draw(st.integers(1, 3))):
        name = f"p{i + 1}"
        source = draw(st.sampled_from(populations))
        op, shape = draw(operations(source.shape))
        bits, exponent = draw(st.sampled_from([1, 2, 5, 8])), draw(st.integers(0, 2))
        form = weight_shape(op, source.shape, shape)
        projections.append(
            projection(rng, source.name, name, op, form, bits=bits, exponent=exponent)
        )
        for other in populations[1:]:
            if draw(st.booleans()):
                op = skip(shape[0]) if other.shape == shape else Dense()
                form = weight_shape(op, other.shape, shape)
                e = projection(
                    rng, other.name, name, op, form, kept=0.5, name=f"{other.name}>{name}"
                )
                projections.append(replace(e, delay=draw(st.integers(0, 2))))
        if draw(st.booleans()):
            loop = projection(rng, name, name, skip(shape[0]), (shape[0], 1, 1, 1), name=f"loop{i}")
            projections.append(replace(loop, delay=draw(st.integers(1, 3))))
        bias = rng.integers(-20, 21, shape[0]) if draw(st.booleans()) else None
        du, dv = (
            draw(st.sampled_from([4095, 4095, 2047, 900])),
            draw(st.sampled_from([0, 2048, 1365])),
        )
        neuron = LoihiLif(int(rng.integers(0, 25)), du, dv)
        populations.append(Population(name, shape, neuron, bias))
    window = draw(st.integers(1, 4))
    graph = Graph("drawn", tuple(populations), tuple(projections), name, window, "spikes")
    try:
        return check(graph)
    except InputError:
        assume(False)
        raise


@st.composite
def operations(draw: st.DrawFn, source: tuple[int, int, int]):  # type: ignore[no-untyped-def]
    """An operation on a source shape, and the shape that it makes."""
    if draw(st.integers(0, 3)) == 0:
        return Dense(), (draw(st.integers(1, 6)), 1, 1)
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    low = st.tuples(st.integers(0, 1), st.integers(0, 1))
    groups = draw(st.sampled_from([1, source[0]]))
    op = Conv(draw(pair), draw(pair), draw(low), (1 + draw(low)[0], 1 + draw(low)[1]), groups)
    height, width = (
        conv_extent(source[1 + i], op.kernel[i], op.stride[i], op.padding[i], op.dilation[i])
        for i in (0, 1)
    )
    assume(height > 0 and width > 0)
    return op, (groups * draw(st.integers(1, 3)), height, width)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_network_on_any_cores_equals_the_reference(data: st.DataObject) -> None:
    graph = data.draw(networks())
    cut = st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 3))
    slices = [s for p in graph.neurons for s in tiles(p, data.draw(cut))]
    slices = data.draw(st.permutations(slices))
    n_cores = data.draw(st.integers(1, len(slices)))
    cores = [tuple(slices[i::n_cores]) for i in range(n_cores)]
    chips = data.draw(st.lists(st.integers(0, 2), min_size=n_cores, max_size=n_cores))
    try:
        program = emit(graph, mapped(graph, cores, chips))
    except InputError as fault:  # every weight that reads the input may be pruned
        assert "no route brings" in str(fault)  # noqa: PT017
        return
    batches = [images(graph, 2, seed=1), images(graph, 2, seed=2)]
    for values, trace in zip(batches, run_engines(graph, program, batches), strict=True):
        assert not any(trace.mismatches(reference.run(graph, values)).values())


def pair() -> tuple[Graph, Mapping]:
    """Two inputs drive one neuron each, both drive the readout with weights 3 and 5; T = 2.

    A core for each neuron and one for the readout: 0, 1 and 2.
    """
    populations = (
        Population("in", (2, 1, 1), Input(1)),
        Population("a", (2, 1, 1), LoihiLif(vth=0, dv=4095)),
        Population("out", (1, 1, 1), READOUT),
    )
    projections = (
        Projection("in-a", "in", "a", Dense(), 8, np.eye(2, dtype=np.int64)),
        Projection("a-out", "a", "out", Dense(), 8, np.array([[3, 5]])),
    )
    graph = Graph("pair", populations, projections, "out", timesteps=2)
    cores = [(s,) for p in graph.neurons for s in tiles(p, (2, 1, 1))]
    return graph, mapped(graph, cores, [0, 0, 1])


BOTH = np.ones((1, 2, 1, 1), np.uint8)


def test_by_hand() -> None:
    """Both neurons fire in both steps: the membrane ends at 2·(3 + 5)·64."""
    graph, mapping = pair()
    trace = run_engines(graph, emit(graph, mapping), [BOTH])[0]
    assert trace.spikes["a"].all()
    assert trace.readout.tolist() == [[2 * 8 * 64]]


def test_what_no_route_brings_does_not_arrive() -> None:
    """Without the route of the second neuron the readout sums 3 only, chip crossing or not."""
    graph, mapping = pair()
    kept = tuple(r for r in mapping.routes if (r.population, r.source) != ("a", 1))
    for addresses in (mapping.placement.addresses, tuple(CoreAddress(0, i) for i in range(3))):
        lossy = replace(mapping, routes=kept, placement=Placement(addresses))
        trace = run_engines(graph, emit(graph, lossy), [BOTH])[0]
        assert trace.spikes["a"].all()
        assert trace.readout.tolist() == [[2 * 3 * 64]]


def test_routes_count_per_core_not_per_chip() -> None:
    """A core does not overhear what the routes bring to its neighbour on the same chip."""
    graph, _ = pair()
    wide = replace(graph.populations[2], shape=(2, 1, 1))
    both = replace(graph.projections[1], weight=np.array([[3, 5], [3, 5]]))
    graph = graph.with_parts((*graph.populations[:2], wide), (graph.projections[0], both))
    cores = [(s,) for p in graph.neurons for s in tiles(p, (2, 1, 1))]
    mapping = mapped(graph, cores, [0] * 4)
    assert Route("a", 1, (2, 3)) in mapping.routes
    routes = tuple(replace(r, targets=(2,)) if r.source == 1 else r for r in mapping.routes)
    trace = run_engines(graph, emit(graph, replace(mapping, routes=routes)), [BOTH])[0]
    assert trace.readout.tolist() == [[2 * 8 * 64, 2 * 3 * 64]]


def test_a_neuron_on_no_core_stays_silent() -> None:
    graph, _ = pair()
    cores = [(Slice("a", (1, 0, 0), (2, 1, 1)),), (whole(graph.population("out")),)]
    trace = run_engines(graph, emit(graph, mapped(graph, cores, [0, 0])), [BOTH])[0]
    assert trace.spikes["a"][0, :, :, 0, 0].tolist() == [[False, True], [False, True]]
    assert trace.readout.tolist() == [[2 * 5 * 64]]


def test_neighbouring_cores_become_one_block() -> None:
    """128 cores compute as one: the work does not grow with their number."""
    graph = chain()
    one, many = emit(graph, spread(graph, (1, 1, 1))), emit(graph, spread(graph, (4, 6, 6)))
    for part, joined in zip(one.chips[0].parts, many.chips[0].parts, strict=True):
        assert part.box == joined.box
        assert len(part.synapses) == len(joined.synapses) == 1
        assert joined.synapses[0].arrives is None


def test_links_carry_only_what_the_routes_send_over() -> None:
    graph, mapping = pair()
    first, second = emit(graph, mapping).chips
    assert [(x.target, x.boxes) for x in first.sends] == [
        (1, ((whole(graph.population("a")),), ()))
    ]
    assert second.receives == first.sends
    assert (second.sends, first.receives) == ((), ())


def test_foreign_mapping() -> None:
    graph, mapping = pair()
    with pytest.raises(InputError, match="made for another network than 'pair'"):
        emit(graph, replace(mapping, graph_digest="0"))


def test_graph_that_fails_the_check() -> None:
    graph, mapping = pair()
    odd = replace(graph.projections[1], exponent=1)
    with pytest.raises(InputError, match="every weight must be a multiple of 2"):
        emit(graph.with_parts(graph.populations, (graph.projections[0], odd)), mapping)


def test_two_inputs() -> None:
    graph, mapping = pair()
    second = Population("more", (1, 1, 1), Input(1))
    more = Projection("more-out", "more", "out", Dense(), 8, np.array([[1]]))
    graph = graph.with_parts((*graph.populations, second), (*graph.projections, more))
    with pytest.raises(InputError, match="exactly one input is supported, got 2"):
        emit(graph, replace(mapping, graph_digest=graph.digest()))


def test_input_that_reaches_no_core() -> None:
    graph, mapping = pair()
    routes = tuple(r for r in mapping.routes if r.source is not None)
    with pytest.raises(InputError, match="no route brings 'in' to a core"):
        emit(graph, replace(mapping, routes=routes))


OUTSIDE = Slice("a", (0, 0, 0), (3, 1, 1))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda m: {"placement": Placement(m.placement.addresses[:2])}, "got 2 for 3 cores"),
        (lambda m: {"partition": _cores(m, 0, OUTSIDE)}, "core 0: .* is no box of a population"),
        (
            lambda m: {"partition": _cores(m, 1, Slice("in", (0, 0, 0), (2, 1, 1)))},
            "core 1: .* no box",
        ),
        (
            lambda m: {"partition": _cores(m, 1, m.partition.cores[0][0])},
            "'a': 1 neurons stand on more",
        ),
        (lambda m: {"routes": (Route("a", 0, (7,)),)}, "cores are 0 to 2"),
        (lambda m: {"routes": (Route("in", 0, (1,)),)}, "an input comes from no core"),
        (lambda m: {"routes": (Route("a", None, (1,)),)}, "any other population from a core"),
        (lambda m: {"routes": (Route("a", 2, (1,)),)}, "core 2 holds nothing of 'a'"),
    ],
)
def test_mapping_that_cannot_run(change, fault: str) -> None:  # type: ignore[no-untyped-def]
    graph, mapping = pair()
    with pytest.raises(InputError, match=fault):
        emit(graph, replace(mapping, **change(mapping)))


def _cores(mapping: Mapping, core: int, held: Slice):  # type: ignore[no-untyped-def]
    cores = list(mapping.partition.cores)
    cores[core] = (held,)
    return replace(mapping.partition, cores=tuple(cores))
