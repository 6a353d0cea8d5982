"""Sums beyond what Lava's words hold, worked out by hand: every backend makes of them what Lava
makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backend_networks import spread

from neurocomp import backend
from neurocomp.errors import InputError
from neurocomp.ir import (
    Array,
    Conv,
    Delta,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    Sigma,
    skip,
)
from neurocomp.quant import sums
from neurocomp.quant.check import check
from neurocomp.quant.reference import Trace, Watch

TIMEOUT_S = 60.0
ONE = (1, 1, 1)
BACKENDS = pytest.mark.parametrize("name", ["reference", "lava", "stock"])
LIF = LoihiLif(vth=100, du=2047, dv=0)  # a step keeps half of the current and all of the membrane


def behind_a_delta(
    factor: int, neuron: LoihiLif | Sigma, weight: int, bits: int = 8, exponent: int = 0
) -> Graph:
    """A 16-bit value v · Delta that sends factor · v · one synapse · a neuron; T = 2."""
    populations = (
        Population("in", ONE, Input(16)),
        Population("d", ONE, Delta(vth=1, spike_exp=0, state_exp=0)),
        Population("n", ONE, neuron),
    )
    power = factor.bit_length() - 7  # of a level of 64
    first = Projection("in-d", "in", "d", Dense(), 8, np.array([[factor]]), power)
    second = Projection("d-n", "d", "n", Dense(), bits, np.array([[weight]]), exponent)
    return Graph("loud", populations, (first, second), "n", 2, readout="spikes")


def executed(name: str, graph: Graph, shown: Array) -> Trace:
    """All states of the last population, in every step."""
    mapping = spread(check(graph), (1, 1, 1))
    watch = Watch(("n",), every_step=True)
    return backend.run(graph, mapping, shown, backend=name, watch=watch, timeout_s=TIMEOUT_S)


def once(value: int) -> Array:
    """A value that is there from the first of two steps on, so that a Delta sends it once."""
    return np.full((1, 2, *ONE), value)


@BACKENDS
def test_the_current_of_a_lif_neuron_overflows_at_32_bits(name: str) -> None:
    """The message is 256 · 65,535 = 16,776,960, the sum three times that, and 64 · 50,330,880 =
    3,221,176,320 = 2^32 − 1,073,790,976. Below −2^23 Lava adds 2^24, once: u = −1,057,013,760.
    The next step keeps half of it, and adds 2^24 again: −528,506,880 + 16,777,216.
    """
    trace = executed(name, behind_a_delta(256, LIF, 3), once(65_535))
    assert trace.states["n.u"].ravel().tolist() == [-1_057_013_760, -511_729_664]
    assert trace.states["n.v"].ravel().tolist() == [1 - 2**23] * 2
    assert not trace.spikes["n"].any()


@BACKENDS
@pytest.mark.parametrize(
    ("factor", "weight", "bits", "exponent", "total"),
    [
        # 8 bits: mantissas are twice the weights, and hold sums up to 2^30:
        # 16,776,960 · 100 = 1,677,696,000 = 2^31 − 469,787,648
        (256, 100, 8, 0, -469_787_648),
        # 16,776,960 · 63 is below 2^30
        (256, 63, 8, 0, 1_056_948_480),
        # 2 bits: mantissas are 128 times the weights, and hold sums up to 2^24:
        # 512 · 65,535 = 33,553,920 = 2^25 − 512
        (512, 1, 2, 0, -512),
        # 8 bits with a unit of 2: mantissas are the weights, sums have all 32 bits:
        # 16,776,960 · 200 = 3,355,392,000 = 2^32 − 939,575,296
        (256, 200, 8, 1, -939_575_296),
        # 8 bits of one sign: mantissas are the weights, too
        (256, 201, 8, 0, 16_776_960 * 201 - 2**32),
    ],
)
def test_sums_of_mantissas_wrap_before_they_are_shifted(
    name: str, factor: int, weight: int, bits: int, exponent: int, total: int
) -> None:
    graph = behind_a_delta(factor, Sigma(), weight, bits, exponent)
    trace = executed(name, graph, once(65_535))
    assert trace.spikes["n"].ravel().tolist() == [total] * 2


@BACKENDS
def test_a_convolution_onto_lif_neurons_wraps_at_24_bits(name: str) -> None:
    """520 · (127 · 2^7) = 8,453,120 = 2^24 − 8,324,096; 64 times that, and 2^24 once, is u."""
    n = 520
    populations = (Population("in", (n, 1, 1), Input()), Population("n", ONE, LIF))
    weight = np.full((1, n, 1, 1), 127 << 7)
    e = Projection("e", "in", "n", Conv((1, 1)), 8, weight, exponent=7)
    graph = Graph("wide", populations, (e,), "n", timesteps=1, readout="spikes")
    trace = executed(name, graph, np.ones((1, n, 1, 1), np.uint8))
    assert trace.states["n.u"].ravel().tolist() == [-8_324_096 * 64 + 2**24]
    assert trace.states["n.v"].ravel().tolist() == [1 - 2**23]
    assert not trace.spikes["n"].any()


@BACKENDS
@pytest.mark.parametrize("weight", [254, -254])
def test_a_convolution_casts_as_the_machine_does(name: str, weight: int) -> None:
    """±254 · 16,776,960 = ±4,261,347,840 is beyond 2^31, where a cast gives what the machine
    gives: on x86 −2^31, of which 24 bits are 0."""
    graph = behind_a_delta(256, Sigma(), 1)
    kernel = np.full((1, 1, 1, 1), weight)
    late = replace(graph.projections[1], op=skip(1), weight=kernel, exponent=1)
    graph = graph.with_parts(graph.populations, (graph.projections[0], late))
    with np.errstate(invalid="ignore"):
        cast = int(np.array([weight * 16_776_960.0]).astype(np.int32)[0])
    expected = (cast + 2**23) % 2**24 - 2**23
    trace = executed(name, graph, once(65_535))
    assert trace.spikes["n"].ravel().tolist() == [expected] * 2


@BACKENDS
def test_every_projection_wraps_by_itself(name: str) -> None:
    """−512 as above from two bits, and 33,553,920 from eight: −512 + 33,553,920."""
    graph = behind_a_delta(512, Sigma(), 1, bits=2)
    again = Projection("again", "d", "n", Dense(), 8, np.array([[1]]))
    graph = graph.with_parts(graph.populations, (*graph.projections, again))
    trace = executed(name, graph, once(65_535))
    assert trace.spikes["n"].ravel().tolist() == [33_553_408] * 2


def test_bounds_by_hand() -> None:
    """Rows (3, −2) and (0, 5) of values −8 to 7: 7 · 3 + 8 · 2 = 37 and 35 up, 8 · 3 + 7 · 2 = 38
    and 40 down. A Delta sends 32 bits, less those that its state has beyond them."""
    weight = np.array([[3, -2], [0, 5]])
    up, down = sums.reach(weight, Input(4, signed=True))
    assert (up.tolist(), down.tolist()) == ([37, 35], [38, 40])
    assert sums.peak(weight, Input(4, signed=True)) == 40
    assert sums.peak(weight, Delta(vth=1, spike_exp=0, state_exp=6)) == 5 * 2**25
    assert sums.peak(weight, LIF) == 5
    odd = np.array([[2**36 + 1, -3]])
    assert sums.peak(odd, Input(16)) == 65_535 * (2**36 + 1)  # below 2^52: exact to the last digit


def test_where_sums_wrap() -> None:
    """Only where the bound says that they can get there."""
    dense = Projection("e", "a", "b", Dense(), 8, np.array([[3, -2]]))
    few = replace(dense, weight_bits=3, weight=np.array([[3, -2]]))
    coarse = replace(dense, weight=np.array([[24, -16]]), exponent=3)
    conv = replace(dense, op=Conv((1, 1)), weight=np.array([3, -2]).reshape(1, 2, 1, 1))
    for e, sender, bits in (
        (dense, Sigma(), 31),
        (few, Sigma(), 26),
        (coarse, Sigma(), 32),
        (dense, LIF, 32),
        (few, LIF, 32),
        (few, Input(2), 26),
        (conv, LIF, 24),
    ):
        assert sums.sum_bits(e, sender, 2 ** (bits - 1)) == bits
        assert sums.sum_bits(e, sender, 2 ** (bits - 1) - 1) is None


@pytest.mark.parametrize(("n", "level"), [(300, 127), (2**18, 255)])
def test_sums_that_no_float_holds_are_refused(n: int, level: int) -> None:
    """300 messages of up to 2^31 times 127 · 2^7 are beyond 2^52, 2^18 times 255 · 2^7 beyond
    2^63, which is more than 64 bits hold."""
    populations = (
        Population("in", (n, 1, 1), Input(1)),
        Population("s", (n, 1, 1), Sigma()),
        Population("t", ONE, Sigma()),
    )
    projections = (
        Projection("in-s", "in", "s", skip(n), 8, np.ones((n, 1, 1, 1), int)),
        Projection("s-t", "s", "t", Dense(), 8, np.full((1, n), level << 7), exponent=7),
    )
    graph = Graph("huge", populations, projections, "t", timesteps=1)
    total = n * (level << 7) * 2**31
    with pytest.raises(
        InputError, match=f"'t': its synapses can sum to {total}, .* {2**52}; use smaller weights"
    ):
        check(graph)
