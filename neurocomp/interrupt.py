"""Ctrl-C where it may not come in between, and where others swallow it.

Python raises `KeyboardInterrupt` in the main thread only; in any other thread these contexts do
nothing.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def held_back() -> Iterator[Callable[[], None]]:
    """Hold Ctrl-C back; it counts at the end of the context, or when the given function is called.

    Raised in the midst of a fork, for instance, the exception would lose the child.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)

    before = signal.signal(signal.SIGINT, note)

    def let_through() -> None:
        if pressed:
            pressed.clear()
            signal.signal(signal.SIGINT, before)
            try:
                signal.raise_signal(signal.SIGINT)
            finally:
                signal.signal(signal.SIGINT, note)

    try:
        yield let_through
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def not_lost() -> Iterator[None]:
    """Let Ctrl-C through at once, and again at the end of the context if it did not get there.

    An import that is interrupted may fail with `ImportError`, or succeed where somebody catches
    that; what is raised within a finalizer is printed and forgotten.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        if callable(before):
            before(number, frame)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    except KeyboardInterrupt:
        pressed.clear()
        raise
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)
