"""What the loop offers: schedules, averages, a teacher, early ends, learnt neurons, curves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_train import SPEC, blobs, network, run, same

from neurocomp.errors import InputError, RunError
from neurocomp.ir import CubaLif
from neurocomp.snn import Network
from neurocomp.spec.read import parse
from neurocomp.spec.train import DistillSpec, EarlyStopSpec, SynopsSpec, TrainSpec
from neurocomp.train import Trained, losses, rates, train
from neurocomp.train.samples import Samples, in_order

FEATURES: dict[str, dict[str, Any]] = {
    "ema": {"ema": 0.9},
    "one-cycle": {"schedule": "one-cycle"},
    "step": {"schedule": "step", "drops": (0.4, 0.8), "drop": 0.5},
    "distill": {"distill": DistillSpec(temperature=2.0, weight=0.7)},
    "early-stop": {"early_stop": EarlyStopSpec(patience=1, holdout=0.25), "ema": 0.5},
    "bf16": {"precision": "bf16"},
    "learn": {"learn": ("threshold", "voltage_decay")},
    "synops": {"synops": SynopsSpec(target=1000.0)},
    "mix": {"mixup": 0.2, "cutmix": 1.0},
    "sgd": {"optimizer": "sgd", "schedule": "one-cycle"},
    "deterministic": {"deterministic": True},
    "slayer": {"engine": "slayer", "ema": 0.9},
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def spec(name: str, **more: Any) -> TrainSpec:
    return SPEC.model_copy(update={**FEATURES[name], **more})


class TestResume:
    @pytest.mark.parametrize("name", FEATURES)
    def test_same_numbers_after_interrupts_in_both_phases(self, tmp_path: Path, name: str) -> None:
        """Each new start ends after one epoch more, and once more when all is done."""
        epochs = 4 if name == "early-stop" else 2
        chosen, ended = spec(name, epochs=epochs, qat_epochs=2), []

        def interrupt(stage: str, done: int, total: int, note: str = "") -> None:
            ended.append(done)
            if ended.count(done) == 1 and done < total:
                raise KeyboardInterrupt

        whole = run(tmp_path / "whole", spec=chosen)
        for _ in range(20):
            try:
                pieces = run(tmp_path / "pieces", interrupt, chosen)
                break
            except RunError as fault:
                assert "training was interrupted" in str(fault)  # noqa: PT017
        assert same(pieces, whole)
        assert len(set(ended)) == len(whole.history) + epochs * (name == "distill")
        assert same(run(tmp_path / "pieces", spec=chosen), whole)


class TestSchedules:
    def rates(self, schedule: str, optimizer: str = "adam", **more: Any) -> list[float]:
        """The first projection's rates over ten steps, in units of the recipe's."""
        chosen = spec("step", schedule=schedule, optimizer=optimizer, **more)
        made = rates.plan(Network.floating(network(), seed=0), [], chosen, 0.5, 10)
        found = []
        for _ in range(10):
            found.append(made.optimizer.param_groups[0]["lr"] / 0.5)
            made.optimizer.step()
            made.schedule.step()
        return found

    def test_step(self) -> None:
        found = self.rates("step", drops=(0.8, 0.4), drop=0.5)
        assert found == [1.0] * 4 + [0.5] * 4 + [0.25] * 2

    def test_one_cycle(self) -> None:
        """Up from 1/25 to the recipe's rate in the first three steps, then down to nearly none."""
        found = self.rates("one-cycle")
        assert found[0] == pytest.approx(1 / 25)
        assert max(found) == pytest.approx(1.0)
        assert found.index(max(found)) == 2
        assert found[-1] < 1e-4

    def test_cosine(self) -> None:
        expected = (1 + np.cos(np.pi * np.arange(10) / 10)) / 2
        assert self.rates("cosine", "sgd") == pytest.approx(expected.tolist())


class TestAverage:
    def test_what_is_left_is_the_average(self, tmp_path: Path) -> None:
        made = run(tmp_path, spec=spec("ema", ema=0.99))
        saved = torch.load(tmp_path / "float.ckpt", weights_only=True)
        averaged, last = (
            state["network.synapses.0.synapse.weight"][..., 0]
            for state in (saved["state_dict"], saved["current_model_state"])
        )
        norm = saved["state_dict"]
        gain = norm["network.synapses.0.norm.weight"] / torch.sqrt(
            norm["network.synapses.0.norm.running_var"] + 1e-5
        )
        found = made.float_graph.projections[0].weight * 16  # of a 4-bit input
        for weights, is_left in ((averaged, True), (last, False)):
            folded = (weights * gain.view(-1, 1, 1, 1)).numpy()
            assert np.allclose(found, folded, atol=1e-5) == is_left


class TestTeacher:
    def test_twin_is_trained_first_and_learns(self, tmp_path: Path) -> None:
        steps: list[tuple[int, int]] = []
        made = run(tmp_path, lambda stage, done, total, note="": steps.append((done, total)),
                   spec("distill"))  # fmt: skip
        assert [row["phase"] for row in made.history] == ["float"] * 3 + ["qat"] * 2
        assert steps == [(n, 8) for n in range(1, 9)]
        assert made.accuracy_integer > 0.9
        twin = Network.floating(network(), seed=0, engine="relu")
        weights = torch.load(tmp_path / "teacher.ckpt", weights_only=True)["state_dict"]
        twin.load_state_dict({k.removeprefix("network."): v for k, v in weights.items()})
        data = blobs()
        answers = twin.eval()(torch.from_numpy(data.test_values)).argmax(1).numpy()
        assert (answers == data.test_labels).mean() > 0.9

    def test_twin_is_the_network_with_relu(self) -> None:
        twin = Network.floating(network(), seed=0, engine="relu").eval()
        values = torch.from_numpy(blobs().test_values[:4])
        x = values.float() / 16
        first, second = (s.stored_weight() for s in twin.synapses)
        gain = (1 + twin.synapses[0].norm.eps) ** -0.5
        hidden = (torch.nn.functional.conv2d(x, first, padding=1) * gain).relu()
        expected = hidden.flatten(1) @ second.T
        torch.testing.assert_close(twin(values), expected)
        per_step = values[:, None].expand(-1, 3, -1, -1, -1)
        torch.testing.assert_close(twin(per_step), expected)

    def test_checkpoint_as_teacher_trains_none(self, tmp_path: Path) -> None:
        run(tmp_path / "first", spec=spec("distill"))
        given = DistillSpec(
            teacher=str(tmp_path / "first" / "teacher.ckpt"), temperature=2.0, weight=0.7
        )
        second = run(tmp_path / "second", spec=spec("distill", distill=given))
        assert not (tmp_path / "second" / "teacher.ckpt").exists()
        assert same(second, run(tmp_path / "first", spec=spec("distill")))

    def test_no_teacher(self, tmp_path: Path) -> None:
        run(tmp_path / "first", spec=spec("distill", epochs=1, qat_epochs=1))
        (tmp_path / "bad.ckpt").write_bytes(b"no checkpoint")
        for name, message in (
            ("bad.ckpt", r"bad\.ckpt: not a readable checkpoint .*name a teacher\.ckpt"),
            ("none.ckpt", r"none\.ckpt: not a readable checkpoint .*name a teacher\.ckpt"),
        ):
            given = spec("distill", distill=DistillSpec(teacher=str(tmp_path / name)))
            with pytest.raises(InputError, match=message):
                run(tmp_path / name.removesuffix(".ckpt"), spec=given)
        other = DistillSpec(teacher=str(tmp_path / "first" / "teacher.ckpt"))
        g = network()
        wider = replace(g, populations=tuple(
            replace(p, shape=(5, 6, 6)) if p.name == "hidden" else p for p in g.populations
        ))  # fmt: skip
        with pytest.raises(InputError, match=r"teacher\.ckpt: holds no twin of this architecture"):
            train(wider, blobs(), spec("distill", distill=other), tmp_path / "wider", seed=0)

    def test_loss(self) -> None:
        """τ = 2: the teacher's softmax (¾, ¼) against (½, ½): KL = ¾·ln 1.5 − ¼·ln 2."""
        told = torch.tensor([[2 * np.log(3.0), 0.0]])
        made = losses.distilled(
            torch.tensor(5.0), torch.zeros(1, 2), told, DistillSpec(temperature=2.0, weight=0.25)
        )
        apart = 0.75 * np.log(1.5) - 0.25 * np.log(2)
        assert made.item() == pytest.approx(0.75 * 5 + 0.25 * 4 * apart, rel=1e-5)


class TestEarlyStop:
    def test_ends_where_the_held_out_loss_does_not_fall(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Losses 3, 2, 2, 1 with a patience of one: the third epoch is the last."""
        losses_of = iter([3.0, 2.0, 2.0, 1.0] * 3)

        def judged(self: Any, batch: Any, batch_idx: int) -> None:
            self.log("held_out_loss", torch.tensor(next(losses_of)), on_epoch=True)

        monkeypatch.setattr("neurocomp.train.phase.Phase.validation_step", judged)
        stop = EarlyStopSpec(patience=1, holdout=0.125)  # 12 images: one batch
        made = run(tmp_path, spec=spec("early-stop", epochs=9, qat_epochs=1, early_stop=stop))
        assert [row["phase"] for row in made.history] == ["float"] * 3 + ["qat"]
        assert made.history[0]["images"] == 80  # five batches of the 84 that are left

    def test_judges_are_shown_all_held_out_samples_in_order(self) -> None:
        data = blobs(10)
        samples = Samples(data.train_values, data.train_labels, torch.device("cpu"))
        batches = [labels.tolist() for _, labels in in_order(samples, 4)]
        assert batches == [[0, 1, 0, 1], [0, 1, 0, 1], [0, 1]]


class TestPrecision:
    def test_bf16_is_for_the_float_phase_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: dict[str, set[torch.dtype]] = {}
        from neurocomp.snn.population import Neurons

        forward = Neurons.forward

        def watched(self: Neurons, drive: torch.Tensor, steps: int) -> torch.Tensor:
            if self.training:
                seen.setdefault("qat" if self.grid is not None else "float", set()).add(drive.dtype)
            return forward(self, drive, steps)

        monkeypatch.setattr(Neurons, "forward", watched)
        made = run(tmp_path, spec=spec("bf16"))
        assert torch.bfloat16 in seen["float"]
        assert seen["qat"] == {torch.float32}
        assert made.accuracy_integer > 0.9


class TestSynops:
    def test_counted_as_the_price_counts_them(self) -> None:
        """A spike of `hidden` (144 neurons) costs 2 additions; the graded input is left out."""
        net = Network.floating(network(), seed=0)
        costs = losses.fan_out(net)
        assert costs == {"hidden": 2.0}
        activity = net.run(torch.from_numpy(blobs().test_values[:8]))
        expected = float(activity.spikes["hidden"].sum()) / 8 * 2
        assert losses.synops(activity, costs).item() == pytest.approx(expected)

    def test_pruned_synapses_cost_nothing(self) -> None:
        assert losses.fan_out(Network.floating(network(), seed=0, kept=0.25)) == {"hidden": 0.5}

    @pytest.mark.parametrize(("operations", "price"), [(50.0, 0.0), (100.0, 0.0), (150.0, 0.5)])
    def test_only_the_excess_is_paid(self, operations: float, price: float) -> None:
        given = SynopsSpec(target=100.0, weight=2.0)
        assert losses.excess(torch.tensor(operations), given).item() == price

    def test_fewer_spikes_under_a_target(self, tmp_path: Path) -> None:
        def fired(made: Trained) -> float:
            from neurocomp.quant import reference

            return float(reference.run(made.graph, blobs().test_values).spikes["hidden"].mean())

        free = fired(run(tmp_path / "free", spec=SPEC))
        held = fired(run(tmp_path / "held", spec=spec("synops", synops=SynopsSpec(target=20.0))))
        assert held < 0.7 * free


class TestLearnt:
    def test_thresholds_and_decays_move_and_reach_the_chip(self, tmp_path: Path) -> None:
        made = run(tmp_path, spec=spec("learn"))
        learnt = made.float_graph.population("hidden").neuron
        assert isinstance(learnt, CubaLif)
        assert learnt.threshold != CubaLif().threshold
        assert learnt.voltage_decay != CubaLif().voltage_decay
        assert learnt.current_decay == 1.0  # no memory: another kind of neuron, not learnt
        assert learnt.voltage_decay * 4096 == round(learnt.voltage_decay * 4096)
        neuron = made.graph.population("hidden").neuron
        assert neuron.dv == round(learnt.voltage_decay * 4096)  # type: ignore[union-attr]
        assert made.accuracy_integer > 0.9

    def test_slayers_neurons_are_fixed(self) -> None:
        given = {"epochs": 1, "qat_epochs": 1, "batch": 1, "learning_rate": 1.0,
                 "qat_learning_rate": 1.0, "engine": "slayer", "learn": ["threshold"]}  # fmt: skip
        with pytest.raises(InputError, match=r"engine slayer has fixed neurons; leave learn out"):
            parse(given, TrainSpec, "recipe: train")


def test_tensorboard(tmp_path: Path) -> None:
    train(network(), blobs(), SPEC, tmp_path, seed=0, device="cpu", tensorboard=True)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for phase, epochs in (("float", 3), ("qat", 2)):
        curves = EventAccumulator(str(tmp_path / "tensorboard" / phase)).Reload()
        assert len(curves.Scalars(f"{phase}/loss")) == epochs
        assert curves.Scalars(f"{phase}/accuracy")[-1].value > 0.5


def test_deterministic_mode_ends_with_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(
        "neurocomp.train.phase.augment",
        lambda values, *_: seen.append(torch.are_deterministic_algorithms_enabled()) or values,
    )
    run(tmp_path, spec=spec("deterministic"))
    assert seen
    assert all(seen)
    assert not torch.are_deterministic_algorithms_enabled()
