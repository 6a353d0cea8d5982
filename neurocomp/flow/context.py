"""What every stage is given, and the names of the files that stages leave for each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from neurocomp.data import Dataset
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.options import Options
from neurocomp.ir import Array, Graph
from neurocomp.progress import Progress

RATES_SAMPLES = 64  # training samples whose measured activity the mapper sees
CANDIDATE, CANDIDATES, UNTRAINED, NETWORK, FLOAT_NETWORK, HISTORY, MAPPING, RASTER = (
    "candidate.yaml",
    "candidates.json",
    "untrained.npz",
    "network.npz",
    "float.npz",
    "history.json",
    "mapping.json",
    "raster.npz",
)
Result: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """What every stage is given."""

    run: RunFolder
    options: Options
    dataset: Dataset
    progress: Progress


def measured_rates(graph: Graph, values: Array) -> dict[str, Array]:
    """Spikes per neuron and step, by population, of the reference on some samples.

    The input is among them with the share of its values that are not zero, as a simulation counts.
    """
    from neurocomp.quant import reference

    spikes = reference.run(graph, values).spikes
    (source,) = graph.inputs
    shown = reference.per_step(graph, values)
    return {n: (x != 0).mean(axis=(0, 1)) for n, x in {**spikes, source.name: shown}.items()}
