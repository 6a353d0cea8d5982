"""Feeds batches to a running Lava network and takes their results out, some batches ahead."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from neurocomp.backend.engine.messages import Bytes
from neurocomp.backend.runtime.actors import Actors
from neurocomp.backend.runtime.ends import END
from neurocomp.backend.runtime.shared import Slots

T = TypeVar("T")


def pump(
    actors: Actors,
    inbox: Slots,
    outbox: Slots,
    batches: Iterable[npt.NDArray[np.int32]],
    read: Callable[[Bytes, float], T],
    timeout_s: float,
) -> Generator[T, None, None]:
    """Run batch after batch; the results come in the same order.

    Args:
        inbox, outbox: of the network's source and sink.
        batches: as the source sends them, a row for each Lava step.
        read: makes a result of the sink's bytes, which are overwritten afterwards, and of the CPU
            time of all Lava processes since the result before, in seconds.
        timeout_s: the longest that a batch may take.

    Raises:
        RunError: a child failed or ended, or a batch took too long.
    """
    waiting = iter(batches)
    more, running = True, 0
    cpu_s = actors.cpu_s()
    while more or running:
        while more and (slot := inbox.take(wait=False)) is not None:
            more = _feed(inbox, slot, next(waiting, None))
            running += more
        if not running:
            return
        deadline = time.monotonic() + timeout_s
        ready = actors.wait([outbox.filled, *([inbox.freed] if more else [])], deadline)
        if outbox.filled in ready:
            slot, _ = outbox.receive()
            spent = actors.cpu_s()
            results, cpu_s = [read(outbox.buffer(slot), spent - cpu_s)], spent
            outbox.release(slot)
            running -= 1
            yield results.pop()  # so that nothing here keeps it while the next one is made


def _feed(inbox: Slots, slot: int, frames: npt.NDArray[np.int32] | None) -> bool:
    """Give a batch to the source, or tell it that there are no more; returns whether there was."""
    if frames is None:
        inbox.give(slot, END)
        return False
    inbox.buffer(slot).view(np.int32)[: frames.size] = frames.reshape(-1)
    inbox.give(slot, len(frames))
    return True
