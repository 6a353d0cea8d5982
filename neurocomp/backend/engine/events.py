"""Synaptic sums event by event: work for each message instead of for each synapse.

The messages of a block become a sparse matrix whose product with the weights is the same as the
dense kernel's, and exact for the same reason. It is faster where few neurons send; `is_sparse`
knows from which share on the dense form wins, as ``benchmarks/simulate.py crossover`` measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from neurocomp.backend.engine.membrane import Floats
from neurocomp.ir import Array, Conv

OUTSIDE = -(2**40)  # plus any position it stays negative
FETCH = 5  # products that the dense form makes in the time in which it fetches a weight

Numbers: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EventCosts:
    """What the event form costs, counted in multiplications of the dense form.

    Attributes:
        begin: to begin at all.
        look: for every value that the dense form multiplies, to see whether it is a message.
        meet: for every window that a message lies in.
        add: for every target of such a window.
    """

    begin: int
    look: int
    meet: int
    add: int


CONV_COSTS = EventCosts(begin=25_000_000, look=0, meet=2800, add=13)  # unfolding costs a look, too
DENSE_COSTS = EventCosts(begin=1_500_000, look=130, meet=0, add=11)


def is_sparse(seen: Array, rows: int, weight: Floats, costs: EventCosts) -> bool:
    """Whether it pays to go event by event, by the share of the neurons that sent.

    Args:
        seen: what the source sent.
        rows: of the dense form's product, rows × weight.
        weight: (values that a row holds, targets).
    """
    values, targets = weight.shape
    dense = (rows + FETCH) * values * targets
    spare = dense - costs.begin - costs.look * rows * values
    if spare <= 0:
        return False
    sent = np.count_nonzero(seen.view(np.bool_) if seen.dtype == np.uint8 else seen)
    met = sent / seen.size * rows * values
    return bool(met * (costs.meet + costs.add * targets) < spare)


def dense_events(seen: Array, weight: Floats) -> Floats:
    """``seen · W`` for messages (N, neurons) and a weight (neurons, targets)."""
    sample, neuron = np.nonzero(seen)
    starts = np.searchsorted(sample, np.arange(len(seen) + 1))
    sent = seen[sample, neuron].astype(weight.dtype)
    sums: Floats = csr_array((sent, neuron, starts), shape=seen.shape) @ weight
    return sums


class ConvEvents:
    """A convolution of one group: each message meets the windows that it lies in.

    Rows and columns are independent: ``_ends`` lists for each row (column) the windows and taps
    that meet there.
    """

    def __init__(self, op: Conv, channels: int) -> None:
        self._op, self._channels = op, channels

    def __call__(self, seen: Array, weight: Floats, made: tuple[int, ...]) -> Floats:
        """Sums (N, H, W, C) of shape ``made``; weight (ky · kx · channels, C)."""
        n, height, width = made[:3]
        sample, row, column, channel = np.nonzero(seen)
        y_window, y_tap = _ends(self._op, 0, seen.shape[1], height)
        x_window, x_tap = _ends(self._op, 1, seen.shape[2], width)
        windows = (y_window * width)[row][:, :, None] + x_window[column][:, None, :]
        taps = (y_tap * self._op.kernel[1])[row][:, :, None] + x_tap[column][:, None, :]
        inside = windows >= 0
        windows += (sample * (height * width))[:, None, None]
        taps = taps * self._channels + channel[:, None, None]
        values = seen[sample, row, column, channel].astype(weight.dtype)
        met = np.broadcast_to(values[:, None, None], inside.shape)[inside]
        shape = (n * height * width, len(weight))
        events = coo_array((met, (windows[inside], taps[inside])), shape=shape)
        sums: Floats = events.tocsr() @ weight
        return sums.reshape(made)


def _ends(op: Conv, axis: int, extent: int, windows: int) -> tuple[Numbers, Numbers]:
    """For each row (or column) the windows that it lies in, and the tap that meets it there.

    Shaped (extent, most windows of any); `OUTSIDE` fills up.
    """
    window, tap = np.indices((windows, op.kernel[axis])).reshape(2, -1)
    at = window * op.stride[axis] + tap * op.dilation[axis]
    order = np.argsort(at, kind="stable")
    at, window, tap = at[order], window[order], tap[order]
    number = np.arange(len(at)) - np.searchsorted(at, at)
    found = np.full((extent, number.max() + 1), OUTSIDE, np.int64)
    taps = np.zeros(found.shape, np.int64)
    found[at, number], taps[at, number] = window, tap
    return found, taps
