"""One neuromorphic chip as one Lava process; its cores are data inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from neurocomp.backend.emit.program import ChipProgram, Program
from neurocomp.backend.engine.chip import Engine
from neurocomp.backend.engine.messages import Bytes, frame_words, link_size, report_size
from neurocomp.backend.execution import Form
from neurocomp.backend.runtime.channel import LeanSelector


class Chip(AbstractProcess):  # type: ignore[misc]
    """A chip that runs a batch of samples at once, a block of network steps per Lava step.

    Ports: ``values`` takes the input's frames of a block; ``from_i`` and ``to_i`` are the messages
    from and to the i-th chip of the program; ``out`` reports all that was sent to the sink.

    Args:
        program: the whole network's.
        chip: this chip's.
    """

    def __init__(self, *, program: Program, chip: ChipProgram, form: Form) -> None:
        super().__init__(program=program, chip=chip, form=form, name=f"chip {chip.chip}")
        self.values = InPort(shape=(frame_words(program, form),))
        self.out = OutPort(shape=(report_size(program, chip, form),))
        came, goes = {x.source: x for x in chip.receives}, {x.target: x for x in chip.sends}
        for i, other in enumerate(program.chips):
            sizes = [(link_size(program, x.get(other.chip), form),) for x in (came, goes)]
            setattr(self, f"from_{i}", InPort(shape=sizes[0]))
            setattr(self, f"to_{i}", OutPort(shape=sizes[1]))


@implements(proc=Chip, protocol=LoihiProtocol)
@requires(CPU)
class PyChipModel(PyLoihiProcessModel):  # type: ignore[misc]
    """Makes a block and reports it; the ports to other chips are added when it is built."""

    values: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32)
    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.uint8)

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)
        self._selector = LeanSelector()
        program: Program = proc_params["program"]
        self._chip: ChipProgram = proc_params["chip"]
        self._engine = Engine(program, self._chip, proc_params["form"])
        self._number = {c.chip: i for i, c in enumerate(program.chips)}
        self._reads_input = self._chip.reads(program.input[0])
        self._messages: dict[int, Bytes] = {
            link.target: np.zeros(link_size(program, link, proc_params["form"]), np.uint8)
            for link in self._chip.sends
        }

    def run_spk(self) -> None:
        """One block of the network: all chips send first, then receive, so none waits for ever."""
        for exchange in self._engine.run(self.values.recv() if self._reads_input else None):
            for link in self._chip.sends:
                said, message = self._engine.tell(link, exchange), self._messages[link.target]
                message[: len(said)] = said
                getattr(self, f"to_{self._number[link.target]}").send(message)
            for link in self._chip.receives:
                heard = getattr(self, f"from_{self._number[link.source]}").recv()
                self._engine.hear(link, exchange, heard)
        self.out.send(self._engine.report())
