"""Other simulators of Loihi, in environments of their own, on networks that both take."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from neurocomp.flow.export import layout_of
from neurocomp.formats.sanafe import write_sanafe
from neurocomp.ir import Conv, Dense, Input, Population
from neurocomp.mapping import map_graph
from neurocomp.quant import reference
from neurocomp.quant.check import check
from neurocomp.spec.target import load_target
from simulate_parts.measure import show, show_ours
from simulate_parts.networks import Layer, dense_network, lively, network

STEPS = 1000
SIZES = (784, 512, 10)
NENGO = """
import json, sys, time
import numpy as np, nengo, nengo_loihi
nengo_loihi.set_defaults()
n_in, n_hidden, n_out, steps = json.loads(sys.argv[1])
rng = np.random.RandomState(0)
with nengo.Network(seed=0) as model:
    kind = nengo_loihi.LoihiLIF()
    source = nengo.Node(rng.rand(n_in))
    first, second, third = (
        nengo.Ensemble(n, 1, neuron_type=kind, gain=np.ones(n), bias=np.zeros(n))
        for n in (n_in, n_hidden, n_out)
    )
    nengo.Connection(source, first.neurons, synapse=None, transform=200)
    nengo.Connection(first.neurons, second.neurons, transform=rng.randn(n_hidden, n_in) * 0.05)
    nengo.Connection(second.neurons, third.neurons, transform=rng.randn(n_out, n_hidden) * 0.05)
with nengo_loihi.Simulator(model, target="sim", progress_bar=False) as sim:
    sim.run_steps(100)
    start = time.process_time()
    sim.run_steps(steps)
    print(json.dumps((time.process_time() - start) / steps * 1e3))
"""
SANAFE = """
import json, os, sys, time
folder, steps = sys.argv[1], int(sys.argv[2])
out = os.dup(1)
os.dup2(2, 1)
import sanafe
arch = sanafe.load_arch(folder + "/architecture.yaml")
net = sanafe.load_net(folder + "/network.yaml", arch)
chip = sanafe.SpikingChip(arch)
chip.load(net)
start = time.process_time()
ran = chip.sim(steps, timing_model=sys.argv[3], processing_threads=1)
spent = time.process_time() - start
os.write(out, json.dumps([spent / steps * 1e3, ran["spikes"], ran["packets_sent"]]).encode())
"""


def nengo(options: argparse.Namespace) -> None:
    """nengo-loihi's emulator, which also models its input neurons and traces; same shape."""
    python = _python(options.peers, "nengo-sim")
    if python is None:
        return
    theirs = float(_said(python, NENGO, json.dumps([*SIZES, STEPS])).split()[-1])
    show("nengo-loihi's emulator, " + "-".join(map(str, SIZES)), theirs, None)
    graph = dense_network((SIZES[0], *SIZES))
    shape = (1, STEPS, *graph.inputs[0].shape)
    values = (np.random.default_rng(0).random(shape) < 0.1).astype(np.uint8)
    show_ours(graph, values, map_graph(graph, load_target("loihi1"), "balanced"), theirs)


def sanafe(options: argparse.Namespace) -> None:
    """SANA-FE on an exported network and its spikes: same mapping, same messages.

    SANA-FE also models energy, and time: with "detailed" where messages wait on the mesh, with
    "simple" a message alone. It computes in float64, neuron by neuron.
    """
    python = _python(options.peers, "sanafe")
    if python is None:
        return
    rng, window = np.random.default_rng(0), 64
    convolutions = (Conv((3, 3), (stride, stride), (1, 1)) for stride in (1, 2))
    layers: list[Layer] = [(name, op, 16) for name, op in zip("ab", convolutions, strict=True)]
    layers.append(("out", Dense(), 10))
    graph = network(rng, "exported", Population("in", (1, 28, 28), Input()), layers, window)
    values = (rng.random((1, window, 1, 28, 28)) < 0.1).astype(np.uint8)
    graph = check(lively(graph, values))
    target = load_target("loihi1")
    mapping = map_graph(graph, target, "balanced")
    sent = {name: spikes[0] for name, spikes in reference.run(graph, values).spikes.items()}
    sent[graph.inputs[0].name] = reference.input_frames(graph, values)[0]
    theirs = 0.0
    with tempfile.TemporaryDirectory() as folder:
        files = write_sanafe(graph, layout_of(mapping, target), target, sent, Path(folder))
        for timing in ("detailed", "simple"):
            said = _said(python, SANAFE, folder, str(files.steps), timing)
            theirs, operations, packets = json.loads(said)
            show(
                f"SANA-FE, {timing} timing, {files.synapses:,} synapses, {mapping.n_cores} cores, "
                f"{operations:,} operations, {packets:,} packets",
                theirs,
                None,
            )
    show_ours(graph, values, mapping, theirs)


def _python(peers: Path | None, name: str) -> Path | None:
    """The interpreter of a peer's environment, if it is there."""
    python = (peers or Path(".peers")) / name / "bin" / "python"
    if not python.is_file():
        print(f"{name}: not measured, {python} is not there")
        return None
    return python


def _said(python: Path, script: str, *arguments: str) -> str:
    """What a script prints in a peer's environment."""
    command = [str(python), "-c", script, *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
