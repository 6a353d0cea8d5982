"""Ctrl-C held back, and Ctrl-C that others swallow."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from neurocomp.interrupt import held_back, not_lost


@pytest.fixture(autouse=True)
def handler_is_put_back() -> Iterator[None]:
    before = signal.getsignal(signal.SIGINT)
    yield
    assert signal.getsignal(signal.SIGINT) is before


def press() -> None:
    """Ctrl-C."""
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_waits_for_its_moment() -> None:
    seen = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with held_back() as let_through:
            let_through()
            press()
            seen.append("held")
            let_through()
            seen.append("never")
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with held_back():
            press()
            seen.append("held again")
    assert seen == ["held", "held again"]


def test_an_interrupt_comes_at_once() -> None:
    seen = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with not_lost():
            seen.append("before")
            press()
            seen.append("never")
    assert seen == ["before"]


def test_an_interrupt_that_is_swallowed_comes_again() -> None:
    seen = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with not_lost():
            with suppress(KeyboardInterrupt):
                press()
            seen.append("goes on")
    assert seen == ["goes on"]


def test_an_import_that_fails_by_it() -> None:
    """As numpy's modules in C do."""
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with not_lost():
            try:
                press()
            except KeyboardInterrupt:
                raise ImportError("failed to import") from None


def test_other_faults_pass() -> None:
    with pytest.raises(ImportError, match="no such module"):
        with not_lost():
            raise ImportError("no such module")


@pytest.mark.parametrize("context", [held_back, not_lost])
def test_who_ignores_it_is_not_disturbed(context) -> None:  # type: ignore[no-untyped-def]
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with context():
            press()
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("context", [held_back, not_lost])
def test_other_threads_have_no_handlers(context) -> None:  # type: ignore[no-untyped-def]
    found = []

    def enter() -> None:
        with context() as let_through:
            if let_through is not None:
                let_through()
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGINT)]
