"""How often neurons spike: measured rates, or one assumed rate that is flagged as such."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.errors import InputError
from neurocomp.hw.fields import Region, interval
from neurocomp.ir import Graph, Input, Slice

ASSUMED_RATE = 0.1  # spikes per neuron and step where nothing was measured
Given: TypeAlias = Dict[str, float | npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Spikes per neuron and step of every population.

    Attributes:
        values: one number for a population, or an array of its shape (channel, row, column).
        measured: False where a rate was assumed.
    """

    values: dict[str, float | npt.NDArray[np.float64]]
    measured: bool

    def of(self, population: str, region: Region) -> float:
        """Expected spikes per step of a region of a population."""
        value = self.values[population]
        if isinstance(value, float):
            return value * region.size
        c0, c1 = region.channels
        part = value[c0:c1, _positions(region.rows)]
        return float(part[:, :, _positions(region.columns)].sum())

    def within(self, s: Slice) -> float:
        """Expected spikes per step of a slice."""
        return self.of(
            s.population, Region((s.start[0], s.stop[0]), *map(interval, s.start[1:], s.stop[1:]))
        )

    def mean(self, population: str) -> float:
        """Mean spikes per neuron and step of a population."""
        return float(np.mean(self.values[population]))


def rates_of(graph: Graph, given: Given | None) -> Rates:
    """Rates of all populations; None, and an input without one, get the assumed rate.

    Raises:
        InputError: a population has no rate, one of the wrong shape, or one outside 0 to 1.
    """
    if given is None:
        return Rates({p.name: ASSUMED_RATE for p in graph.populations}, measured=False)
    values: dict[str, float | npt.NDArray[np.float64]] = {}
    faults = []
    for p in graph.populations:
        if p.name not in given:
            if isinstance(p.neuron, Input):
                values[p.name] = ASSUMED_RATE
            else:
                faults.append(f"{p.name}: no rate is given; give one for every population")
            continue
        rate = np.asarray(given[p.name], dtype=np.float64)
        if rate.shape not in ((), p.shape):
            faults.append(f"{p.name}: shape must be {p.shape} or a single number, got {rate.shape}")
        elif not (np.isfinite(rate).all() and (rate >= 0).all() and (rate <= 1).all()):
            faults.append(f"{p.name}: must be spikes per neuron and step, 0 to 1")
        else:
            values[p.name] = rate if rate.shape else float(rate)
    if faults:
        raise InputError.from_faults("spike rates", faults)
    return Rates(values, measured=True)


def _positions(mask: int) -> slice | list[int]:
    """Indices of a bit mask, as a slice where they are an interval."""
    low = (mask & -mask).bit_length() - 1
    high = mask.bit_length()
    if mask.bit_count() == high - low:
        return slice(max(low, 0), high)
    return [i for i in range(low, high) if mask >> i & 1]
