"""Several processes that work side by side, each on its share; none outlives this one."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Generator, Iterable
from multiprocessing import Pipe, connection, get_context
from multiprocessing.connection import Connection
from typing import TypeVar

from neurocomp.backend.runtime.child import settle
from neurocomp.errors import NeurocompError, RunError

T = TypeVar("T")
JOIN_S = 1.0  # a killed process is gone long before


def side_by_side(jobs: list[Callable[[], Iterable[T]]]) -> Generator[T, None, None]:
    """What all jobs give, as it comes; each runs in a process of its own.

    Close the iterator (`contextlib.closing`) where it may be left before its end.

    Raises:
        NeurocompError: what a job raised.
        RunError: a job's process failed or was killed.
    """
    context = get_context("fork")
    ends: dict[Connection, int] = {}
    processes = []
    try:
        for number, job in enumerate(jobs):
            mine, theirs = Pipe(duplex=False)
            ends[mine] = number
            process = context.Process(
                target=_work, args=(job, theirs, os.getpid()), name=f"worker {number}"
            )
            processes.append(process)
            process.start()
            theirs.close()
        while ends:
            for end in connection.wait(list(ends)):
                assert isinstance(end, Connection)
                found: list[T] = _received(end, ends[end])
                if found:
                    yield from found
                else:
                    del ends[end]
                    end.close()
    finally:
        for process in processes:
            if process.pid is not None:
                process.kill()
                process.join(JOIN_S)
        for end in ends:
            end.close()


def _received(end: Connection, number: int) -> list[T]:
    """One result in a list; nothing when the worker is done."""
    try:
        kind, value = end.recv()
    except EOFError:
        raise RunError(
            f"worker {number} was killed in the midst of its work; if nobody did, memory ran out: "
            "use fewer workers or smaller batches"
        ) from None
    if kind == "done":
        return []
    if kind == "failed":
        raise value
    return [value]


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
