"""Packets and hops of SANA-FE against ours, on the same mapping and spikes; energy side by side.

    python3.10 -m venv .peers/sanafe && .peers/sanafe/bin/pip install sanafe==2.2.9
    python benchmarks/sanafe_check.py [--sanafe .peers/sanafe/bin/python]

SANA-FE (GPL-3) runs as a tool of its own, in its own environment, on the files that
``neurocomp export --format sanafe`` writes. Networks are made here from a seed: a digits-size one
with everything that a searched network has, on cores made small so that it crosses the mesh, and a
MNIST-size one on the targets as they are. Exit code 1 where packets, hops or a spike differ.

Energies differ by what is counted, not by the price of an event. SANA-FE counts a graded value as a
spike per bit set, a bias as an event per neuron and step, and neurons in the steps before and after
their window too; packets that stay on a core cost it a message. Our time of a step adds up what the
busiest core does at mean rates; in SANA-FE messages overlap with it and wait for links.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurocomp.flow.export import layout_of
from neurocomp.formats.sanafe import write_sanafe
from neurocomp.ir import (
    Array,
    Conv,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Op,
    Population,
    Projection,
    average_pool,
    skip,
    verify,
)
from neurocomp.ir.schedule import depths
from neurocomp.ir.shapes import weight_shape
from neurocomp.mapping import map_graph
from neurocomp.mapping.activity import rates_of
from neurocomp.mapping.costs import cost_rows
from neurocomp.mapping.events import events
from neurocomp.mapping.flow import flow
from neurocomp.mapping.traffic import traffic
from neurocomp.quant import reference
from neurocomp.quant.fixed import MAX_VTH, level_range
from neurocomp.spec.target import Target, load_target

PARTS = {"synapse": ("synapses",), "soma": ("neurons",), "network": ("messages", "mesh")}
SANAFE = """
import json, os, sys
folder, steps = sys.argv[1], int(sys.argv[2])
out = os.dup(1)
os.dup2(2, 1)
import sanafe
arch = sanafe.load_arch(folder + "/architecture.yaml")
net = sanafe.load_net(folder + "/network.yaml", arch)
chip = sanafe.SpikingChip(arch)
chip.load(net)
ran = chip.sim(steps, spike_trace=True, message_trace=True)
messages = [m for step in ran["message_trace"] for m in step if not m["placeholder"]]
here = lambda m, end: (m[end + "_tile_id"], m[end + "_core_offset"])
found = {
    "packets": sum(here(m, "src") != here(m, "dest") for m in messages),
    "all_packets": ran["packets_sent"],
    "hops": sum(m["hops"] for m in messages),
    "synops": ran["spikes"],
    "energy": ran["energy"],
    "seconds": ran["sim_time"],
    "fired": [
        [s.group_name, s.neuron_offset, t]
        for t, step in enumerate(ran["spike_trace"]) for s in step
    ],
}
os.write(out, json.dumps(found).encode())
"""
RATE = 0.15  # to which the thresholds are set


def digits() -> Graph:
    """8×8 4-bit images, T = 6: stem, a node of two convolutions and a skip, two poolings, dense."""
    cell, same = (8, 8, 8), Conv((3, 3), padding=(1, 1))
    return network(
        "digits-size",
        Population("in", (1, 8, 8), Input(4)),
        6,
        [
            ("stem", cell, [("in", same, 8)]),
            ("n1", cell, [("stem", same, 2), ("stem", Conv((5, 5), padding=(2, 2)), 4),
                          ("stem", skip(8), 8)]),
            ("n2", cell, [("stem", average_pool(8, 3, 1, 1), 8), ("n1", same, 1)]),
            ("concat", (16, 8, 8), [("n1", Conv((1, 1)), 4), ("n2", Conv((1, 1)), 4)]),
            ("pool", (16, 4, 4), [("concat", average_pool(16, 2, 2), 8)]),
            ("fc", (64, 1, 1), [("pool", Dense(), 4)]),
            ("out", (10, 1, 1), [("fc", Dense(), 8)]),
        ],
    )  # fmt: skip


def mnist() -> Graph:
    """28×28 spikes, T = 8: two convolutions and a dense layer, 15,690 neurons."""
    two = Conv((3, 3), (2, 2), (1, 1))
    return network(
        "MNIST-size",
        Population("in", (1, 28, 28), Input()),
        8,
        [
            ("a", (16, 28, 28), [("in", Conv((3, 3), padding=(1, 1)), 8)]),
            ("b", (16, 14, 14), [("a", two, 4)]),
            ("out", (10, 1, 1), [("b", Dense(), 8)]),
        ],
    )


Layer = tuple[str, tuple[int, int, int], list[tuple[str, Op, int]]]


def network(name: str, source: Population, window: int, layers: list[Layer]) -> Graph:
    """Random weights and biases, and thresholds at which every population fires at `RATE`."""
    rng = np.random.default_rng(0)
    populations, projections = [source], []
    for layer, shape, incoming in layers:
        shapes = {p.name: p.shape for p in populations}
        for i, (origin, op, bits) in enumerate(incoming):
            low, high = level_range(bits)
            weight = rng.integers(low, high + 1, weight_shape(op, shapes[origin], shape))
            projections.append(Projection(f"{layer}.{i}", origin, layer, op, bits, weight))
        bias = rng.integers(-6, 12, shape[0])
        populations.append(Population(layer, shape, LoihiLif(MAX_VTH, dv=2048), bias))
    graph = Graph(name, tuple(populations), tuple(projections), layers[-1][0], window, "spikes")
    values = sample(graph)
    for layer, _, _ in layers:
        graph = at_rate(verify(graph, integer=True), layer, values)
    return graph


def at_rate(graph: Graph, name: str, values: Array) -> Graph:
    """The graph with the threshold of one population set by bisection."""
    low, high = 0, 2**14
    while high - low > 1:
        vth = (low + high) // 2
        graph = with_threshold(graph, name, vth)
        fires = float(reference.run(graph, values).spikes[name].mean())
        low, high = (vth, high) if fires > RATE else (low, vth)
    return with_threshold(graph, name, high)


def with_threshold(graph: Graph, name: str, vth: int) -> Graph:
    """The graph with another threshold of one population."""
    populations = tuple(
        replace(p, neuron=LoihiLif(vth, dv=2048)) if p.name == name else p
        for p in graph.populations
    )
    return graph.with_parts(populations, graph.projections)


def sample(graph: Graph) -> Array:
    """One sample: graded values shown at every step, or spikes at rate 0.2."""
    source, rng = graph.inputs[0], np.random.default_rng(1)
    assert isinstance(source.neuron, Input)
    if source.neuron.bits > 1:
        return rng.integers(0, 2**source.neuron.bits, (1, *source.shape))
    return (rng.random((1, graph.timesteps or 1, *source.shape)) < 0.2).astype(np.int64)


def with_neurons(target: Target, neurons: int) -> Target:
    """The target with cores of so few neurons."""
    raw = target.model_dump()
    raw["core"]["neurons"]["value"] = neurons
    return Target.model_validate(raw)


def main() -> int:
    """Print both sides; 1 where they differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sanafe", type=Path, default=Path(".peers/sanafe/bin/python"))
    python = parser.parse_args().sanafe
    if not python.is_file():
        print(f"{python} is not there; make it as this file's head says")
        return 2
    differ = 0
    for graph, neurons in ((digits(), 64), (mnist(), None)):
        for name in ("loihi1", "loihi2"):
            target = load_target(name)
            target = target if neurons is None else with_neurons(target, neurons)
            with tempfile.TemporaryDirectory() as folder:
                differ += compare(graph, target, python, Path(folder))
    print(f"{differ} of 4 runs differ")
    return 1 if differ else 0


def compare(graph: Graph, target: Target, python: Path, folder: Path) -> int:
    """Run both on one network; 1 if packets, hops or spikes differ."""
    start = time.perf_counter()
    values = sample(graph)
    trace = reference.run(graph, values)
    shown = reference.input_frames(graph, values)[0]
    sent = {n: s[0] for n, s in trace.spikes.items()} | {graph.inputs[0].name: shown}
    window = len(shown)
    rates = {name: (s != 0).mean(axis=0) for name, s in sent.items()}
    mapping = map_graph(graph, target, "balanced", rates=rates)
    written = write_sanafe(graph, layout_of(mapping, target), target, sent, folder)
    activity = rates_of(graph, rates)
    between = flow(graph, mapping.partition, activity)
    ours = traffic(between, mapping.placement, target)
    command = [python, "-c", SANAFE, str(folder), str(written.steps)]
    ran = subprocess.run(command, capture_output=True, check=True)
    theirs = json.loads(ran.stdout)
    fired = spikes(graph, sent)
    wrong = len(fired ^ {tuple(s) for s in theirs["fired"] if told(graph, s[0])})
    packets, hops = round(ours.messages * window), round(ours.spike_hops * window)
    print(
        f"{graph.name} on {target.name}: {mapping.n_cores} cores, {len(graph.neurons)} populations"
        f" ({len(written.given)} given their spikes), {written.synapses:,} synapses, "
        f"{written.steps} steps, {time.perf_counter() - start:.1f} s"
    )
    print(f"  spikes   ours {len(fired):>9,}   theirs: {wrong} differ")
    print(f"  packets  ours {packets:>9,}   theirs {theirs['packets']:>9,}")
    print(f"  hops     ours {hops:>9,}   theirs {theirs['hops']:>9,}")
    if written.costs is not None:
        step = events(graph, mapping, between, ours, activity, target)
        row = cost_rows(step, target, len(mapping.chips))["costs"]["energy"]["sanafe"]
        for part, ours_in in PARTS.items():
            mine = window * sum(row["energy_pj"][name] for name in ours_in) / 1e3
            its = theirs["energy"][part] * 1e9
            print(f"  {part:8} ours {mine:>9,.1f}   theirs {its:>9,.1f} nJ")
        mine, its = written.steps * row["step_ns"] / 1e3, theirs["seconds"] * 1e6
        print(f"  latency  ours {mine:>9,.1f}   theirs {its:>9,.1f} µs")
    else:
        print(f"  energy   nobody published costs of {target.name}")
    return int(wrong > 0 or packets != theirs["packets"] or hops != theirs["hops"])


def spikes(graph: Graph, sent: dict[str, Array]) -> set[tuple[str, int, int]]:
    """(SANA-FE's group, neuron, step from 0) of every spike of the reference."""
    start = depths(graph)
    return {
        (f"p{i}_{p.name}", int(n), int(t) + start[p.name])
        for i, p in enumerate(graph.populations)
        if p in graph.neurons
        for t, n in np.argwhere(sent[p.name].reshape(len(sent[p.name]), -1))
    }


def told(graph: Graph, group: str) -> bool:
    """Whether a group is one of the graph's populations of neurons."""
    return group in {f"p{i}_{p.name}" for i, p in enumerate(graph.populations) if i}


if __name__ == "__main__":
    sys.exit(main())
