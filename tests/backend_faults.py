"""A network on one core, runs of it that must fail, and a look at what they leave behind."""

from __future__ import annotations

import gc
import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import psutil
import pytest
from backend_networks import chain, images, spread

from neurocomp.backend.emit import emit
from neurocomp.backend.emit.program import Part
from neurocomp.backend.execution import opened
from neurocomp.backend.mapped import ChipNetwork
from neurocomp.backend.runtime import session
from neurocomp.ir import Array

LIMIT_S = 2.0  # in which everything has ended
TIMEOUT_S = 60.0  # of what ends by itself
GRAPH = chain()
MAPPING = spread(GRAPH, (2, 2, 1), chips=2)


def endless() -> Iterator[Array]:
    """Batches without end."""
    while True:
        yield images(GRAPH, 2)


def left() -> tuple[set[int], list[str], set[str], int]:
    """Children, shared-memory segments, threads and open files of this process."""
    gc.collect()  # a caught error holds on to what it passed through
    me = psutil.Process()
    children = {p.pid for p in me.children(recursive=True)}
    return children, segments(me), {t.name for t in threading.enumerate()}, me.num_fds()


def segments(process: psutil.Process) -> list[str]:
    """Shared-memory segments that a process uses; a semaphore's page has no name any more."""
    paths = [m.path for m in process.memory_maps(grouped=False)]
    return [p for p in paths if p.startswith("/dev/shm/") and "/sem." not in p]


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Every test must leave the machine as it found it."""
    before = left()
    yield
    deadline = time.monotonic() + LIMIT_S
    while left() != before and time.monotonic() < deadline:
        time.sleep(0.02)  # threads that were told to end
    assert left() == before


def lava_child(name: str) -> psutil.Process:
    """The child of this process that runs the part of that name."""
    (child,) = [p for p in multiprocessing.active_children() if p.name == name]
    return psutil.Process(child.pid)


def run_broken(part: Part) -> None:
    """Run with a broken part on the second chip."""
    program = emit(GRAPH, MAPPING)
    first, second = program.chips
    broken = replace(second, parts=(part, *second.parts[1:]))
    program = replace(program, chips=(first, broken))
    form, batches = opened(GRAPH, endless())
    assert form is not None
    network = ChipNetwork(GRAPH, program, form)
    with closing(session.run(GRAPH, form, network, batches, timeout_s=30)) as runs:
        list(runs)
