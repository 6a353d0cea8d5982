"""NeuroBench's own numbers against ours, on a plain torch twin of a small network.

    python3.10 -m venv .peers/neurobench
    .peers/neurobench/bin/pip install neurobench==2.3.0
    python benchmarks/neurobench_check.py [--neurobench .peers/neurobench/bin/python]

The tool (which needs tonic, GPL-3) runs in its own environment. The network has a graded input, a
pruned and strided convolution, a node that sums two convolutions, biases and a dense layer; the
twin is made of torch.nn.Conv2d, Linear and a LIF module, and both see the same 50 images in batches
of 16. Exit code 1 where a number differs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from neurocomp.backend import simulate
from neurocomp.ir import Conv, Dense, Graph, Input, LoihiLif, Population, Projection, verify

SAMPLES, BATCH, WINDOW = 50, 16, 5
TWIN = """
import json, os, sys
import numpy as np, torch
from torch.utils.data import DataLoader, TensorDataset
out = os.dup(1)
os.dup2(2, 1)
from neurobench.benchmarks import Benchmark
from neurobench.metrics.static import ConnectionSparsity, Footprint
from neurobench.metrics.workload import ActivationSparsity, SynapticOperations
from neurobench.models import TorchModel

data = np.load(sys.argv[1])
spec = json.loads(str(data["spec"]))

class Lif(torch.nn.Module):
    def __init__(self, vth, dv):
        super().__init__()
        self.vth, self.keep = vth * 64, (4096 - dv) / 4096
    def forward(self, a):
        v = torch.trunc(self.v * self.keep) + 64 * a
        fired = (v > self.vth).double()
        self.v = v * (1 - fired)
        return fired

class Twin(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.ops, self.neurons = torch.nn.ModuleDict(), torch.nn.ModuleDict()
        for p in spec["populations"]:
            self.neurons[p["name"]] = Lif(p["vth"], p["dv"])
        for e in spec["projections"]:
            w = torch.from_numpy(data[e["name"] + ".weight"]).double()
            has_bias = e["name"] + ".bias" in data
            if w.ndim == 4:
                op = torch.nn.Conv2d(w.shape[1], w.shape[0], w.shape[2:], e["stride"],
                                     e["padding"], bias=has_bias)
            else:
                op = torch.nn.Linear(w.shape[1], w.shape[0], bias=has_bias)
            op = op.double()
            op.weight.data = w
            if has_bias:
                op.bias.data = torch.from_numpy(data[e["name"] + ".bias"]).double()
            self.ops[e["name"]] = op
    def forward(self, x):
        for n in self.neurons.values():
            n.v = torch.zeros(1, dtype=torch.double)
        count = 0
        for _ in range(spec["window"]):
            sent = {"in": x}
            for p in spec["populations"]:
                total = 0
                for e in spec["projections"]:
                    if e["target"] == p["name"]:
                        s = sent[e["source"]]
                        dense = isinstance(self.ops[e["name"]], torch.nn.Linear)
                        total = total + self.ops[e["name"]](s.flatten(1) if dense else s)
                sent[p["name"]] = self.neurons[p["name"]](total)
            count = count + sent[spec["populations"][-1]["name"]]
        return count

images = torch.from_numpy(data["images"]).double()
loader = DataLoader(TensorDataset(images, torch.zeros(len(images))), batch_size=int(data["batch"]))
model = TorchModel(Twin())
model.add_activation_module(Lif)
with torch.no_grad():
    found = Benchmark(model, loader, [], [], [[Footprint, ConnectionSparsity],
                      [ActivationSparsity, SynapticOperations]]).run(quiet=True)
os.write(out, json.dumps(found).encode())
"""


def network() -> Graph:
    """4-bit (2, 9, 9) · pruned conv · conv s2 + conv s2 · dense to 10; T = 5."""
    rng = np.random.default_rng(0)
    pruned = rng.integers(-8, 8, (6, 2, 3, 3)) * (rng.random((6, 2, 3, 3)) < 0.6)
    down, far = Conv((3, 3), (2, 2), (1, 1)), Conv((5, 5), (2, 2), (2, 2))
    populations = (
        Population("in", (2, 9, 9), Input(4)),
        Population("a", (6, 9, 9), LoihiLif(120, dv=1024), rng.integers(-20, 21, 6)),
        Population("b", (8, 5, 5), LoihiLif(30, dv=2048), rng.integers(-4, 5, 8)),
        Population("out", (10, 1, 1), LoihiLif(25, dv=0)),
    )
    projections = (
        Projection("in_a", "in", "a", Conv((3, 3), padding=(1, 1)), 4, pruned),
        Projection("a_b", "a", "b", down, 4, rng.integers(-8, 8, (8, 6, 3, 3))),
        Projection("a_b2", "a", "b", far, 2, rng.integers(-2, 2, (8, 6, 5, 5))),
        Projection("b_out", "b", "out", Dense(), 8, rng.integers(-20, 21, (10, 200))),
    )
    graph = Graph("twin", populations, projections, "out", WINDOW, "spikes")
    return verify(graph, integer=True)


def main() -> int:
    """Print both sides; 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--neurobench", type=Path, default=Path(".peers/neurobench/bin/python"))
    python = parser.parse_args().neurobench
    if not python.is_file():
        print(f"{python} is not there; make it as this file's head says")
        return 2
    graph = network()
    images = np.random.default_rng(1).integers(0, 16, (SAMPLES, *graph.inputs[0].shape))
    ours = simulate(graph, None, images, backend="reference", batch=BATCH).neurobench
    theirs = twin(graph, images, python)
    same = footprints(graph, ours["footprint"], theirs["Footprint"])
    sparsity, operations = ours["connection_sparsity"], ours["synaptic_operations"]
    pairs = [  # the tool rounds the first to four digits
        ("connection_sparsity", round(sparsity, 4), theirs["ConnectionSparsity"]),
        ("activation_sparsity", ours["activation_sparsity"], theirs["ActivationSparsity"]),
        *((key, count, theirs["SynapticOperations"][key]) for key, count in operations.items()),
    ]
    for key, mine, its in pairs:
        equal = abs(mine - its) <= 1e-12 * abs(its)
        same &= equal
        print(f"{key:20} ours {mine:>14,.6f}   theirs {its:>14,.6f}{'' if equal else '  DIFFERS'}")
    print("equal" if same else "they differ")
    return 0 if same else 1


def footprints(graph: Graph, ours: int, theirs: int) -> bool:
    """Print both and what each holds; whether the twin has as many values as the graph."""
    weights = [e.weight for e in graph.projections if e.weight is not None]
    biases = sum(p.bias.size for p in graph.populations if p.bias is not None)
    bits = sum(w.size * e.weight_bits for w, e in zip(weights, graph.projections, strict=True))
    print(
        f"footprint            ours {ours:>7,} B: weights of {bits:,} bits, {biases} biases of 13"
    )
    print(f"footprint          theirs {theirs:>7,} B: {theirs // 8:,} values as float64")
    return theirs == 8 * (biases + sum(w.size for w in weights))


def twin(graph: Graph, images: np.ndarray, python: Path) -> dict[str, float]:
    """What the tool says of the torch twin."""
    spec = {
        "window": graph.timesteps,
        "populations": [
            {"name": p.name, "vth": p.neuron.vth, "dv": p.neuron.dv}
            for p in graph.neurons
            if isinstance(p.neuron, LoihiLif)
        ],
        "projections": [
            {"name": e.name, "source": e.source, "target": e.target}
            | ({"stride": e.op.stride, "padding": e.op.padding} if isinstance(e.op, Conv) else {})
            for e in graph.projections
        ],
    }
    arrays = {f"{e.name}.weight": e.weight for e in graph.projections}
    for p in graph.neurons:
        if p.bias is not None:
            arrays[f"{graph.incoming(p.name)[0].name}.bias"] = p.bias
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "twin.npz"
        np.savez(file, spec=json.dumps(spec), images=images, batch=BATCH, **arrays)
        ran = subprocess.run([python, "-c", TWIN, str(file)], capture_output=True, check=True)
    return dict(json.loads(ran.stdout))


if __name__ == "__main__":
    sys.exit(main())
