"""Input values of a simulation from a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurocomp.errors import InputError
from neurocomp.ir import Array, Graph, Input
from neurocomp.ir.archive import mapped_array

LOOKED_AT = 2**24  # values at a time


def read_integers(path: Path, graph: Graph, samples: int | None) -> Array:
    """As `read_values`; integers that the network takes, looked at before any runs.

    Args:
        samples: how many are to run, the first ones; None = all.

    Raises:
        InputError: as `read_values`, or fractions, or beyond what the input takes in any sample.
    """
    values = whole(read_values(path, graph)[:samples], path)
    neuron = graph.inputs[0].neuron
    if isinstance(neuron, Input):
        _require_within(path, values, neuron)
    return values


def read_values(path: Path, graph: Graph) -> Array:
    """Input values from a file as a memory map: (steps, …) or (samples, steps, …).

    Raises:
        InputError: unreadable, no numbers, or shaped for another network.
    """
    values = mapped_array(path)
    shape = graph.inputs[0].shape
    known = (_folded(shape), _folded((int(np.prod(shape)),)))
    for lead in (1, 2):
        if values.ndim > lead and _folded(values.shape[lead:]) in known:
            per_step = values.reshape(*values.shape[:lead], *shape)
            return per_step[None] if lead == 1 else per_step
    raise InputError(
        f"{path}: shaped {values.shape}, expected (steps, …) or (samples, steps, …) "
        f"with steps of {shape} (channels, rows, columns) or all of it in one axis"
    )


def _folded(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without its axes of length 1."""
    return tuple(n for n in shape if n != 1)


def whole(values: Array, path: Path) -> Array:
    """The values as integers, those of a float type copied; the chip takes no fractions."""
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values == np.rint(values)).all():
        return values.astype(np.int64)
    if values.dtype.kind not in "bui":
        raise InputError(
            f"{path}: a chip's input is whole numbers, got {values.dtype} with fractions; "
            "scale the input to integers and the first weights by as much"
        )
    return values


def _require_within(path: Path, values: Array, neuron: Input) -> None:
    """Look at all samples before the first one runs."""
    low, high = neuron.limits
    n = max(1, LOOKED_AT // max(1, values[:1].size))
    for start in range(0, len(values), n):
        some = values[start : start + n]
        if some.min() < low or some.max() > high:
            beyond = ((some < low) | (some > high)).reshape(len(some), -1).any(axis=1)
            raise InputError(
                f"{path}: holds {some.min()} to {some.max()}, beyond the input's {low} to {high} "
                f"({neuron.bits} bits) first in sample {start + int(beyond.argmax())}"
            )
