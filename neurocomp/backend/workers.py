"""Several processes that work side by side, each on its share; none outlives this one."""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Generator, Iterable
from multiprocessing import Pipe, connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkProcess
from typing import Any, TypeVar

import psutil  # type: ignore[import-untyped]

from neurocomp.backend.runtime.child import JOIN_S, require_parenthood, settle
from neurocomp.errors import NeurocompError, RunError
from neurocomp.interrupt import held_back

T = TypeVar("T")
LOOK_S = 0.5  # how often is looked; a signal in the moment before a wait does not end the wait


def side_by_side(
    jobs: list[Callable[[], Iterable[T]]], timeout_s: float
) -> Generator[T, None, None]:
    """What all jobs give, as it comes; each runs in a process of its own.

    Close the iterator (`contextlib.closing`) where it may be left before its end.

    Args:
        timeout_s: the longest that a process may be stopped; one that runs keeps its job's limits.

    Raises:
        NeurocompError: what a job raised.
        RunError: a job's process failed, was killed, or was stopped and not continued.
    """
    require_parenthood()
    ends: dict[Connection, int] = {}
    processes: list[ForkProcess] = []
    try:
        with held_back() as let_through:  # in the midst of a fork it would lose the child
            for number, job in enumerate(jobs):
                mine, theirs = Pipe(duplex=False)
                ends[mine] = number
                processes.append(_forked(job, theirs, number))
                theirs.close()
                let_through()
        heard = dict.fromkeys(ends, time.monotonic())
        while ends:
            ready = connection.wait(list(ends), LOOK_S)
            for end in ready:
                assert isinstance(end, Connection)
                kind, value = _received(end, ends[end])
                if kind == "result":
                    yield value
                else:
                    del ends[end]
                    end.close()
            now = time.monotonic()
            heard |= dict.fromkeys((end for end in ends if end in ready), now)
            for end in [end for end in ends if heard[end] + timeout_s <= now]:
                _require_running(processes[ends[end]], timeout_s)
                heard[end] = now
    finally:
        with held_back():
            for process in processes:
                process.kill()
            for process in processes:
                process.join(JOIN_S)
            for end in ends:
                end.close()


def _forked(job: Callable[[], Iterable[T]], end: Connection, number: int) -> ForkProcess:
    """A worker that has started."""
    process = get_context("fork").Process(
        target=_work, args=(job, end, os.getpid()), name=f"worker {number}"
    )
    process.start()
    return process


def _require_running(process: ForkProcess, silent_s: float) -> None:
    """Raise where a worker was stopped, which says nothing for ever."""
    try:
        stopped = psutil.Process(process.pid).status() == psutil.STATUS_STOPPED
    except psutil.NoSuchProcess:  # its end of the pipe tells how it went
        return
    if stopped:
        raise RunError(
            f"{process.name} is stopped and gave no result in {silent_s:g} seconds; if nobody sent "
            "it SIGSTOP, end other programs; then run again"
        )


def _received(end: Connection, number: int) -> tuple[str, Any]:
    """A "result" of a worker, or that it is "done"; raises what it "failed" with."""
    try:
        kind, value = end.recv()
    except EOFError:
        raise RunError(
            f"worker {number} was killed in the midst of its work; if nobody did, memory ran out: "
            "use fewer workers or smaller batches"
        ) from None
    if kind == "failed":
        raise value
    return kind, value


def _work(job: Callable[[], Iterable[T]], end: Connection, parent: int) -> None:
    """What a worker does; its end of the pipe tells how it went."""
    settle(parent)
    try:
        for value in job():
            end.send(("result", value))
        end.send(("done", None))
    except NeurocompError as error:
        end.send(("failed", error))
    finally:
        if sys.exc_info()[0] is not None:
            end.send(("failed", RunError(f"a worker failed:\n{traceback.format_exc()}")))
