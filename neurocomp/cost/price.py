"""The price of a network on a target, known before anything is trained or mapped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from neurocomp.cost.litesnn import energy_mj
from neurocomp.cost.size import is_fixed, n_parameters, n_trained, output_bias
from neurocomp.cost.synops import is_graded, synops_of
from neurocomp.errors import FitError
from neurocomp.hw import layer_cores
from neurocomp.hw.layer import layer_of
from neurocomp.hw.needs import least_needs
from neurocomp.ir import Graph, Projection
from neurocomp.spec.target import Target

ASSUMED_RATE = 0.1  # spikes per neuron and step before anything is measured


@dataclass(frozen=True, slots=True)
class Price:
    """What a network costs; each is the better the smaller.

    Attributes:
        params: parameters, SpiKernel's Eq. 2.
        model_bits: trained weights at their designed width.
        stored_bits: synapse memory that the weights take on the target's cores, in whole words and
            with every core's copy of a shared kernel.
        synops: synaptic operations per image at the assumed rate, LitE-SNN's Eq. 12.
        cores: an estimate, that the network takes with one layer per core; a mapping that lets
            layers share cores needs fewer.
        chips: that hold so many cores.
        bit_synops: synaptic operations times designed weight bits, of trained layers, Eq. 20.
        energy_mj: per image in 45 nm CMOS, 0.9 pJ per addition and 3.7 pJ per multiplication of
            trained layers (LitE-SNN, Table 5); an estimate of the design, not of the target.
    """

    params: int
    model_bits: int
    stored_bits: int
    synops: float
    cores: int
    chips: int
    bit_synops: float = 0.0
    energy_mj: float = 0.0


class Work(NamedTuple):
    """What one projection adds to a price."""

    params: int = 0
    model_bits: int = 0
    synops: float = 0.0
    bit_synops: float = 0.0
    additions: float = 0.0
    multiplications: float = 0.0


class Room(NamedTuple):
    """What one population adds to a price, and what it takes of cores that it shares.

    Attributes:
        cores: with cores of its own; words: synapse words on all of them.
        neurons, synapse_words, in_axons, axon_map, total_words: in any mapping at least.
    """

    cores: int = 0
    words: int = 0
    neurons: float = 0.0
    synapse_words: float = 0.0
    in_axons: float = 0.0
    axon_map: float = 0.0
    total_words: float = 0.0


def price(
    graph: Graph,
    target: Target,
    *,
    rate: float = ASSUMED_RATE,
    prune: float = 0.0,
) -> Price:
    """Price a network, trained or not.

    Args:
        rate: spikes per neuron and step that SynOps assume.
        prune: share of an untrained network's weights that training will prune.

    Raises:
        FitError: a population does not fit a core however it is cut, or the board has too few.
    """
    work = total_work(work_of(graph, e, rate) for e in graph.projections)
    room = total_room(room_of(graph, p.name, target) for p in graph.neurons)
    work = work._replace(params=work.params + output_bias(graph))
    return combined(work, room, target, prune, f"network '{graph.name}'")


def work_of(graph: Graph, e: Projection, rate: float) -> Work:
    """What a projection adds: parameters with batch-norm, bits, operations."""
    operations = synops_of(graph, e, rate)
    if is_fixed(graph, e):
        return Work(synops=operations)
    weights, graded = n_trained(graph, e), is_graded(graph, e)
    return Work(
        params=n_parameters(graph, e),
        model_bits=weights * e.weight_bits,
        synops=operations,
        bit_synops=operations * e.weight_bits,
        additions=0.0 if graded else operations,
        multiplications=operations if graded else 0.0,
    )


def room_of(graph: Graph, name: str, target: Target) -> Room:
    """What a population takes on the target.

    Raises:
        FitError: it does not fit a core however it is cut.
    """
    cut = layer_cores(graph, name, target)
    return Room(
        cut.n_cores, cut.synapse_words, **least_needs(layer_of(graph, name, target), target)
    )


def least_cores(room: Room, target: Target) -> int:
    """Cores that no mapping of a network can do without, however its populations share them.

    Args:
        room: of all populations, or of some: of these alone then.
    """
    limits: dict[str, int | None] = target.limits._asdict()
    taken: dict[str, float] = room._asdict()
    shared = Room._fields[2:]
    return max(1, *(ceil(taken[name] / limit) for name in shared if (limit := limits[name])))


def total_work(parts: Iterable[Work]) -> Work:
    """Several projections together."""
    return Work(*map(sum, zip(Work(), *parts, strict=True)))


def total_room(parts: Iterable[Room]) -> Room:
    """Several populations together."""
    return Room(*map(sum, zip(Room(), *parts, strict=True)))


def combined(work: Work, room: Room, target: Target, prune: float, what: str) -> Price:
    """The price of a network.

    Args:
        prune: share of the weights that will be pruned; it saves model bits and operations. A
            core's words stay, since zeros are stored like other weights.
        what: the network for the message.

    Raises:
        FitError: the target has too few cores.
    """
    if room.cores > n_available(target):
        raise FitError(
            f"{what}: needs {room.cores:,} cores with one layer per core, "
            f"{target.name} has {n_available(target):,}; use fewer channels or a larger board"
        )
    kept = 1.0 - prune
    return Price(
        params=work.params,
        model_bits=round(kept * work.model_bits),
        stored_bits=target.core.word_bits.value * room.words,
        synops=kept * work.synops,
        cores=room.cores,
        chips=-(-room.cores // target.cores_per_chip),
        bit_synops=kept * work.bit_synops,
        energy_mj=energy_mj(kept * work.additions, kept * work.multiplications),
    )


def n_available(target: Target) -> int:
    """Cores of a target that can be used."""
    return target.n_chips * target.cores_per_chip - len(target.dead_cores)
