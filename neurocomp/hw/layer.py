"""A population as the hardware model sees it: its shape and what comes in and goes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from neurocomp.errors import FitError
from neurocomp.hw.fields import Box
from neurocomp.hw.shapes import misfits
from neurocomp.hw.words import stored_width
from neurocomp.ir import Graph, Input, Op, Projection, Shape, skip
from neurocomp.spec.target import Target

UNLIMITED = 1 << 40  # stands for a limit that is not known
ENDLESS = 1 << 40  # more cores than there can be: what does not fit at all


@dataclass(frozen=True, slots=True)
class Incoming:
    """A projection into the layer.

    Attributes:
        width: bits in which a weight is stored.
        delay_bits: bits that each synapse needs for a delay of its own.
        delayed: whether spikes arrive later than the one step that every projection takes.
    """

    name: str = field(compare=False)
    op: Op
    source: Shape
    width: int
    delay_bits: int = 0
    delayed: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A projection out of the layer, to a population of shape ``target``."""

    name: str = field(compare=False)
    op: Op
    target: Shape
    width: int = 1


@dataclass(frozen=True, slots=True)
class Layer:
    """One population with its projections; equal if they need the same, whatever their names.

    Attributes:
        injected: Loihi 2 only: identity projections from input populations. Their values are
            handed to the neurons from outside; no core stores synapses for them.
    """

    name: str = field(compare=False)
    shape: Shape
    incoming: tuple[Incoming, ...]
    outgoing: tuple[Outgoing, ...]
    injected: int = 0


Entries: TypeAlias = Callable[[Layer, Outgoing, Target, int, int, int], int]


class Counts(NamedTuple):
    """What slices need of a core; fields as `neurocomp.spec.target.Limits`."""

    neurons: int = 0
    neuron_groups: int = 0
    synapse_words: int = 0
    in_axons: int = 0
    out_axons: int = 0
    axon_map: int = 0
    axon_mem: int = 0
    total_words: int = 0


def one_each(layer: Layer, boxes: Sequence[Box], target: Target, entries: Entries) -> list[int]:
    """Axon entries of boxes through each outgoing projection, to one destination core each."""
    return [
        sum(
            [
                entries(layer, e, target, c0, c1, (y1 - y0) * (x1 - x0))
                for (c0, y0, x0), (c1, y1, x1) in boxes
            ]
        )
        for e in layer.outgoing
    ]


def layer_of(graph: Graph, name: str, target: Target) -> Layer:
    """The layer view of a population.

    Raises:
        FitError: no core can store a projection's weights or delays, or be configured for its
            shape.
    """
    population = graph.population
    shape = population(name).shape
    stored = _stored_widths(target.core.weight_bits.value)
    loihi2, shaped = target.core.format == "loihi2", target.shaped
    incoming = []
    injected = 0
    for e in graph.incoming(name):
        source = population(e.source)
        if loihi2 and isinstance(source.neuron, Input) and e.op == skip(shape[0]):
            injected += 1
            continue
        if shaped:
            _require_shape(e, source.shape, shape, target)
        width = stored.get(e.weight_bits) or _width(e, target)
        if e.delay > 1 or e.delays is not None:
            own, late = _delays(e, target)
            incoming.append(Incoming(e.name, e.op, source.shape, width, own.bit_length(), late > 0))
        else:
            incoming.append(Incoming(e.name, e.op, source.shape, width))
    outgoing = [
        Outgoing(
            e.name,
            e.op,
            population(e.target).shape,
            stored.get(e.weight_bits) or _width(e, target),
        )
        for e in graph.outgoing(name)
    ]
    return Layer(name, shape, tuple(incoming), tuple(outgoing), injected)


@lru_cache
def _stored_widths(widths: tuple[int, ...]) -> dict[int, int]:
    """The stored width of every width that can be stored."""
    most = widths[-1]
    return {bits: stored_width(bits, widths) for bits in range(1, most + 1) if most > 1}


def _width(e: Projection, target: Target) -> int:
    try:
        return stored_width(e.weight_bits, target.core.weight_bits.value)
    except FitError as fault:
        raise FitError(f"{e.target}: projection '{e.name}': {fault}") from None


def _require_shape(e: Projection, source: Shape, own: Shape, target: Target) -> None:
    faults = "; ".join(misfits(e.op, source, own, target.shapes))
    if faults:
        raise FitError(f"{e.target}: projection '{e.name}': {target.name}: {faults}")


def _delays(e: Projection, target: Target) -> tuple[int, int]:
    """Steps of the longest delay that is a synapse's own, and of all that it waits."""
    own = 0 if e.delays is None else int(e.delays.max(initial=0))
    longest = max(e.delay - 1, 0) + own  # one step is what every projection takes
    most = target.core.delay.value
    if most is not None and longest > most:
        raise FitError(
            f"{e.target}: projection '{e.name}': a synapse delays by {longest} steps, "
            f"{target.name} by at most {most}; use shorter delays"
        )
    return own, longest
