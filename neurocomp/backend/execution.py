"""What every backend gives for a batch, and what it may be given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol

from neurocomp.errors import InputError
from neurocomp.ir import Array, Graph
from neurocomp.quant.reference import UNWATCHED, Trace, Watch, per_step


class Samples(Protocol):
    """Values of samples, an array or something that makes one of each slice."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W), or per step (N, T, C, H, W)."""

    def __len__(self) -> int: ...

    def __getitem__(self, some: slice, /) -> Array: ...


@dataclass(frozen=True, slots=True, eq=False)
class Executed:
    """A batch that has run.

    Attributes:
        values: as they were given.
        steps: network steps that the backend made for it, all samples of a batch at once or one
            sample after the other.
        cpu_s: CPU time of all processes that executed it, in seconds, with what this process took
            to hand the values over and to read the spikes.
    """

    values: Array
    trace: Trace
    steps: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Form:
    """What all batches of a stream have in common.

    Attributes:
        batch: greatest number of samples.
        frames: 1 = every step shows the same frame, else one per step.
        window: steps T of a sample.
        block: network steps that one Lava step makes; the last one of a window may make fewer.
        watch: the states that are kept.
    """

    batch: int
    frames: int
    window: int
    block: int = 1
    watch: Watch = UNWATCHED

    @property
    def blocks(self) -> int:
        """Lava steps of a window."""
        return -(-self.window // self.block)

    def steps(self, block: int) -> int:
        """Network steps of one of a window's blocks."""
        return min(self.block, self.window - block * self.block)


def checked_frames(graph: Graph, values: Array) -> Array:
    """Input values as (B, frames, C, H, W), in the type that they have and without a copy.

    Raises:
        InputError: as `quant.reference.per_step`.
    """
    if values.ndim == 4 and graph.timesteps is not None:
        return per_step(replace(graph, timesteps=1), values)
    return per_step(graph, values)


def opened(
    graph: Graph, batches: Iterable[Array], watch: Watch = UNWATCHED
) -> tuple[Form | None, Iterator[Array]]:
    """The form of a stream (None if it has no batch), and the stream from its first batch on.

    Raises:
        InputError: the first batch does not suit the graph, or has no samples or steps; or there
            is no population of a name that is watched.
    """
    known = [p.name for p in graph.neurons]
    for name in watch.populations:
        if name not in known:
            raise InputError.unknown("population", name, known)
    waiting = iter(batches)
    first = next(waiting, None)
    if first is None:
        return None, waiting
    frames = checked_frames(graph, first)
    if 0 in frames.shape[:2]:
        raise InputError(f"{graph.name}: a batch needs a sample and a step, got {first.shape}")
    window = graph.timesteps or frames.shape[1]
    form = Form(len(frames), frames.shape[1], window, watch=watch)
    return form, chain([first], waiting)


def formed(graph: Graph, form: Form, values: Array) -> Array:
    """Checked frames of a batch that must have the stream's form, or fewer samples.

    Raises:
        InputError: it has more samples, or another number of steps than the first batch.
    """
    frames = checked_frames(graph, values)
    if not 1 <= len(frames) <= form.batch or frames.shape[1] != form.frames:
        raise InputError(
            f"{graph.name}: all batches of a stream must be shaped alike: 1 to {form.batch} "
            f"samples of {form.frames} frames, got {values.shape}"
        )
    return frames
