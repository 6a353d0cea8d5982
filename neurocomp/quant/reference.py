"""The integer reference: a slow, plain numpy execution of an integer graph.

Everything else is measured against this: SLAYER's forward pass, our training kernel, the mapped
network in Lava and the stock Lava processes must all fire the same spikes. Time is the sample's
own window, 0 to T − 1, without pipeline latency: a projection without delay acts in the same step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from neurocomp.errors import InputError
from neurocomp.ir import (
    GRADED,
    Array,
    Conv,
    Graded,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
)
from neurocomp.ir.schedule import split_delays, topological_order
from neurocomp.quant import fixed
from neurocomp.quant.fixed import IntArray
from neurocomp.quant.sums import delivered, words_of


@dataclass(frozen=True, slots=True)
class Watch:
    """What is kept of the states, beside the spikes.

    Attributes:
        populations: whose states are kept.
        every_step: of all steps; else after a window's last one.
    """

    populations: tuple[str, ...] = ()
    every_step: bool = False


UNWATCHED = Watch()


@dataclass(frozen=True, eq=False)
class Trace:
    """What a run of B samples over T steps gave.

    Attributes:
        spikes: per population (inputs left out) booleans shaped (B, T, C, H, W); of sigma-delta
            populations the signed messages, int32.
        readout: (B, N) of the output population: the membrane in units of 1/64 weight (or sigma)
            at the end of the window, or the spike count, as the graph's ``readout`` says.
        states: of the watched populations, under "population.state" (see `fixed.state_names`),
            integers (B, T or 1, C, H, W); u and v in units of 1/64 weight.
    """

    spikes: dict[str, Array]
    readout: IntArray
    states: dict[str, Array] = field(default_factory=dict)

    def predictions(self) -> npt.NDArray[np.int64]:
        """The class of each sample: the readout's greatest entry, the first one at a tie."""
        return np.asarray(self.readout.argmax(axis=1))

    def mismatches(self, other: Trace) -> dict[str, int]:
        """In how many spikes, states and readout values (under "readout") two traces differ."""
        mine, others = {**self.spikes, **self.states}, {**other.spikes, **other.states}
        if mine.keys() != others.keys():
            missing = sorted(mine.keys() ^ others.keys())
            raise InputError(f"the traces hold different populations: {missing}")
        counts = {n: int((s != others[n]).sum()) for n, s in mine.items()}
        counts["readout"] = int((self.readout != other.readout).sum())
        return counts


class _Lif:
    """Current and membrane of a LIF population."""

    def __init__(self, neuron: LoihiLif, shape: tuple[int, ...], bias: IntArray) -> None:
        self._neuron, self._bias = neuron, bias
        self._u = np.zeros(shape, np.int64)
        self._v = np.zeros(shape, np.int64)

    def step(self, a: IntArray) -> Array:
        """Spikes after the synaptic sum of one step."""
        self._u, self._v, spikes = fixed.step(self._u, self._v, a, self._bias, self._neuron)
        return spikes

    def state(self, name: str) -> IntArray:
        """Current "u" or membrane "v"."""
        return self._u if name == "u" else self._v


class _Graded:
    """Sum, value and residue of a sigma-delta population."""

    def __init__(self, neuron: Graded, shape: tuple[int, ...], bias: IntArray) -> None:
        self._neuron, self._bias = neuron, fixed.as_words(bias)
        zero = np.zeros(shape, np.int32)
        self._state = fixed.SigmaDeltaState(zero, zero, zero)

    def step(self, a: IntArray) -> Array:
        """Messages after the synaptic sum of one step."""
        words = fixed.as_words(a)
        self._state, sent = fixed.graded_step(self._state, words, self._bias, self._neuron)
        return sent

    def state(self, name: str) -> IntArray:
        """One of the states, as `fixed.state_names` calls them."""
        return np.asarray(getattr(self._state, name)).astype(np.int64)


def run(graph: Graph, values: Array, watch: Watch = UNWATCHED) -> Trace:
    """Execute an integer graph on a batch of samples.

    Args:
        values: integers (B, C, H, W), shown at each of the graph's timesteps, or (B, T, C, H, W).
        watch: the states to keep.

    Raises:
        InputError: the values do not suit the graph's input population.
    """
    drive = per_step(graph, values)
    graph = split_delays(graph)
    batch, steps = drive.shape[:2]
    source_name = graph.inputs[0].name
    order = [graph.population(n) for n in topological_order(graph) if n != source_name]
    states = {p.name: _state(p, batch) for p in order}
    sent: dict[str, Array] = {source_name: drive}
    kept = {p.name: _kept(p, batch, steps, watch) for p in order}
    bits = {e.name: words_of(graph, e) for e in graph.projections}
    for p in order:
        kind = np.int32 if isinstance(p.neuron, GRADED) else np.bool_
        sent[p.name] = np.zeros((batch, steps, *p.shape), kind)
    for t in range(steps):
        for p in order:
            a = np.zeros((batch, *p.shape), np.int64)
            for e in graph.incoming(p.name):
                if t >= e.delay:
                    total = synaptic_sum(e, sent[e.source][:, t - e.delay], p.shape)
                    wraps_at = bits[e.name]
                    a += total if wraps_at is None else delivered(e.op, total, wraps_at)
            sent[p.name][:, t] = states[p.name].step(a)
            for name, values_of in kept[p.name].items():
                values_of[:, t if watch.every_step else 0] = states[p.name].state(name)
    output = graph.population(graph.output)
    readout = states[output.name].state(fixed.state_names(output.neuron)[-1])
    if graph.readout == "spikes":
        readout = sent[output.name].sum(axis=1, dtype=np.int64)
    return Trace(
        {p.name: sent[p.name] for p in order},
        readout.reshape(batch, -1),
        {f"{p.name}.{name}": x for p in order for name, x in kept[p.name].items()},
    )


def _state(p: Population, batch: int) -> _Lif | _Graded:
    """A population at rest."""
    bias = np.zeros(1, np.int64) if p.bias is None else p.bias.astype(np.int64)
    shape, biases = (batch, *p.shape), bias[:, None, None]
    if isinstance(p.neuron, LoihiLif):
        return _Lif(p.neuron, shape, biases)
    assert isinstance(p.neuron, GRADED)  # verified integer graph
    return _Graded(p.neuron, shape, biases)


def _kept(p: Population, batch: int, steps: int, watch: Watch) -> dict[str, IntArray]:
    """Room for the states of a population that is watched."""
    if p.name not in watch.populations:
        return {}
    shape = (batch, steps if watch.every_step else 1, *p.shape)
    return {name: np.zeros(shape, np.int64) for name in fixed.state_names(p.neuron)}


def input_frames(graph: Graph, values: Array) -> IntArray:
    """The values of the graph's input population per step, checked, int64 (B, T, C, H, W).

    Raises:
        InputError: as `per_step`.
    """
    return per_step(graph, values).astype(np.int64)


def per_step(graph: Graph, values: Array) -> Array:
    """A view of checked input values as (B, T, C, H, W), in the type that they have.

    (B, C, H, W) is shown at every step, (B, T, C, H, W) as it is.

    Raises:
        InputError: several inputs, wrong shape, not integers, or outside the input's bits.
    """
    if len(graph.inputs) != 1:
        raise InputError(f"{graph.name}: exactly one input is supported, got {len(graph.inputs)}")
    source = graph.inputs[0]
    assert isinstance(source.neuron, Input)
    if values.dtype.kind not in "bui":
        raise InputError(f"input values must be integers, got {values.dtype}")
    if values.ndim not in (4, 5):
        raise InputError(
            "input must be shaped (samples, C, H, W) or (samples, steps, C, H, W), "
            f"got {values.shape}"
        )
    if values.ndim == 4 and graph.timesteps is None:
        raise InputError(f"{graph.name} has no window; give values per step (samples, steps, …)")
    if values.shape[-3:] != source.shape:
        raise InputError(f"input '{source.name}' is shaped {source.shape}, got {values.shape[-3:]}")
    if values.ndim == 5 and graph.timesteps not in (None, values.shape[1]):
        raise InputError(f"a window has {graph.timesteps} steps, got {values.shape[1]}")
    low, high = source.neuron.limits
    if values.size and (values.min() < low or values.max() > high):
        raise InputError(
            f"input '{source.name}' takes {low} to {high} ({source.neuron.bits} bits), "
            f"got {values.min()} to {values.max()}"
        )
    if values.ndim == 5:
        return values
    steps = graph.timesteps or 1
    return np.broadcast_to(values[:, None], (len(values), steps, *source.shape))


def synaptic_sum(e: Projection, sent: Array, target_shape: tuple[int, ...]) -> IntArray:
    """Weighted sum that a projection delivers: (B, C, H, W) sent to (B, *target_shape), int64.

    Float64 matrix products hold every sum exactly (below 2^53).
    """
    assert e.weight is not None
    x = sent.astype(np.float64)
    weight = e.weight.astype(np.float64)
    if not isinstance(e.op, Conv):
        return (x.reshape(len(x), -1) @ weight.T).astype(np.int64).reshape(-1, *target_shape)
    op = e.op
    (py, px), (dy, dx), (sy, sx), (ky, kx) = op.padding, op.dilation, op.stride, op.kernel
    x = np.pad(x, ((0, 0), (0, 0), (py, py), (px, px)))
    extent = ((ky - 1) * dy + 1, (kx - 1) * dx + 1)
    window = sliding_window_view(x, extent, axis=(2, 3))  # type: ignore[call-overload]
    window = window[:, :, ::sy, ::sx, ::dy, ::dx]  # B, C, H, W, ky, kx
    groups = np.split(window, op.groups, axis=1), np.split(weight, op.groups, axis=0)
    made = [
        np.einsum("bchwyx,ocyx->bohw", w, k, optimize=True) for w, k in zip(*groups, strict=True)
    ]
    return np.asarray(np.concatenate(made, axis=1).astype(np.int64))
