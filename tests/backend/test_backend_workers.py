"""Several processes at one simulation: the same result, and every way in which one can end."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import numpy as np
import pytest
from backend_faults import LIMIT_S, TIMEOUT_S, nothing_left  # noqa: F401
from backend_networks import chain, images, spread

from neurocomp import backend
from neurocomp.backend.workers import side_by_side
from neurocomp.errors import InputError, RunError


def test_two_workers_give_what_one_gives() -> None:
    graph, labels = chain(), np.arange(11) % 5
    values = images(graph, 11, seed=3)
    one, two = (
        backend.simulate(
            graph, spread(graph), values, labels, batch=3, workers=n, timeout_s=TIMEOUT_S
        )
        for n in (1, 2)
    )
    rows = [{**found.as_row(), "cpu_ms_per_step": 0} for found in (one, two)]
    assert rows[0] == rows[1]
    assert (one.predictions == two.predictions).all()
    assert two.mismatches == 0


def killed() -> list[int]:
    os.kill(os.getpid(), signal.SIGKILL)
    return []


def stopped() -> list[int]:
    os.kill(os.getpid(), signal.SIGSTOP)
    return []


def broken() -> list[int]:
    raise ZeroDivisionError


def wrong() -> list[int]:
    raise InputError("a worker's own complaint")


@pytest.mark.parametrize(
    ("job", "error", "message"),
    [
        (killed, RunError, "worker 1 was killed in the midst of its work; .* fewer workers"),
        (broken, RunError, "a worker failed:\n.*ZeroDivisionError"),
        (wrong, InputError, "a worker's own complaint"),
    ],
)
def test_a_worker_that_ends_badly(job: Any, error: type[Exception], message: str) -> None:
    start = time.monotonic()
    with pytest.raises(error, match=f"(?s){message}"):
        list(side_by_side([lambda: [1, 2], job], TIMEOUT_S))
    assert time.monotonic() - start < LIMIT_S


def test_a_worker_that_is_stopped() -> None:
    """One that is merely slow goes on: it says nothing for four times as long."""

    def slow() -> list[int]:
        time.sleep(2.0)
        return [1]

    with pytest.raises(RunError, match=r"worker 1 is stopped and gave no result in 0.5 seconds"):
        list(side_by_side([slow, stopped], 0.5))
    assert list(side_by_side([slow, slow], 0.5)) == [1, 1]


def test_ctrl_c_while_workers_are_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pressed after the fork, before the child's number is known: that child must not be lost."""
    fork = os.fork

    def pressed() -> int:
        pid = fork()
        if pid:
            os.kill(os.getpid(), signal.SIGINT)
        return pid

    monkeypatch.setattr(os, "fork", pressed)
    with pytest.raises(KeyboardInterrupt):
        list(side_by_side([lambda: iter(lambda: time.sleep(1), 0)] * 2, TIMEOUT_S))


def test_a_lava_process_that_fails_in_a_worker() -> None:
    graph = chain()
    values = images(graph, 400)
    with pytest.raises(RunError, match="no result in the time allowed"):
        backend.simulate(graph, spread(graph), values, batch=1, workers=2, timeout_s=1e-9)
