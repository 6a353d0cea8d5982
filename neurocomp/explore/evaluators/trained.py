"""Short training: accuracy on held-out training samples after a few epochs in float."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from neurocomp.arch import Candidate, Task, build
from neurocomp.data import Dataset
from neurocomp.explore.outcome import Outcome, finite
from neurocomp.spec.train import TrainSpec

VERSION = 2  # to be raised with every change after which the same candidate gets another value


@dataclass(frozen=True)
class Trained:
    """Short training of a candidate's float network.

    Attributes:
        spec: how it is trained; its epochs are the full effort. No second phase.
        holdout: share of the training samples that judges, drawn with the seed; test samples are
            never looked at.
    """

    dataset: Dataset
    spec: TrainSpec
    holdout: float
    seed: int = 0
    device: str = "auto"

    @property
    def about(self) -> str:
        """Training samples and the share held out, training, seed, kind of device, version."""
        from neurocomp.train.training import torch_device

        changed = self.spec.model_dump(exclude_defaults=True)
        settings = "".join(f", {key} {value}" for key, value in changed.items())
        return (
            f"short training {VERSION} on {self.dataset.name} {self._digest}, {self.holdout} held "
            f"out{settings}, seed {self.seed}, {torch_device(self.device).type}"
        )

    def knows(self, candidate: Candidate) -> bool:
        """Every candidate."""
        return True

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        """Accuracy after a share of the epochs, one at least, each with a schedule of its own."""
        from neurocomp.train import train_short

        epochs = max(round(share * self.spec.epochs), 1)
        changes = {"epochs": epochs, "prune": candidate.prune, "prune_by": "scores"}
        spec = self.spec.model_copy(update=changes)
        task = Task(self._split.shape, self._split.bits, len(self._split.classes))
        with tempfile.TemporaryDirectory() as folder:
            accuracy, spikes = train_short(
                build(candidate, task), self._split, spec, Path(folder), self.seed, self.device
            )
        return Outcome(finite(accuracy), spikes)

    @cached_property
    def _digest(self) -> str:
        """Of the training samples as they are shown, with their labels."""
        data = self.dataset
        digest = hashlib.sha256(f"{data.train_values.shape} {data.bits}".encode())
        digest.update(np.ascontiguousarray(data.train_values).data)
        digest.update(np.ascontiguousarray(data.train_labels).data)
        return digest.hexdigest()[:10]

    @cached_property
    def _split(self) -> Dataset:
        """The training samples in two parts; the second stands for the test set."""
        return self.dataset.held_out(self.holdout, self.seed)

    def __getstate__(self) -> dict[str, object]:
        """What another process needs; what was computed here stays here."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
