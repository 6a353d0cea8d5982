"""What is counted of a run: one batch's counts, and their sum."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from neurocomp.backend.execution import Executed
from neurocomp.backend.room import ROOM, at_once
from neurocomp.ir import Array, Graph
from neurocomp.ir.schedule import split_delays
from neurocomp.quant import reference
from neurocomp.quant.fixed import IntArray
from neurocomp.quant.reference import Trace, Watch

COMPARED_ROOM = ROOM // 4  # for the samples that the reference runs at a time


@dataclass(slots=True, eq=False)
class Counts:
    """Counts over some samples; memory does not grow with their number.

    Attributes:
        fired: messages (inputs: values other than zero) of each neuron, (C, H, W) by population.
        in_time: those of them that a projection with a delay still brings to its targets within
            the window, by (population, delay), for delays other than zero.
        differing: messages of each population, watched states, and values of the "readout", that
            differ from the reference; empty where nothing was compared.
        predictions: class of each sample, (N,).
        steps, cpu_s: network steps that the backend made, and its CPU time in seconds.
        window: steps of a sample.
    """

    fired: dict[str, IntArray] = field(default_factory=dict)
    in_time: dict[tuple[str, int], IntArray] = field(default_factory=dict)
    differing: dict[str, int] = field(default_factory=dict)
    predictions: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    steps: int = 0
    cpu_s: float = 0.0
    window: int = 0

    @property
    def samples(self) -> int:
        """How many samples were counted."""
        return len(self.predictions)

    def __add__(self, other: Counts) -> Counts:
        """The counts of both, this one's samples first."""

        def both(a: dict, b: dict) -> dict:  # type: ignore[type-arg]
            return {key: a.get(key, 0) + b.get(key, 0) for key in {**a, **b}}

        return Counts(
            both(self.fired, other.fired),
            both(self.in_time, other.in_time),
            both(self.differing, other.differing),
            np.concatenate([self.predictions, other.predictions]),
            self.steps + other.steps,
            self.cpu_s + other.cpu_s,
            max(self.window, other.window),
        )


def count(graph: Graph, executed: Executed, compared: Watch | None) -> Counts:
    """Count a batch, and where it differs from the reference.

    Args:
        compared: the states that were watched, which are compared beside the messages; None where
            nothing is compared.
    """
    trace = executed.trace
    window = trace.spikes[graph.output].shape[1]
    sent = {graph.inputs[0].name: _shown(executed.values, window), **trace.spikes}
    delays = {(e.source, e.delay) for e in split_delays(graph).projections if e.delay}
    return Counts(
        fired={p.name: _sums(sent[p.name], window) for p in graph.populations},
        in_time={(name, d): _sums(sent[name], window - d) for name, d in sorted(delays)},
        differing={} if compared is None else _differing(graph, executed, window, compared),
        predictions=trace.predictions(),
        steps=executed.steps,
        cpu_s=executed.cpu_s,
        window=window,
    )


def _differing(graph: Graph, executed: Executed, window: int, watch: Watch) -> dict[str, int]:
    """In how much the trace differs from the reference's, which runs some samples at a time."""
    found: dict[str, int] = {}
    n = at_once(graph, window, watch, room=COMPARED_ROOM)
    for start in range(0, len(executed.values), n):
        some = slice(start, start + n)
        expected = reference.run(graph, executed.values[some], watch)
        for name, differing in _samples(executed.trace, some).mismatches(expected).items():
            found[name] = found.get(name, 0) + differing
    return found


def _samples(trace: Trace, some: slice) -> Trace:
    """The trace of some samples, a view."""
    return Trace(
        {name: x[some] for name, x in trace.spikes.items()},
        trace.readout[some],
        {name: x[some] for name, x in trace.states.items()},
    )


def _sums(sent: Array, steps: int) -> IntArray:
    """Messages of each neuron in the first steps of all samples."""
    return np.asarray(np.count_nonzero(sent[:, : max(0, steps)], axis=(0, 1)), np.int64)


def _shown(values: Array, window: int) -> npt.NDArray[np.bool_]:
    """Where the input sends a message, (B, T, C, H, W)."""
    per_step = values[:, None] if values.ndim == 4 else values
    return np.broadcast_to(per_step != 0, (len(values), window, *values.shape[-3:]))
