"""Which neuron stands on which core, and where the core lies on the mesh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from neurocomp.ir import Array, Population, Slice


class Place(NamedTuple):
    """A core of the board's mesh: column and row of its tile, and its number on the tile."""

    x: int
    y: int
    core: int


@dataclass(frozen=True, slots=True)
class Layout:
    """The slices of each core, and the place of each core."""

    cores: tuple[tuple[Slice, ...], ...]
    places: tuple[Place, ...]

    def core_of(self, p: Population) -> Array:
        """The core of each neuron of a population, in (channel, row, column) order."""
        cores = np.zeros(p.shape, np.int64)
        for core, slices in enumerate(self.cores):
            for s in slices:
                if s.population == p.name:
                    cores[tuple(slice(a, b) for a, b in zip(s.start, s.stop, strict=True))] = core
        return cores.reshape(-1)
