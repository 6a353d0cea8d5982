"""What stock Lava lacks: a delay line, and a probe that reads states at the right moment.

Both know the sample's window: a population at depth d makes step t of its window at the global step
t + d, counted from 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort, PyRefPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort, RefPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol


class Delay(AbstractProcess):  # type: ignore[misc]
    """Sends what it received ``wait`` steps before; with 0 it passes on at once.

    Messages from before the sender's first window are dropped, and those of the last steps of a
    window that could only act in the next one.

    Args:
        shape: of the messages.
        window: steps T of a window.
        depth: of the sender.
        kept: steps of each window, the first ones, whose messages pass.
    """

    def __init__(
        self, *, shape: tuple[int, ...], wait: int, window: int, depth: int, kept: int
    ) -> None:
        super().__init__(shape=shape, wait=wait, window=window, depth=depth, kept=kept)
        self.s_in = InPort(shape=shape)
        self.s_out = OutPort(shape=shape)


class Probe(AbstractProcess):  # type: ignore[misc]
    """Sends, in every step, what it read last of a variable: at the end of a window's last step.

    Args:
        shape: of the variable.
        window: steps T of a window.
        depth: of the variable's population.
    """

    def __init__(self, *, shape: tuple[int, ...], window: int, depth: int) -> None:
        super().__init__(shape=shape, window=window, depth=depth)
        self.variable = RefPort(shape=shape)
        self.out = OutPort(shape=shape)


class _Timed(PyLoihiProcessModel):  # type: ignore[misc]
    """A model that knows which step of the window it is in."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._window: int = proc_params["window"]
        self._depth: int = proc_params["depth"]

    def _step(self) -> int:
        """Of its window, from 0."""
        return int(self.time_step - 1 - self._depth) % self._window


@implements(proc=Delay, protocol=LoihiProtocol)
@requires(CPU)
class PyDelayModel(_Timed):
    """A ring of the last messages."""

    s_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._ring = np.zeros((proc_params["wait"] + 1, *proc_params["shape"]), np.int32)
        self._kept: int = proc_params["kept"]

    def run_spk(self) -> None:
        """Receive, then send the oldest message."""
        message = self.s_in.recv()
        now = self.time_step % len(self._ring)
        begun = self.time_step > self._depth
        self._ring[now] = message if begun and self._step() < self._kept else 0
        self.s_out.send(self._ring[(now + 1) % len(self._ring)])


@implements(proc=Probe, protocol=LoihiProtocol)
@requires(CPU)
class PyProbeModel(_Timed):
    """Reads in the management phase, when all neurons have made their step."""

    variable: PyRefPort = LavaPyType(PyRefPort.VEC_DENSE, np.int32)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._read = np.zeros(proc_params["shape"], np.int32)

    def run_spk(self) -> None:
        """Send what was read last."""
        self.out.send(self._read)

    def post_guard(self) -> bool:
        """Whether this step ends a window."""
        return self._step() == self._window - 1

    def run_post_mgmt(self) -> None:
        """Read the variable."""
        self._read = self.variable.read()
