"""What networks of Lava's own processes have in common."""

from __future__ import annotations

from dataclasses import dataclass

from neurocomp.backend.engine.messages import Bytes
from neurocomp.backend.execution import Form
from neurocomp.backend.plain.outlets import Outlets
from neurocomp.backend.runtime.ends import Field
from neurocomp.ir import Graph
from neurocomp.quant.reference import Trace


@dataclass(frozen=True, slots=True)
class PlainNetwork:
    """A network for one sample at a time, without the processes; see `session.Network`."""

    graph: Graph
    form: Form

    @property
    def lean(self) -> bool:
        """Most processes are Lava's own, with channels as Lava makes them."""
        return False

    @property
    def steps(self) -> int:
        """Lava steps of a sample."""
        return self.form.window

    @property
    def words(self) -> int:
        """int32 words that carry the values of a sample."""
        return self.form.frames * self.graph.inputs[0].size

    @property
    def outlets(self) -> Outlets:
        """How spikes and states come out."""
        return Outlets(self.graph, self.form)

    @property
    def fields(self) -> tuple[Field, ...]:
        """What the sink gathers."""
        return self.outlets.fields

    def decode(self, data: Bytes, samples: int) -> Trace:
        """The trace of the one sample."""
        return self.outlets.decode(data)
