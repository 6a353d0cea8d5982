"""Processes that evaluate candidates; one that is killed is replaced, and loses one evaluation."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import NamedTuple

from neurocomp.arch import Candidate
from neurocomp.errors import NeurocompError, RunError
from neurocomp.explore.outcome import Evaluator, Outcome


class Job(NamedTuple):
    """A candidate to be evaluated with a share of the full effort."""

    candidate: Candidate
    share: float


class Lost(NamedTuple):
    """What is said of a job whose worker was killed."""


class Failed(NamedTuple):
    """What a worker says last: the exception that ends it, in a line."""

    fault: str


class Workers:
    """Evaluates jobs, in this process (one worker) or in processes that start with the first job.

    A job whose worker dies is reported as `Lost`; whoever gave it may give it again. When it dies
    at the same job twice, the search ends.
    """

    def __init__(self, evaluator: Evaluator, number: int) -> None:
        self._evaluator, self._number = evaluator, number
        self._context = multiprocessing.get_context("spawn")  # a fork with torch may hang
        self._there: dict[Connection, tuple[BaseProcess, Job | None]] = {}
        self._deaths: Counter[Job] = Counter()

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for pipe, (process, _) in self._there.items():
            process.kill()
            process.join()
            pipe.close()
        self._there.clear()

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Outcome | Lost]]:
        """Each job with its outcome as it is known; a job is taken when somebody is free for it.

        Raises:
            RunError: a worker died at the same job twice, or ended with an error of its own.
            NeurocompError: what the evaluator raised.
        """
        if self._number == 1:
            yield from ((job, timed(self._evaluator, job)) for job in jobs)
            return
        queue = iter(jobs)
        waiting: deque[Job] = deque()
        while True:
            for pipe in self._free():
                job = waiting.popleft() if waiting else next(queue, None)
                if job is not None:
                    self._give(pipe, job)
            busy = [pipe for pipe, (_, job) in self._there.items() if job is not None]
            if not busy:
                return
            for ready in wait(busy):
                assert isinstance(ready, Connection)
                yield self._taken(ready)

    def _free(self) -> list[Connection]:
        """Workers without a job; started where there are too few."""
        while len(self._there) < self._number:
            ours, theirs = self._context.Pipe()
            process = self._context.Process(
                target=_work, args=(theirs, pickle.dumps(self._evaluator))
            )
            process.start()
            theirs.close()
            self._there[ours] = process, None
        return [pipe for pipe, (_, job) in self._there.items() if job is None]

    def _give(self, pipe: Connection, job: Job) -> None:
        process, _ = self._there[pipe]
        self._there[pipe] = process, job
        try:
            pipe.send(job)
        except BrokenPipeError:
            pass  # it died idle; `_taken` finds that out

    def _taken(self, pipe: Connection) -> tuple[Job, Outcome | Lost]:
        """What a worker that has something to say says, or that it died."""
        process, job = self._there[pipe]
        assert job is not None
        try:
            said = pipe.recv()
        except (EOFError, ConnectionResetError):
            del self._there[pipe]
            process.join()
            pipe.close()
            self._deaths[job] += 1
            if self._deaths[job] > 1:
                raise RunError(
                    f"candidate {job.candidate.id}: the worker that evaluated it was killed twice "
                    "(out of memory?); what was evaluated is kept: run the same command again to "
                    "go on, with fewer workers if memory is short"
                ) from None
            return job, Lost()
        self._there[pipe] = process, None
        if isinstance(said, NeurocompError):
            raise said
        if isinstance(said, Failed):
            raise RunError(
                f"candidate {job.candidate.id}: the evaluator failed ({said.fault}); its traceback "
                "is above; what was evaluated is kept: run the same command again to go on"
            )
        return job, said


def timed(evaluator: Evaluator, job: Job) -> Outcome:
    """An evaluation with its seconds."""
    start = time.perf_counter()
    outcome = evaluator(job.candidate, job.share)
    return replace(outcome, seconds=time.perf_counter() - start)


def _work(pipe: Connection, evaluator: bytes) -> None:
    """A worker: one thread, no traceback at Ctrl-C, and an end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # before torch is imported
    threading.Thread(target=_end_with_parent, daemon=True).start()
    evaluate: Evaluator = pickle.loads(evaluator)
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(timed(evaluate, job))
        except NeurocompError as error:
            pipe.send(error)
        except BaseException as error:
            pipe.send(Failed("".join(traceback.format_exception_only(error)).strip()))
            raise


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
