"""The price of a network on a target, known before anything is trained or mapped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple

from neurocomp.cost.litesnn import energy_mj
from neurocomp.cost.size import is_fixed, n_parameters, n_trained, output_bias
from neurocomp.cost.synops import is_graded, synops_of
from neurocomp.hw import layer_cores
from neurocomp.hw.bound import needs_of, require_room
from neurocomp.hw.needs import filled
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
            with every core's copy of a shared kernel; an estimate, that with one layer per core.
        synops: synaptic operations per image at the assumed rate, LitE-SNN's Eq. 12.
        cores: an estimate of those that a mapping uses in which layers share cores: every layer
            counts as the share of a core, or the cores, that its greatest need of a resource fills
            (`neurocomp.hw.needs`). It is never below what every mapping needs.
        chips: that hold so many cores.
        cores_alone: with one layer per core; a target with as many has room for certain.
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
    cores_alone: int = 0


class Work(NamedTuple):
    """What one projection adds to a price."""

    params: int = 0
    model_bits: int = 0
    synops: float = 0.0
    bit_synops: float = 0.0
    additions: float = 0.0
    multiplications: float = 0.0


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
        prune: share of an untrained network's weights that training will prune; it saves model
            bits and operations. A core's words stay, since zeros are stored like other weights.

    Raises:
        FitError: a population does not fit a core however it is cut, or the target has too few
            cores for any mapping.
    """
    needs = needs_of(graph, target)
    require_room(graph.name, needs, target)
    cut = [layer_cores(graph, p.name, target) for p in graph.neurons]
    cores = max(1, ceil(sum(filled(one, target) for one in needs.values())))
    work = total_work(work_of(graph, e, rate) for e in graph.projections)
    kept = 1.0 - prune
    return Price(
        params=work.params + output_bias(graph),
        model_bits=kept_bits(work.model_bits, prune),
        stored_bits=target.core.word_bits.value * sum(layer.synapse_words for layer in cut),
        synops=kept * work.synops,
        cores=cores,
        chips=-(-cores // target.cores_per_chip),
        bit_synops=kept * work.bit_synops,
        energy_mj=energy_mj(kept * work.additions, kept * work.multiplications),
        cores_alone=sum(layer.n_cores for layer in cut),
    )


def kept_bits(bits: float, prune: float) -> int:
    """Designed weight bits that are left when a share of the weights is pruned."""
    return round((1.0 - prune) * bits)


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


def total_work(parts: Iterable[Work]) -> Work:
    """Several projections together."""
    return Work(*map(sum, zip(Work(), *parts, strict=True)))
