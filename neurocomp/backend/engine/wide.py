"""LIF neurons whose sums may leave Lava's 32-bit words, as graded messages can: in integers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurocomp.backend.emit.program import Part
from neurocomp.backend.engine.membrane import UNIT, Floats
from neurocomp.backend.engine.messages import Bools, hwc
from neurocomp.ir import Array, LoihiLif
from neurocomp.quant import fixed

WIDE_PEAK = 2**24  # 64 · 2^24 and what is left of the current stay below 2^31


class WideMembrane:
    """State of a box of LIF neurons for a batch: `quant.fixed.step` itself, (B, H, W, C)."""

    def __init__(self, part: Part, batch: int) -> None:
        assert isinstance(part.neuron, LoihiLif)  # the engine's choice
        self._neuron = part.neuron
        self._shape = (batch, *hwc(part.box.shape))
        self._bias = np.zeros(1, np.int64) if part.bias is None else part.bias.astype(np.int64)
        self.rest()

    def rest(self) -> None:
        """A window begins: u and v start from zero."""
        self._u, self._v = np.zeros((2, *self._shape), np.int64)

    def state(self, name: str) -> Array:
        """The current "u" or the membrane "v" after the last step."""
        found: Array = self._u if name == "u" else self._v
        return found

    def run(self, sums: Floats, sent: Bools) -> Iterator[tuple[int, slice]]:
        """Make the steps of a block; as `Membrane.run`."""
        for t, a in enumerate(sums):
            weights = (a / UNIT).astype(np.int64)
            self._u, self._v, sent[t] = fixed.step(
                self._u, self._v, weights, self._bias, self._neuron
            )
            yield t, slice(None)
