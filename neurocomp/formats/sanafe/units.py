"""The hardware units of each core that its neurons take.

A dendrite and a computing soma of SANA-FE hold 1024 neurons, a soma that is told its spikes one. A
dendrite finds delays by the number of a synapse within its synapse unit, so that groups, which may
differ in that unit, do not share dendrites.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from neurocomp.formats.sanafe.groups import LIF, Group
from neurocomp.ir import Array

UNIT_NEURONS = 1024
DENDRITE = "loihi_dendrites"


class Seat(NamedTuple):
    """Neurons ``first`` to ``last`` of a group, their core, and the units that serve them."""

    group: str
    first: int
    last: int
    core: int
    synapse: str
    dendrite: str
    soma: str


@dataclass(slots=True)
class CoreUnits:
    """How many neurons a core holds, and how many units of each kind they need."""

    neurons: int = 0
    units: Counter[str] = field(default_factory=Counter)

    def next(self, kind: str) -> str:
        """The name of a further unit."""
        self.units[kind] += 1
        return f"{kind}[{self.units[kind] - 1}]"


def seats(groups: tuple[Group, ...], n_cores: int) -> tuple[list[Seat], list[CoreUnits]]:
    """Give every neuron its units; also the units of each core."""
    cores = [CoreUnits() for _ in range(n_cores)]
    return [seat for group in groups for seat in _seats(group, cores)], cores


def _seats(group: Group, cores: list[CoreUnits]) -> Iterator[Seat]:
    for core in np.unique(group.cores).tolist():
        needs = cores[core]
        ids = np.flatnonzero(group.cores == core)
        needs.neurons += len(ids)
        for start in range(0, len(ids), UNIT_NEURONS):
            chunk = ids[start : start + UNIT_NEURONS]
            dendrite = needs.next(DENDRITE)
            if group.soma == LIF:
                soma = needs.next(LIF)
                served = [(first, last, soma) for first, last in _runs(chunk)]
            else:
                served = [(i, i, needs.next(group.soma)) for i in chunk.tolist()]
            for first, last, soma in served:
                yield Seat(group.name, first, last, core, group.synapse, dendrite, soma)


def _runs(ids: Array) -> Iterator[tuple[int, int]]:
    """First and last of each run of consecutive numbers."""
    for run in np.split(ids, np.flatnonzero(np.diff(ids) > 1) + 1):
        yield int(run[0]), int(run[-1])
