"""How the spikes and states of Lava's own processes come out: probes, sink, and back to arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from neurocomp.backend.engine.messages import WORD, Bytes
from neurocomp.backend.execution import Form
from neurocomp.backend.processes.sink import PySinkModel, Sink
from neurocomp.backend.processes.timed import Probe, PyProbeModel
from neurocomp.backend.runtime.ends import Field, Harvest
from neurocomp.backend.runtime.launch import Models
from neurocomp.ir import GRADED, Array, Graph, Shape
from neurocomp.ir.schedule import depths
from neurocomp.quant.fixed import state_names
from neurocomp.quant.reference import Trace


def whc(shape: Shape) -> Shape:
    """(columns, rows, channels): Lava's order of the axes."""
    return shape[::-1]


@dataclass(frozen=True, slots=True)
class Outlets:
    """The ports of the sink: int32 messages of every population, then the states that are kept.

    One sample at a time; Lava step 1 + t + depth is a population's step t.
    """

    graph: Graph
    form: Form

    @property
    def _probed(self) -> list[tuple[str, str]]:
        """(population, state) of those that are read."""
        found = [
            (p.name, name)
            for p in self.graph.neurons
            if p.name in self.form.watch.populations
            for name in state_names(p.neuron)
        ]
        output = self.graph.population(self.graph.output)
        readout = (output.name, state_names(output.neuron)[-1])
        if self.graph.readout == "membrane" and readout not in found:
            found.append(readout)
        return found

    @property
    def fields(self) -> tuple[Field, ...]:
        """What the sink gathers."""
        depth, neurons = depths(self.graph), self.graph.neurons
        sizes = [(p.name, WORD * p.size) for p in neurons]
        sizes += [(name, WORD * self.graph.population(name).size) for name, _ in self._probed]
        return tuple(
            Field(
                port,
                0,
                size,
                depth[name] + (1 if port >= len(neurons) else 0),  # a probe sends what it read last
                last=port >= len(neurons) and not self.form.watch.every_step,
            )
            for port, (name, size) in enumerate(sizes)
        )

    def connect(self, neurons: dict[str, Any], outs: dict[str, Any], harvest: Harvest) -> Models:
        """Make probes and sink.

        Args:
            neurons: the Lava process of each population.
            outs: the port by which each population's messages come out.
        """
        depth, every = depths(self.graph), self.form.watch.every_step
        ends = [outs[p.name] for p in self.graph.neurons]
        models: Models = {}
        for name, state in self._probed:
            variable = getattr(neurons[name], state)
            probe = Probe(
                shape=variable.shape,
                window=1 if every else self.form.window,
                depth=depth[name],
            )
            probe.variable.connect_var(variable)
            models[probe] = PyProbeModel
            ends.append(probe.out)
        sink = Sink(shapes=tuple(end.shape for end in ends), harvest=harvest)
        for i, end in enumerate(ends):
            end.connect(getattr(sink, f"from_{i}"))
        return models | {sink: PySinkModel}

    def decode(self, data: Bytes) -> Trace:
        """One sample's trace, back to (C, H, W)."""
        spikes: dict[str, Array] = {}
        states: dict[tuple[str, str], Array] = {}
        start = 0
        fields = iter(self.fields)
        for p in self.graph.neurons:
            stop = start + next(fields).nbytes(self.form.window)
            sent = _maps(data[start:stop], p.shape)
            spikes[p.name] = sent if isinstance(p.neuron, GRADED) else sent != 0
            start = stop
        for name, state in self._probed:
            stop = start + next(fields).nbytes(self.form.window)
            states[name, state] = _maps(data[start:stop], self.graph.population(name).shape)
            start = stop
        output = self.graph.population(self.graph.output)
        readout = spikes[output.name].sum(axis=1, dtype=np.int64)
        if self.graph.readout == "membrane":
            readout = states[output.name, state_names(output.neuron)[-1]][:, -1].astype(np.int64)
        watched = self.form.watch.populations
        return Trace(
            spikes,
            readout.reshape(1, -1),
            {f"{p}.{name}": x.astype(np.int64) for (p, name), x in states.items() if p in watched},
        )


def _maps(data: Bytes, shape: Shape) -> npt.NDArray[np.int32]:
    """Values (1, steps, C, H, W) from bytes in Lava's order."""
    maps = data.view(np.int32).reshape(1, -1, *whc(shape))
    return maps.transpose(0, 1, 4, 3, 2).copy()
