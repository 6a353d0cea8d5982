"""The joint search: limits by dual ascent, resume, what it finds, and how it fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from joint_networks import LOIHI2, backbone, job, space, spec, stripes

from neurocomp.errors import FitError, InputError, RunError
from neurocomp.ir import verify
from neurocomp.train.joint import Found, Given, Kept, search, sequential, uncompressed, uniform
from neurocomp.train.joint.budgets import LEAST_RISE, Budgets
from neurocomp.train.joint.choices import Choices
from neurocomp.train.joint.design import Design
from neurocomp.train.joint.halves import Halves
from neurocomp.train.joint.judge import Judge
from neurocomp.train.joint.phase import Epoch
from neurocomp.train.joint.search import Job, _best


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def costs(bits: float) -> dict[str, torch.Tensor]:
    return {term: torch.tensor(bits) for term in ("bits", "bit_synops", "cores", "messages")}


class TestBudgets:
    def test_a_fixed_lambda_prices_the_cost_and_stays(self) -> None:
        budgets = Budgets(spec(lambdas={"bits": 0.25}), {})
        assert float(budgets.penalty(costs(8.0))) == 2.0
        budgets.ascend(costs(8.0))
        assert budgets.lambdas() == {"bits": 0.25}

    def test_a_limit_raises_its_lambda_while_it_is_broken(self) -> None:
        budgets = Budgets(spec(dual_rate=0.5), {"bits": 10.0})
        assert float(budgets.penalty(costs(30.0))) == 0.0
        budgets.ascend(costs(30.0))  # μ = 0.5·(30/10 − 1) = 1, λ = μ/10
        assert budgets.lambdas() == {"bits": pytest.approx(0.1)}
        budgets.ascend(costs(11.0))  # a tenth above counts as LEAST_RISE
        assert budgets.lambdas() == {"bits": pytest.approx((1 + 0.5 * LEAST_RISE) / 10)}
        budgets.ascend(costs(5.0))  # half below: μ falls by 0.25
        assert budgets.lambdas() == {"bits": pytest.approx(0.1)}
        for _ in range(9):
            budgets.ascend(costs(0.0))
        assert budgets.lambdas() == {"bits": 0.0}

    def test_true_costs_correct_those_of_the_choices(self) -> None:
        budgets = Budgets(spec(dual_rate=1.0), {"cores": 10.0})
        budgets.correct(costs(5.0), {"cores": 10.0})  # the mapper needs twice as many
        budgets.ascend(costs(10.0))  # so 10 count as 20: μ = 1·(20/10 − 1)
        assert budgets.lambdas() == {"cores": pytest.approx(0.1)}
        budgets.correct(costs(5.0), {"cores": None})  # not known: nothing is learnt
        assert float(budgets.ratio[0]) == 2.0


class TestHalves:
    def test_no_half_sees_the_others_samples(self) -> None:
        pairs = Halves(np.arange(21) % 2, 4, 0)
        seen: list[set[int]] = [set(), set()]
        for epoch in range(6):
            pairs.set_epoch(epoch)
            batches = list(pairs)
            assert [tuple(b.shape) for b in batches] == [(2, 4)] * 2
            for batch in batches:
                seen[0] |= set(batch[0].tolist())
                seen[1] |= set(batch[1].tolist())
        assert not seen[0] & seen[1]
        assert (len(seen[0]), len(seen[1])) == (11, 10)

    def test_what_judges_is_of_the_deciding_half_and_not_sorted(self) -> None:
        """Of 400 samples that lie class by class, 200 decide: ten batches, none of one class."""
        labels = np.repeat([0, 1], 200)
        pairs = Halves(labels, 20, 0)
        batches = pairs.deciding()
        assert batches.shape == (10, 20)
        assert set(batches.flatten().tolist()) == set(pairs.choices.tolist())
        assert all(set(labels[b]) == {0, 1} for b in batches.numpy())
        assert torch.equal(batches, pairs.deciding())

    def test_the_same_epoch_is_drawn_alike(self) -> None:
        drawn = [torch.stack(list(Halves(np.arange(32) % 2, 4, 7))) for _ in range(2)]
        assert torch.equal(*drawn)

    def test_too_few_samples(self) -> None:
        with pytest.raises(InputError, match=r"7 training samples do not fill two batches of 4"):
            Halves(np.arange(7) % 2, 4, 0)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("joint")
    return search(job(), stripes(), out, seed=0, device="cpu")


@pytest.fixture
def judge() -> Judge:
    return Judge(backbone(), LOIHI2, "balanced", 0.5, {"cores": 128.0})


def rows(made: Found) -> list[dict[str, object]]:
    """The history without the clock."""
    return [
        {name: getattr(row, name) for name in row.__slots__ if name != "seconds"}
        for row in made.history
    ]


class TestSearch:
    def test_the_decoded_network_is_an_untrained_graph(self, found: Found) -> None:
        verify(found.graph)
        assert found.graph.name == found.design.id
        assert found.graph.timesteps == found.design.timesteps
        assert found.graph.population("out").shape == (3, 1, 1)
        assert [row.epoch for row in found.history] == [1, 2]
        assert found.epoch == max(found.history, key=lambda row: (row.accuracy, row.epoch))
        assert found.epoch.decoded["cores"] == 2.0  # nine populations, eight neuron groups a core

    def test_an_interrupted_search_ends_with_the_same_numbers(
        self, found: Found, tmp_path: Path
    ) -> None:
        class Stop(Exception):
            pass

        def stop(stage: str, done: int, total: int, words: str = "") -> None:
            if done == 2:
                raise Stop

        with pytest.raises(Stop):
            search(job(), stripes(), tmp_path, seed=0, device="cpu", progress=stop)
        again = search(job(), stripes(), tmp_path, seed=0, device="cpu")
        assert rows(again) == rows(found)
        assert again.design == found.design
        assert again.graph.digest() == found.graph.digest()
        path = tmp_path / "joint.ckpt"
        torch.save(torch.load(path, weights_only=True) | {"method": 1}, path)
        with pytest.raises(InputError, match=r"begun by another version .* remove its joint.ckpt"):
            search(job(), stripes(), tmp_path, seed=0, device="cpu")

    def test_choices_cool_by_the_same_factor(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[float] = []
        decode = Choices.decode

        def watched(choices: Choices) -> Design:
            seen.append(choices.temperature)
            return decode(choices)

        monkeypatch.setattr(Choices, "decode", watched)
        cooling = job(spec=spec(epochs=3, temperature_end=0.01))
        search(cooling, stripes(), tmp_path, seed=0, device="cpu")
        assert list(dict.fromkeys(seen)) == [1.0, pytest.approx(0.1), pytest.approx(0.01)]

    def test_a_limit_out_of_reach(self, tmp_path: Path) -> None:
        tight = job(spec=spec(budgets={"bits": 10.0}))
        with pytest.raises(FitError, match=r"weight bits: [\d,]+ at least, 10 allowed.*raise the"):
            search(tight, stripes(), tmp_path, seed=0, device="cpu")

    def test_a_loss_that_is_not_finite(self, tmp_path: Path) -> None:
        wild = job(spec=spec(weight_rate=1e30, gradient_clip=1e30))
        with pytest.raises(RunError, match=r"lower joint\.weight_rate; there is no checkpoint yet"):
            search(wild, stripes(), tmp_path, seed=0, device="cpu")

    def test_a_limit_is_reached_by_adapting_lambda(self, tmp_path: Path) -> None:
        """Only 1-bit weights keep the limit.

        Stem 2·4·9 at 4 bits and classifier 2·8·3 at 8: 672. Cell 1 has 9·8·4 + 4·4 = 304 weights,
        cell 2 9·8·8 + 8·8 = 640. Half is kept: 808 bits at 1 bit, 960 with cell 1 at 2 bits.
        """
        fast = spec(epochs=6, beta_rate=0.2, dual_rate=0.2, budgets={"bits": 900.0})
        nodes = ((Kept(1, "conv3"),), (Kept(2, "conv1"),))
        made = search(job(spec=fast, given=Given(nodes)), stripes(), tmp_path, seed=0, device="cpu")
        assert made.design.nodes == nodes
        assert made.design.bits == ((1, 1), (1, 1))
        assert made.epoch.decoded["bits"] == 808
        assert max(row.lambdas["bits"] for row in made.history) > 0


class TestChoice:
    """Which epoch's design is taken."""

    def rows(self, found: Found, *each: tuple[float, tuple[str, ...]]) -> list[Epoch]:
        first = found.history[0]
        return [
            replace(first, epoch=i, epochs=len(each), accuracy=accuracy, broken=broken)
            for i, (accuracy, broken) in enumerate(each, 1)
        ]

    def test_the_most_accurate_within_the_limits(self, found: Found, judge: Judge) -> None:
        rows = self.rows(found, (0.5, ()), (0.8, ()), (0.9, ("too large",)), (0.7, ()))
        assert _best(rows, judge).epoch == 2
        assert _best(self.rows(found, (0.8, ()), (0.8, ())), judge).epoch == 2

    def test_an_early_one_is_said(self, found: Found) -> None:
        rows = self.rows(found, (0.5, ()), (0.8, ()), (0.9, ()), (0.7, ()))
        assert [replace(found, epoch=row).early for row in rows] == [True, True, False, False]


class TestBaselines:
    def test_no_limits_before_bits_are_chosen(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Of A + P + Q + T only the last two, and nothing of SpikeDHS, know the target's cores."""
        seen: list[Job] = []

        def watched(given: Job, *args: Any, **more: Any) -> Found:
            seen.append(given)
            return search(given, *args, **more)

        monkeypatch.setattr("neurocomp.train.joint.baselines.search", watched)
        sequential(job(max_cores=9), stripes(), tmp_path, seed=0, device="cpu")
        assert [j.limits for j in seen] == [{}, {}, {"cores": 9}, {"cores": 9}]
        assert uncompressed(job(max_cores=9)).limits == {}

    def test_without_limits_a_network_too_large_is_found(self, tmp_path: Path) -> None:
        """Nine populations need two cores."""
        nodes = ((Kept(0, "conv3"), Kept(1, "conv3")),) * 2
        given = job(max_cores=1, given=Given(nodes))
        made = search(replace(given, limited=False), stripes(), tmp_path, seed=0, device="cpu")
        assert made.epoch == made.history[-1]
        assert made.epoch.decoded["cores"] == 2.0

    def test_sequential_keeps_each_steps_choices(self, tmp_path: Path) -> None:
        made, seconds = sequential(job(), stripes(), tmp_path, seed=0, device="cpu")
        assert sorted(p.name for p in tmp_path.iterdir()) == ["A", "P", "Q", "T"]
        assert seconds > made.seconds
        assert {b for row in made.design.bits for b in row} <= {1, 2, 4}

    def test_uniform_and_uncompressed_jobs(self) -> None:
        given = job(spec=spec(budgets={"bits": 9.0}, lambdas={"bits": 1.0}))
        assert uniform(given, 4) == replace(given, space=space(bits=(4,)))
        plain = uncompressed(given)
        assert (plain.space.bits, plain.space.timesteps) == ((8,), (3,))
        assert (plain.spec.budgets, plain.spec.lambdas, plain.train.prune) == ({}, {}, 0.0)
        assert plain.kept == 1.0
