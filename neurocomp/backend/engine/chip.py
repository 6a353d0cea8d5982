"""Executes one chip's program, a block of steps at a time.

Components of the network compute one after the other, each all steps of the block; only loops go
step by step. After each component whose messages leave their chip, the chips exchange them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from neurocomp.backend.emit.boxes import hull, intersect, within
from neurocomp.backend.emit.program import ChipProgram, Link, Program, Synapses
from neurocomp.backend.engine.heard import Heard, Inlet
from neurocomp.backend.engine.membrane import Floats, FloatType
from neurocomp.backend.engine.messages import (
    Bytes,
    hwc,
    pack,
    packed_size,
    records,
    unpack,
    value_type,
)
from neurocomp.backend.engine.part import PartAtWork
from neurocomp.backend.execution import Form
from neurocomp.ir import Array, Slice


class Exchange(NamedTuple):
    """Messages that must cross chips before the block goes on: of some steps of a component."""

    component: int
    first: int
    steps: int


class Engine:
    """One chip, running B samples at once through windows, block by block.

    `run` makes a block; at each exchange that it yields the caller passes on what `tell` gives and
    calls `hear` for what comes in.
    """

    def __init__(self, program: Program, chip: ChipProgram, form: Form) -> None:
        self._program, self._form, self._block = program, form, 0
        name, shape, _ = program.input
        self._heard = _all_heard(program, chip, form)
        values = self._heard.get(name)
        self._values = Inlet(values, Slice(name, (0, 0, 0), shape))
        self._still = values is not None and values.still
        kept = dict(records(program, form, chip))
        self._parts = [
            PartAtWork(part, self._heard, form, kept.get(i, ()))
            for i, part in enumerate(chip.parts)
        ]
        self._members = [
            [p for name in c.populations for p in self._parts if p.part.box.population == name]
            for c in program.components
        ]
        self._inlets = {
            box: Inlet(self._heard.get(box.population), box)
            for link in chip.receives
            for boxes in link.boxes
            for box in boxes
        }
        links = [link for c in program.chips for link in c.sends]
        self._crosses = [any(x.boxes[i] for x in links) for i in range(len(program.components))]
        self._scratch: dict[FloatType, Floats] = {
            dtype: np.zeros(form.block * max(p.sent[0].size for p in some), dtype)
            for dtype, some in _by_dtype(self._parts).items()
        }

    def _show(self, words: Array) -> None:
        """Take in the input's values of a block, as `frame_words` counts them."""
        _, shape, values = self._program.input
        steps = self._form.steps(self._block)
        n = self._form.batch * (1 if self._form.frames == 1 else steps)
        frames = words.view(value_type(values))[: n * math.prod(shape)].reshape(n, *hwc(shape))
        if self._form.frames > 1:
            self._values.write(0, steps, frames)
        elif not self._still:
            for t in range(steps):
                self._values.write(t, 1, frames)
        elif self._block == 0:
            self._values.write(0, 1, frames)

    def run(self, words: Array | None) -> Iterator[Exchange]:
        """Make a block; the first one of a window begins at rest.

        Args:
            words: the input's values; None where the chip does not read them.
        """
        steps = self._form.steps(self._block)
        self._begin(words)
        for i, component in enumerate(self._program.components):
            stride = 1 if component.loops else steps
            for first in range(0, steps, stride):
                for part in self._members[i]:
                    part.run(first, stride, self._scratch[part.dtype])
                if self._crosses[i]:
                    yield Exchange(i, first, stride)
        for heard in self._heard.values():
            heard.move_on(steps)
        self._block = (self._block + 1) % self._form.blocks

    def _begin(self, words: Array | None) -> None:
        """Bring the input in, and all to rest where a window begins."""
        if self._block == 0:
            for heard in self._heard.values():
                heard.forget()
        if words is not None:
            self._show(words)
        if self._block == 0:
            for part in self._parts:
                part.start()

    def tell(self, link: Link, exchange: Exchange) -> Bytes:
        """What the chip says over a link, box by box."""
        said = [np.zeros(0, np.uint8)]
        for box in link.boxes[exchange.component]:
            holder = next(p for p in self._parts if intersect(box, p.part.box) is not None)
            c, y, x = within(box, holder.part.box)
            sent = holder.sent[exchange.first : exchange.first + exchange.steps]
            said.append(pack(sent[:, :, y, x, c]))
        return np.concatenate(said)

    def hear(self, link: Link, exchange: Exchange, message: Bytes) -> None:
        """Take in what another chip says."""
        start, n = 0, exchange.steps * self._form.batch
        for box in link.boxes[exchange.component]:
            graded = box.population in self._program.graded
            stop = start + packed_size(box, n, graded=graded)
            sent = unpack(message[start:stop], box, n, graded=graded)
            self._inlets[box].write(exchange.first, exchange.steps, sent)
            start = stop

    def report(self) -> Bytes:
        """What all parts sent in the block, then the states that are wanted (int32)."""
        sent = [pack(p.sent) for p in self._parts]
        states = [
            kept.reshape(-1).view(np.uint8) for p in self._parts for kept in p.records.values()
        ]
        return np.concatenate([*sent, *states])


def _all_heard(program: Program, chip: ChipProgram, form: Form) -> dict[str, Heard]:
    """What a chip hears, by population: the hull of all that its synapses view."""
    by_source: dict[str, list[Synapses]] = {}
    for part in chip.parts:
        for s in part.synapses:
            by_source.setdefault(s.view.population, []).append(s)
    name, _, values = program.input
    heard = {}
    for source, some in by_source.items():
        before = max(s.delay for s in some)
        dtype: type[np.generic] = np.int32 if source in program.graded else np.uint8
        if source == name:
            dtype = value_type(values)
        heard[source] = Heard(
            hull(s.view for s in some),
            dtype,
            form.batch,
            steps=form.block,
            before=before,
            still=source == name and form.frames == 1 and before == 0,
        )
    return heard


def _by_dtype(parts: list[PartAtWork]) -> dict[FloatType, list[PartAtWork]]:
    found: dict[FloatType, list[PartAtWork]] = {}
    for p in parts:
        found.setdefault(p.dtype, []).append(p)
    return found
