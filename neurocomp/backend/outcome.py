"""What a simulation found: figures of the whole run and of each layer, from its counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neurocomp.backend.counts import Counts
from neurocomp.backend.traffic import between_cores, messages, operations, per_core
from neurocomp.cost.neurobench import neurobench
from neurocomp.ir import Array, Graph
from neurocomp.ir.schedule import depths
from neurocomp.mapping.model import Mapping
from neurocomp.quant.fixed import IntArray


@dataclass(frozen=True, slots=True)
class Layer:
    """One population in all samples.

    Attributes:
        spikes: messages that it sent.
        mismatches: those that differ from the reference; None where nothing was compared.
        synops: operations of the synapses onto it.
        messages: what it sent to cores other than a neuron's own, one for each core; None where
            nothing was mapped.
    """

    name: str
    spikes: int
    mismatches: int | None
    synops: int
    messages: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Simulation:
    """What a run gave.

    Attributes:
        steps: of a sample's window.
        latency_steps: from a sample's first input to its result: depth of the output + window.
        layers: the populations of neurons in the graph's order.
        readout_mismatches: values of the readout that differ from the reference; None where
            nothing was compared, as for the layers.
        state_mismatches: the same of the states that were watched.
        messages: between cores, all layers together; input_messages: from the inputs to cores;
            None where nothing was mapped.
        synops_per_core: of each logical core; None where nothing was mapped.
        batch: samples that the backend runs at once.
        predictions: class of each sample, (N,).
        accuracy: share of right predictions; None without labels.
        cpu_ms_per_step: CPU time of all processes of the backend, with the handing over of values
            and spikes but without the comparison, per network step of a batch.
        rates: spikes (inputs: values other than zero) per neuron and step, mean over samples and
            steps, (C, H, W) by population.
        neurobench: NeuroBench's metrics; see `cost.neurobench`.
    """

    backend: str
    samples: int
    steps: int
    latency_steps: int
    layers: tuple[Layer, ...]
    readout_mismatches: int | None
    state_mismatches: int | None
    messages: int | None
    input_messages: int | None
    synops_per_core: tuple[int, ...] | None
    batch: int
    predictions: npt.NDArray[np.int64]
    accuracy: float | None
    cpu_ms_per_step: float
    rates: dict[str, npt.NDArray[np.float64]]
    neurobench: dict[str, Any]

    @property
    def mismatches(self) -> int | None:
        """Spikes, states and readout values that differ from the reference; None: not compared."""
        if self.readout_mismatches is None or self.state_mismatches is None:
            return None
        layers = sum(layer.mismatches or 0 for layer in self.layers)
        return layers + self.readout_mismatches + self.state_mismatches

    def as_row(self) -> dict[str, Any]:
        """What ``neurocomp simulate --json`` prints, as plain values."""
        return {
            "backend": self.backend,
            "samples": self.samples,
            "batch": self.batch,
            "steps": self.steps,
            "spikes": sum(layer.spikes for layer in self.layers),
            "mismatches": self.mismatches,
            "readout_mismatches": self.readout_mismatches,
            "state_mismatches": self.state_mismatches,
            "layers": [asdict(layer) for layer in self.layers],
            "accuracy": self.accuracy,
            "cpu_ms_per_step": self.cpu_ms_per_step,
            "synops": sum(layer.synops for layer in self.layers),
            "synops_per_core": None if self.synops_per_core is None else [*self.synops_per_core],
            "messages": self.messages,
            "input_messages": self.input_messages,
            "latency_steps": self.latency_steps,
            "neurobench": self.neurobench,
        }


def outcome(
    graph: Graph,
    mapping: Mapping | None,
    counts: Counts,
    labels: Array | None,
    *,
    backend: str,
    batch: int,
    compared: bool,
) -> Simulation:
    """The result of a run, from what was counted.

    Args:
        mapping: what was executed; None where nothing was mapped.
    """
    done = operations(graph, counts, mapping)
    onto: dict[str, IntArray] = {
        p.name: sum((done[e.name] for e in graph.incoming(p.name)), np.zeros(p.shape, np.int64))
        for p in graph.neurons
    }
    sent = None if mapping is None else messages(graph, mapping, counts.fired)
    differing = counts.differing
    states = sum(n for name, n in differing.items() if "." in name and name not in counts.fired)
    on_mesh = None if sent is None else between_cores(graph, sent)
    return Simulation(
        backend=backend,
        samples=counts.samples,
        steps=counts.window,
        latency_steps=depths(graph)[graph.output] + counts.window,
        layers=tuple(
            Layer(
                name=p.name,
                spikes=int(counts.fired[p.name].sum()),
                mismatches=differing[p.name] if compared else None,
                synops=int(onto[p.name].sum()),
                messages=None if sent is None else sent[p.name],
            )
            for p in graph.neurons
        ),
        readout_mismatches=differing["readout"] if compared else None,
        state_mismatches=states if compared else None,
        messages=on_mesh,
        input_messages=None if sent is None or on_mesh is None else sum(sent.values()) - on_mesh,
        synops_per_core=None if mapping is None else tuple(per_core(mapping, graph, onto)),
        batch=batch,
        predictions=counts.predictions,
        accuracy=None if labels is None else float((counts.predictions == labels).mean()),
        cpu_ms_per_step=1e3 * counts.cpu_s / counts.steps,
        rates={n: x / (counts.samples * counts.window) for n, x in counts.fired.items()},
        neurobench=neurobench(
            graph,
            {name: int(fired.sum()) for name, fired in counts.fired.items()},
            {name: int(reached.sum()) for name, reached in done.items()},
            samples=counts.samples,
            steps=counts.window,
        ),
    )
