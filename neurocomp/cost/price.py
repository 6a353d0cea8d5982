"""The price of a network on a target, known before anything is trained or mapped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from neurocomp.cost.size import model_bits, parameters
from neurocomp.cost.synops import synops
from neurocomp.errors import FitError
from neurocomp.hw import layer_cores
from neurocomp.ir import Graph, Op, Population, Shape
from neurocomp.spec.target import Target


@dataclass(frozen=True, slots=True)
class Price:
    """What a network costs; each is the better the smaller.

    Attributes:
        params: parameters, SpiKernel's Eq. 2.
        model_bits: trained weights at their designed width.
        stored_bits: synapse memory that the weights take on the target's cores, in whole words and
            with every core's copy of a shared kernel.
        synops: synaptic operations per image at the assumed rate, LitE-SNN's Eq. 12.
        cores: that the network takes with one layer per core; a mapping that lets layers share
            cores may need fewer.
        chips: that hold so many cores.
    """

    params: int
    model_bits: int
    stored_bits: int
    synops: float
    cores: int
    chips: int


class LayerPrice(NamedTuple):
    """Cores and synapse words of one population."""

    cores: int
    words: int


_Key: TypeAlias = tuple[Shape, tuple[tuple[Op, Shape, int], ...], tuple[tuple[Op, Shape], ...]]
Memo: TypeAlias = dict[_Key, LayerPrice]  # of one target: layers that many candidates share


def price(graph: Graph, target: Target, *, rate: float = 0.1, memo: Memo | None = None) -> Price:
    """Price a network, trained or not.

    Args:
        rate: spikes per neuron and step that SynOps assume.
        memo: filled and used where many networks are priced on the same target.

    Raises:
        FitError: a population does not fit a core however it is cut, or the board has too few.
    """
    layers = [_layer(graph, p, target, {} if memo is None else memo) for p in graph.neurons]
    cores = sum(layer.cores for layer in layers)
    available = target.n_chips * target.cores_per_chip - len(target.dead_cores)
    if cores > available:
        raise FitError(
            f"network '{graph.name}': needs {cores:,} cores with one layer per core, "
            f"{target.name} has {available:,}; use fewer channels or a larger board"
        )
    return Price(
        params=parameters(graph),
        model_bits=model_bits(graph),
        stored_bits=target.core.word_bits.value * sum(layer.words for layer in layers),
        synops=sum(synops(graph, rate).values()),
        cores=cores,
        chips=-(-cores // target.cores_per_chip),
    )


def _layer(graph: Graph, population: Population, target: Target, memo: Memo) -> LayerPrice:
    name, shape = population.name, population.shape
    key: _Key = (
        shape,
        tuple(
            (e.op, graph.population(e.source).shape, e.weight_bits) for e in graph.incoming(name)
        ),
        tuple((e.op, graph.population(e.target).shape) for e in graph.outgoing(name)),
    )
    if key not in memo:
        cut = layer_cores(graph, name, target)
        memo[key] = LayerPrice(cut.n_cores, cut.synapse_words)
    return memo[key]
