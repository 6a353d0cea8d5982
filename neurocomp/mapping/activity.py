"""How often neurons spike: measured rates, or one assumed rate that is flagged as such."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.errors import InputError
from neurocomp.hw.fields import Region, interval
from neurocomp.ir import Graph, Input, Population, Slice

ASSUMED_RATE = 0.1  # spikes per neuron and step where nothing was measured
GRADED_RATE = 1.0  # of an input of graded values: it sends one at every step
Given: TypeAlias = Dict[str, float | npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Spikes per neuron and step of every population.

    Attributes:
        values: one number for a population, or an array of its shape (channel, row, column).
        assumed: populations whose rate nobody measured.
    """

    values: dict[str, float | npt.NDArray[np.float64]]
    assumed: frozenset[str]

    @property
    def measured(self) -> bool:
        """Whether all rates were measured."""
        return not self.assumed

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
    """Rates of all populations; None, and an input without one, get `assumed_rate`.

    Raises:
        InputError: a population has no rate, one of the wrong shape, or one outside 0 to 1, or a
            rate is given for a population that is not there.
    """
    values: dict[str, float | npt.NDArray[np.float64]] = {}
    assumed = set()
    known = [p.name for p in graph.populations]
    faults = [
        str(InputError.unknown("population", x, known)) for x in given or () if x not in known
    ]
    for p in graph.populations:
        if given is None or (p.name not in given and isinstance(p.neuron, Input)):
            values[p.name] = assumed_rate(p)
            assumed.add(p.name)
            continue
        if p.name not in given:
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
    return Rates(values, frozenset(assumed))


def assumed_rate(p: Population) -> float:
    """What a population is taken to send where nobody measured it, per neuron and step."""
    graded = isinstance(p.neuron, Input) and p.neuron.bits > 1
    return GRADED_RATE if graded else ASSUMED_RATE


def _positions(mask: int) -> slice | list[int]:
    """Indices of a bit mask, as a slice where they are an interval."""
    low = (mask & -mask).bit_length() - 1
    high = mask.bit_length()
    if mask.bit_count() == high - low:
        return slice(max(low, 0), high)
    return [i for i in range(low, high) if mask >> i & 1]
