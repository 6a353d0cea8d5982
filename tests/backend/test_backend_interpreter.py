"""Whole interpreters that run Lava: terminals, parents, pools, a full memory; nothing stays."""

from __future__ import annotations

import multiprocessing
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest
from backend_faults import GRAPH, LIMIT_S, MAPPING, nothing_left  # noqa: F401
from backend_networks import images

from neurocomp import backend
from neurocomp.errors import RunError

SCRIPT = """
    import sys
    sys.path.insert(0, {tests!r})
    from backend_faults import GRAPH, MAPPING, endless
    from neurocomp import backend

    runs = backend.stream(GRAPH, MAPPING, endless())
    next(runs)
    print("running", flush=True)
    {then}
"""


def started(then: str) -> subprocess.Popen[str]:
    """An interpreter of its own with a stream under way."""
    source = textwrap.dedent(SCRIPT).format(tests=str(Path(__file__).parents[1]), then=then)
    process = subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    return process


def gone(pids: list[psutil.Process]) -> bool:
    """Whether all processes end within the limit; orphans may stay as zombies in a container."""
    deadline = time.monotonic() + LIMIT_S
    while any(_lives(p) for p in pids) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(_lives(p) for p in pids)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_an_interpreter_that_leaves_a_stream_open_exits() -> None:
    with started("pass") as process:
        out, errors = process.communicate(timeout=30)
    assert (process.returncode, out, errors) == (0, "", "")


def test_ctrl_c_in_the_terminal() -> None:
    """SIGINT to the whole process group, as a terminal sends it: one traceback, the parent's."""
    with started("list(runs)") as process:
        children = psutil.Process(process.pid).children()
        for p in (*children, psutil.Process(process.pid)):
            p.send_signal(signal.SIGINT)
        assert len(children) == 5
        assert gone(children)
        _, errors = process.communicate(timeout=30)
    assert errors.count("KeyboardInterrupt") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")


IMPORTING = """
    import signal, sys
    sys.path.insert(0, {tests!r})
    from backend_networks import chain
    from neurocomp import backend

    class Interrupted:
        def find_spec(self, name, *_):
            if name == "lava.proc.conv.process":
                sys.meta_path.remove(self)
                try:
                    signal.raise_signal(signal.SIGINT)
                except KeyboardInterrupt:
                    raise ImportError("failed to import") from None

    sys.meta_path.insert(0, Interrupted())
    backend.stream(chain(), None, [], backend="stock")
    print("never")
"""


def test_ctrl_c_while_lava_is_imported() -> None:
    """Modules in C turn the exception into an `ImportError`; who interrupts gets his own."""
    source = textwrap.dedent(IMPORTING).format(tests=str(Path(__file__).parents[1]))
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (-signal.SIGINT, "")
    assert done.stderr.rstrip().endswith("KeyboardInterrupt")


def test_a_parent_that_is_killed_takes_its_children_along() -> None:
    with started("list(runs)") as process:
        children = psutil.Process(process.pid).children()
        process.kill()
        process.wait()
        assert len(children) == 5
        assert gone(children)


def test_a_model_that_is_never_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurocomp.backend.processes.chip.Engine", lambda *_: time.sleep(60))
    start = time.monotonic()
    with pytest.raises(RunError, match="no result in the time allowed"):
        backend.run(GRAPH, MAPPING, images(GRAPH, 1), timeout_s=1.0)
    assert time.monotonic() - start < LIMIT_S + 1.0


FULL = """
    mount -t tmpfs -o size=4k none /dev/shm && head -c 4096 /dev/zero > /dev/shm/full || exit 77
    exec {python} -c '
    from backend_faults import GRAPH, MAPPING, images
    from neurocomp import backend
    backend.run(GRAPH, MAPPING, images(GRAPH, 1))'
"""


def test_a_full_shared_memory() -> None:
    """A real one, in a mount of its own."""
    script = textwrap.dedent(FULL).format(python=sys.executable)
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("mounts of one's own are not allowed here")
    assert done.returncode == 1
    last = done.stderr.rstrip().splitlines()[-1]
    assert "no room for another run: [Errno 28] No space left on device; make room in" in last


def in_a_pool(workers: int) -> str:
    """What a run says in a process that may have no children."""
    try:
        backend.simulate(GRAPH, MAPPING, images(GRAPH, 2), batch=1, workers=workers)
    except RunError as error:
        return str(error)
    return "ran"


def test_a_process_that_may_have_no_children() -> None:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        for said in pool.map(in_a_pool, [1, 2]):
            assert "is a daemonic process, which cannot start others: call backends from" in said
        pool.close()
        pool.join()
