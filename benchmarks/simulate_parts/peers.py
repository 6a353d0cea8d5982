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
from neurocomp.ir import Conv, Dense, Input, LoihiLif, Population
from neurocomp.mapping import map_graph
from neurocomp.quant import reference
from neurocomp.quant.check import check
from neurocomp.spec.target import load_target
from simulate_parts.measure import show, show_ours
from simulate_parts.networks import Layer, dense_network, lively, network

STEPS = 1000
SIZES = (784, 784, 512, 10)
NENGO = """
import sys, time
import numpy as np
from nengo_loihi.block import Axon, LoihiBlock, Synapse
from nengo_loihi.builder import Model
from nengo_loihi.emulator import EmulatorInterface
from nengo_loihi.inputs import SpikeInput
given = dict(np.load(sys.argv[1]))

def emulator():
    model = Model()
    source = SpikeInput(given["values"].shape[1])
    for t, fired in enumerate(given["values"]):
        source.add_spikes(t + 1, fired.nonzero()[0])
    model.add_input(source)
    before, blocks = source, []
    for weight, vth, dv in zip((given["w0"], given["w1"], given["w2"]), given["vth"], given["dv"]):
        block = LoihiBlock(weight.shape[0])
        c = block.compartment
        for name, value in dict(decay_u=4095, decay_v=dv, vth=vth << 6, bias=0).items():
            setattr(c, name, np.full(len(weight), value, np.int32))
        c.scale_u = c.scale_v = False
        c.vmin, c.vmax = 1 - 2**23, 2**23 - 1
        synapse = Synapse(weight.shape[1])
        synapse._set_weights_indices((weight.T << 6).astype(np.int32), weight_dtype=np.int32)
        block.add_synapse(synapse)
        axon = Axon(weight.shape[1])
        axon.target = synapse
        before.add_axon(axon)
        model.add_block(block)
        before = block
        blocks.append(block)
    return EmulatorInterface(model, seed=0)

timed = emulator()
start = time.process_time()
timed.run_steps(len(given["values"]))
spent = time.process_time() - start
again, fired = emulator(), []
for _ in given["values"]:
    again.step()
    fired.append(again.compartment.spiked.copy())
np.savez(sys.argv[2], fired=np.array(fired), ms=1e3 * spent / len(fired))
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
    """nengo-loihi's emulator on the same integers: weights, thresholds, decays, input spikes.

    Its blocks take them as they are, so that all spikes can be compared. It also models noise, of
    which it draws one number for each neuron and step even where there is none, refractory periods,
    and overflows of 21 and 23 bits, of which it warns; and learning with traces, which has no part
    here. The front end of nengo is left out.
    """
    python = _python(options.peers, "nengo-sim")
    if python is None:
        return
    graph = dense_network(SIZES)
    shape = (1, STEPS, *graph.inputs[0].shape)
    values = (np.random.default_rng(0).random(shape) < 0.1).astype(np.uint8)
    spikes = reference.run(graph, values).spikes
    neurons = [p.neuron for p in graph.neurons]
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "given.npz", Path(folder) / "found.npz"
        np.savez(
            given,
            values=values.reshape(STEPS, -1),
            vth=[n.vth for n in neurons if isinstance(n, LoihiLif)],
            dv=[n.dv for n in neurons if isinstance(n, LoihiLif)],
            **{f"w{i}": e.weight for i, e in enumerate(graph.projections) if e.weight is not None},
        )
        _said(python, NENGO, str(given), str(found))
        with np.load(found) as theirs:
            ms, fired = float(theirs["ms"]), theirs["fired"]
    expected = np.concatenate([x.reshape(STEPS, -1) for x in spikes.values()], axis=1)
    active = ", ".join(f"{x.mean():.1%}" for x in spikes.values())
    sizes = "-".join(map(str, SIZES))
    print(f"dense {sizes}, input active 10 %, layers {active}")
    show("nengo-loihi's emulator", ms, int((fired != expected).sum()))
    mapping = map_graph(graph, load_target("loihi1"), "balanced")
    show_ours(graph, values, mapping, ms, least=(20, None))


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
    show_ours(graph, values, mapping, theirs, least=(5, None))


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
