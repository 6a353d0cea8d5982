"""What a chip hears of one population, where it comes in and who looks at it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from neurocomp.backend.emit.boxes import Index, intersect, within
from neurocomp.backend.engine.messages import hwc
from neurocomp.ir import Array, Slice


class Heard:
    """The messages of one population in a block of steps and in some steps before it.

    Rows, columns and channels are those of ``box``, which may reach into the padding, where
    nothing is ever sent. Step 0 is the first one of the block.

    Attributes:
        data: (steps · B, H, W, C), those before the block first.
        origin: row of step 0.
        batch: samples B.
        still: the same in every step, kept once.
    """

    def __init__(
        self,
        box: Slice,
        dtype: type[np.generic],
        batch: int,
        *,
        steps: int,
        before: int,
        still: bool = False,
    ) -> None:
        self.box, self.batch, self.still = box, batch, still
        self.origin = 0 if still else before * batch
        rows = batch if still else (before + steps) * batch
        self.data: npt.NDArray[Any] = np.zeros((rows, *hwc(box.shape)), dtype)

    def forget(self) -> None:
        """A window begins: nothing was sent before."""
        self.data[: self.origin] = 0

    def move_on(self, steps: int) -> None:
        """A block of that many steps is over: its end is what lies before the next one."""
        if self.origin:
            start = steps * self.batch
            self.data[: self.origin] = self.data[start : start + self.origin].copy()

    def rows(self, first: int, steps: int) -> slice:
        """Where some steps lie."""
        if self.still:
            return slice(0, self.batch)
        start = self.origin + first * self.batch
        return slice(start, start + steps * self.batch)


class View:
    """A box of a population as its listeners see it."""

    def __init__(self, heard: Heard, box: Slice) -> None:
        self._heard, (self._y, self._x, self._c) = heard, _hwc_index(within(box, heard.box))

    def __call__(self, first: int, steps: int) -> Array:
        """What the box sent in the steps from ``first`` on, (steps · B, H, W, C)."""
        return self._heard.data[self._heard.rows(first, steps), self._y, self._x, self._c]


class Inlet:
    """Where the messages of a box come in; the chip may hear but a part of it, or nothing."""

    def __init__(self, heard: Heard | None, box: Slice) -> None:
        common = None if heard is None else intersect(box, heard.box)
        self._heard = heard if common else None
        if heard is not None and common is not None:
            self._into = _hwc_index(within(common, heard.box))
            self._from = _hwc_index(within(common, box))

    def write(self, first: int, steps: int, sent: Array) -> None:
        """Take in what the box sends in the steps from ``first`` on, (steps · B, H, W, C)."""
        if self._heard is not None:
            rows = self._heard.rows(first, steps)
            y, x, c = self._into
            from_y, from_x, from_c = self._from
            self._heard.data[rows, y, x, c] = sent[:, from_y, from_x, from_c]


def _hwc_index(index: Index) -> Index:
    c, y, x = index
    return (y, x, c)
