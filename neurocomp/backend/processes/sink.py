"""The sink: gathers what the network fired and hands over one batch after the other."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurocomp.backend.runtime.channel import LeanSelector
from neurocomp.backend.runtime.ends import Harvest


class Sink(AbstractProcess):  # type: ignore[misc]
    """Receives one message per port and step; port ``from_i`` has shape ``shapes[i]``."""

    def __init__(self, *, shapes: tuple[tuple[int, ...], ...], harvest: Harvest) -> None:
        super().__init__(n_ports=len(shapes), harvest=harvest, name="sink")
        for i, shape in enumerate(shapes):
            setattr(self, f"from_{i}", InPort(shape=shape))


@implements(proc=Sink, protocol=LoihiProtocol)
@requires(CPU)
class PySinkModel(PyLoihiProcessModel):  # type: ignore[misc]
    """Keeps the messages of the last steps, and gives a batch away when all of it is there."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._selector = LeanSelector()
        self._n_ports: int = proc_params["n_ports"]
        self._harvest: Harvest = proc_params["harvest"]
        self._batches = 0
        length = self._harvest.steps + self._harvest.depth
        self._kept: deque[list[npt.NDArray[np.uint8]]] = deque(maxlen=length)

    def run_spk(self) -> None:
        """Receive this step's messages."""
        ports = [getattr(self, f"from_{i}") for i in range(self._n_ports)]
        self._kept.append([port.recv().reshape(-1).view(np.uint8) for port in ports])
        past = self.time_step - self._harvest.depth
        if past > 0 and past % self._harvest.steps == 0:
            self._hand_over()

    def _hand_over(self) -> None:
        slot = self._harvest.slots.take(wait=True)
        assert slot is not None
        buffer, start = self._harvest.slots.buffer(slot), 0
        for f in self._harvest.fields:
            for t in f.steps(self._harvest.steps):
                stop = start + f.stop - f.start
                buffer[start:stop] = self._kept[t + f.depth][f.port][f.start : f.stop]
                start = stop
        self._batches += 1
        self._harvest.slots.give(slot, self._batches)
