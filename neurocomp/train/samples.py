"""Training samples in memory, drawn in an order that only seed, phase and epoch decide."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from neurocomp.data.spikes import Labels, Spikes, Values
from neurocomp.errors import InputError
from neurocomp.train.ranks import rank, world


def seed_of(*parts: int) -> int:
    """One seed of several numbers; equal parts give equal seeds, others independent ones."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


class Samples(Dataset[tuple[Tensor, Tensor]]):
    """Images and labels on one device; an index is a tensor of sample numbers.

    Spikes of rate coding are drawn batch by batch.
    """

    def __init__(self, values: Values | Spikes, labels: Labels, device: torch.device) -> None:
        drawn = isinstance(values, Spikes)
        self.values = values if drawn else torch.from_numpy(values).to(device)
        self.labels = torch.from_numpy(labels).to(device)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """(values (B, C, H, W), labels (B,)) of a batch."""
        device, there = self.labels.device, index.to(self.labels.device)
        if isinstance(self.values, Spikes):
            drawn = torch.from_numpy(self.values[index.flatten().cpu().numpy()]).to(device)
            return drawn.view(*index.shape, *drawn.shape[1:]), self.labels[there]
        return self.values[there], self.labels[there]


class Shuffled(Sampler[Tensor]):
    """Batches of sample numbers, drawn anew every epoch; what does not fill one is left out.

    An epoch shows every sample once, or so many of them as ``per_epoch`` says. Lightning sets the
    epoch, on resuming as well. Processes that train together take equal parts of each batch.

    Raises:
        InputError: the processes cannot share a batch equally.
    """

    def __init__(self, n_samples: int, per_epoch: int | None, batch: int, *seed: int) -> None:
        self.n_samples, self.seed = n_samples, seed
        self.per_epoch = min(per_epoch or n_samples, n_samples)
        self.batch = min(batch, self.per_epoch)
        self.epoch = 0
        if self.batch % world():
            raise InputError(
                f"{world()} processes cannot share batches of {self.batch} equally; set batch to a "
                f"multiple of {world()}, or start fewer processes"
            )

    def set_epoch(self, epoch: int) -> None:
        """The epoch that the next iteration is for."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.per_epoch // self.batch

    def __iter__(self) -> Iterator[Tensor]:
        rng = np.random.default_rng(seed_of(*self.seed, self.epoch))
        order = torch.from_numpy(rng.permutation(self.n_samples))
        batches = order[: len(self) * self.batch].view(len(self), self.batch)
        yield from batches.chunk(world(), 1)[rank()]


def loader(
    samples: Samples, per_epoch: int | None, batch: int, *seed: int
) -> DataLoader[tuple[Tensor, Tensor]]:
    """Batches of the samples, shuffled by a seed; ``per_epoch`` of them, None = all."""
    shuffled = Shuffled(len(samples), per_epoch, batch, *seed)
    return DataLoader(samples, sampler=shuffled, batch_size=None)


def in_order(samples: Samples, batch: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """All samples as they come, in batches; every process sees all of them."""
    numbers = torch.split(torch.arange(len(samples)), batch)
    return DataLoader(samples, sampler=numbers, batch_size=None)
