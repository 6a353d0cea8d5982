"""Backend "lava": the mapped network, one Lava process per chip."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from neurocomp.backend.emit import emit
from neurocomp.backend.emit.program import Program
from neurocomp.backend.engine.messages import (
    Bytes,
    frame_words,
    hwc,
    report_size,
    value_type,
)
from neurocomp.backend.execution import Executed, Form, opened
from neurocomp.backend.processes.chip import Chip, PyChipModel
from neurocomp.backend.processes.sink import PySinkModel, Sink
from neurocomp.backend.processes.source import PySourceModel, Source
from neurocomp.backend.reports import decoded
from neurocomp.backend.runtime import session
from neurocomp.backend.runtime.ends import Feed, Field, Harvest
from neurocomp.backend.runtime.launch import Models
from neurocomp.ir import Array, Graph
from neurocomp.mapping.model import Mapping
from neurocomp.quant.reference import Trace, Watch

BLOCK_BYTES = 2**23  # of the synaptic sums of the largest population in a block
MAX_BLOCK = 256


def stream(
    graph: Graph,
    mapping: Mapping,
    batches: Iterable[Array],
    *,
    watch: Watch,
    block: int | None,
    timeout_s: float,
) -> Generator[Executed, None, None]:
    """Run batches of values through the mapped network, in one Lava start.

    Args:
        block: network steps that one Lava step makes; None chooses as many as are worth it.

    Raises:
        InputError: see `emit`; or values do not suit the graph.
        RunError: a Lava process failed, or a batch took longer than ``timeout_s``.
    """
    program = emit(graph, mapping)
    form, values = opened(graph, batches, watch)
    if form is not None:
        form = replace(form, block=_block(graph, form, block))
        network = ChipNetwork(graph, program, form)
        yield from session.run(graph, form, network, values, timeout_s)


def _block(graph: Graph, form: Form, asked: int | None) -> int:
    """Steps of a block: all blocks of a window about equally long, none longer than allowed."""
    if asked is not None:
        return min(asked, form.window)
    largest = max(p.size for p in graph.neurons)
    most = BLOCK_BYTES // (np.dtype(np.float32).itemsize * largest * form.batch)
    blocks = -(-form.window // max(1, min(most, MAX_BLOCK)))
    return -(-form.window // blocks)


@dataclass(frozen=True, slots=True)
class ChipNetwork:
    """Source, chips and sink; see `session.Network`."""

    graph: Graph
    program: Program
    form: Form

    @property
    def lean(self) -> bool:
        """All processes are our own."""
        return True

    @property
    def steps(self) -> int:
        """Lava steps of a batch."""
        return self.form.blocks

    @property
    def fields(self) -> tuple[Field, ...]:
        """The whole report of each chip."""
        sizes = [report_size(self.program, c, self.form) for c in self.program.chips]
        return tuple(Field(port, 0, size, 0) for port, size in enumerate(sizes))

    @property
    def words(self) -> int:
        """int32 words that carry the values of a batch."""
        messages = 1 if self.form.frames == 1 else self.form.blocks
        return messages * frame_words(self.program, self.form)

    def processes(self, feed: Feed, harvest: Harvest) -> Models:
        """Make all Lava processes, connected."""
        program, form = self.program, self.form
        source = Source(shape=(frame_words(program, form),), feed=feed)
        chips = [Chip(program=program, chip=c, form=form) for c in program.chips]
        sink = Sink(shapes=tuple((f.stop,) for f in self.fields), harvest=harvest)
        number = {c.chip: i for i, c in enumerate(program.chips)}
        for i, (chip, process) in enumerate(zip(program.chips, chips, strict=True)):
            process.out.connect(getattr(sink, f"from_{i}"))
            if chip.reads(program.input[0]):
                source.out.connect(process.values)
            for link in chip.sends:
                other = number[link.target]
                getattr(process, f"to_{other}").connect(getattr(chips[other], f"from_{i}"))
        models: Models = {source: PySourceModel, sink: PySinkModel}
        return models | dict.fromkeys(chips, PyChipModel)

    def encode(self, frames: Array) -> npt.NDArray[np.int32]:
        """A row of words per block: frames (F, B, H, W, C), what is missing is zero."""
        form, dtype = self.form, value_type(self.program.input[2])
        n_blocks, per_block = (1, 1) if form.frames == 1 else (form.blocks, form.block)
        shape = (n_blocks * per_block, form.batch, *hwc(self.program.input[1]))
        shown = np.zeros(shape, dtype)
        shown[: frames.shape[1], : len(frames)] = frames.transpose(1, 0, 3, 4, 2)
        rows = np.zeros((n_blocks, frame_words(self.program, form)), np.int32)
        flat = shown.reshape(n_blocks, -1).view(np.uint8)
        rows.view(np.uint8)[:, : flat.shape[1]] = flat
        return rows

    def decode(self, data: Bytes, samples: int) -> Trace:
        """Put the parts of all chips together."""
        return decoded(self.graph, self.program, self.form, data, samples)
