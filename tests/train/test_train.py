"""Training of a tiny network: what comes out, exact resume, and how it fails."""

from __future__ import annotations

import math
import os
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from networks import dag, images

from neurocomp.data import Dataset
from neurocomp.data import load as load_dataset
from neurocomp.errors import InputError, RunError
from neurocomp.ir import Conv, CubaLif, Dense, Graph, Input, Population, Projection
from neurocomp.quant import reference
from neurocomp.quant.check import check
from neurocomp.quant.discretize import Plan, discretize
from neurocomp.snn import Activity, Network
from neurocomp.spec.train import AugmentSpec, TrainSpec
from neurocomp.train import Trained, train
from neurocomp.train.fit import fit
from neurocomp.train.phase import Phase
from neurocomp.train.samples import Samples

SPEC = TrainSpec(
    epochs=3,
    qat_epochs=2,
    batch=16,
    learning_rate=0.02,
    qat_learning_rate=0.002,
    weight_decay=1e-4,
    gradient_clip=5.0,
    label_smoothing=0.05,
    prune=0.25,
    augment=AugmentSpec(shift=1),
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def blobs(n: int = 96) -> Dataset:
    """Two classes: the upper or the lower half is bright."""
    rng = np.random.default_rng(0)
    labels = np.arange(n, dtype=np.int64) % 2
    values = rng.integers(0, 6, (n, 1, 6, 6))
    for value, label in zip(values, labels, strict=True):
        value[0, 3 * label : 3 * label + 3] += 8
    values = values.astype(np.uint8)
    return Dataset("blobs", ("up", "down"), (1, 6, 6), 4, values, labels, values[:40], labels[:40])


def network(classes: int = 2, bits: int = 4) -> Graph:
    """Two populations: a 4-bit convolution and an 8-bit readout."""
    return Graph(
        "tiny",
        (
            Population("in", (1, 6, 6), Input(bits)),
            Population("hidden", (4, 6, 6), CubaLif()),
            Population("out", (classes, 1, 1), CubaLif(voltage_decay=0.0)),
        ),
        (
            Projection("in-hidden", "in", "hidden", Conv((3, 3), padding=(1, 1)), 4),
            Projection("hidden-out", "hidden", "out", Dense(), 8),
        ),
        output="out",
        timesteps=3,
    )


def run(out: Path, progress: Any = None, spec: TrainSpec = SPEC, seed: int = 0) -> Trained:
    return train(network(), blobs(), spec, out, seed=seed, device="cpu", progress=progress)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    torch.set_num_threads(1)
    return run(tmp_path_factory.mktemp("trained"))


def same(a: Trained, b: Trained) -> bool:
    """Equal in everything but the clock."""
    clock = {"seconds", "images_per_second"}
    histories = [
        [{k: v for k, v in row.items() if k not in clock} for row in t.history] for t in (a, b)
    ]
    return (
        a.graph.digest() == b.graph.digest()
        and a.float_graph.digest() == b.float_graph.digest()
        and (a.accuracy_float, a.accuracy_integer) == (b.accuracy_float, b.accuracy_integer)
        and histories[0] == histories[1]
    )


class TestResult:
    def test_learns_and_the_accuracy_is_the_integer_graphs(self, trained: Trained) -> None:
        data = blobs()
        assert trained.accuracy_float > 0.9
        assert trained.accuracy_integer > 0.9
        check(trained.graph)
        right = reference.run(trained.graph, data.test_values).predictions() == data.test_labels
        assert trained.accuracy_integer == right.mean()

    def test_history(self, trained: Trained) -> None:
        rows = [(row["phase"], row["epoch"], row["epochs"]) for row in trained.history]
        assert rows == [("float", e, 3) for e in (1, 2, 3)] + [("qat", e, 2) for e in (1, 2)]
        assert trained.epochs == 5
        assert all(row["images"] == 96 for row in trained.history)
        assert trained.images_per_second > 0

    def test_pruned_share(self, trained: Trained) -> None:
        for e in trained.graph.projections:
            assert e.mask is not None
            assert e.weight is not None
            assert (~e.mask).sum() == round(0.25 * e.mask.size)
            assert not e.weight[~e.mask].any()
        assert all(e.mask is None for e in trained.float_graph.projections)

    def test_another_seed_is_another_network(self, trained: Trained, tmp_path: Path) -> None:
        assert run(tmp_path, seed=1).graph.digest() != trained.graph.digest()

    def test_quiet_and_no_folder_beside_the_checkpoints(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
    ) -> None:
        steps = []
        run(tmp_path, lambda stage, done, total, note="": steps.append((stage, done, total)))
        assert steps == [("train", done, 5) for done in (1, 2, 3, 4, 5)]
        assert sorted(p.name for p in tmp_path.iterdir()) == [
            "float.ckpt",
            "qat.ckpt",
            "training.json",
        ]
        assert capfd.readouterr() == ("", "")
        assert not [w for w in recwarn if "ightning" in str(w.message)]

    @pytest.mark.parametrize("surrogate", ["atan", "slayer"])
    def test_sgd_and_other_surrogates(self, tmp_path: Path, surrogate: str) -> None:
        spec = SPEC.model_copy(update={"optimizer": "sgd", "surrogate": surrogate})
        assert run(tmp_path, spec=spec).accuracy_integer > 0.9


class Downhill(Phase):
    """Every stored weight has the gradient 1."""

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> Any:
        super().training_step(batch, batch_idx)
        return sum(s.stored_weight().sum() for s in self.network.synapses)


class Elsewhere(Downhill):
    """Made on another device than it is trained on."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._sums = torch.zeros(2, device="meta")

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> Any:
        assert self._sums.device == self.device
        return super().training_step(batch, batch_idx)


def downhill(
    out: Path, bits: int, made: type[Downhill] = Downhill, **changes: Any
) -> list[torch.Tensor]:
    """By how much `Downhill` lowers the weights of 1/8 in two epochs of six batches."""
    graph = network()
    projections = [
        replace(e, weight=np.full(shape, 0.125, np.float32), weight_bits=bits)
        for e, shape in zip(graph.projections, ((4, 1, 3, 3), (2, 144)), strict=True)
    ]
    graph = graph.with_parts(graph.populations, tuple(projections))
    plan = Plan({"in-hidden": -3, "hidden-out": -3}, {"hidden": 3, "out": 3})
    spec = SPEC.model_copy(update={"weight_decay": 0.0, "gradient_clip": None, **changes})
    quantised, cpu = Network.quantised(graph, plan), torch.device("cpu")
    before = [s.synapse.weight.detach().clone() for s in quantised.synapses]
    phase = made("qat", quantised, spec, 0, lambda row: None)
    fit(phase, Samples(blobs().train_values, blobs().train_labels, cpu), out, cpu)
    after = [s.synapse.weight.detach() for s in quantised.synapses]
    return [old - new for old, new in zip(before, after, strict=True)]


class TestRates:
    """Under a constant gradient Adam moves a weight by its rate r at every step, under a cosine
    over n = 12 steps by ``r·(n + 1)/2`` in all."""

    @pytest.mark.parametrize(("bits", "gap"), [(1, 0.25), (2, 0.125), (8, 0.125)])
    def test_weights_can_leave_their_first_level(
        self, tmp_path: Path, bits: int, gap: float
    ) -> None:
        """Levels 1/8 apart, and 1/4 at 1 bit, where there is none between −1 and +1.

        r = 2·4·gap/n, so 13/3 gaps; weights of the 4-bit input are trained in units of 1/16.
        """
        first, second = downhill(tmp_path, bits, qat_learning_rate=1e-6)
        torch.testing.assert_close(first, torch.full_like(first, 16 * 13 / 3 * gap))
        torch.testing.assert_close(second, torch.full_like(second, 13 / 3 * gap))

    def test_a_rate_that_suffices_stays(self, tmp_path: Path) -> None:
        _, fallen = downhill(tmp_path, 8, qat_learning_rate=0.5)
        torch.testing.assert_close(fallen, torch.full_like(fallen, 0.5 * 13 / 2))

    @pytest.mark.parametrize("clip", [None, 1e-3])
    def test_sgds_rate_follows_the_gradient(self, tmp_path: Path, clip: float | None) -> None:
        """A rate that moves 1-bit weights by as much as Adam's, however small gradients are."""
        changes = {"optimizer": "sgd", "momentum": 0.0, "gradient_clip": clip}
        first, second = downhill(tmp_path, 1, qat_learning_rate=1e-6, **changes)
        torch.testing.assert_close(first, torch.full_like(first, 16 * 13 / 3 * 0.25))
        torch.testing.assert_close(second, torch.full_like(second, 13 / 3 * 0.25))

    def test_sgds_first_gradient_is_found_on_the_device(self, tmp_path: Path) -> None:
        """The module is made on the CPU, and moves to its device later."""
        changes = {"optimizer": "sgd", "momentum": 0.0, "qat_learning_rate": 1e-6}
        first, _ = downhill(tmp_path, 1, made=Elsewhere, **changes)
        torch.testing.assert_close(first, torch.full_like(first, 16 * 13 / 3 * 0.25))

    def test_sgds_momentum_counts(self, tmp_path: Path) -> None:
        """Half of Adam's rate; step k moves by it times the cosine's share times 2 − 2^−k."""
        changes = {"optimizer": "sgd", "momentum": 0.5, "qat_learning_rate": 1e-6}
        _, fallen = downhill(tmp_path, 8, **changes)
        rates = [(1 + math.cos(math.pi * k / 12)) / 2 for k in range(12)]
        moved = sum(r * (2 - 0.5**k) for k, r in enumerate(rates)) / 2 * 8 * 0.125 / 12
        torch.testing.assert_close(fallen, torch.full_like(fallen, moved))

    def test_sgds_rate_that_suffices_stays(self, tmp_path: Path) -> None:
        _, fallen = downhill(tmp_path, 1, qat_learning_rate=0.5, optimizer="sgd", momentum=0.0)
        torch.testing.assert_close(fallen, torch.full_like(fallen, 0.5 * 13 / 2))


def one_bit(dataset: Dataset) -> Graph:
    """Five convolutions on the digits; all but the first at 1 bit."""
    lif = CubaLif(0.5, 1.0, 0.75)
    populations = [Population("in", dataset.shape, Input(dataset.bits))]
    projections = []
    for name, channels, size, stride, bits in (
        ("a", 8, 8, 1, 4), ("b", 8, 8, 1, 1), ("c", 16, 4, 2, 1), ("d", 16, 4, 1, 1),
        ("e", 32, 2, 2, 1),
    ):  # fmt: skip
        source = populations[-1].name
        op = Conv((3, 3), stride=(stride, stride), padding=(1, 1))
        populations.append(Population(name, (channels, size, size), lif))
        projections.append(Projection(f"{source}-{name}", source, name, op, bits))
    populations.append(Population("out", (10, 1, 1), CubaLif(0.5, 1.0, 0.0)))
    projections.append(Projection("e-out", "e", "out", Dense(), 4))
    return Graph("one-bit", tuple(populations), tuple(projections), output="out", timesteps=3)


@pytest.mark.slow
def test_one_bit_loses_little(tmp_path: Path) -> None:
    """At a rate that suits 8 bits; without rates by the gap 7 to 10 points are lost."""
    dataset = load_dataset("digits")
    spec = TrainSpec(
        epochs=8,
        qat_epochs=10,
        batch=64,
        learning_rate=0.004,
        qat_learning_rate=0.0005,
        surrogate="dspike",
        surrogate_width=2.0,
    )
    made = train(one_bit(dataset), dataset, spec, tmp_path, seed=0, device="cpu")
    assert made.accuracy_float > 0.95
    assert made.accuracy_integer > made.accuracy_float - 0.025


class TestResume:
    @pytest.mark.parametrize("epoch", [2, 3, 4])
    def test_after_an_interrupt(self, trained: Trained, tmp_path: Path, epoch: int) -> None:
        """In the float phase, at its end and in the second phase."""

        def interrupt(stage: str, done: int, total: int, note: str = "") -> None:
            if done == epoch:
                raise KeyboardInterrupt

        handler = signal.getsignal(signal.SIGINT)
        with pytest.raises(RunError, match=r"training was interrupted; started again it goes on"):
            run(tmp_path, interrupt)
        assert signal.getsignal(signal.SIGINT) is handler
        assert same(run(tmp_path), trained)

    def test_after_kill_9(self, trained: Trained, tmp_path: Path) -> None:
        script = (
            f"import os, sys; sys.path[:0] = {[*map(str, Path(__file__).parents[:2])]}\n"
            "from pathlib import Path; import torch; import test_train as t\n"
            "torch.set_num_threads(1)\n"
            "def kill(stage, done, total, note=''):\n"
            f"    if done == 2: os.kill(os.getpid(), {int(signal.SIGKILL)})\n"
            f"t.run(Path({str(tmp_path)!r}), kill)\n"
        )
        ended = subprocess.run([sys.executable, "-c", script], env=os.environ, check=False)
        assert ended.returncode == -signal.SIGKILL
        assert same(run(tmp_path), trained)

    def test_finished_training_is_not_repeated(self, trained: Trained, tmp_path: Path) -> None:
        run(tmp_path)
        steps: list[str] = []
        assert same(run(tmp_path, lambda *_: steps.append("epoch")), trained)
        assert steps == []


def test_skips_and_average_pooling_stay_what_they_are(tmp_path: Path) -> None:
    labels = np.arange(32, dtype=np.int64) % 5
    values = images(32)
    dataset = Dataset("noise", tuple("abcde"), (2, 8, 8), 4, values, labels, values, labels)
    spec = SPEC.model_copy(update={"epochs": 1, "qat_epochs": 2, "qat_learning_rate": 0.05})
    trained = train(dag(), dataset, spec, tmp_path, seed=0)
    weights = {e.name: e.weight for e in trained.graph.projections}
    before = {e.name: e.weight for e in trained.float_graph.projections}
    for name in ("concat-pool", "n1-n2.pool", "stem-n1.skip"):
        taps = weights[name].reshape(len(weights[name]), -1)
        assert (taps == taps[:, :1]).all(), name  # all taps of a channel weigh the same
        ratio = taps[:, 0] / before[name].reshape(len(taps), -1)[:, 0]
        assert np.allclose(ratio, ratio[0], rtol=0.02), name  # and the channels as in float
    assert not trained.regridded


class TestFailures:
    def test_loss_that_is_not_finite(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        logits, calls = Network.logits, []

        def overflow(self: Network, activity: Activity) -> torch.Tensor:
            calls.append(1)
            return logits(self, activity) * (torch.inf if len(calls) > 6 else 1.0)

        monkeypatch.setattr(Network, "logits", overflow)  # six batches an epoch
        with pytest.raises(
            RunError, match=r"loss of epoch 2 is nan; lower .*last good checkpoint is .*float\.ckpt"
        ):
            run(tmp_path)
        assert torch.load(tmp_path / "float.ckpt", weights_only=True)["epoch"] == 0

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            (
                torch.cuda.OutOfMemoryError("CUDA out of memory"),
                "ran out of memory with batches of 16",
            ),
            (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "ran out of memory with"),
            (MemoryError(), "ran out of memory with batches of 16; lower the batch"),
            (
                RuntimeError("CUDA error: unspecified launch failure\nmore"),
                r"the GPU failed \(CUDA error: unspecified launch failure\); see whether it works",
            ),
        ],
    )
    def test_device_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception, words: str
    ) -> None:
        """In the first epoch, and after the first phase, whose end is what is left."""

        def fails(self: Network, values: torch.Tensor) -> Activity:
            raise fault

        with monkeypatch.context() as patched:
            patched.setattr(Network, "run", fails)
            with pytest.raises(RunError, match=rf"{words}.*; there is no checkpoint yet"):
                run(tmp_path)
        monkeypatch.setattr("neurocomp.train.training.plan", lambda graph: fails(None, None))
        with pytest.raises(RunError, match=rf"{words}.*last good checkpoint is .*/float\.ckpt"):
            run(tmp_path)

    def test_other_faults_stay_what_they_are(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(self: Network, values: torch.Tensor) -> Activity:
            raise RuntimeError("a shape is wrong")

        monkeypatch.setattr(Network, "run", fails)
        with pytest.raises(RuntimeError, match="a shape is wrong"):
            run(tmp_path)

    def test_checkpoint_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / f"float.ckpt.{os.getpid()}.part").mkdir()
        with pytest.raises(RunError, match=r"float\.ckpt: the checkpoint cannot be written \(Is a"):
            run(tmp_path)

    def test_full_disk(self, trained: Trained, tmp_path: Path) -> None:
        """Writes fail from the second epoch on; with room again, the training goes on."""
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)

        def fill(stage: str, done: int, total: int, note: str = "") -> None:
            if done == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))

        try:
            with pytest.raises(
                RunError, match=r"float\.ckpt: the checkpoint cannot be written \(.*; the last good"
            ):
                run(tmp_path, fill)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert torch.load(tmp_path / "float.ckpt", weights_only=True)["epoch"] == 0
        assert [p.name for p in tmp_path.glob("*.part")] == []
        assert same(run(tmp_path), trained)

    def test_damaged_checkpoint(self, tmp_path: Path) -> None:
        (tmp_path / "float.ckpt").write_bytes(b"no checkpoint")
        with pytest.raises(InputError, match=r"float\.ckpt: not a readable checkpoint .*remove it"):
            run(tmp_path)

    def test_folder_of_another_training(self, tmp_path: Path) -> None:
        one = SPEC.model_copy(update={"epochs": 1, "qat_epochs": 1})
        run(tmp_path, spec=one)
        with pytest.raises(InputError, match=r"holds another training \(other train, seed\)"):
            run(tmp_path, seed=4)

    def test_folder_that_cannot_be_used(self, tmp_path: Path) -> None:
        (tmp_path / "training.json").write_text("{")
        with pytest.raises(InputError, match=r"training\.json: cannot be used .*another folder"):
            run(tmp_path)

    def test_network_of_another_size(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"'tiny' has 3 outputs, data set 'blobs' has 2 class"):
            train(network(3), blobs(), SPEC, tmp_path, seed=0)
        with pytest.raises(InputError, match=r"takes \(1, 6, 6\) of 2 bits,.*of 4 bits"):
            train(network(bits=2), blobs(), SPEC, tmp_path, seed=0)

    def test_device(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(InputError, match=r"unknown device 'gpu'; .*\(known: auto, cpu, cuda\)"):
            train(network(), blobs(), SPEC, tmp_path, seed=0, device="gpu")
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(InputError, match=r"device 'cuda': torch sees no GPU here"):
            train(network(), blobs(), SPEC, tmp_path, seed=0, device="cuda")


def test_sums_that_outgrow_the_plan_get_coarser_grids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A huge rate drives all weights of the readout to their greatest level, three times their
    mean: past the plan's headroom of two, over sixteen steps.
    """
    used = []

    def watched(graph: Graph, grids: Plan | None = None) -> Graph:
        used.append(grids)
        return discretize(graph, grids)

    monkeypatch.setattr("neurocomp.train.training.discretize", watched)
    spec = SPEC.model_copy(
        update={"epochs": 1, "qat_epochs": 1, "qat_learning_rate": 50.0, "gradient_clip": None}
    )
    made = train(replace(network(), timesteps=16), blobs(), spec, tmp_path, seed=0)
    assert used[0] is not None
    assert used[1:] == [None]
    check(made.graph)
