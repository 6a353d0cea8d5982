"""Lava's channel without its threads, for processes that only wait for one thing at a time.

Lava's ports keep a thread each, which waits for the other side and wakes the process: two or three
switches per message, most of what a step of a small network costs. Here the process itself waits
on the semaphores that the threads would wait on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from lava.magma.compiler.channels.pypychannel import (
    CspRecvPort,
    CspSelector,
    CspSendPort,
    PyPyChannel,
)

from neurocomp.ir import Array

WATCHED = ("runtime_to_service", "service_to_runtime")  # the service watches these beside others


def lean_channel(infrastructure: Any, source: str, target: str, *rest: Any) -> PyPyChannel:
    """A channel as Lava makes it, with ports that have no thread where nobody needs one."""
    channel = PyPyChannel(infrastructure, source, target, *rest)
    if not source.startswith(WATCHED):
        channel._src_port.__class__ = LeanSendPort
        channel._dst_port.__class__ = LeanRecvPort
    return channel


def _slots(port: Any) -> list[Array]:
    """The channel's buffers, as `CspSendPort.start` lays them out."""
    size = port._nbytes
    return [
        np.ndarray(port._shape, port._dtype, port._shm.buf[size * i : size * (i + 1)])
        for i in range(port._size)
    ]


class LeanSendPort(CspSendPort):  # type: ignore[misc]
    """Sends as long as a slot is free, then waits until the other side has read one."""

    def start(self) -> None:
        """Find the slots; all are free."""
        self._array, self._idx, self._n_free = _slots(self), 0, int(self._size)

    def probe(self) -> bool:
        """Whether `send` would not wait."""
        if not self._n_free and self._ack.acquire(False):
            self._n_free += 1
        return bool(self._n_free)

    def send(self, data: Array) -> None:
        """Write a message into the next slot."""
        if self._n_free:
            self._n_free -= 1
        else:
            self._ack.acquire()
        self._array[self._idx][...] = data
        self._idx = (self._idx + 1) % self._size
        self._req.release()


class LeanRecvPort(CspRecvPort):  # type: ignore[misc]
    """Waits for messages itself."""

    def start(self) -> None:
        """Find the slots; none is filled."""
        self._array, self._idx, self._n_filled = _slots(self), 0, 0

    def probe(self) -> bool:
        """Whether `recv` would not wait."""
        if not self._n_filled and self._req.acquire(False):
            self._n_filled += 1
        return bool(self._n_filled)

    def wait(self) -> None:
        """Wait until there is a message."""
        if not self._n_filled:
            self._req.acquire()
            self._n_filled += 1

    def peek(self) -> Array:
        """The next message, which stays."""
        self.wait()
        return self._array[self._idx].copy()

    def recv(self) -> Array:
        """The next message."""
        self.wait()
        self._n_filled -= 1
        message: Array = self._array[self._idx].copy()
        self._idx = (self._idx + 1) % self._size
        self._ack.release()
        return message


class LeanSelector(CspSelector):  # type: ignore[misc]
    """Waits at the one port there is, where that can be waited at."""

    def select(self, *channel_actions: tuple[Any, Callable[[], Any]]) -> Any:
        """Wait for a channel and do what goes with it."""
        (channel, action), *others = channel_actions
        if others or not isinstance(channel, LeanRecvPort):
            return super().select(*channel_actions)
        channel.wait()
        return action()
