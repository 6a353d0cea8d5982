"""Integer rules, planning and discretisation, with every expected value worked out here."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.errors import InputError
from neurocomp.ir import Conv, CubaLif, Dense, Graph, Input, LoihiLif, Population, Projection, skip
from neurocomp.quant import fixed, reference
from neurocomp.quant.check import check
from neurocomp.quant.discretize import best_step, discretize, plan, to_levels


def single(weight: int, neuron: LoihiLif, bias: int = 0, bits: int = 1) -> Graph:
    """One input value, one neuron, one synapse."""
    return Graph(
        name="single",
        populations=(
            Population("in", (1, 1, 1), Input(bits=bits)),
            Population("n", (1, 1, 1), neuron, bias=np.array([bias], np.int32)),
        ),
        projections=(
            Projection(
                "in-n", "in", "n", Dense(), weight=np.array([[weight]], np.int32), exponent=1
            ),
        ),
        output="n",
        timesteps=3,
        readout="spikes",
    )


class TestNeuron:
    def test_threshold_is_strict(self) -> None:
        # no leak (dv 0): v = 10, 20, 30 after three steps; vth 20 is passed only by 30
        trace = reference.run(single(10, LoihiLif(20, dv=0)), np.ones((1, 1, 1, 1), np.uint8))
        assert trace.spikes["n"][0, :, 0, 0, 0].tolist() == [False, False, True]

    def test_membrane_decays_toward_zero(self) -> None:
        # dv 2048 halves: v = −3·64 + (−3·64)/2; −192 → −288 → −336 in units of 1/64 weight
        g = replace(single(-4, LoihiLif(fixed.MAX_VTH), bias=1), readout="membrane")
        trace = reference.run(g, np.ones((1, 1, 1, 1), np.uint8))
        assert trace.readout.tolist() == [[-336]]

    def test_truncation_is_toward_zero(self) -> None:
        # −5·(4096 − 2048)/4096 = −2.5 → −2, and 5 → 2
        assert fixed.decay(np.array([-5, 5]), 2048).tolist() == [-2, 2]

    def test_current_wraps_once(self) -> None:
        # 2^23 + 5 → 5 − 2^23; −2^23 → 2^23; inside the limits nothing changes
        u = np.array([2**23 + 5, -(2**23), 2**23, 7])
        assert fixed.wrap(u).tolist() == [5 - 2**23, 2**23, 2**23, 7]

    def test_current_memory(self) -> None:
        # du 2047: u keeps half. a = 8 each step: u = 8, 12, 14 (×64); v without leak: 8, 20, 34
        g = replace(single(8, LoihiLif(fixed.MAX_VTH, du=2047, dv=0)), readout="membrane")
        trace = reference.run(g, np.ones((1, 1, 1, 1), np.uint8))
        assert trace.readout.tolist() == [[34 * 64]]

    def test_graded_input_multiplies(self) -> None:
        g = replace(single(2, LoihiLif(fixed.MAX_VTH, dv=0), bits=4), readout="membrane")
        trace = reference.run(g, np.full((1, 1, 1, 1), 15, np.uint8))
        assert trace.readout.tolist() == [[3 * 15 * 2 * 64]]


class TestReference:
    def test_strided_dilated_grouped_convolution(self) -> None:
        # weight 1 everywhere: output (0, 0) of each group is the sum of the four taps 0, 2, 10, 12
        # of a 5×5 ramp (dilation 2), the next one two columns on: 2, 4, 12, 14
        ramp = np.arange(25).reshape(1, 1, 5, 5)
        x = np.concatenate([ramp, ramp + 100], axis=1)
        e = Projection(
            "e", "a", "b", Conv((2, 2), stride=(2, 2), dilation=(2, 2), groups=2),
            weight=np.ones((2, 1, 2, 2), np.int32),
        )  # fmt: skip
        out = reference.synaptic_sum(e, x, (2, 2, 2))
        assert out[0, 0, 0].tolist() == [0 + 2 + 10 + 12, 2 + 4 + 12 + 14]
        assert out[0, 1, 0].tolist() == [24 + 400, 32 + 400]

    def test_skip_meets_the_longer_path_in_the_same_step(self) -> None:
        # a → b → c and a → c: c passes its threshold of 3 only when both spikes (2 + 2) meet
        g = Graph(
            "diamond",
            (
                Population("in", (1, 1, 1), Input()),
                Population("a", (1, 1, 1), LoihiLif(1, dv=4095)),
                Population("b", (1, 1, 1), LoihiLif(1, dv=4095)),
                Population("c", (1, 1, 1), LoihiLif(3, dv=4095)),
            ),
            tuple(
                Projection(f"{s}{t}", s, t, skip(1), weight=np.full((1, 1, 1, 1), 2), exponent=1)
                for s, t in (("in", "a"), ("a", "b"), ("b", "c"), ("a", "c"))
            ),
            output="c",
            timesteps=2,
            readout="spikes",
        )
        drive = np.array([1, 0]).reshape(1, 2, 1, 1, 1)
        assert reference.run(check(g), drive).spikes["c"].ravel().tolist() == [True, False]

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            (np.full((1, 1, 1, 1), 2, np.uint8), r"takes 0 to 1 \(1 bits\), got 2 to 2"),
            (np.zeros((1, 1, 1, 1)), "must be integers, got float64"),
            (np.zeros((1, 2, 1, 1), np.uint8), r"shaped \(1, 1, 1\), got \(2, 1, 1\)"),
            (np.zeros((1, 2, 1, 1, 1), np.uint8), "a window has 3 steps, got 2"),
            (np.zeros((1, 1), np.uint8), r"must be shaped \(samples, C, H, W\)"),
        ],
    )
    def test_bad_input_values(self, values: np.ndarray, message: str) -> None:
        with pytest.raises(InputError, match=message):
            reference.run(single(2, LoihiLif(1)), values)


class TestCheck:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"weight": np.array([[3]])}, r"must be a multiple of 2\^1, got 3"),
            ({"weight": np.array([[600]])}, "8-bit levels are -128 to 127, got 300"),
            ({"weight": np.array([[0]])}, "all weights are zero"),
            ({"weight": np.array([[-256]])}, "−256 without a positive weight"),
            ({"exponent": -1}, "exponent must not be negative"),
            ({"weight": np.array([[2**12]]), "exponent": 12}, "weight exponent 11 is outside"),
            ({"mask": np.array([[False]])}, "a pruned synapse has a weight"),
        ],
    )
    def test_weight_faults(self, change: dict[str, object], message: str) -> None:
        g = single(2, LoihiLif(1))
        e = replace(g.projections[0], **change)  # type: ignore[arg-type]
        with pytest.raises(InputError, match=message):
            check(replace(g, projections=(e,)))

    @pytest.mark.parametrize(
        ("neuron", "bias", "message"),
        [
            (LoihiLif(2**17), 0, "threshold mantissa must be 0 to 131071, got 131072"),
            (LoihiLif(1, dv=5000), 0, "decays must be 0 to 4095"),
            (LoihiLif(1), 4096, r"biases must be -4096 to 4095 \(13 bits\), got 4096"),
        ],
    )
    def test_population_faults(self, neuron: LoihiLif, bias: int, message: str) -> None:
        with pytest.raises(InputError, match=message):
            check(single(2, neuron, bias=bias))

    def test_current_overflow(self) -> None:
        # 9 inputs of 15 × weight 1000 = 135,000 ≥ 131,072
        g = single(2, LoihiLif(1), bits=4)
        source = replace(g.populations[0], shape=(9, 1, 1))
        e = replace(g.projections[0], weight=np.full((1, 9), 1000), exponent=3)
        with pytest.raises(InputError, match=r"can sum to 135000.*wraps at 131072"):
            check(replace(g, populations=(source, g.populations[1]), projections=(e,)))

    def test_readout_must_not_fire(self) -> None:
        with pytest.raises(InputError, match="needs threshold 131071"):
            check(replace(single(2, LoihiLif(5)), readout="membrane"))

    def test_unbalanced_path_beyond_the_axon_delay(self) -> None:
        # in → p0 → … → p64 and a skip in → p64 that would have to wait 64 steps
        names = ["in", *(f"p{i}" for i in range(65))]
        pairs = [*itertools.pairwise(names), ("in", "p64")]
        g = Graph(
            "long",
            tuple(Population(n, (1, 1, 1), Input() if n == "in" else LoihiLif(1)) for n in names),
            tuple(
                Projection(f"{s}-{t}", s, t, skip(1), weight=np.full((1, 1, 1, 1), 2), exponent=1)
                for s, t in pairs
            ),
            output="p64",
            timesteps=1,
            readout="spikes",
        )
        with pytest.raises(InputError, match="'in-p64': waits 64 steps"):
            check(g)


class TestDiscretize:
    def test_levels(self) -> None:
        w = np.array([-3.0, -0.6, -0.1, 0.0, 0.4, 9.0])
        assert to_levels(w, 1, 0).tolist() == [-1, -1, -1, 1, 1, 1]
        assert to_levels(w, 2, -1).tolist() == [-2, -1, 0, 0, 1, 1]
        assert to_levels(w * 1000, 8, 0).tolist() == [-127, -127, -100, 0, 127, 127]
        mask = np.array([True, False, True, True, True, True])
        assert to_levels(w, 1, 0, mask).tolist() == [-1, 0, -1, 1, 1, 1]

    def test_best_step_is_exact_for_weights_on_a_grid(self) -> None:
        assert best_step(np.array([-0.5, 0.25, 0.125, 0.375]), 3) == -3
        assert best_step(np.array([-2.0, 2.0, 2.0]), 1) == 1
        assert best_step(np.zeros(3), 4) == 0

    def test_mixed_precision_meets_on_one_grid(self) -> None:
        # 1 bit at step 2^−1 and 2 bits at step 2^−2 on one membrane: weights stay 0.5 and 0.25
        graph = Graph(
            "mixed",
            (
                Population("in", (2, 1, 1), Input()),
                Population("n", (2, 1, 1), CubaLif(threshold=0.75), bias=np.array([0.5, -0.25])),
            ),
            (
                Projection(
                    "one", "in", "n", Dense(), 1, weight=np.array([[0.5, -0.5], [0.5, 0.5]])
                ),
                Projection(
                    "two", "in", "n", Dense(), 2, weight=np.array([[-0.5, 0.25], [0.0, 0.25]])
                ),
            ),
            output="n",
            timesteps=4,
            readout="spikes",
        )
        grids = plan(graph)
        assert grids.steps == {"one": -1, "two": -2}
        integer = discretize(graph, grids)
        unit = 2.0 ** -grids.grids["n"]
        for before, after in zip(graph.projections, integer.projections, strict=True):
            assert (after.weight * unit == before.weight).all()
        n = integer.population("n")
        assert isinstance(n.neuron, LoihiLif)
        assert n.neuron.vth * unit == 0.75
        assert (n.bias * unit == [0.5, -0.25]).all()

    def test_projection_without_weights_drops_out(self) -> None:
        g = single(2, LoihiLif(1))
        p = replace(g.populations[1], neuron=CubaLif(), bias=None)
        live = replace(g.projections[0], weight=np.array([[0.5]]))
        dead = replace(live, name="dead", mask=np.array([[False]]))
        integer = discretize(
            replace(g, populations=(g.populations[0], p), projections=(live, dead))
        )
        assert [e.name for e in integer.projections] == ["in-n"]

    def test_untrained(self) -> None:
        g = single(2, LoihiLif(1))
        bare = replace(g, projections=(replace(g.projections[0], weight=None),))
        with pytest.raises(InputError, match="'in-n': has no weights; train the network first"):
            plan(bare)

    @settings(max_examples=40, deadline=None)
    @given(
        st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 3, 4, 8]), st.floats(0.01, 50.0),
        st.booleans(),
    )  # fmt: skip
    def test_every_plan_passes_the_static_check(
        self, seed: int, bits: int, scale: float, membrane: bool
    ) -> None:
        rng = np.random.default_rng(seed)
        graph = Graph(
            "random",
            (
                Population("in", (3, 4, 4), Input(bits=4)),
                Population("n", (5, 4, 4), CubaLif(), bias=rng.normal(size=5)),
                Population("out", (7, 1, 1), CubaLif(voltage_decay=0.0), bias=rng.normal(size=7)),
            ),
            (
                Projection(
                    "c", "in", "n", Conv((3, 3), padding=(1, 1)), bits,
                    weight=rng.normal(size=(5, 3, 3, 3)) * scale / 16,
                ),
                Projection("d", "n", "out", Dense(), 8, weight=rng.normal(size=(7, 80)) * scale),
            ),
            output="out",
            timesteps=6,
            readout="membrane" if membrane else "spikes",
        )  # fmt: skip
        check(discretize(graph))
