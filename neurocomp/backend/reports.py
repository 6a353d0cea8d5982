"""What the chips report of a batch, put together to its trace.

`engine.messages.report_size` says how a report is laid out: all that the chip's parts sent in a
block, then the states that are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from neurocomp.backend.emit.boxes import within
from neurocomp.backend.emit.program import ChipProgram, Program
from neurocomp.backend.engine.messages import (
    WORD,
    Bytes,
    hwc,
    packed_size,
    records,
    report_size,
    unpack,
)
from neurocomp.backend.execution import Form
from neurocomp.ir import GRADED, Array, Graph, Slice, whole
from neurocomp.quant.fixed import IntArray, state_names
from neurocomp.quant.reference import Trace


class _Piece(NamedTuple):
    """Messages (state None) or a state of one part, (steps, B, H, W, C)."""

    box: Slice
    state: str | None
    values: Array


def decoded(graph: Graph, program: Program, form: Form, data: Bytes, samples: int) -> Trace:
    """The trace of a batch's first samples.

    Args:
        data: the reports of each chip, block by block.
    """
    spikes: dict[str, Array] = {
        p.name: np.zeros(
            (samples, form.window, *p.shape),
            np.int32 if isinstance(p.neuron, GRADED) else np.bool_,
        )
        for p in graph.neurons
    }
    states = _room(graph, program, form, samples)
    for box, state, values in _pieces(program, form, data):
        into: Array = spikes[box.population] if state is None else states[box.population, state]
        c, y, x = within(box, whole(graph.population(box.population)))
        into[:, :, c, y, x] = values[:, :samples].transpose(1, 0, 4, 2, 3)
    output = graph.population(graph.output)
    readout = spikes[output.name].sum(axis=1, dtype=np.int64)
    if program.readout is not None:
        readout = states[output.name, state_names(output.neuron)[-1]][:, -1]
    return Trace(
        spikes,
        readout.reshape(samples, -1),
        {f"{p}.{name}": x for (p, name), x in states.items() if p in form.watch.populations},
    )


def _room(
    graph: Graph, program: Program, form: Form, samples: int
) -> dict[tuple[str, str], IntArray]:
    """Arrays for the states that are reported, by population and name."""
    steps = form.window if form.watch.every_step else 1
    reported = {
        (chip.parts[i].box.population, name)
        for chip in program.chips
        for i, names in records(program, form, chip)
        for name in names
    }
    return {
        (p.name, name): np.zeros((samples, steps, *p.shape), np.int64)
        for p in graph.neurons
        for name in state_names(p.neuron)
        if (p.name, name) in reported
    }


def _pieces(program: Program, form: Form, data: Bytes) -> Iterator[_Piece]:
    start = 0
    for chip in program.chips:
        stop = start + report_size(program, chip, form) * form.blocks
        yield from _reported(program, form, chip, data[start:stop].reshape(form.blocks, -1))
        start = stop


def _reported(program: Program, form: Form, chip: ChipProgram, reports: Bytes) -> Iterator[_Piece]:
    """The pieces of one chip, from its reports, a row for each block."""
    start = 0
    for part in chip.parts:
        graded, n = part.box.population in program.graded, form.block * form.batch
        stop = start + packed_size(part.box, n, graded=graded)
        sent = unpack(reports[:, start:stop], part.box, n, graded=graded)
        yield _Piece(part.box, None, _steps(form, part.box, sent))
        start = stop
    for i, names in records(program, form, chip):
        box = chip.parts[i].box
        for name in names:
            kept = form.block if form.watch.every_step else 1
            stop = start + WORD * box.size * kept * form.batch
            values = np.ascontiguousarray(reports[:, start:stop]).view(np.int32)
            if not form.watch.every_step:
                values = values[-1:]
            yield _Piece(box, name, _steps(form, box, values))
            start = stop


def _steps(form: Form, box: Slice, values: Array) -> Array:
    """Blocks put one behind the other, (steps, B, H, W, C), without those past the window."""
    return values.reshape(-1, form.batch, *hwc(box.shape))[: form.window]
