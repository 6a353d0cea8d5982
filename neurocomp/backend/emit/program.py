"""What runs on a chip: plain, frozen values that `emit` makes and the Lava processes execute.

Time is the sample's own window, as in the reference: a projection without delay acts in the same
step. That the chip spreads a window's step over the depth of the network changes no spike, because
every path waits for the longest one (`ir.schedule.axon_delays`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.ir import Input, Neuron, Op, Shape, Slice

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Synapses:
    """The synapses of one projection onto one box of neurons.

    Attributes:
        target: box of the target population.
        view: box of the source population that the synapses read; a convolution's may reach
            into the padding, outside of the source.
        arrives: None if the mapping's routes deliver all that the view holds; else booleans of the
            view's shape, False where a message never arrives.
        weight: integers; a convolution's (o, i/groups, ky, kx) of the target's channels only, a
            dense projection's (target neurons, source neurons), both in the order of their box.
        groups: of the channels that are left (a box may hold a few groups only).
        delay: network steps between a message and its effect.
        peak: bound on the magnitude of the sum that any neuron gets in one step, whatever is sent.
        bits: to which the sums wrap (`quant.sums.sum_bits`); None where they stay below.
    """

    target: Slice
    view: Slice
    arrives: Mask | None
    op: Op
    weight: npt.NDArray[np.integer[Any]]
    groups: int
    delay: int
    peak: int
    bits: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A box of a population that a chip's cores hold, with all synapses onto it.

    Attributes:
        bias: None or one integer per channel of the box.
        peak: bound on the magnitude of the sum of all synapses of a neuron in one step.
    """

    box: Slice
    neuron: Neuron
    bias: npt.NDArray[np.integer[Any]] | None
    peak: int
    synapses: tuple[Synapses, ...]


@dataclass(frozen=True, slots=True)
class Component:
    """Populations that compute together: one alone, or those on a common loop, in their order.

    Attributes:
        loops: they hear each other (or itself), so they go step by step.
    """

    populations: tuple[str, ...]
    loops: bool


@dataclass(frozen=True, slots=True)
class Link:
    """What travels from one chip to another: the boxes of each of the program's components.

    Each box lies in one part of the source chip.
    """

    source: int
    target: int
    boxes: tuple[tuple[Slice, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ChipProgram:
    """All that one chip does.

    Attributes:
        chip: its number in the mapping.
        parts: in the order of the graph's populations.
        sends, receives: links to and from other chips.
    """

    chip: int
    parts: tuple[Part, ...]
    sends: tuple[Link, ...]
    receives: tuple[Link, ...]

    def reads(self, population: str) -> bool:
        """Whether any synapse of the chip listens to a population."""
        return any(s.view.population == population for p in self.parts for s in p.synapses)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A mapped network, ready to execute.

    Attributes:
        chips: ascending by chip number.
        components: in the order in which they compute.
        input: name, shape and values of the input population.
        graded: populations whose messages are 32-bit integers, not spikes.
        readout: the population whose membrane is read at the window's end; None if its spikes are.
    """

    chips: tuple[ChipProgram, ...]
    components: tuple[Component, ...]
    input: tuple[str, Shape, Input]
    graded: frozenset[str]
    readout: str | None
