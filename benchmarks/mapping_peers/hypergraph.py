"""Mt-KaHyPar, the hypergraph partitioner; installed with the extra ``hypergraph``."""

from __future__ import annotations

import importlib.util
from importlib import metadata

import numpy as np

from mapping_peers.problem import Ints, Problem

IMBALANCE = 0.03
SCALE = 100  # weights of nets are integers: a hundredth of a spike


def available() -> bool:
    """Whether the library is installed."""
    return importlib.util.find_spec("mtkahypar") is not None


def version() -> str:
    """The library's."""
    return f"mtkahypar {metadata.version('mtkahypar')}"


def partition(problem: Problem, n: int, seed: int = 0) -> Ints:
    """The part of every vertex; the objective, connectivity, is the number of messages."""
    import mtkahypar

    library = mtkahypar.initialize(1, False)
    mtkahypar.set_seed(seed)
    context = library.context_from_preset(mtkahypar.PresetType.DEFAULT)
    context.set_partitioning_parameters(n, IMBALANCE, mtkahypar.Objective.KM1)
    weights = np.maximum(np.rint(problem.spikes * SCALE), 1).astype(np.int64)
    made = library.create_hypergraph(
        context,
        len(problem.sizes),
        len(problem.nets),
        problem.nets,
        problem.sizes.tolist(),
        weights.tolist(),
    )
    return np.asarray(made.partition(context).get_partition(), np.int64)
