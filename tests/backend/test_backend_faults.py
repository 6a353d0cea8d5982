"""Nothing hangs: whatever goes wrong in Lava ends the run within 2 s and leaves nothing behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from backend_faults import (  # noqa: F401
    GRAPH,
    LIMIT_S,
    MAPPING,
    endless,
    lava_child,
    nothing_left,
    run_broken,
    segments,
)
from backend_networks import images
from netx_files import dense, write

from neurocomp import backend
from neurocomp.backend.emit import emit
from neurocomp.backend.runtime import actors
from neurocomp.errors import RunError
from neurocomp.formats.netx import read_netx
from neurocomp.ir import Array


def test_a_model_that_cannot_be_built() -> None:
    part = emit(GRAPH, MAPPING).chips[1].parts[0]
    synapses = (replace(part.synapses[0], weight=part.synapses[0].weight[:, :, :2]),)
    start = time.monotonic()
    with pytest.raises(RunError, match="Lava process 'chip 1' failed: ValueError") as caught:
        run_broken(replace(part, synapses=synapses))
    assert time.monotonic() - start < LIMIT_S
    assert "engine/kernels.py" in str(caught.value)  # the child's own traceback


def test_a_model_that_raises_in_a_step() -> None:
    part = emit(GRAPH, MAPPING).chips[1].parts[0]
    start = time.monotonic()
    with pytest.raises(RunError, match="Lava process 'chip 1' failed: ValueError") as caught:
        run_broken(replace(part, bias=np.ones((2, 2), np.int64)))
    assert time.monotonic() - start < LIMIT_S
    assert "run_spk" in str(caught.value)


@pytest.mark.parametrize("name", ["source", "chip 0", "chip 1", "sink", "runtime service"])
def test_a_child_that_is_killed(name: str) -> None:
    with closing(backend.stream(GRAPH, MAPPING, endless())) as runs:
        next(runs)
        lava_child(name).kill()
        start = time.monotonic()
        with pytest.raises(RunError, match=f"'{name}' was killed by SIGKILL .* memory ran out"):
            list(runs)
        assert time.monotonic() - start < LIMIT_S


def test_a_child_that_ends_too_early() -> None:
    with closing(backend.stream(GRAPH, MAPPING, endless())) as runs:
        next(runs)
        lava_child("sink").terminate()
        with pytest.raises(RunError, match="'sink' was killed by SIGTERM in the midst of the run"):
            list(runs)


def test_a_child_that_hangs() -> None:
    with closing(backend.stream(GRAPH, MAPPING, endless(), timeout_s=1.0)) as runs:
        next(runs)
        lava_child("chip 0").suspend()
        start = time.monotonic()
        with pytest.raises(RunError, match="no result in the time allowed"):
            list(runs)
        assert time.monotonic() - start < LIMIT_S + 1.0


def test_values_that_come_slowly() -> None:
    """The time that reading takes is not the simulator's."""

    def slow() -> Iterator[Array]:
        for _ in range(2):
            time.sleep(2.2)
            yield images(GRAPH, 2)

    with closing(backend.stream(GRAPH, MAPPING, slow(), timeout_s=2.0)) as runs:
        assert len(list(runs)) == 2


def test_a_stock_process_that_is_killed() -> None:
    with closing(backend.stream(GRAPH, None, endless(), backend="stock")) as runs:
        next(runs)
        lava_child("source").kill()
        start = time.monotonic()
        with pytest.raises(RunError, match="'source' was killed by SIGKILL"):
            list(runs)
        assert time.monotonic() - start < LIMIT_S


@pytest.fixture(scope="module")
def netx_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that has run once: importing lava-dl leaves files of the libraries open."""
    file = write(tmp_path_factory.mktemp("netx") / "x.net", dense([[20, -4]]), dense([[30]]))
    graph = read_netx(file)
    backend.run(graph, None, images(graph, 1, steps=2), backend="netx", file=file)
    return file


@pytest.mark.slow  # imports lava-dl
def test_a_process_of_netx_that_is_killed(netx_file: Path) -> None:
    graph = read_netx(netx_file)
    killed: list[float] = []

    def kill() -> None:
        while not (found := [p for p in multiprocessing.active_children() if p.name == "source"]):
            time.sleep(0.05)
        found[0].kill()
        killed.append(time.monotonic())

    threading.Thread(target=kill).start()
    with pytest.raises(RunError, match="was killed by SIGKILL"):
        backend.run(graph, None, images(graph, 1, steps=50_000), backend="netx", file=netx_file)
    assert time.monotonic() - killed[0] < LIMIT_S


def test_ctrl_c() -> None:
    with closing(backend.stream(GRAPH, MAPPING, endless())) as runs:
        next(runs)
        start = time.monotonic()
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            list(runs)
    assert time.monotonic() - start < LIMIT_S


@pytest.mark.parametrize("after_s", [0.02, 0.1, 0.3, 0.6])
def test_ctrl_c_while_stock_processes_start(after_s: float) -> None:
    """Whenever it comes, it ends the run; Lava's compiler and the forks do not swallow it."""
    threading.Timer(after_s, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        with closing(backend.stream(GRAPH, None, endless(), backend="stock")) as runs:
            list(runs)


def test_no_more_semaphores(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a full /dev/shm looks like: Lava's channels need semaphores."""

    def none_left(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lava.magma.compiler.channels.pypychannel.Semaphore", none_left)
    with pytest.raises(RunError, match=r"no room for another run: .* No space left on device"):
        backend.run(GRAPH, MAPPING, images(GRAPH, 1))


def test_a_system_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(actors, "AnonymousMemory", no_memory)
    with pytest.raises(RunError, match=r"no room for another run: .* No space left on device"):
        backend.run(GRAPH, MAPPING, images(GRAPH, 1))


def test_no_process_uses_a_shared_memory_segment() -> None:
    """Nothing in /dev/shm means that nothing can be left there, whatever happens."""
    with closing(backend.stream(GRAPH, MAPPING, endless())) as runs:
        next(runs)
        for child in psutil.Process().children():
            assert segments(child) == []


def test_a_fault_of_the_caller_ends_the_run() -> None:
    with closing(backend.stream(GRAPH, MAPPING, endless())) as runs:
        next(runs)
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        with closing(backend.stream(GRAPH, MAPPING, endless())) as runs:
            next(runs)
            raise ZeroDivisionError


def test_again_in_one_interpreter() -> None:
    for _ in range(2):
        backend.run(GRAPH, MAPPING, images(GRAPH, 1))


def test_two_at_once() -> None:
    """Two runs in two threads, and a third one within a run."""
    found: list[int] = []

    def count() -> None:
        batches = [images(GRAPH, 2)] * 5
        with closing(backend.stream(GRAPH, MAPPING, batches, timeout_s=60)) as runs:
            found.append(len(list(runs)))

    threads = [threading.Thread(target=count) for _ in range(2)]
    for t in threads:
        t.start()
    with closing(backend.stream(GRAPH, MAPPING, endless(), timeout_s=60)) as runs:
        next(runs)
        count()
        next(runs)
    for t in threads:
        t.join()
    assert found == [5, 5, 5]


def test_a_signal_in_the_moment_before_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not end the wait, so none is long: the next bytecode raises it."""
    waits: list[float] = []
    real = actors.connection.wait

    def wait(some: list[object], timeout: float) -> list[object]:
        waits.append(timeout)
        return real(some, timeout)  # type: ignore[arg-type, return-value]

    monkeypatch.setattr(actors.connection, "wait", wait)
    monkeypatch.setattr(actors, "LOOK_S", 0.1)
    silent, other = multiprocessing.Pipe(duplex=False)
    with silent, other, pytest.raises(RunError, match="no result in the time allowed"):
        actors.Actors(lean=True).wait([silent], time.monotonic() + 0.35)
    assert len(waits) > 1
    assert max(waits) <= 0.1
