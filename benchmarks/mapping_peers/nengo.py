"""nengo-loihi's own splitting of two populations, all to all; where it maps and where it does not.

It runs in an environment of its own, made by

    python3.10 -m venv FOLDER/nengo-map &&
    FOLDER/nengo-map/bin/pip install nengo-loihi==1.1.0 'numpy<1.24'

Its simulator builds, splits and validates the blocks; each becomes a core, in row order.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mapping_networks import mlp

from mapping_peers.clock import timed
from mapping_peers.environment import Environment
from mapping_peers.judge import Score, assembled, judged
from neurocomp.ir import Graph, Slice
from neurocomp.mapping import map_graph
from neurocomp.mapping.activity import rates_of
from neurocomp.mapping.model import Partition, Placement
from neurocomp.mapping.place.order import first_cores
from neurocomp.spec.target import load_target

ENVIRONMENT = Environment("nengo-map", ("nengo-loihi",))
SIZES = (256, 512, 1024, 2048)
SCRIPT = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, nengo, nengo_loihi
n = int(sys.argv[1])
kind = nengo_loihi.neurons.LoihiSpikingRectifiedLinear()
with nengo.Network(seed=0) as net:
    a, b = (nengo.Ensemble(n, 1, neuron_type=kind) for _ in range(2))
    weights = np.random.RandomState(0).randn(n, n) / n
    nengo.Connection(a.neurons, b.neurons, transform=weights, synapse=None)
try:
    model = nengo_loihi.Simulator(net, target="sim", progress_bar=False).model
    found = {"blocks": [block.compartment.n_compartments for block in model.blocks]}
except nengo.exceptions.BuildError as fault:
    found = {"fault": str(fault).split(": ")[-1]}
print(json.dumps(found))
"""


def blocks(n: int, peers: Path) -> dict[str, Any]:
    """Sizes of nengo-loihi's blocks of n → n neurons in ``blocks``, or in ``fault`` why none."""
    words = [str(ENVIRONMENT.python(peers)), "-c", SCRIPT, str(n)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def ours(n: int) -> Score:
    """Our mapping of n → n neurons on loihi1.

    The first population is driven by one input, as cheaply as nengo-loihi's is by the host.
    """
    graph, target = network(n), load_target("loihi1")
    mapping, seconds = timed(lambda: map_graph(graph, target, "balanced"))
    return judged("balanced", graph, target, rates_of(graph, None), mapping, seconds)


def theirs(n: int, sizes: list[int]) -> Score:
    """nengo-loihi's blocks as cores in row order; what its simulator takes is not measured."""
    graph, target = network(n), load_target("loihi1")
    slices = _slices([p.name for p in graph.neurons], n, sizes)
    places = Placement(tuple(first_cores(len(sizes), target)))
    partition = Partition(tuple((s,) for s in slices))
    mapping = assembled("nengo-loihi", graph, target, partition, places)
    return judged("nengo-loihi", graph, target, rates_of(graph, None), mapping, 0.0)


def network(n: int) -> Graph:
    """One input, n neurons, n neurons."""
    return mlp(f"{n} → {n}", 1, n, n)


def _slices(names: list[str], n: int, sizes: list[int]) -> Iterator[Slice]:
    """Blocks in their order, which fill one population after the other."""
    first = 0
    for size in sizes:
        population, start = divmod(first, n)
        yield Slice(names[population], (start, 0, 0), (start + size, 1, 1))
        first += size
