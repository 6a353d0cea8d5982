"""Run a network on a backend and hold every spike against the integer reference."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.backend.counts import Counts, count
from neurocomp.backend.execution import Executed, Samples
from neurocomp.backend.kept import Kept, identity
from neurocomp.backend.outcome import Simulation, outcome
from neurocomp.backend.room import at_once
from neurocomp.backend.run import TIMEOUT_S, stream
from neurocomp.backend.workers import side_by_side
from neurocomp.errors import InputError, RunError
from neurocomp.ir import Array, Graph
from neurocomp.mapping.model import Mapping
from neurocomp.progress import Progress, quiet
from neurocomp.quant.check import check
from neurocomp.quant.reference import UNWATCHED

ONE_BY_ONE = ("stock", "netx")  # backends that run a batch sample by sample

Numbered: TypeAlias = tuple[int, Counts]


def simulate(
    graph: Graph,
    mapping: Mapping | None,
    values: Samples,
    labels: Array | None = None,
    *,
    backend: str = "lava",
    batch: int | None = None,
    workers: int = 1,
    compare: bool = True,
    keep: Path | None = None,
    on_batch: Callable[[Executed], None] | None = None,
    on_progress: Progress | None = None,
    **settings: Any,
) -> Simulation:
    """Run all samples on a backend, batch by batch, and compare each batch with the reference.

    Args:
        values: integers (N, C, H, W), or per step (N, T, C, H, W); a memory map is read batch by
            batch, and what draws its values is asked for those of a batch.
        labels: class of each sample, (N,).
        batch: samples at once; memory grows with it. None chooses: 64, or as many as leave room
            (`room`); 1 where the backend runs one sample after the other anyway.
        workers: processes that run batches side by side, each with a Lava start of its own.
        compare: hold every spike against the reference (which has nothing to be held against).
        keep: folder in which batches are kept as they come, and at last the result
            (result.json); a second call with the same arguments goes on with those that lack,
            and runs nothing when all is done.
        on_batch: is given every batch that has run, in order; one worker only, nothing kept.
        settings: as in `run.Setting`.

    Raises:
        InputError, RunError: as `run.stream`; `InputError` also for no samples, labels of another
            number, a batch or a number of workers below 1, or a folder that is in use, damaged,
            or of another simulation.
    """
    if batch is None:
        batch = 1 if backend in ONE_BY_ONE else _batch(graph, values, settings)
    _require_sense(graph, values, labels, batch, workers)
    if on_batch is not None and (workers > 1 or keep is not None):
        raise InputError("on_batch is for one worker, and for runs that keep nothing in a folder")
    report = on_progress or quiet
    check(graph)
    compared = compare and backend != "reference"
    job = _Job(graph, mapping, values, batch, backend, compared, on_batch, settings)
    with ExitStack() as stack:
        kept = None
        if keep is not None:
            about = identity(graph, mapping, values, backend=backend, batch=batch, compare=compared)
            kept = stack.enter_context(Kept.locked(keep, about))
        known = None if kept is None else kept.total()
        total = known or _summed(job, workers, kept, report)
        result = outcome(
            graph,
            mapping if backend == "lava" else None,
            total,
            labels,
            backend=backend,
            batch=1 if backend in ONE_BY_ONE else min(batch, len(values)),
            compared=compared,
        )
        if kept is not None:
            kept.finish(total, result.as_row(), job.n_batches)
        if known is not None:
            report("simulate", len(values), len(values), f"nothing ran, {keep} holds the result")
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What every worker does with its batches."""

    graph: Graph
    mapping: Mapping | None
    values: Samples
    batch: int
    backend: str
    compared: bool
    on_batch: Callable[[Executed], None] | None
    settings: dict[str, Any]

    @property
    def n_batches(self) -> int:
        """How many batches there are."""
        return -(-len(self.values) // self.batch)

    def run(self, numbers: Iterable[int]) -> Generator[Numbered, None, None]:
        """Run some of the batches, in ascending order, in one start of the backend.

        Raises:
            RunError: also where the backend gives another number of results.
        """
        numbers = list(numbers)
        batches = (self.values[i * self.batch : (i + 1) * self.batch] for i in numbers)
        runs = stream(self.graph, self.mapping, batches, backend=self.backend, **self.settings)
        with closing(runs):
            for number in numbers:
                yield number, self._counted(runs)
            if any(True for _ in runs):
                raise self._miscounted("more")

    def _miscounted(self, found: str) -> RunError:
        return RunError(
            f"{self.graph.name}: backend '{self.backend}' gave {found} results than the batches "
            "it ran; mend the backend, which must give one for each"
        )

    def _counted(self, runs: Iterator[Executed]) -> Counts:
        """The counts of the next batch, which is let go."""
        try:
            executed = next(runs)
        except StopIteration:
            raise self._miscounted("fewer") from None
        if self.on_batch is not None:
            self.on_batch(executed)
        watch = self.settings.get("watch", UNWATCHED)
        return count(self.graph, executed, watch if self.compared else None)


def _batch(graph: Graph, values: Samples, settings: dict[str, Any]) -> int:
    """As many samples at once as there is room for."""
    window = graph.timesteps or (values.shape[1] if len(values.shape) > 1 else 1)
    return at_once(graph, window, settings.get("watch", UNWATCHED))


def _summed(job: _Job, workers: int, kept: Kept | None, report: Progress) -> Counts:
    """The counts of all batches, each of them kept; those that lack are run."""
    total, predictions = Counts(), dict[int, npt.NDArray[np.int64]]()
    missing = []
    for number in range(job.n_batches):
        counts = None if kept is None else kept.load(number)
        if counts is None:
            missing.append(number)
        else:
            total, predictions[number] = total + counts, counts.predictions
    report("simulate", total.samples, len(job.values))
    with closing(_run(job, missing, workers)) as runs:
        for number, counts in runs:
            if kept is not None:
                kept.save(number, counts)
            total, predictions[number] = total + counts, counts.predictions
            report("simulate", total.samples, len(job.values))
    total.predictions = np.concatenate([predictions[i] for i in sorted(predictions)])
    return total


def _run(job: _Job, missing: list[int], workers: int) -> Generator[Numbered, None, None]:
    """Batches as they are done, in any order where several processes share them."""
    shares = [missing[k::workers] for k in range(min(workers, len(missing)))]
    if len(shares) > 1:
        timeout_s = job.settings.get("timeout_s", TIMEOUT_S)
        yield from side_by_side([partial(job.run, share) for share in shares], timeout_s)
    elif missing:
        yield from job.run(missing)


def _require_sense(
    graph: Graph, values: Samples, labels: Array | None, batch: int, workers: int
) -> None:
    if batch < 1 or len(values) == 0 or workers < 1:
        raise InputError(
            f"{graph.name}: a simulation needs a batch, a number of workers and a number of "
            f"samples of at least 1, got {batch}, {workers} and {len(values)}"
        )
    if labels is not None and len(labels) != len(values):
        raise InputError(
            f"{graph.name}: every sample needs a label, got {len(labels)} for {len(values)} samples"
        )
