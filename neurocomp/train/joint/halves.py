"""Batches in pairs: one half of the training samples is for weights, the other for choices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler

from neurocomp.data.dataset import split
from neurocomp.data.spikes import Labels
from neurocomp.errors import InputError
from neurocomp.train.samples import Samples, seed_of

HALF = 0.5
DECIDING = 2**31  # in place of an epoch


class Halves(Sampler[Tensor]):
    """Pairs of batches of sample numbers, (2, B), drawn anew every epoch; no half sees the other's.

    What does not fill a batch is left out. Lightning sets the epoch, on resuming as well.
    """

    def __init__(self, labels: Labels, batch: int, seed: int) -> None:
        if len(labels) < 2 * batch:
            raise InputError(
                f"{len(labels)} training samples do not fill two batches of {batch}; lower "
                "joint.batch"
            )
        self.batch, self.seed, self.epoch = batch, seed, 0
        self.weights, self.choices = split(labels, HALF, seed)

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration is for."""
        self.epoch = epoch

    def __len__(self) -> int:
        return min(len(self.weights), len(self.choices)) // self.batch

    def __iter__(self) -> Iterator[Tensor]:
        rng = np.random.default_rng(seed_of(self.seed, self.epoch))
        yield from torch.stack([self._batches(h, rng) for h in (self.weights, self.choices)], 1)

    def deciding(self) -> Tensor:
        """Batches of the half for choices, (batches, B), the same every time.

        They are shuffled: norms are the batch's, and many data sets lie sorted by class.
        """
        return self._batches(self.choices, np.random.default_rng(seed_of(self.seed, DECIDING)))

    def _batches(self, half: Labels, rng: np.random.Generator) -> Tensor:
        drawn = torch.from_numpy(rng.permutation(half))
        return drawn[: len(self) * self.batch].view(len(self), self.batch)


Batches = DataLoader[tuple[Tensor, Tensor]]


def paired(samples: Samples, labels: Labels, batch: int, seed: int) -> tuple[Batches, Batches]:
    """What a search learns from, and what its designs are judged by.

    Returns:
        Values (2, B, C, H, W) and labels (2, B), a batch of each half; and the half that decides
        alone, (B, C, H, W) and (B,); both of as many batches.
    """
    pairs = Halves(labels, batch, seed)
    return (
        DataLoader(samples, sampler=pairs, batch_size=None),
        DataLoader(samples, sampler=pairs.deciding(), batch_size=None),
    )
