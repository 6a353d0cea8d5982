"""Checkpoints: written whole or not at all, read back, named where a training fails."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from torch import nn

from neurocomp.atomic import writing
from neurocomp.errors import InputError, RunError

SUFFIX = ".ckpt"
NETWORK = "network."  # how the names of a phase's network begin in its checkpoint
UNREADABLE = (OSError, EOFError, RuntimeError, pickle.UnpicklingError)


class WholeFiles(TorchCheckpointIO):
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
                f"{last_good(Path(path).parent)}"
            ) from fault


def require_readable(path: Path) -> None:
    """Refuse a damaged checkpoint with an `InputError`; where there is none, all is well."""
    if path.exists():
        _read(path, "remove it to train this phase again")


def load_weights(twin: nn.Module, path: Path) -> None:
    """The network's weights from the checkpoint of a phase that trained one like it.

    Raises:
        InputError: not readable, or of another architecture.
    """
    state = _read(path, "name a teacher.ckpt, or let the twin be trained").get("state_dict", {})
    own = {k.removeprefix(NETWORK): v for k, v in state.items() if k.startswith(NETWORK)}
    try:
        twin.load_state_dict(own)
    except RuntimeError as fault:
        raise InputError(
            f"{path}: holds no twin of this architecture ({str(fault).splitlines()[-1].strip()}); "
            "name the teacher.ckpt of one, or let the twin be trained"
        ) from fault


def last_good(folder: Path) -> str:
    """The newest checkpoint of a folder, in words."""
    found = sorted(folder.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime_ns)
    return f"the last good checkpoint is {found[-1]}" if found else "there is no checkpoint yet"


def _read(path: Path, remedy: str) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as fault:
        reason = str(fault).splitlines()[0]
        raise InputError(f"{path}: not a readable checkpoint ({reason}); {remedy}") from fault
    return state
