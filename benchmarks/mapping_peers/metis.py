"""METIS, the partitioner of SNEAP, EdgeMap and the Hilbert-curve placement paper.

It runs in an environment of its own, made by

    python3.10 -m venv FOLDER/metis && FOLDER/metis/bin/pip install pymetis==2025.2.2 numpy
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from mapping_peers.environment import Environment
from mapping_peers.problem import Ints, Problem

ENVIRONMENT = Environment("metis", ("pymetis",))
IMBALANCE = 30  # per mille
SCALE = 1000  # METIS takes integer weights: the mean edge
SCRIPT = """
import sys, warnings
import numpy as np, pymetis
warnings.simplefilter("ignore")
data = np.load(sys.argv[1])
options = pymetis.Options(seed=int(sys.argv[4]), ufactor=int(sys.argv[5]))
_, part = pymetis.part_graph(
    int(sys.argv[3]), xadj=data["xadj"], adjncy=data["adjncy"], vweights=data["sizes"],
    eweights=data["weights"], recursive=False, options=options)
np.save(sys.argv[2], np.asarray(part))
"""


def partition(problem: Problem, n: int, peers: Path, seed: int = 0) -> Ints:
    """The part of every vertex; the cut counts a message for every pair of vertices it crosses."""
    links = _links(problem)
    weights = np.maximum(np.rint(links.data * SCALE / links.data.mean()), 1).astype(np.int64)
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "graph.npz", Path(folder) / "part.npy"
        np.savez(
            given, xadj=links.indptr, adjncy=links.indices, sizes=problem.sizes, weights=weights
        )
        words = [given, found, n, seed, IMBALANCE]
        subprocess.run([ENVIRONMENT.python(peers), "-c", SCRIPT, *map(str, words)], check=True)
        part: Ints = np.load(found)
    return part


def _links(problem: Problem) -> csr_array:
    """Every net as a star, both ways."""
    source = np.repeat([net[0] for net in problem.nets], [len(net) - 1 for net in problem.nets])
    target = np.array([pin for net in problem.nets for pin in net[1:]], np.int64)
    spikes = np.repeat(problem.spikes, [len(net) - 1 for net in problem.nets])
    shape = (len(problem.sizes), len(problem.sizes))
    one_way = csr_array((np.maximum(spikes, 1e-9), (source, target)), shape=shape)
    both = csr_array(one_way + one_way.T)
    both.sum_duplicates()
    return both
