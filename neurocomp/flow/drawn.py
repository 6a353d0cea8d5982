"""Random input values of networks that have no data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurocomp.errors import InputError
from neurocomp.ir import Array, Graph, Input

RATE = 0.1  # of the spikes
MOST = 2**31 - 1  # samples, or steps


@dataclass(frozen=True, slots=True)
class Drawn:
    """Seeded values of many samples, drawn when they are sliced.

    A sample's values depend on the seed and its number alone, not on the slice.

    Attributes:
        shape: (samples, T, C, H, W) for spikes at rate 0.1, (samples, C, H, W) for graded values.
        bits: of a value; 1 = spikes.
        seed: of all samples.
    """

    shape: tuple[int, ...]
    bits: int
    seed: int

    @classmethod
    def of(cls, graph: Graph, samples: int, steps: int | None, seed: int) -> Drawn:
        """Values for a network, graded ones where its input is graded and it has a window.

        Raises:
            InputError: no or too many samples or steps, or no window is known.
        """
        source = graph.inputs[0]
        bits = source.neuron.bits if isinstance(source.neuron, Input) else 1
        window = graph.timesteps or steps
        if window is None:
            raise InputError(f"{graph.name} has no window of its own; say how many --steps to run")
        if not (1 <= samples <= MOST and 1 <= window <= MOST):
            raise InputError(
                f"{graph.name}: samples and steps must be 1 to {MOST:,}, got {samples:,} and "
                f"{window:,}"
            )
        if bits > 1 and graph.timesteps is not None:
            return cls((samples, *source.shape), bits, seed)
        return cls((samples, window, *source.shape), 1, seed)

    def __len__(self) -> int:
        """How many samples there are."""
        return self.shape[0]

    def __getitem__(self, some: slice) -> Array:
        """Values of some samples, uint8."""
        numbers = range(len(self))[some]
        values = np.empty((len(numbers), *self.shape[1:]), np.uint8)
        for row, number in zip(values, numbers, strict=True):
            rng = np.random.default_rng((self.seed, number))
            if self.bits > 1:
                row[...] = rng.integers(0, 2**self.bits, row.shape)
            else:
                for step in row:
                    step[...] = rng.random(step.shape, np.float32) < RATE
        return values
