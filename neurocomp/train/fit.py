"""Run a phase with Lightning's trainer: quiet, a checkpoint per epoch, exact resume."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor
from torch.utils.data import DataLoader

from neurocomp.train.callbacks import Loop, callbacks
from neurocomp.train.checkpoints import WholeFiles, require_readable
from neurocomp.train.failures import failures_named
from neurocomp.train.phase import NUMBER, Phase
from neurocomp.train.ranks import on_this_machine, world
from neurocomp.train.samples import Samples, in_order, loader

LOGGERS = ("lightning.pytorch", "lightning.fabric")


def fit(
    phase: Phase,
    samples: Samples,
    folder: Path,
    device: torch.device,
    *,
    held_out: Samples | None = None,
    tensorboard: bool = False,
) -> None:
    """Train a phase to its end, from the folder's checkpoint where there is one.

    A run that was interrupted or killed and goes on ends with the numbers of one that was not.

    Args:
        held_out: what early stopping watches; the spec's ``early_stop`` needs it.
        tensorboard: write curves into the folder's ``tensorboard``.

    Raises:
        InputError: the checkpoint cannot be read, or the processes cannot share a batch.
        RunError: the loss is not finite, memory ran out, the GPU failed, the checkpoint cannot be
            written, or the training was interrupted; the last good checkpoint is named.
    """
    spec, path = phase.spec, folder / f"{phase.name}.ckpt"
    batches = loader(samples, spec.epoch_images, spec.batch, phase.seed, NUMBER[phase.name])
    loop = Loop(
        epochs=phase.epochs,
        batch=spec.batch,
        clip=spec.gradient_clip,
        bf16=spec.precision == "bf16" and phase.name != "qat",
        ema=spec.ema,
        patience=spec.early_stop.patience if spec.early_stop else None,
        deterministic=spec.deterministic,
        tensorboard=folder / "tensorboard" / phase.name if tensorboard else None,
    )
    judge = None if held_out is None else in_order(held_out, spec.batch)
    run(phase, batches, path, device, loop, judge)


def run(
    module: L.LightningModule,
    batches: DataLoader[tuple[Tensor, Tensor]],
    path: Path,
    device: torch.device,
    loop: Loop,
    judge: DataLoader[tuple[Tensor, Tensor]] | None = None,
) -> None:
    """Train any module to its last epoch, from the checkpoint where there is one; see `fit`.

    Args:
        path: of the checkpoint, written at the end of each epoch after the module's own hook.
        judge: batches for the module's validation step, after each epoch.
    """
    require_readable(path)
    gpu = device.type == "cuda"
    with _quiet(), _torch_as_it_was():
        trainer = L.Trainer(
            accelerator="gpu" if gpu else "cpu",
            devices=on_this_machine(),
            num_nodes=world() // on_this_machine(),
            strategy="ddp" if world() > 1 else "auto",
            sync_batchnorm=gpu and world() > 1,  # torch has it on GPUs alone
            precision="bf16-mixed" if loop.bf16 else "32-true",
            max_epochs=loop.epochs,
            gradient_clip_val=loop.clip,
            deterministic=loop.deterministic or None,
            callbacks=callbacks(loop, path),
            plugins=[WholeFiles()],
            default_root_dir=path.parent,
            logger=_curves(loop),
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            num_sanity_val_steps=0,
        )
        with failures_named(path.parent, loop.batch):
            trainer.fit(module, batches, judge, ckpt_path=path if path.exists() else None)


def _curves(loop: Loop) -> Any:
    """Lightning's TensorBoard logger, or none."""
    if loop.tensorboard is None:
        return False
    return TensorBoardLogger(loop.tensorboard, name="", version="")


@contextlib.contextmanager
def _torch_as_it_was() -> Iterator[None]:
    """Whether torch is deterministic is left as it was; Lightning sets it for the process."""
    before = torch.are_deterministic_algorithms_enabled()
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No log lines and no warnings of Lightning's, which are about options we chose."""
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    try:
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
