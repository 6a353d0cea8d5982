"""What a SANA-FE network is made of: groups of neurons that stand on cores, and edges."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from neurocomp.formats.sanafe.synapses import Synapses
from neurocomp.ir import Array

LIF, GIVEN, INPUTS = "loihi_lif", "loihi_given", "loihi_inputs"  # units of the soma
CONV, DENSE = "loihi_conv_synapse", "loihi_dense_synapse"  # units of the synapses


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Neurons of one kind.

    Attributes:
        cores: core of each neuron, (N,).
        soma: the unit that makes their spikes: LIF computes them, GIVEN and INPUTS are told;
            INPUTS are no neurons of the chip and cost nothing.
        synapse: the unit that serves the synapses onto them.
        attributes: of the soma, common to all.
        biases: None, or one per neuron, (N,).
        trains: where they are told, whether each fires at each step, (steps, N).
    """

    name: str
    cores: Array
    soma: str
    synapse: str = DENSE
    attributes: dict[str, Any] = field(default_factory=dict)
    biases: Array | None = None
    trains: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Synapses from one group to another, by number within the groups."""

    source: str
    target: str
    synapses: Synapses


@dataclass(frozen=True, slots=True, eq=False)
class Description:
    """A mapped network and one sample that it sees.

    Attributes:
        steps: until the deepest population has worked on the last step of the sample.
        given: populations that fire the spikes they are given, and why.
    """

    name: str
    groups: tuple[Group, ...]
    edges: tuple[Edges, ...]
    steps: int
    given: dict[str, str]
