"""What is measured besides the cases: the placer alone, time against size, equal bytes, scale."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from mapping_peers import nengo, networks, rig_sa
from mapping_peers.cases import target_named
from mapping_peers.judge import placed
from mapping_peers.peers import timed
from mapping_peers.slices import tiles
from mapping_peers.verdict import HEADER, line
from neurocomp.ir import Graph
from neurocomp.ir.store import save
from neurocomp.mapping import map_graph
from neurocomp.mapping.activity import rates_of
from neurocomp.mapping.bound import lower_bound_cores
from neurocomp.mapping.flow import flow
from neurocomp.mapping.traffic import traffic
from neurocomp.spec.policy import policy_names

PLACER_SIZES = {  # weights, target, CPU seconds
    "placer-120": (12e6, "n8192-board", 5.0),
    "placer-420": (27e6, "n1024", 30.0),
}
SIZES = (1e5, 3e5, 1e6, 3e6, 9.2e6, 3e7, 1e8)  # weights
SEEDS = (0, 1, 2)
SPEED_LIMITS = {"fast": 5.0, "quality": 30.0}  # CPU seconds


def placer(name: str, peers: Path | None) -> None:
    """Our placer against the best of three runs of rig's annealer, on the tiles' quotient graph."""
    size, board, limit = PLACER_SIZES[name]
    graph, target = networks.plain(networks.wide(size)), target_named(board)
    sent = flow(graph, tiles(graph, target), rates_of(graph, None))
    ours, seconds = timed(lambda: placed(sent, target))
    hops = traffic(sent, ours, target).spike_hops
    print(f"\n{name}: {sent.n} cores of '{graph.name}', one layer per core")
    print(f"  ours         {hops:14,.0f} hops {seconds:8.2f} cpu s")
    print(f"  {_word(seconds <= limit)} cpu seconds = {seconds:.2f} (≤ {limit:g})")
    if peers is None or not rig_sa.available(peers):
        print("  rig is left out: name the folder of its environment with --peers")
        return
    best = np.inf
    for seed, (place, spent) in zip(SEEDS, rig_sa.anneal(sent, target, peers, SEEDS), strict=True):
        theirs = traffic(sent, place, target).spike_hops
        best = min(best, theirs)
        print(f"  rig, seed {seed}  {theirs:14,.0f} hops {spent:8.2f} cpu s")
    print(f"  {_word(hops <= 1.05 * best)} hops / best of rig = {hops / best:.3f} (≤ 1.05)")


def against_nengo(peers: Path | None) -> None:
    """All-to-all networks on loihi1 beside nengo-loihi, as far as it maps them."""
    print("\nnengo: n → n neurons, all to all, 8 bit, on loihi1")
    if peers is None or not nengo.available(peers):
        print("  nengo-loihi is left out: name the folder of its environment with --peers")
        return
    for n in nengo.SIZES:
        rows, fault = nengo.both(n, peers)
        print(f"  {n}\n{HEADER}")
        for row in rows:
            print(line(row), flush=True)
        if fault:
            print(f"  nengo-loihi does not map it: {fault}")


def growth(plot: Path | None) -> None:
    """CPU time of `map_graph` from 0.1 to 100 million weights, and how it grows."""
    target = target_named("n8192-board")
    print("\ngrowth: CPU time against size on n8192-board")
    sizes, times = [], []
    for wanted in SIZES:
        graph = networks.plain(networks.wide(wanted))
        mapping, seconds = timed(lambda g=graph: map_graph(g, target, "balanced"))  # type: ignore[misc]
        sizes.append(networks.weights(graph))
        times.append(seconds)
        bound = lower_bound_cores(graph, target)
        print(
            f"  {sizes[-1] / 1e6:7.2f} M weights {mapping.n_cores:6,} cores (bound {bound:,})"
            f" {seconds:8.2f} cpu s",
            flush=True,
        )
    slope = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    last = float(np.log(times[-1] / times[-3]) / np.log(sizes[-1] / sizes[-3]))
    print(f"  time ∝ size^{slope:.2f} over all, size^{last:.2f} over the last decade")
    if plot is not None:
        _draw(sizes, times, slope, plot)


def _draw(sizes: list[int], times: list[float], slope: float, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(5, 3.5), layout="constrained")
    axes.loglog(sizes, times, "o-")
    axes.set(xlabel="weights", ylabel="CPU seconds", title=f"mapping time ∝ weights^{slope:.2f}")
    axes.grid(alpha=0.3)
    figure.savefig(path)


def speed() -> None:
    """The 9.2 M network on the abstract target and on Loihi 2's limits."""
    print("\nspeed: 9.2 M weights, CPU seconds of mapping with its check")
    for graph, name in (
        (networks.plain(networks.vgg11()), "n1024"),
        (networks.vgg11(), "kapoho-point"),
    ):
        target = target_named(name)
        for effort, limit in SPEED_LIMITS.items():
            work = partial(map_graph, graph, target, "balanced", effort=effort)
            mapping, seconds = timed(work)
            print(
                f"  {_word(seconds <= limit)} {name}, {effort}: {mapping.n_cores} cores, "
                f"{seconds:.2f} s (≤ {limit:g})",
                flush=True,
            )


def equal_bytes() -> None:
    """The same seed in two fresh processes with different hash seeds: the same file?"""
    print("\nbytes: one seed, two processes with different hash seeds")
    graphs: list[tuple[Callable[[], Graph], str]] = [
        (networks.pilotnet, "loihi2"),
        (lambda: networks.vgg9(4), "kapoho-point"),
        (networks.cell_dag, "kapoho-point"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for make, target in graphs:
            graph, network = make(), Path(folder) / "network.npz"
            save(graph, network)
            for policy in policy_names():
                digests = {_digest(network, target, policy, seed) for seed in ("1", "2")}
                print(f"  {_word(len(digests) == 1)} {graph.name} on {target}, {policy}")


def _digest(network: Path, target: str, policy: str, hash_seed: str) -> str:
    out = network.with_suffix(".json")
    words = ["map", network, "--hw", target, "--policy", policy, "--out", out, "--json"]
    subprocess.run(
        [sys.executable, "-m", "neurocomp", *map(str, words)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return hashlib.sha256(out.read_bytes()).hexdigest()


def scale(name: str) -> None:
    """Networks over many chips: time, memory, cores against the bound."""
    graph, target = {
        "scale-20M": (networks.wide(20e6), target_named("kapoho-point")),
        "scale-giant": (networks.plain(networks.giant()), target_named("n8192-hala")),
    }[name]
    neurons = sum(p.size for p in graph.neurons)
    print(f"\n{name}: {networks.weights(graph):,} weights, {neurons:,} neurons on {target.name}")
    mapping, seconds = timed(lambda: map_graph(graph, target, "balanced"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bound = lower_bound_cores(graph, target)
    print(
        f"  {mapping.n_cores:,} cores on {len(mapping.chips)} chips, at least {bound:,}; "
        f"{seconds:.1f} cpu s with its check, {memory:,.0f} MiB"
    )


def _word(reached: bool) -> str:
    return "yes" if reached else "NO "


SCALES = ("scale-20M", "scale-giant")
PARTS = ("nengo", *PLACER_SIZES, "growth", "speed", "bytes", *SCALES)


def run(name: str, peers: Path | None, plot: Path | None) -> None:
    """Measure one part by name."""
    if name in PLACER_SIZES:
        placer(name, peers)
    elif name in SCALES:
        scale(name)
    elif name == "nengo":
        against_nengo(peers)
    elif name == "growth":
        growth(plot)
    elif name == "speed":
        speed()
    else:
        equal_bytes()
