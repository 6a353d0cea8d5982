"""The two forms in which a network is given to partitioners, and what their parts are as cores."""

from __future__ import annotations

import numpy as np

from mapping_peers.judge import assembled, complaints
from mapping_peers.neurons import Cores, boxes_of, excess, neuron_cores, neuron_flow
from mapping_peers.problem import (
    Ints,
    atom_problem,
    atoms_of,
    cores_of_atoms,
    grain_problem,
    grains_of,
    partition_of_grains,
)
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.flow import Flow, flow
from neurocomp.mapping.model import Partition, Placement
from neurocomp.spec.target import Target


class Atoms:
    """Blocks of channels at one position; see `mapping_peers.problem`."""

    def __init__(self, graph: Graph, target: Target, rates: Rates) -> None:
        self.graph, self.target, self.rates = graph, target, rates
        self.atoms = atoms_of(graph, rates)
        self.problem = atom_problem(graph, self.atoms)

    def cores(self, part: Ints) -> Cores:
        """The core of every neuron, parts being cores."""
        return cores_of_atoms(self.graph, self.atoms, part)

    def flow(self, part: Ints) -> Flow:
        """Messages between the parts."""
        return neuron_flow(self.graph, self.cores(part), int(part.max()) + 1, self.rates)

    def faults(self, part: Ints) -> list[dict[str, float]]:
        """What each part breaks; see `excess`."""
        boxes = boxes_of(self.graph, self.cores(part), int(part.max()) + 1)
        return excess(self.graph, boxes, self.target)

    def judge(self, part: Ints, places: Placement, board: Target) -> str:
        """The checker takes boxes only: nothing more to say than `faults`."""
        return ""


class Grains(Atoms):
    """Boxes of a third of a core; see `mapping_peers.problem`."""

    def __init__(self, graph: Graph, target: Target, rates: Rates) -> None:
        self.graph, self.target, self.rates = graph, target, rates
        self.grains = grains_of(graph, target)
        self.problem = grain_problem(graph, self.grains, target, rates)

    def boxes(self, part: Ints) -> Partition:
        """The slices of the parts."""
        return partition_of_grains(self.grains, part)

    def cores(self, part: Ints) -> Cores:
        """The core of every neuron, parts being cores."""
        return neuron_cores(self.graph, self.boxes(part))

    def flow(self, part: Ints) -> Flow:
        """Messages between the parts."""
        return flow(self.graph, self.boxes(part), self.rates)

    def faults(self, part: Ints) -> list[dict[str, float]]:
        """What each part breaks, grain by grain; see `excess`."""
        return excess(self.graph, self.boxes(part).cores, self.target)

    def judge(self, part: Ints, places: Placement, board: Target) -> str:
        """What the checker says."""
        made = assembled("grains", self.graph, self.target, self.boxes(part), places)
        return complaints(self.graph, made, board)


def shares(graph: Graph, cores: Cores, n: int) -> np.ndarray:
    """Neurons of each population on each core, (cores, populations)."""
    counts = [np.bincount(cores[p.name].ravel(), minlength=n) for p in graph.neurons]
    return np.stack(counts, axis=1)
