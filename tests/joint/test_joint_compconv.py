"""Compressed weights, learnt masks, Dspike and the auxiliary classifier, by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from joint_networks import stripes, training
from networks import dag, images

from neurocomp.errors import InputError
from neurocomp.ir import Conv, CubaLif, Dense, Graph, Input, Population, Projection
from neurocomp.snn import Network, Surrogate, to_graph
from neurocomp.snn.compconv import (
    GAUSSIAN_STEP,
    CompConv,
    Scored,
    average,
    first_scores,
    kept,
    n_kept,
    quantised,
)
from neurocomp.snn.lif import Dynamics, fire
from neurocomp.train import train
from neurocomp.train.auxiliary import Auxiliary


class TestQuantised:
    def test_levels_by_hand(self) -> None:
        unit = torch.tensor([-1.2, -0.4, 0.4, 1.2])
        g = GAUSSIAN_STEP
        assert quantised(unit, 1).tolist() == pytest.approx(
            [x * g[1] for x in (-0.5, -0.5, 0.5, 0.5)]
        )
        assert quantised(unit, 2).tolist() == pytest.approx(
            [x * g[2] for x in (-1.5, -0.5, 0.5, 1.5)]
        )
        # 1.2/0.336 = 3.57: level 3.5; 0.4/0.336 = 1.19: level 1.5
        assert quantised(unit, 4).tolist() == pytest.approx(
            [x * g[4] for x in (-3.5, -1.5, 1.5, 3.5)]
        )

    def test_average_by_hand_and_its_gradients(self) -> None:
        """std of (−3, −1, 1, 3)·k is k·√(20/3)."""
        weight = torch.tensor([-3.0, -1.0, 1.0, 3.0], requires_grad=True)
        shares = torch.tensor([0.25, 0.75], requires_grad=True)
        made = average(weight, shares, (1, 4))
        spread = math.sqrt(20 / 3)
        one, four = (quantised(weight.detach() / spread, b) for b in (1, 4))
        torch.testing.assert_close(made, 0.25 * one + 0.75 * four)
        arriving = torch.tensor([1.0, 2.0, 3.0, 4.0])
        made.backward(arriving)
        assert weight.grad is not None
        assert shares.grad is not None
        assert weight.grad.tolist() == pytest.approx([g / spread for g in (1, 2, 3, 4)])
        expected = [float((q * arriving).sum()) for q in (one, four)]
        assert shares.grad.tolist() == pytest.approx(expected)

    @pytest.mark.parametrize("bits", GAUSSIAN_STEP)
    def test_steps_lose_least_on_a_gaussian(self, bits: int) -> None:
        """No step a tenth away has a smaller squared error on ten thousand normal quantiles."""
        points = torch.linspace(0.5, 9999.5, 10_000, dtype=torch.float64) / 10_000
        sample = torch.special.ndtri(points)

        def error(step: float) -> float:
            peak = 2.0 ** (bits - 1) - 0.5
            levels = ((sample / step + 0.5).round() - 0.5).clamp(-peak, peak)
            return float(((levels * step - sample) ** 2).mean())

        best = GAUSSIAN_STEP[bits]
        assert error(best) < min(error(0.9 * best), error(1.1 * best))


class TestMask:
    def test_scores_start_in_the_order_of_the_weights(self) -> None:
        weight = torch.tensor([[1.0, -4.0], [2.0, 3.0]])
        assert first_scores(weight).flatten().tolist() == pytest.approx(
            [math.sqrt(3) * w / 4 for w in (1, -4, 2, 3)]
        )

    def test_the_top_share_stays_and_scores_get_the_masks_gradient(self) -> None:
        scores = torch.tensor([0.1, -0.9, 0.5, -0.3], requires_grad=True)
        mask = kept(scores, 0.5)
        assert mask.tolist() == [0.0, 1.0, 1.0, 0.0]
        mask.backward(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        assert scores.grad is not None
        assert scores.grad.tolist() == [1.0, -2.0, 3.0, -4.0]

    @settings(max_examples=30, deadline=None)
    @given(st.integers(1, 200), st.floats(0.01, 1.0))
    def test_so_many_stay(self, size: int, share: float) -> None:
        mask = kept(torch.randn(size, generator=torch.Generator().manual_seed(size)), share)
        assert int(mask.sum()) == n_kept(size, share) >= 1

    def test_quantise_average_then_prune(self) -> None:
        weight = torch.randn(2, 3, 3, 3, generator=torch.Generator().manual_seed(0))
        comp = CompConv(weight, 0.5, (1, 4))
        shares = torch.tensor([0.25, 0.75])
        made = comp.mixed(weight, shares)
        assert torch.equal(made != 0, comp.mask() != 0)
        torch.testing.assert_close(made, comp.mask() * average(weight, shares, (1, 4)))


class TestDspike:
    @pytest.mark.parametrize("temperature", [1.0, 3.0, 5.0])
    def test_derivative_of_the_papers_function(self, temperature: float) -> None:
        """(b/2)(1 − tanh²(b(x − ½)))/tanh(b/2) on (0, 1), threshold ½."""
        drive = torch.tensor([-0.1, 0.2, 0.5, 0.7, 1.1]).view(1, 1, 1, 1, 5).requires_grad_()
        constants = Dynamics(threshold=0.5, current_keep=0.0, voltage_keep=0.2)
        surrogate = Surrogate("dspike", temperature=temperature)
        fire(drive, None, 1, constants, surrogate).sum().backward()
        assert drive.grad is not None
        b = temperature
        expected = [
            b / 2 * (1 - math.tanh(b * (x - 0.5)) ** 2) / math.tanh(b / 2) if 0 < x < 1 else 0.0
            for x in (-0.1, 0.2, 0.5, 0.7, 1.1)
        ]
        assert drive.grad.flatten().tolist() == pytest.approx(expected, rel=1e-5)

    def test_area_is_one(self) -> None:
        drive = torch.linspace(-1, 3, 40_001).view(1, 1, 1, 1, -1).requires_grad_()
        constants = Dynamics(threshold=1.0, current_keep=0.0, voltage_keep=0.5)
        fire(drive, None, 1, constants, Surrogate("dspike", 0.8, 4.0)).sum().backward()
        assert drive.grad is not None
        assert float(drive.grad.sum()) * 4 / 40_000 == pytest.approx(1.0, rel=1e-3)


class TestLearntMasks:
    def test_trained_projections_learn_theirs_and_given_ones_stay(self) -> None:
        graph = dag()
        network = Network.floating(graph, seed=0, kept=0.25)
        exported = {e.name: e for e in to_graph(network).projections}
        for e in graph.projections:
            mask = exported[e.name].mask
            if e.mask is not None:
                assert mask is e.mask
            elif e.weight is not None:
                assert mask is None  # a skip or a pooling
            else:
                assert mask is not None
                assert mask.sum() == n_kept(mask.size, 0.25)
                weight = exported[e.name].weight
                assert weight is not None
                assert not weight[~mask].any()

    def test_scores_get_gradients(self) -> None:
        network = Network.floating(dag(), seed=0, kept=0.5)
        network(torch.from_numpy(images(4))).sum().backward()
        hooks = [m for m in network.modules() if isinstance(m, Scored)]
        assert len(hooks) == 8
        assert all(hook.scores.grad is not None and hook.scores.grad.any() for hook in hooks)


def chain() -> Graph:
    """Input → three hidden populations → output."""
    conv = Conv((3, 3), padding=(1, 1))
    names = ["in", "a", "b", "c", "out"]
    populations = (
        Population("in", (1, 6, 6), Input(4)),
        *(Population(name, (4, 6, 6), CubaLif()) for name in "abc"),
        Population("out", (3, 1, 1), CubaLif(voltage_decay=0.0)),
    )
    projections = tuple(
        Projection(f"{s}-{t}", s, t, Dense() if t == "out" else conv, 4) for s, t in pairwise(names)
    )
    return Graph("chain", populations, projections, "out", timesteps=3)


class TestAuxiliary:
    def test_reads_two_thirds_of_the_depth(self) -> None:
        """The output lies at depth 4; 4·2 // 3 = 2 is population b."""
        head = Auxiliary(chain())
        assert head.names == ("b",)
        values = torch.from_numpy(stripes().train_values[:5])
        assert head(Network.floating(chain(), seed=0).run(values)).shape == (5, 3)

    def test_nothing_between(self) -> None:
        graph = chain()
        alone = replace(graph.projections[0], target="out", op=Dense())
        bare = graph.with_parts((graph.populations[0], graph.populations[-1]), (alone,))
        with pytest.raises(InputError, match=r"no population between.*train\.auxiliary to 0"):
            Auxiliary(bare)

    def test_training_with_scores_and_auxiliary_loss(self, tmp_path: Path) -> None:
        """The mask that the first phase learnt is the integer graph's."""
        torch.set_num_threads(1)
        spec = training(epochs=2, qat_epochs=1)
        made = train(chain(), stripes(), spec, tmp_path, seed=0, device="cpu")
        again = train(chain(), stripes(), spec, tmp_path, seed=0, device="cpu")
        assert made.graph.digest() == again.graph.digest()
        for a, b in zip(made.float_graph.projections, made.graph.projections, strict=True):
            assert a.mask is not None
            assert b.mask is not None
            assert np.array_equal(a.mask, b.mask)
            assert a.mask.sum() == n_kept(a.mask.size, 0.5)
