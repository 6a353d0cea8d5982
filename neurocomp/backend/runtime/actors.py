"""The operating-system processes that Lava's processes run in, under our control.

Lava's own message infrastructure hangs when a child dies. This one replaces it: children report
when they are built and why they fail, die with their parent, never write to stdout, and share
anonymous memory, so that there is nothing to clean up but the processes themselves.
"""

from __future__ import annotations

import mmap
import os
import signal
import time
from collections.abc import Callable
from multiprocessing import Pipe, connection, get_context
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from lava.magma.compiler.channels.interfaces import ChannelType
from lava.magma.compiler.channels.pypychannel import PyPyChannel
from lava.magma.runtime.message_infrastructure.message_infrastructure_interface import (
    MessageInfrastructureInterface,
)

from neurocomp.backend.runtime.channel import lean_channel
from neurocomp.backend.runtime.child import JOIN_S, READY, run
from neurocomp.errors import RunError

GRACE_S = 0.5  # between a child's end and the report of the one that made it end
LOOK_S = 0.5  # longest wait at a time: a signal in the moment before a wait does not end the wait
RUNNING = 2**16  # no exit code is as great


class AnonymousMemory:
    """What Lava's channels need of shared memory: a buffer that a forked child shares."""

    def __init__(self, nbytes: int) -> None:
        self.buf = memoryview(mmap.mmap(-1, max(1, nbytes)))


class Actor:
    """One child process, which builds a Lava model or service and runs it."""

    def __init__(self, name: str, builder: Any) -> None:
        self.name = name
        self.report, report = Pipe(duplex=False)
        self.process = get_context("fork").Process(
            target=run, args=(builder, report, os.getpid()), name=name, daemon=True
        )
        self.process.start()
        report.close()
        self._clock = time.CLOCK_PROCESS_CPUTIME_ID | ~int(self.process.pid or 0) << 3

    def cpu_s(self) -> float:
        """CPU time of all its threads so far, user and system, in seconds; 0 once it has ended.

        By the process's own clock, which counts nanoseconds (`clock_getcpuclockid`); the times in
        /proc count hundredths of a second.
        """
        try:
            return time.clock_gettime(self._clock)
        except OSError:
            return 0.0

    def exit_code(self) -> int:
        """Its exit code, negative for a signal; `RUNNING` while it runs."""
        if not connection.wait([self.process.sentinel], 0):
            return RUNNING
        self.process.join(JOIN_S)
        return RUNNING if self.process.exitcode is None else self.process.exitcode

    def check(self) -> bool:
        """Read what the child reports; True if it says that it is built, False if it has ended.

        Raises:
            RunError: it failed; with its traceback.
        """
        try:
            text = self.report.recv_bytes()
        except EOFError:
            return False
        if text == READY:
            return True
        trace = text.decode(errors="replace").rstrip()
        raise RunError(f"Lava process '{self.name}' failed: {trace.splitlines()[-1]}\n{trace}")


class Actors(MessageInfrastructureInterface):  # type: ignore[misc]
    """All children of one run; Lava's runtime builds its channels and actors through it.

    Args:
        lean: the models wait with a `LeanSelector`, so that channels need no threads.
    """

    def __init__(self, *, lean: bool) -> None:
        self._lean = lean
        self.children: list[Actor] = []
        self._owner = os.getpid()

    @property
    def actors(self) -> list[Any]:
        """Lava's name for the children's OS processes."""
        return [a.process for a in self.children]

    @property
    def smm(self) -> Actors:
        """Lava's name for the maker of shared memory."""
        return self

    def create_shared_memory(self, size: int) -> AnonymousMemory:
        """Memory for one channel."""
        return AnonymousMemory(size)

    def channel_class(self, channel_type: ChannelType) -> Callable[..., PyPyChannel]:
        """Channels between Python processes are all there is."""
        assert channel_type is ChannelType.PyPy
        return lean_channel if self._lean else PyPyChannel

    def start(self) -> None:
        """Nothing to start: the memory needs no server."""

    def build_actor(self, name: str, builder: Any) -> None:
        """Fork a child."""
        self.children.append(Actor(name, builder))

    def cpu_s(self) -> float:
        """CPU time of all children so far, in seconds."""
        return sum(a.cpu_s() for a in self.children)

    def await_ready(self, deadline: float) -> None:
        """Wait until every child has built its model; raises as `wait` does."""
        waiting = {a.report: a for a in self.children}
        while waiting:
            for conn in self.wait(list(waiting), deadline):
                if not waiting.pop(conn).check():
                    self._blame()

    def wait(self, wanted: list[Connection], deadline: float) -> list[Connection]:
        """The connections that can be read, as soon as there is one.

        Args:
            deadline: on `time.monotonic`'s clock.

        Raises:
            RunError: a child failed or ended, or time is up.
        """
        others = [a.report for a in self.children if a.report not in wanted]
        ends = [a.process.sentinel for a in self.children]
        ready: list[Any] = []
        while not ready and (left := max(0.0, deadline - time.monotonic())):
            ready = connection.wait([*wanted, *others, *ends], min(left, LOOK_S))
        if not ready:
            raise RunError(
                "the simulator gave no result in the time allowed; allow more time, or run smaller "
                "batches"
            )
        if any(x not in wanted for x in ready):
            self._blame()
        return [c for c in wanted if c in ready]

    def _blame(self) -> NoReturn:
        """Raise for the child whose end ended the run: one that failed, else one that was killed.

        A model that fails lets Lava's service end as well, maybe before its own report is here.
        """
        deadline = time.monotonic() + GRACE_S
        waiting = {a.report: a for a in self.children}
        while waiting and not any(a.exit_code() < 0 for a in self.children):
            ready = connection.wait(list(waiting), max(0.0, deadline - time.monotonic()))
            if not ready:
                break
            for conn in ready:
                if isinstance(conn, Connection) and not waiting[conn].check():
                    del waiting[conn]
        first = min(self.children, key=Actor.exit_code)
        code = first.exit_code()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        hint = "; if nobody killed it, memory ran out" if code == -signal.SIGKILL else ""
        raise RunError(f"Lava process '{first.name}' {how} in the midst of the run{hint}")

    def stop(self) -> None:
        """End all children at once; may be called twice, and does nothing in a forked child."""
        if os.getpid() != self._owner:
            return
        for a in self.children:
            a.process.kill()
        for a in self.children:
            a.process.join(JOIN_S)
            a.report.close()
        self.children.clear()
