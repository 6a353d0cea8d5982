"""One phase of training as a Lightning module: float with batch-norm, or on the chip's grids."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import lightning as L
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurocomp.snn import Network
from neurocomp.snn.levels import Levels
from neurocomp.spec.recipe import TrainSpec
from neurocomp.train.augment import augment
from neurocomp.train.auxiliary import Auxiliary
from neurocomp.train.samples import seed_of

PhaseName: TypeAlias = Literal["float", "qat"]
NUMBER: dict[PhaseName, int] = {"float": 0, "qat": 1}
REACH = 4.0  # gaps between levels that Adam can move a weight by in a whole phase, at least


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
    ) -> None:
        super().__init__()
        self.name, self.network, self.spec, self.seed = name, network, spec, seed
        self.epochs = spec.epochs if name == "float" else spec.qat_epochs
        self.history: list[Epoch] = []
        self.auxiliary = _auxiliary(network, seed) if spec.auxiliary else None
        self._on_epoch = on_epoch
        self._started = 0.0
        self._images = 0
        self._sums = torch.zeros(2)

    def configure_optimizers(self) -> Any:
        """The spec's optimiser under a cosine schedule, step by step, to zero.

        On levels a weight acts only by crossing half of the gap to the next one. Adam moves it by
        its rate a step at most, half of it on the cosine's mean, so that a rate that suits 8 bits
        leaves 1-bit weights their first signs. Adam's rate is therefore ``2·REACH·gap/steps`` at
        least; SGD's, whose steps grow with the gradient, is the spec's.
        """
        rate = self.spec.learning_rate if self.name == "float" else self.spec.qat_learning_rate
        steps = int(self.trainer.estimated_stepping_batches)
        reach = 2 * REACH / steps if self.spec.optimizer == "adam" else 0.0
        groups = _parameter_groups(self, rate, reach, self.spec.weight_decay)
        optimizer: torch.optim.Optimizer
        if self.spec.optimizer == "sgd":
            optimizer = torch.optim.SGD(groups, rate, momentum=self.spec.momentum)
        else:
            optimizer = torch.optim.Adam(groups, rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Cross-entropy of a batch of (values, labels), the auxiliary classifier's with it."""
        values, labels = batch
        generator = torch.Generator(values.device)
        generator.manual_seed(seed_of(self.seed, NUMBER[self.name], self.current_epoch, batch_idx))
        images = augment(values, self.spec.augment, generator)
        if self.auxiliary is None:
            logits, extra = self.network(images), torch.zeros(())
        else:
            activity = self.network.run(images)
            logits = self.network.logits(activity)
            extra = self.spec.auxiliary * F.cross_entropy(self.auxiliary(activity), labels)
        loss = F.cross_entropy(logits, labels, label_smoothing=self.spec.label_smoothing) + extra
        right = (logits.detach().argmax(1) == labels).sum()
        self._sums += torch.stack([loss.detach() * len(labels), right])
        self._images += len(labels)
        return loss

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
        loss, accuracy = (self._sums / self._images).tolist()
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
            images_per_second=self._images / seconds,
            images=self._images,
            seconds=seconds,
        )
        self.history.append(row)
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


def _parameter_groups(
    phase: Phase, rate: float, reach: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Weights of synapses by their rate, and everything else, which does not decay.

    Args:
        reach: by how much of the gap between its levels a weight's rate is at least.
    """
    weights: dict[float, list[nn.Parameter]] = {}
    for synapses in phase.network.synapses:
        weight, levels = synapses.synapse.weight, synapses.synapse.pre_hook_fx
        if weight.requires_grad:
            gap = levels.gap if isinstance(levels, Levels) else 0.0
            weights.setdefault(max(rate, reach * gap), []).append(weight)
    trained = [(n, p) for n, p in phase.named_parameters() if p.requires_grad]
    others = [p for n, p in trained if not n.endswith("synapse.weight")]
    return [
        *({"params": w, "lr": r, "weight_decay": weight_decay} for r, w in weights.items()),
        {"params": others, "weight_decay": 0.0},
    ]
