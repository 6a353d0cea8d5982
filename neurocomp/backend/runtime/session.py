"""One Lava start for a whole stream of batches, whatever the network is wired from."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from typing import Protocol

import numpy as np
import numpy.typing as npt

from neurocomp.backend.engine.messages import Bytes
from neurocomp.backend.execution import Executed, Form, formed
from neurocomp.backend.runtime.ends import Feed, Field, Harvest
from neurocomp.backend.runtime.launch import Models, launched
from neurocomp.backend.runtime.pump import pump
from neurocomp.backend.runtime.shared import Slots
from neurocomp.ir import Array, Graph
from neurocomp.quant.reference import Trace

SLOTS = 2  # batches that wait at either end of the network


class Network(Protocol):
    """A network of Lava processes between a source and a sink."""

    @property
    def lean(self) -> bool:
        """Whether all its models wait with a `LeanSelector`."""

    @property
    def steps(self) -> int:
        """Lava steps of a batch."""

    @property
    def words(self) -> int:
        """Most int32 words that the values of a batch take."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """What the sink gathers."""

    def processes(self, feed: Feed, harvest: Harvest) -> Models:
        """Make all Lava processes, connected, and the model of each."""

    def encode(self, frames: Array) -> npt.NDArray[np.int32]:
        """Frames (B, F, C, H, W) as the source sends them, a row or array for each Lava step."""

    def decode(self, data: Bytes, samples: int) -> Trace:
        """The sink's bytes of one batch as a trace of its samples."""


def run(
    graph: Graph, form: Form, network: Network, batches: Iterable[Array], timeout_s: float
) -> Generator[Executed, None, None]:
    """Run batches through a network, in order.

    Args:
        timeout_s: the longest that a batch may take, or the processes to start.

    Raises:
        InputError: a batch has not the stream's form.
        RunError: a Lava process failed, or a batch took too long.
    """
    given: deque[tuple[Array, float]] = deque()

    def encoded() -> Iterator[npt.NDArray[np.int32]]:
        for values in batches:
            start = time.thread_time()
            words = network.encode(formed(graph, form, values))
            given.append((values, time.thread_time() - start))
            yield words

    def read(data: Bytes, cpu_s: float) -> Executed:
        values, spent = given.popleft()
        start = time.thread_time()
        trace = network.decode(data, len(values))
        own = spent + time.thread_time() - start
        return Executed(values, trace, form.window, cpu_s + own)

    inbox = Slots(SLOTS, network.words * np.dtype(np.int32).itemsize)
    nbytes = sum(f.nbytes(network.steps) for f in network.fields)
    begun = max(f.depth for f in network.fields) // network.steps  # batches, before one is done
    outbox = Slots(SLOTS + begun, nbytes)
    harvest = Harvest(outbox, network.fields, network.steps)
    feed = Feed(inbox, network.steps, harvest.depth)
    with (
        closing(inbox),
        closing(outbox),
        launched(lambda: network.processes(feed, harvest), timeout_s, lean=network.lean) as actors,
    ):
        yield from pump(actors, inbox, outbox, encoded(), read, timeout_s)
