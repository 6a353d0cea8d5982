"""What a simulated network is shown: a file, a test set, or random values."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurocomp.data.coding import Kind
from neurocomp.data.dataset import Dataset, flat, some_of, spread
from neurocomp.errors import InputError, InputWarning
from neurocomp.flow.drawn import Drawn
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.options import Options
from neurocomp.ir import Array, Graph, Input
from neurocomp.ir.archive import mapped_array
from neurocomp.progress import Progress

if TYPE_CHECKING:
    from neurocomp.backend.execution import Samples

LOOKED_AT = 2**24  # values at a time
RANDOM_SAMPLES = 16  # where nothing says how many


@dataclass(frozen=True, slots=True)
class Shown:
    """Where the values come from that a network is shown.

    Attributes:
        input_file: an array of whole numbers, without labels.
        data, data_dir, coding: a data set by the names of `neurocomp.data.load`, whose test samples
            are shown with as many bits as the network's input takes.
        samples: the first ones of a file, evenly spread ones of a data set; None = all, of random
            values `RANDOM_SAMPLES`.
        steps: per sample, for a network without a window of its own.
        seed: of random values and of rate coding.
    """

    input_file: Path | str | None
    data: str | None
    data_dir: Path | None
    coding: Kind
    samples: int | None
    steps: int | None
    seed: int

    def of(
        self, graph: Graph, run: RunFolder | None, progress: Progress
    ) -> tuple[Samples, Array | None]:
        """The values for a network, and the labels where they are known.

        Raises:
            InputError: a file or a data set that is none or not for this network, or options that
                contradict each other.
        """
        if self.samples is not None and self.samples < 1:
            raise InputError(f"{graph.name}: at least 1 sample is run, got {self.samples}")
        if self.data is None and (self.data_dir is not None or self.coding != "direct"):
            raise InputError("--data-dir and --coding say how --data is read; name a data set")
        if self.input_file is not None:
            return self._of_file(Path(self.input_file), graph), None
        if self.data is not None:
            return self._of_set(self._loaded(self.data, graph, progress), self.data)
        if run is not None:
            return self._of_set(Options.of_run(run).dataset(progress), str(run.path))
        n = RANDOM_SAMPLES if self.samples is None else self.samples
        return Drawn.of(graph, n, self.steps, self.seed), None

    def _of_file(self, path: Path, graph: Graph) -> Array:
        if self.data is not None:
            raise InputError(f"--input {path} and --data {self.data}: give one of them")
        if self.steps is not None:
            raise InputError(f"{path}: its shape says how many steps it has; leave --steps out")
        values = read_integers(path, graph, self.samples)
        self._warn_of_fewer(len(values), str(path))
        return values

    def _of_set(self, dataset: Dataset, where: str) -> tuple[Samples, Array]:
        self._warn_of_fewer(len(dataset.test_labels), where)
        some = spread(len(dataset.test_labels), self.samples)
        return some_of(dataset.test_values, some), dataset.test_labels[some]

    def _loaded(self, name: str, graph: Graph, progress: Progress) -> Dataset:
        """A data set in the form in which the network takes it."""
        from neurocomp.data import load

        source, output = graph.inputs[0], graph.population(graph.output)
        if not isinstance(source.neuron, Input) or source.neuron.signed:
            raise InputError(
                f"{graph.name}: its input takes signed values, a data set has none; bring the "
                "samples as an array with --input"
            )
        steps = graph.timesteps or self.steps
        if steps is None:
            raise InputError(f"{graph.name} has no window of its own; say how many --steps to run")
        found = load(
            name, self.data_dir, source.neuron.bits, coding=self.coding, steps=steps,
            seed=self.seed, progress=progress,
        )  # fmt: skip
        values = found.test_values
        if (math.prod(found.shape), 1, 1) == source.shape:
            values = flat(values)
        elif found.shape != source.shape:
            raise InputError(
                f"data set '{name}': samples of {found.shape}, the input of {graph.name} takes "
                f"{source.shape} (channels, rows, columns), or all of it in one axis; name a data "
                "set of such samples, or bring them as an array with --input"
            )
        if len(found.classes) != output.size:
            raise InputError(
                f"data set '{name}': {len(found.classes)} classes, {graph.name} tells "
                f"{output.size} apart; name the one that it was trained on"
            )
        if len(values.shape) == 4 and graph.timesteps is None:
            raise InputError(
                f"data set '{name}': still images are for a network with a window, which "
                f"{graph.name} has not; code them as spikes with --coding rate"
            )
        return replace(found, test_values=values)

    def _warn_of_fewer(self, there: int, where: str) -> None:
        if self.samples is not None and self.samples > there:
            text = f"{where}: holds {there} samples, fewer than the {self.samples} asked for"
            warnings.warn(InputWarning(text), stacklevel=2)


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
