"""A box of a population at work: its synapses, its neurons and what they send."""

from __future__ import annotations

import numpy as np

from neurocomp.backend.emit.boxes import within
from neurocomp.backend.emit.program import Part, Synapses
from neurocomp.backend.engine.graded import SigmaDeltas
from neurocomp.backend.engine.heard import Heard, Inlet, View
from neurocomp.backend.engine.kernels import kernel
from neurocomp.backend.engine.membrane import UNIT, Floats, FloatType, Membrane, sum_dtype
from neurocomp.backend.engine.messages import hwc
from neurocomp.backend.execution import Form
from neurocomp.ir import GRADED, Array, Op
from neurocomp.quant.sums import delivered


class Delivery:
    """One block of synapses at work: from what is heard into the sums of a part."""

    def __init__(self, synapses: Synapses, heard: Heard, part: Part, dtype: FloatType) -> None:
        self._view, self._delay = View(heard, synapses.view), synapses.delay
        self.still = heard.still
        self.fills = synapses.target == part.box
        c, y, x = within(synapses.target, part.box)
        self._into = (slice(None), y, x, c)
        self._op, self._bits = synapses.op, synapses.bits
        self._unit = 1 if isinstance(part.neuron, GRADED) else UNIT
        self._kernel = kernel(synapses, dtype, self._unit)
        self._arrives = None
        if synapses.arrives is not None:
            self._arrives = synapses.arrives.transpose(1, 2, 0)

    def run(self, first: int, steps: int, sums: Floats, *, add: bool) -> None:
        """Sum what arrives in some steps of the block; overwrite the sums or add to them.

        Args:
            sums: of the whole part, (steps · B, H, W, C).
        """
        seen = self._view(first - self._delay, steps)
        if self._arrives is not None:
            seen = seen * self._arrives
        into = sums if self.fills else sums[self._into]
        if self._bits is None:
            self._kernel(seen, into, add=add)
            return
        alone = np.empty_like(into) if add else into
        self._kernel(seen, alone, add=False)
        wrap_sums(alone, self._op, self._bits, self._unit)
        if add:
            np.add(into, alone, out=into)


def wrap_sums(sums: Floats, op: Op, bits: int, unit: int) -> None:
    """Leave of a projection's sums what Lava leaves of them (`quant.sums.delivered`), in place.

    Exact: all are integers that the sums' type holds, and what is left is smaller.

    Args:
        unit: factor of all sums.
    """
    limit = unit * 2 ** (bits - 1)
    if max(-float(sums.min()), float(sums.max())) >= limit:
        far = np.abs(sums) >= limit
        sums[far] = unit * delivered(op, (sums[far] / unit).astype(np.int64), bits)


class PartAtWork:
    """A part with its state.

    Attributes:
        sent: what it sent in the steps of a block, (steps, B, H, W, C), bool or int32.
        records: states that are reported, int32 (steps or 1, B, H, W, C), by name.
    """

    def __init__(self, part: Part, heard: dict[str, Heard], form: Form, kept: tuple[str, ...]):
        self.part = part
        self.dtype = np.float64 if isinstance(part.neuron, GRADED) else sum_dtype(part.peak)
        shape = (form.batch, *hwc(part.box.shape))
        self.shape = shape
        self._neurons: Membrane | SigmaDeltas
        if isinstance(part.neuron, GRADED):
            self._neurons = SigmaDeltas(part, form.batch)
            self.sent: Array = np.zeros((form.block, *shape), np.int32)
        else:
            self._neurons = Membrane(part, form.batch, watched="u" in kept)
            self.sent = np.zeros((form.block, *shape), np.bool_)
        self._own = Inlet(heard.get(part.box.population), part.box)
        made = [Delivery(s, heard[s.view.population], part, self.dtype) for s in part.synapses]
        self._still = [d for d in made if d.still]
        self._moving = [d for d in made if not d.still]
        self._base: Floats = np.zeros(shape if self._still else 0, self.dtype)
        self._every = form.watch.every_step
        n_kept = form.block if self._every else 1
        self.records = {name: np.zeros((n_kept, *shape), np.int32) for name in kept}

    def start(self) -> None:
        """A window begins, and the input is there: neurons rest, what never changes is summed."""
        self._neurons.rest()
        if self._still:
            _sum(self._still, 0, 1, self._base, add=False)

    def run(self, first: int, steps: int, scratch: Floats) -> None:
        """Make some steps of the block, and let the chip hear what is sent.

        Args:
            scratch: at least as many values as the sums of the steps.
        """
        sent = self.sent[first : first + steps]
        sums = self._sums(first, steps, scratch)
        for t, samples in self._neurons.run(sums, sent):
            if self.records:
                self._record(first + t, samples)
        self._own.write(first, steps, sent.reshape(-1, *self.shape[1:]))

    def _sums(self, first: int, steps: int, scratch: Floats) -> Floats:
        shape = (steps, *self.shape)
        if not self._moving:
            base = self._base if self._still else np.zeros(self.shape, self.dtype)
            return np.broadcast_to(base, shape)
        sums = scratch[: steps * self.sent[0].size].reshape(shape)
        if self._still:
            sums[...] = self._base
        flat = sums.reshape(-1, *self.shape[1:])
        _sum(self._moving, first, steps, flat, add=bool(self._still))
        return sums

    def _record(self, step: int, samples: slice) -> None:
        for name, kept in self.records.items():
            kept[step if self._every else 0, samples] = self._neurons.state(name)[samples]


def _sum(deliveries: list[Delivery], first: int, steps: int, sums: Floats, *, add: bool) -> None:
    """All deliveries one after the other; the first one overwrites the sums if it fills them."""
    if not add and not deliveries[0].fills:
        sums.fill(0)
        add = True
    for d in deliveries:
        d.run(first, steps, sums, add=add)
        add = True
