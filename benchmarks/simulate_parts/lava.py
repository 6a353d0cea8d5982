"""The backend "lava" against stock netx, by number of cores, and its memory."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from neurocomp.formats.netx import read_netx, write_netx
from neurocomp.ir import Input
from neurocomp.mapping import map_graph
from neurocomp.quant.fixed import state_names
from neurocomp.spec.target import load_target
from simulate_parts.measure import command_memory, measured, show, show_ours
from simulate_parts.networks import RATE, cut, pilot_network, synapses, weight_bytes

NETWORKS = {
    "tiny_conv_lif.net": ("loihi2", 400),
    "mnist_dense.net": ("loihi2", 400),
    "oxford_dense.net": ("loihi2-2023", 200),
    "pilotnet_sdnn.net": ("loihi2-2023", 12),
}
MEMORY_SAMPLES = 16


def pilotnet(options: argparse.Namespace) -> None:
    """Mapped on its real number of cores against stock netx."""
    graph, values = pilot_network(options.steps)
    mapping = map_graph(graph, load_target("loihi2"), "compiler")
    print(
        f"PilotNet's shape: {sum(p.size for p in graph.neurons):,} neurons, "
        f"{synapses(graph):,} synapses, {mapping.n_cores} cores, {RATE:.0%} active"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pilot.net"
        write_netx(graph, file)
        stock, differing = measured(graph, values, "netx", file=file)
    show("stock netx", stock, differing)
    show_ours(graph, values, mapping, stock)


def netx(options: argparse.Namespace) -> None:
    """Other people's files, in Lava mapped, and in lava-dl's own loader."""
    for name, (target, steps) in NETWORKS.items():
        file = (options.networks or Path()) / name
        if not file.is_file():
            print(f"{name}: not measured, {file} is not there")
            continue
        graph = read_netx(file)
        mapping = map_graph(graph, load_target(target), "compiler")
        source = graph.inputs[0]
        assert isinstance(source.neuron, Input)
        rng = np.random.default_rng(0)
        shape = (1, steps, *source.shape)
        values = (rng.random(shape) < 0.1).astype(np.int64)
        if source.neuron.limits != (0, 1):
            values = np.clip(rng.integers(0, 8, shape).cumsum(axis=1) // 4, *source.neuron.limits)
        stock, differing = measured(graph, values, "netx", file=file)
        show(f"{name}, stock netx", stock, differing)
        show_ours(graph, values, mapping, stock, f"{name}, {mapping.n_cores} cores")


def cores(options: argparse.Namespace) -> None:
    """The cost does not grow with the number of cores."""
    graph, values = pilot_network(options.steps)
    one = None
    for n in (1, 128):
        mapping = cut(graph, n)
        ms, differing = measured(graph, values, "lava", mapping)
        show(f"{mapping.n_cores} core(s)", ms, differing, one)
        one = one or ms


def memory(options: argparse.Namespace) -> None:
    """Greatest memory of all processes of the command, against what is allowed."""
    graph, values = pilot_network(options.steps)
    with tempfile.TemporaryDirectory() as folder:
        pilot, shown = Path(folder) / "pilot.net", Path(folder) / "values.npy"
        write_netx(graph, pilot)
        np.save(shown, np.repeat(values, MEMORY_SAMPLES, axis=0))
        _show_memory("PilotNet's shape", pilot, "loihi2", "--input", str(shown))
    sdnn = (options.networks or Path()) / "pilotnet_sdnn.net"
    if not sdnn.is_file():
        print(f"{sdnn.name}: not measured, {sdnn} is not there")
        return
    amount = ("--samples", str(MEMORY_SAMPLES), "--steps", str(options.steps))
    _show_memory(sdnn.name, sdnn, NETWORKS[sdnn.name][0], *amount)


def _show_memory(name: str, file: Path, target: str, *words: str) -> None:
    """Rows with and without comparison; states as Lava holds them, 4 bytes each."""
    graph = read_netx(file)
    each = 4 * sum(p.size * len(state_names(p.neuron)) for p in graph.neurons)
    for compare in ("--compare", "--no-compare"):
        most, row = command_memory("simulate", str(file), "--hw", target, compare, *words)
        held = weight_bytes(graph) + each * row["batch"]
        print(
            f"{name} {compare}: {row['samples']} samples of {row['steps']} steps, "
            f"{row['batch']} at once, weights and their states {held / 1e6:.0f} MB; all processes "
            f"{most / 1e6:.0f} MB, allowed 2 × both + 500 = {2 * held / 1e6 + 500:.0f} MB; "
            f"mismatches {row['mismatches']}",
            flush=True,
        )
