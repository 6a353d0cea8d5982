"""Batches in pairs: one half of the training samples is for weights, the other for choices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from neurocomp.errors import InputError
from neurocomp.train.samples import Samples, seed_of


class Halves(Sampler[Tensor]):
    """Pairs of batches of sample numbers, (2, B), drawn anew every epoch; no half sees the other's.

    What does not fill a batch is left out. Lightning sets the epoch, on resuming as well.
    """

    def __init__(self, n_samples: int, batch: int, *seed: int) -> None:
        if n_samples < 2 * batch:
            raise InputError(
                f"{n_samples} training samples do not fill two batches of {batch}; lower "
                "joint.batch"
            )
        self.batch, self.seed, self.epoch = batch, seed, 0
        order = np.random.default_rng(seed_of(*seed)).permutation(n_samples)
        self.weights, self.choices = np.split(order[: n_samples // 2 * 2], 2)

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration is for."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.weights) // self.batch

    def __iter__(self) -> Iterator[Tensor]:
        rng = np.random.default_rng(seed_of(*self.seed, self.epoch))
        used = len(self) * self.batch
        drawn = [rng.permutation(half)[:used] for half in (self.weights, self.choices)]
        pairs = np.stack(drawn).reshape(2, len(self), self.batch)
        yield from torch.from_numpy(pairs).unbind(1)


def paired(samples: Samples, batch: int, *seed: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """Values (2, B, C, H, W) and labels (2, B): a batch of each half."""
    return DataLoader(samples, sampler=Halves(len(samples), batch, *seed), batch_size=None)
