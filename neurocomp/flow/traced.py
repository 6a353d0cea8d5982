"""Chosen populations' spikes and states of a simulation, as a file that numpy opens."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurocomp.atomic import writing
from neurocomp.errors import InputError
from neurocomp.ir import Array, Graph
from neurocomp.quant.reference import Watch

if TYPE_CHECKING:
    from neurocomp.backend import Executed


@dataclass(slots=True, eq=False)
class Traced:
    """What to trace, and what was traced so far.

    Attributes:
        populations: names.
        states: keep u and v (of sigma-delta neurons: sigma, residue, act) of every step as well.
    """

    populations: tuple[str, ...]
    states: bool
    _parts: dict[str, list[Array]] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph, names: str, *, states: bool) -> Traced:
        """A trace of populations "a,b,c"; `InputError` for one unknown or named twice."""
        known = [p.name for p in graph.neurons]
        chosen = tuple(name.strip() for name in names.split(","))
        for name in chosen:
            if name not in known:
                raise InputError.unknown("population", name, known)
        if len(set(chosen)) < len(chosen):
            raise InputError(f"the populations to trace are named twice: {names}; name each once")
        return cls(chosen, states)

    @property
    def watch(self) -> Watch:
        """The states that the backend must keep."""
        return Watch(self.populations if self.states else (), every_step=True)

    def add(self, executed: Executed) -> None:
        """Take in a batch that has run."""
        for name in self.populations:
            self._parts.setdefault(f"spikes.{name}", []).append(executed.trace.spikes[name])
        for key, values in executed.trace.states.items():
            population, _, state = key.rpartition(".")
            words = values.astype(np.int32)  # as Lava holds them
            self._parts.setdefault(f"{state}.{population}", []).append(words)

    def arrays(self) -> dict[str, Array]:
        """ "spikes.NAME", and "u.NAME" and so on, each (samples, steps, C, H, W)."""
        return {key: np.concatenate(parts) for key, parts in self._parts.items()}

    def write(self, path: Path) -> None:
        """Write the arrays as a compressed .npz file."""
        with writing(path) as file:
            np.savez_compressed(file, **self.arrays())
