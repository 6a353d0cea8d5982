"""Spikes of rate-coded samples, drawn when they are looked at and never kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.uint8]
Labels: TypeAlias = npt.NDArray[np.int64]  # or numbers of samples
WORD = 2**64  # of Philox's counter, which has four


@dataclass(frozen=True, slots=True, eq=False)
class Spikes:
    """Bernoulli spikes (N, T, C, H, W) of samples: a value fires with probability value/peak.

    A sample's spikes depend on the seed, the part and its number alone: whoever looks at them,
    in whatever order or batch, sees the same.

    Attributes:
        values: 0 … peak, (M, C, H, W), at most 255.
        part: 0 for training samples, 1 for those of the test, whose spikes are independent.
        numbers: (N,), which of the values these are.
    """

    values: Values
    peak: int
    steps: int
    seed: int
    part: int
    numbers: Labels

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, T, C, H, W)."""
        return (len(self.numbers), self.steps, *self.values.shape[1:])

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, some: slice | Labels) -> Values:
        """Spikes of some samples, uint8."""
        numbers = self.numbers[some]
        spikes = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        for row, number in zip(spikes, numbers, strict=True):
            counter = [0, int(number), self.part, 0]
            rng = np.random.Generator(np.random.Philox(key=self.seed % WORD, counter=counter))
            drawn = rng.integers(self.peak, size=row.shape, dtype=np.uint8)
            np.less(drawn, self.values[number], out=row, casting="unsafe")
        return spikes

    def of(self, some: slice | Labels) -> Spikes:
        """Some of the samples, not drawn yet."""
        return replace(self, numbers=self.numbers[some])
