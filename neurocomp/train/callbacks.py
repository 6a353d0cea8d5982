"""How a module is trained, and what Lightning calls meanwhile: averages, ends, checkpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, Checkpoint, EarlyStopping, EMAWeightAveraging

from neurocomp.train.phase import HELD_OUT
from neurocomp.train.ranks import world


@dataclass(frozen=True, slots=True)
class Loop:
    """How a module is trained.

    Attributes:
        batch: samples of a batch, for the message where memory runs out.
        clip: norm to which gradients are clipped; a module that steps by itself clips by itself.
        bf16: synapses in bfloat16.
        ema: decay per step of the average of weights that is left in the module at the end.
        patience: epochs that the held-out loss may fail to fall; None = never stop early.
        tensorboard: folder for the curves; None = nowhere.
    """

    epochs: int
    batch: int
    clip: float | None = None
    bf16: bool = False
    ema: float | None = None
    patience: int | None = None
    deterministic: bool = False
    tensorboard: Path | None = None


def callbacks(loop: Loop, path: Path) -> list[Callback]:
    """What a loop asks for; the checkpoint comes last."""
    made: list[Callback] = []
    if loop.ema is not None:
        made.append(Averaged(decay=loop.ema))
    if loop.patience is not None:
        made.append(Stopping(HELD_OUT, patience=loop.patience))
    if world() > 1:
        made.append(SameBuffers())
    return [*made, EveryEpoch(path)]


class EveryEpoch(Checkpoint):
    """Writes the checkpoint at the end of each epoch, after the module's own hook."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        trainer.save_checkpoint(self._path)


class Averaged(EMAWeightAveraging):
    """Lightning's moving average, which also a training that had ended before leaves behind."""

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.on_train_end(trainer, pl_module)


class Stopping(EarlyStopping):
    """Lightning's early stopping; a training that it had ended before is not gone on with."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        trainer.should_stop = self.stopped_epoch > 0


class SameBuffers(Callback):
    """Every process goes on with the first one's means and spreads of batch-norm.

    At the end of each epoch, and at the end of all, where the averages of weights have theirs.
    """

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for buffer in pl_module.buffers():
            torch.distributed.broadcast(buffer, 0)

    def on_fit_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.on_train_epoch_end(trainer, pl_module)
