"""Activity as bytes: eight spikes to a byte, or 32-bit integers; box by box, samples inside."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.backend.emit.program import ChipProgram, Link, Program
from neurocomp.backend.execution import Form
from neurocomp.ir import Array, Input, Shape, Slice
from neurocomp.quant.fixed import state_names

Bytes: TypeAlias = npt.NDArray[np.uint8]
Bools: TypeAlias = npt.NDArray[np.bool_]
WORD = 4  # bytes of an int32


def hwc(shape: Shape) -> Shape:
    """(rows, columns, channels): the engine's order of the axes."""
    return (shape[1], shape[2], shape[0])


def packed_size(box: Slice, n: int, *, graded: bool) -> int:
    """Bytes of n times (steps × samples) what a box sends in a step."""
    return WORD * box.size * n if graded else -(-box.size * n // 8)


def pack(sent: Array) -> Bytes:
    """Spikes or messages of any shape as bytes, the last axis fastest."""
    if sent.dtype == np.bool_:
        return np.packbits(sent)
    return np.ascontiguousarray(sent, np.int32).reshape(-1).view(np.uint8)


def unpack(packed: Bytes, box: Slice, n: int, *, graded: bool) -> Array:
    """Spikes (bool) or messages (int32) of a box, (..., n, H, W, C), from what `pack` made."""
    shape = (*packed.shape[:-1], n, *hwc(box.shape))
    if graded:
        return np.ascontiguousarray(packed).view(np.int32).reshape(shape)
    return np.unpackbits(packed, axis=-1, count=box.size * n).view(np.bool_).reshape(shape)


def value_type(values: Input) -> type[np.integer[Any]]:
    """The type in which input values travel and are kept."""
    low, high = values.limits
    return np.uint8 if low >= 0 and high < 256 else np.int32


def frame_words(program: Program, form: Form) -> int:
    """int32 words that carry the frames of one block."""
    _, (channels, height, width), values = program.input
    frames = 1 if form.frames == 1 else form.block
    nbytes = np.dtype(value_type(values)).itemsize * frames * form.batch * channels * height * width
    return -(-nbytes // WORD)


def link_size(program: Program, link: Link | None, form: Form) -> int:
    """Bytes of the longest message over a link; 1 for a port without one."""
    if link is None:
        return 1
    sizes = [1]
    for component, boxes in zip(program.components, link.boxes, strict=True):
        n = form.batch * (1 if component.loops else form.block)
        sizes.append(sum(packed_size(b, n, graded=b.population in program.graded) for b in boxes))
    return max(sizes)


def records(program: Program, form: Form, chip: ChipProgram) -> list[tuple[int, tuple[str, ...]]]:
    """The parts of a chip whose states are reported, by number, and which states.

    Those of the watched populations, and the readout's membrane.
    """
    found = []
    for i, part in enumerate(chip.parts):
        names = state_names(part.neuron)
        if part.box.population in form.watch.populations:
            found.append((i, names))
        elif part.box.population == program.readout:
            found.append((i, names[-1:]))
    return found


def report_size(program: Program, chip: ChipProgram, form: Form) -> int:
    """Bytes of a chip's report of one block: all that its parts sent, then int32 states."""
    n = form.batch * form.block
    sent = [packed_size(p.box, n, graded=p.box.population in program.graded) for p in chip.parts]
    kept = form.batch * (form.block if form.watch.every_step else 1)
    states = [
        WORD * chip.parts[i].box.size * kept * len(names)
        for i, names in records(program, form, chip)
    ]
    return sum(sent) + sum(states)
