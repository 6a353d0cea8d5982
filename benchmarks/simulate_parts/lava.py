"""The backend "lava" against stock netx, by number of cores, and its memory."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neurocomp.formats.netx import read_netx, write_netx
from neurocomp.ir import Array, Graph, Input
from neurocomp.mapping import map_graph
from neurocomp.quant import reference
from neurocomp.quant.fixed import state_names
from neurocomp.quant.reference import Watch
from neurocomp.spec.target import load_target
from simulate_parts.measure import command_memory, executed, measured, require, show, show_ours
from simulate_parts.networks import RATE, cut, pilot_network, synapses, weight_bytes


class Case(NamedTuple):
    """How a file is run: input spikes at a rate at which every layer fires, and what is asked for.

    Attributes:
        least: times stock netx, in blocks and step by step.
    """

    target: str
    steps: int
    rate: float = 0.1
    least: tuple[float | None, float | None] = (None, None)


NETWORKS = {
    "tiny_conv_lif.net": Case("loihi2", 400, least=(20, None)),
    "mnist_dense.net": Case("loihi2", 400, least=(20, 4)),
    "oxford_dense.net": Case("loihi2-2023", 200, rate=0.002),
    "pilotnet_sdnn.net": Case("loihi2-2023", 12),
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
    show_ours(graph, values, mapping, stock, least=(60, 60))


def netx(options: argparse.Namespace) -> None:
    """Other people's files, in Lava mapped, and in lava-dl's own loader."""
    for name, case in NETWORKS.items():
        file = (options.networks or Path()) / name
        if not file.is_file():
            print(f"{name}: not measured, {file} is not there")
            continue
        graph, values = read_netx(file), _shown(read_netx(file), case)
        mapping = map_graph(graph, load_target(case.target), "compiler")
        sent = reference.run(graph, values).spikes.items()
        print(f"{name}: active " + ", ".join(f"{n} {(x != 0).mean():.1%}" for n, x in sent))
        stock, differing = measured(graph, values, "netx", file=file)
        show(f"{name}, stock netx", stock, differing)
        ours = f"{name}, {mapping.n_cores} cores"
        show_ours(graph, values, mapping, stock, ours, case.least)


def _shown(graph: Graph, case: Case) -> Array:
    """One sample: spikes at random, or values that rise slowly."""
    source = graph.inputs[0]
    assert isinstance(source.neuron, Input)
    rng, shape = np.random.default_rng(0), (1, case.steps, *source.shape)
    if source.neuron.limits == (0, 1):
        return (rng.random(shape) < case.rate).astype(np.int64)
    return np.clip(rng.integers(0, 8, shape).cumsum(axis=1) // 4, *source.neuron.limits)


def equal(options: argparse.Namespace) -> None:
    """Every layer's messages in every step, and u and v at the end, in all backends."""
    graph, values = pilot_network(options.steps)
    with tempfile.TemporaryDirectory() as folder:
        write_netx(graph, Path(folder) / "pilot.net")
        _show_equal("PilotNet's shape", Path(folder) / "pilot.net", values, "loihi2")
    for name, case in NETWORKS.items():
        file = (options.networks or Path()) / name
        if file.is_file():
            _show_equal(name, file, _shown(read_netx(file), case), case.target)
        else:
            print(f"{name}: not compared, {file} is not there")


def _show_equal(name: str, file: Path, values: Array, target: str) -> None:
    """Differences from lava-dl's own loader, by population, of messages and of states."""
    graph = read_netx(file)
    mapping = map_graph(graph, load_target(target), "compiler")
    watch = Watch(tuple(p.name for p in graph.neurons))
    (netx,) = executed(graph, [values], "netx", None, file=file, watch=watch)
    traces = {"reference": reference.run(graph, values, watch)}
    for other in ("lava", "stock"):
        (found,) = executed(graph, [values], other, mapping, watch=watch)
        traces[other] = found.trace
    sent = sum(int(np.count_nonzero(x)) for x in netx.trace.spikes.values())
    print(f"{name}: {values.shape[1]} steps, {sent:,} messages in stock netx")
    for p in graph.neurons:
        states = [f"{p.name}.{state}" for state in state_names(p.neuron)]
        row = []
        for other, trace in traces.items():
            differing = trace.mismatches(netx.trace)
            each = [differing[p.name], *(differing[state] for state in states)]
            require(f"{name}, {p.name}: {other} equals stock netx", not any(each))
            row.append(f"{other} {' '.join(map(str, each))}")
        print(f"  {p.name}: messages, {', '.join(state_names(p.neuron))} differ: {'; '.join(row)}")


def cores(options: argparse.Namespace) -> None:
    """The cost does not grow with the number of cores.

    The mapping is made by hand, every core's messages going to every core: no mapper would do so,
    but it costs at least what any mapping does.
    """
    graph, values = pilot_network(options.steps)
    one = None
    for n in (1, 128):
        mapping = cut(graph, n)
        ms, differing = measured(graph, values, "lava", mapping)
        show(f"{mapping.n_cores} core(s)", ms, differing, one, 1 / 1.3)
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
    _show_memory(sdnn.name, sdnn, NETWORKS[sdnn.name].target, *amount)


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
        require(f"{name} {compare}: memory", most <= 2 * held + 500 * 10**6)
