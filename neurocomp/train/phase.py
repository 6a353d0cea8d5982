"""One phase of training as a Lightning module: float with batch-norm, or on the chip's grids."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import lightning as L
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurocomp.snn import Activity, Network
from neurocomp.snn.synapses import value_scale
from neurocomp.spec.train import TrainSpec
from neurocomp.train import losses, rates
from neurocomp.train.augment import augment
from neurocomp.train.auxiliary import Auxiliary
from neurocomp.train.mix import mixed
from neurocomp.train.ranks import rank, world
from neurocomp.train.samples import seed_of

PhaseName: TypeAlias = Literal["teacher", "float", "qat"]
NUMBER: dict[PhaseName, int] = {"float": 0, "qat": 1, "teacher": 2}
HELD_OUT = "held_out_loss"  # what early stopping watches


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch of training gave; loss and accuracy are means over its training images."""

    phase: str
    epoch: int
    epochs: int
    loss: float
    accuracy: float
    images_per_second: float
    images: int
    seconds: float


class Phase(L.LightningModule):
    """A network with its loss, optimiser and schedule.

    Everything random is drawn from (seed, phase, epoch, batch), so that a run that was resumed
    draws the same.

    Attributes:
        history: one entry per finished epoch; kept in the checkpoint.
    """

    def __init__(
        self,
        name: PhaseName,
        network: Network,
        spec: TrainSpec,
        seed: int,
        on_epoch: Callable[[Epoch], None],
        teacher: Network | None = None,
    ) -> None:
        super().__init__()
        self.name, self.network, self.spec, self.seed = name, network, spec, seed
        self.epochs = spec.qat_epochs if name == "qat" else spec.epochs
        self.history: list[Epoch] = []
        self.auxiliary = _auxiliary(network, seed) if spec.auxiliary else None
        self._teacher = () if teacher is None else (teacher,)  # in a tuple: no part of this module
        self._fan_out = losses.fan_out(network) if spec.synops else {}
        self._peak = value_scale(network.graph, network.graph.inputs[0].name) - 1
        self._on_epoch = on_epoch
        self._plan: rates.Plan | None = None
        self._started = 0.0
        self._images = 0
        self._sums = torch.zeros(2)

    def configure_optimizers(self) -> Any:
        """The spec's optimiser and schedule, stepped after every batch; see `rates.plan`."""
        rate = self.spec.qat_learning_rate if self.name == "qat" else self.spec.learning_rate
        synapses = {id(s.synapse.weight) for s in self.network.synapses}
        others = [p for p in self.parameters() if p.requires_grad and id(p) not in synapses]
        made = self._plan = rates.plan(self.network, others, self.spec, rate, self._steps())
        return {
            "optimizer": made.optimizer,
            "lr_scheduler": {"scheduler": made.schedule, "interval": "step"},
        }

    def on_train_start(self) -> None:
        """Bring SGD's rates to the gaps of levels before the first step of all."""
        if self.name != "qat" or self.spec.optimizer != "sgd" or self.global_step:
            return
        self._sums = torch.zeros(2, device=self.device)  # the first epoch has not begun
        assert self._plan is not None  # Lightning configures optimisers first
        assert self.trainer.train_dataloader is not None
        batch = next(iter(self.trainer.train_dataloader))
        self.training_step(batch, 0).backward()  # type: ignore[no-untyped-call]
        trained = [p for p in self.network.parameters() if p.grad is not None]
        for parameter in trained:
            parameter.grad = self.trainer.strategy.reduce(parameter.grad, reduce_op="mean")
        if self.spec.gradient_clip is not None:
            nn.utils.clip_grad_norm_(trained, self.spec.gradient_clip)
        rates.reach_levels(self._plan, self.spec, self._steps())
        self.zero_grad()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """The loss of a batch of (values, labels), with all that the spec adds to it."""
        values, labels = batch
        number, epoch = NUMBER[self.name], self.current_epoch
        seed = seed_of(self.seed, number, epoch, batch_idx, *_others_rank())
        generator = torch.Generator(values.device).manual_seed(seed)
        images = augment(values, self.spec.augment, generator, self._peak)
        mix = None
        if self.spec.mixup or self.spec.cutmix:
            rng = np.random.default_rng(seed)
            mix = mixed(images, labels, self.spec.mixup, self.spec.cutmix, rng)
            images = mix.values
        activity = self.network.run(images)
        logits = self.network.logits(activity)
        loss = self._entropy(logits, labels)
        if mix is not None:
            loss = mix.share * loss + (1 - mix.share) * self._entropy(logits, mix.partners)
        loss = self._with_more(loss, logits, images, labels, activity)
        right = (logits.detach().argmax(1) == labels).sum()
        self._sums += torch.stack([loss.detach() * len(labels), right])
        self._images += len(labels)
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Cross-entropy of held-out samples, for early stopping."""
        values, labels = batch
        loss = F.cross_entropy(self.network(values), labels)
        self.log(HELD_OUT, loss, on_epoch=True, batch_size=len(labels), sync_dist=True)

    def _entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        return F.cross_entropy(logits, labels, label_smoothing=self.spec.label_smoothing)

    def _with_more(
        self, loss: Tensor, logits: Tensor, images: Tensor, labels: Tensor, activity: Activity
    ) -> Tensor:
        """The teacher's, the auxiliary classifier's and the synaptic operations' part."""
        if self._teacher:
            assert self.spec.distill is not None  # training gives a teacher with it alone
            with torch.no_grad():
                told = self._teacher[0](images)
            loss = losses.distilled(loss, logits, told, self.spec.distill)
        if self.auxiliary is not None:
            extra = F.cross_entropy(self.auxiliary(activity), labels)
            loss = loss + self.spec.auxiliary * extra
        if self.spec.synops is not None:
            operations = losses.synops(activity, self._fan_out)
            loss = loss + losses.excess(operations, self.spec.synops)
        return loss

    def _steps(self) -> int:
        return int(self.trainer.estimated_stepping_batches)

    def on_train_epoch_start(self) -> None:
        """Start the epoch's sums and its clock."""
        self._sums = torch.zeros(2, device=self.device)
        self._images = 0
        self._started = time.perf_counter()

    def on_train_epoch_end(self) -> None:
        """Report the epoch; runs before the checkpoint is written.

        Raises:
            FloatingPointError: the loss is not finite; the checkpoint of the epoch before stays.
        """
        sums = self.trainer.strategy.reduce(self._sums, reduce_op="sum")
        images = self._images * world()
        loss, accuracy = (sums / images).tolist()
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"{self.name} training: the loss of epoch {self.current_epoch + 1} is {loss}; "
                "lower the learning rate or clip the gradient"
            )
        seconds = time.perf_counter() - self._started
        row = Epoch(
            phase=self.name,
            epoch=self.current_epoch + 1,
            epochs=self.epochs,
            loss=loss,
            accuracy=accuracy,
            images_per_second=images / seconds,
            images=images,
            seconds=seconds,
        )
        self.history.append(row)
        self.log_dict({f"{self.name}/loss": loss, f"{self.name}/accuracy": accuracy})
        self._on_epoch(row)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the history."""
        checkpoint["history"] = [asdict(row) for row in self.history]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the history up again."""
        self.history = [Epoch(**row) for row in checkpoint["history"]]


def _auxiliary(network: Network, seed: int) -> Auxiliary:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Auxiliary(network.graph)


def _others_rank() -> tuple[int, ...]:
    """This process's number where it is not the first: each draws for itself."""
    return (rank(),) if rank() else ()
