"""Run a phase with Lightning's trainer: quiet, a checkpoint per epoch, exact resume."""

from __future__ import annotations

import contextlib
import logging
import pickle
import signal
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor
from torch.utils.data import DataLoader

from neurocomp.atomic import writing
from neurocomp.errors import InputError, RunError
from neurocomp.train.phase import NUMBER, Phase
from neurocomp.train.samples import Samples, loader

LOGGERS = ("lightning.pytorch", "lightning.fabric")


def fit(phase: Phase, samples: Samples, folder: Path, device: torch.device) -> None:
    """Train a phase to its end, from the folder's checkpoint where there is one.

    A run that was interrupted or killed and goes on ends with the numbers of one that was not.

    Raises:
        InputError: the checkpoint cannot be read.
        RunError: the loss is not finite, memory ran out, the checkpoint cannot be written, or the
            training was interrupted; the last good checkpoint is named.
    """
    spec, path = phase.spec, folder / f"{phase.name}.ckpt"
    batches = loader(samples, spec.epoch_images, spec.batch, phase.seed, NUMBER[phase.name])
    clip = spec.gradient_clip
    run(phase, batches, path, device, epochs=phase.epochs, batch=spec.batch, clip=clip)


def run(
    module: L.LightningModule,
    batches: DataLoader[tuple[Tensor, Tensor]],
    path: Path,
    device: torch.device,
    *,
    epochs: int,
    batch: int,
    clip: float | None = None,
) -> None:
    """Train any module to its last epoch, from the checkpoint where there is one; see `fit`.

    Args:
        path: of the checkpoint, written at the end of each epoch after the module's own hook.
        batch: samples of a batch, for the message where memory runs out.
        clip: norm to which gradients are clipped; a module that steps by itself clips by itself.
    """
    _require_readable(path)
    with _quiet():
        trainer = L.Trainer(
            accelerator="gpu" if device.type == "cuda" else "cpu",
            devices=1,
            max_epochs=epochs,
            gradient_clip_val=clip,
            callbacks=[_EveryEpoch(path)],
            plugins=[_WholeFiles()],
            default_root_dir=path.parent,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        with _named_failures(path, batch):
            trainer.fit(module, batches, ckpt_path=path if path.exists() else None)


class _EveryEpoch(Checkpoint):
    """Writes the checkpoint at the end of each epoch, after the phase's own hook."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        trainer.save_checkpoint(self._path)


class _WholeFiles(TorchCheckpointIO):
    """Checkpoints that appear whole or not at all; the one before stays until then."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        try:
            with writing(Path(path)) as file:
                torch.save(checkpoint, file)
        except OSError as fault:
            raise RunError(
                f"{path}: the checkpoint cannot be written ({fault.strerror}); "
                f"{_last_good(Path(path))}"
            ) from fault


@contextlib.contextmanager
def _named_failures(path: Path, batch: int) -> Iterator[None]:
    """What can end a training, as errors that name the last good checkpoint.

    Lightning turns an interrupt into SystemExit and leaves SIGINT ignored; both are mended.
    """
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except FloatingPointError as fault:
        raise RunError(f"{fault}; {_last_good(path)}") from fault
    except torch.cuda.OutOfMemoryError as fault:
        raise RunError(
            f"the device ran out of memory with batches of {batch}; lower the batch; "
            f"{_last_good(path)}"
        ) from fault
    except SystemExit:
        raise RunError(
            f"training was interrupted; started again it goes on; {_last_good(path)}"
        ) from None
    finally:
        if main:
            signal.signal(signal.SIGINT, handler)


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


def _require_readable(path: Path) -> None:
    if not path.exists():
        return
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, pickle.UnpicklingError) as fault:
        reason = str(fault).splitlines()[0]
        raise InputError(
            f"{path}: not a readable checkpoint ({reason}); remove it to train this phase again"
        ) from fault


def _last_good(path: Path) -> str:
    return f"the last good checkpoint is {path}" if path.exists() else "there is no checkpoint yet"
