"""Neurons, sums and messages of the engine: exact in floating point, packed and unpacked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.backend.emit.program import Part
from neurocomp.backend.engine.membrane import Membrane, state_dtype, sum_dtype
from neurocomp.backend.engine.messages import pack, packed_size, unpack
from neurocomp.ir import LoihiLif, Slice
from neurocomp.quant import fixed

DECAYS = st.sampled_from([0, 1, 1365, 2047, 2048, 3072, 4094, 4095]) | st.integers(0, 4095)


@settings(max_examples=100, deadline=None)
@given(
    neuron=st.builds(LoihiLif, vth=st.integers(0, fixed.MAX_VTH), du=DECAYS, dv=DECAYS),
    peak=st.sampled_from([1, 300, 2**15, 2**17 - 1, 2**17, 2**17 + 1, 2**22, 2**25, 2**31 - 1]),
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
