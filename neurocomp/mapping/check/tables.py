"""The slices of a mapping as tables of numbers, one per population."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.ir import Graph, Input
from neurocomp.mapping.model import Mapping

Ints: TypeAlias = npt.NDArray[np.int64]
OUTSIDE = -1  # the core of an input population


class Table(NamedTuple):
    """The slices of one population.

    Attributes:
        size: neurons of the population.
        boxes: (slices, axes, start and stop).
        cores: of each slice; `OUTSIDE` for an input, which is one slice.
    """

    population: str
    size: int
    boxes: Ints
    cores: Ints


def tables_of(graph: Graph, mapping: Mapping) -> dict[str, Table]:
    """The slices of every population, inputs included."""
    boxes: dict[str, list[tuple[tuple[int, int], ...]]] = {p.name: [] for p in graph.populations}
    cores: dict[str, list[int]] = {p.name: [] for p in graph.populations}
    for p in graph.populations:
        if isinstance(p.neuron, Input):
            boxes[p.name].append(tuple((0, n) for n in p.shape))
            cores[p.name].append(OUTSIDE)
    for core, slices in enumerate(mapping.partition.cores):
        for s in slices:
            boxes[s.population].append(tuple(zip(s.start, s.stop, strict=True)))
            cores[s.population].append(core)
    return {
        p.name: Table(
            p.name,
            p.size,
            np.array(boxes[p.name], np.int64).reshape(-1, 3, 2),
            np.array(cores[p.name], np.int64),
        )
        for p in graph.populations
    }
