"""What a process that we fork does: it says how it went, stays silent and outlives nobody."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from multiprocessing import current_process
from multiprocessing.connection import Connection
from typing import Any

import threadpoolctl  # type: ignore[import-untyped]

from neurocomp.errors import RunError

MAX_REPORT = 2**15  # bytes: a pipe takes them without a reader
READY = b""
JOIN_S = 1.0  # a killed process is gone long before
WATCH_S = 0.5  # how often a child looks whether its parent lives


def require_parenthood() -> None:
    """Refuse to start processes from one that Python allows none.

    Raises:
        RunError: this is a daemonic process, as those of a `multiprocessing.Pool` are.
    """
    if current_process().daemon:
        raise RunError(
            f"'{current_process().name}' is a daemonic process, which cannot start others: call "
            "backends from the main process, or from one that is not daemonic"
        )


def settle(parent: int) -> None:
    """Make this process a child: stdout is stderr, Ctrl-C is the parent's, whose end is ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)


def run(builder: Any, report: Connection, parent: int) -> None:
    """Build a Lava model or service, report that it stands, run it until it is killed or fails."""
    settle(parent)
    threadpoolctl.threadpool_limits(1, "blas")  # two threads: twice the CPU time, same wall time
    try:
        model = builder.build()
        report.send_bytes(READY)
        model.start()
    finally:
        if sys.exc_info()[0] is not None:
            report.send_bytes(traceback.format_exc().encode()[-MAX_REPORT:])
            os._exit(1)
        os._exit(0)
