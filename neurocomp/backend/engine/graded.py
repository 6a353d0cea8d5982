"""Sigma-delta neurons at work: `quant.fixed.graded_step` on a box and a batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurocomp.backend.emit.program import Part
from neurocomp.backend.engine.membrane import Floats
from neurocomp.backend.engine.messages import hwc
from neurocomp.ir import GRADED, Array
from neurocomp.quant.fixed import SigmaDeltaState, Words, graded_step


class SigmaDeltas:
    """State of a box of sigma-delta neurons for a batch; arrays are int32 (B, H, W, C)."""

    def __init__(self, part: Part, batch: int) -> None:
        assert isinstance(part.neuron, GRADED)  # the engine's choice
        self._neuron = part.neuron
        self._shape = (batch, *hwc(part.box.shape))
        bias = np.zeros(1) if part.bias is None else part.bias
        self._bias = bias.astype(np.int32)
        self.rest()

    def rest(self) -> None:
        """A window begins: all states are zero."""
        zero = np.zeros(self._shape, np.int32)
        self._state = SigmaDeltaState(zero, zero, zero)

    def state(self, name: str) -> Array:
        """One of the states after the last step, as `fixed.state_names` calls them."""
        found: Words = getattr(self._state, name)
        return found

    def run(self, sums: Floats, sent: Words) -> Iterator[tuple[int, slice]]:
        """Make the steps of a block; as `Membrane.run`, but sums are in units of the weights."""
        for t, a in enumerate(sums):
            words = a.astype(np.int64).astype(np.int32)
            self._state, sent[t] = graded_step(self._state, words, self._bias, self._neuron)
            yield t, slice(None)
