"""The source: shows the values of one batch after the other to the network."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurocomp.backend.runtime.channel import LeanSelector
from neurocomp.backend.runtime.ends import END, Feed


class Source(AbstractProcess):  # type: ignore[misc]
    """Sends one array of integers per Lava step, after the last batch some zeros, then no more.

    Args:
        shape: of the array.
        feed: where the frames come from.
    """

    def __init__(self, *, shape: tuple[int, ...], feed: Feed) -> None:
        super().__init__(shape=shape, feed=feed, name="source")
        self.out = OutPort(shape=shape)


@implements(proc=Source, protocol=LoihiProtocol)
@requires(CPU)
class PySourceModel(PyLoihiProcessModel):  # type: ignore[misc]
    """Fetches a batch when the one before has been shown."""

    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._selector = LeanSelector()
        self._shape: tuple[int, ...] = proc_params["shape"]
        self._feed: Feed = proc_params["feed"]
        self._frames = np.zeros((1, *self._shape), np.int32)
        self._left: int | None = None  # steps to go, after the last batch

    def run_spk(self) -> None:
        """Send the frame of this step."""
        t = (self.time_step - 1) % self._feed.steps
        if t == 0 and self._left is None:
            self._next_batch()
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self._feed.slots.receive()  # for ever: the network stands still until it is ended
        self.out.send(self._frames[min(t, len(self._frames) - 1)])

    def _next_batch(self) -> None:
        slot, n_frames = self._feed.slots.receive()
        if n_frames == END:
            self._left = self._feed.tail
            self._frames = np.zeros((1, *self._shape), np.int32)
        else:
            held = self._feed.slots.buffer(slot).view(np.int32)
            shape = (n_frames, *self._shape)
            self._frames = held[: math.prod(shape)].reshape(shape).copy()
        self._feed.slots.release(slot)
