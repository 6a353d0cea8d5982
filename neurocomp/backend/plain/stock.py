"""Backend "stock": the same network as plain lava-nc processes, one sample after the other.

Lava's own Conv, Dense, LIFReset, Delta, SigmaDelta and Sigma compute it, independently of our
engine. Every synapse process takes one step, as on the chip; shorter paths wait in a delay line.
Lava cannot reset its sigma-delta neurons: a network with such gets a Lava start per sample.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from functools import partial

import numpy as np
import numpy.typing as npt

from neurocomp.backend.execution import Executed
from neurocomp.backend.plain.network import PlainNetwork
from neurocomp.backend.plain.neurons import neuron_process
from neurocomp.backend.plain.outlets import whc
from neurocomp.backend.plain.samples import sample_by_sample
from neurocomp.backend.plain.synapses import connect
from neurocomp.backend.processes.source import PySourceModel, Source
from neurocomp.backend.processes.timed import Delay, PyDelayModel
from neurocomp.backend.runtime.ends import Feed, Harvest
from neurocomp.backend.runtime.launch import Models
from neurocomp.errors import InputError
from neurocomp.ir import GRADED, Array, Graph
from neurocomp.ir.schedule import axon_delays, depths, split_delays
from neurocomp.quant.check import check
from neurocomp.quant.reference import Watch


def stream(
    graph: Graph, batches: Iterable[Array], *, watch: Watch, timeout_s: float
) -> Generator[Executed, None, None]:
    """Run batches of values through stock Lava processes, sample by sample.

    Raises:
        InputError: the graph fails `quant.check.check`, has several inputs, or sigma-delta neurons
            with a window and a bias; or values do not suit it.
        RunError: a Lava process failed, or a sample took longer than ``timeout_s``.
    """
    _require_buildable(graph)
    yield from sample_by_sample(
        graph,
        batches,
        partial(StockNetwork, split_delays(graph)),
        watch=watch,
        timeout_s=timeout_s,
        resets=not any(isinstance(p.neuron, GRADED) for p in graph.neurons),
    )


class StockNetwork(PlainNetwork):
    """Source, Lava's own processes, and sink.

    Lava's maps are (W, H, C), its dense vectors flattened in that order; ours are (C, H, W). Lava
    counts steps from 1; a population at depth d makes step t of its window at Lava's step
    1 + t + d, so LIFReset must reset where ``time mod T = (1 + d) mod T``.
    """

    __slots__ = ()

    def processes(self, feed: Feed, harvest: Harvest) -> Models:
        """Make all Lava processes, connected, and the model of each."""
        graph, window = self.graph, self.form.window
        depth, wait = depths(graph), axon_delays(graph)
        source = graph.inputs[0]
        first = Source(shape=whc(source.shape), feed=feed)
        models: Models = {first: PySourceModel}
        neurons, outs = {}, {source.name: first.out}
        for p in graph.neurons:
            neurons[p.name], made = neuron_process(p, depth[p.name], window)
            outs[p.name] = neurons[p.name].s_out
            models |= made
        for e in graph.projections:
            sender, out = graph.population(e.source), outs[e.source]
            graded = isinstance(graph.population(e.target).neuron, GRADED)  # keeps what came early
            if wait[e.name] or e.delay or (graded and depth[e.source]):
                line = Delay(
                    shape=whc(sender.shape),
                    wait=wait[e.name],
                    window=window,
                    depth=depth[e.source],
                    kept=window - e.delay,
                )
                out.connect(line.s_in)
                models[line], out = PyDelayModel, line.s_out
            models |= connect(e, sender, out, neurons[e.target])
        return models | self.outlets.connect(neurons, outs, harvest)

    def encode(self, frames: Array) -> npt.NDArray[np.int32]:
        """(F, W, H, C)."""
        return np.ascontiguousarray(frames[0].transpose(0, 3, 2, 1), np.int32)


def _require_buildable(graph: Graph) -> None:
    check(graph)
    if len(graph.inputs) != 1:
        raise InputError(f"{graph.name}: exactly one input is supported, got {len(graph.inputs)}")
    for p in graph.neurons:
        biased = p.bias is not None and bool(p.bias.any())
        if isinstance(p.neuron, GRADED) and graph.timesteps is not None and biased:
            raise InputError(
                f"population '{p.name}': Lava's sigma-delta processes cannot wait for their "
                "window to begin, so a bias comes too early; use backend 'lava'"
            )
