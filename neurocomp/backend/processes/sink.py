"""The sink: gathers what the network fired and hands over one batch after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.process.ports.ports import InPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurocomp.backend.engine.messages import Bytes
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
    """Writes messages where the batch's reader will find them, and gives a batch away when done.

    Where messages of a deep population still come, those of the next batch may have begun.
    """

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._selector = LeanSelector()
        self._harvest: Harvest = proc_params["harvest"]
        self._starts = self._harvest.starts()
        self._ports = range(proc_params["n_ports"])
        self._begun: dict[int, int] = {}  # slots by the number of their batch

    def run_spk(self) -> None:
        """Receive this step's messages."""
        messages = [
            getattr(self, f"from_{i}").recv().reshape(-1).view(np.uint8) for i in self._ports
        ]
        steps, now = self._harvest.steps, int(self.time_step) - 1
        for f, start in zip(self._harvest.fields, self._starts, strict=True):
            batch, t = divmod(now - f.depth, steps)
            if batch >= 0 and t in f.steps(steps):
                size = f.stop - f.start
                at = start + size * f.steps(steps).index(t)
                self._slot(batch)[at : at + size] = messages[f.port][f.start : f.stop]
        batch, t = divmod(now - self._harvest.depth, steps)
        if batch >= 0 and t == steps - 1:
            self._harvest.slots.give(self._begun.pop(batch), batch)

    def _slot(self, batch: int) -> Bytes:
        """Where a batch goes."""
        if batch not in self._begun:
            slot = self._harvest.slots.take(wait=True)
            assert slot is not None
            self._begun[batch] = slot
        return self._harvest.slots.buffer(self._begun[batch])
