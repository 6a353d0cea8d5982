"""What is measured besides the cases: the placer alone, time against size, equal bytes, scale."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from mapping_networks import spiking_pilotnet

from mapping_peers import nengo, networks, placement, rig_sa
from mapping_peers.cases import target_named
from mapping_peers.clock import timed
from mapping_peers.judge import Score, placed
from mapping_peers.kept import Kept
from mapping_peers.kept import placer as own_placer
from mapping_peers.slices import tiles
from mapping_peers.verdict import HEADER, line
from neurocomp.hw.bound import lower_bound_cores
from neurocomp.ir import Graph
from neurocomp.ir.store import save
from neurocomp.mapping import map_graph
from neurocomp.mapping.activity import rates_of
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


def placer(name: str, kept: Kept, peers: Path | None) -> None:
    """Our placer against the best of three runs of rig's annealer, on the tiles' quotient graph."""
    size, board, limit = PLACER_SIZES[name]
    graph, target = networks.plain(networks.wide(size)), target_named(board)
    sent = flow(graph, tiles(graph, target), rates_of(graph, None))

    def own() -> list[float]:
        places, seconds = timed(lambda: placed(sent, target))
        return [traffic(sent, places, target).spike_hops, seconds]

    def rig() -> list[list[float]]:
        runs = rig_sa.anneal(sent, target, peers, SEEDS) if peers is not None else []
        return [[traffic(sent, places, target).spike_hops, spent] for places, spent in runs]

    hops, seconds = kept.value(f"{name}/ours", own, own_placer())
    print(f"\n{name}: {sent.n} cores of '{graph.name}', one layer per core")
    print(f"  ours         {hops:14,.0f} hops {seconds:8.2f} cpu s")
    print(f"  {_word(seconds <= limit)} cpu seconds = {seconds:.2f} (≤ {limit:g})")
    if peers is None or not rig_sa.ENVIRONMENT.available(peers):
        print("  rig is left out: name the folder of its environment with --peers")
        return
    theirs = kept.value(f"{name}/rig", rig, rig_sa.ENVIRONMENT.version(peers))
    for seed, (found, spent) in zip(SEEDS, theirs, strict=True):
        print(f"  rig, seed {seed}  {found:14,.0f} hops {spent:8.2f} cpu s")
    ratio = hops / min(found for found, _ in theirs)
    print(f"  {_word(ratio <= 1.05)} hops / best of rig = {ratio:.3f} (≤ 1.05)")


def against_nengo(kept: Kept, peers: Path | None) -> None:
    """All-to-all networks on loihi1 beside nengo-loihi, as far as it maps them."""
    print("\nnengo: n → n neurons, all to all, 8 bit, on loihi1")
    if peers is None or not nengo.ENVIRONMENT.available(peers):
        print("  nengo-loihi is left out: name the folder of its environment with --peers")
        return

    version = nengo.ENVIRONMENT.version(peers)
    for n in nengo.SIZES:
        own = kept.value(f"nengo/{n}-ours", lambda n=n: asdict(nengo.ours(n)))  # type: ignore[misc]
        found = kept.value(f"nengo/{n}", partial(nengo.blocks, n, peers), version)
        print(f"  {n}\n{HEADER}\n{line(Score(**own))}")
        if "fault" in found:
            print(f"  nengo-loihi does not map it: {found['fault']}", flush=True)
        else:
            print(line(nengo.theirs(n, found["blocks"])), flush=True)


def growth(kept: Kept, plot: Path | None) -> None:
    """CPU time of `map_graph` from 0.1 to 100 million weights, and how it grows."""
    print("\ngrowth: CPU time against size on n8192-board")
    sizes, times = [], []
    for wanted in SIZES:
        size, cores, bound, seconds = kept.value(f"growth/{wanted:g}", partial(_grown, wanted))
        sizes.append(size)
        times.append(seconds)
        print(
            f"  {size / 1e6:7.2f} M weights {cores:6,} cores (bound {bound:,})"
            f" {seconds:8.2f} cpu s",
            flush=True,
        )
    slope = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
    last = float(np.log(times[-1] / times[-3]) / np.log(sizes[-1] / sizes[-3]))
    print(f"  time ∝ size^{slope:.2f} over all, size^{last:.2f} over the last decade")
    if plot is not None:
        _draw(sizes, times, slope, plot)


def _grown(wanted: float) -> list[float]:
    """Weights, cores, least cores and CPU seconds of a network of about so many weights."""
    target = target_named("n8192-board")
    graph = networks.plain(networks.wide(wanted))
    mapping, seconds = timed(lambda: map_graph(graph, target, "balanced"))
    return [networks.weights(graph), mapping.n_cores, lower_bound_cores(graph, target), seconds]


def _draw(sizes: list[int], times: list[float], slope: float, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    plt.rcParams["svg.fonttype"] = "none"  # letters, not their outlines
    figure, axes = plt.subplots(figsize=(5, 3.5), layout="constrained")
    axes.loglog(sizes, times, "o-")
    axes.set(xlabel="weights", ylabel="CPU seconds", title=f"mapping time ∝ weights^{slope:.2f}")
    axes.grid(alpha=0.3)
    figure.savefig(path)


def speed(kept: Kept) -> None:
    """The 9.2 M network on the abstract target and on Loihi 2's limits."""
    print("\nspeed: 9.2 M weights, CPU seconds of mapping with its check")

    def once(graph: Graph, target: str, effort: str) -> list[float]:
        board = target_named(target)
        mapping, seconds = timed(lambda: map_graph(graph, board, "balanced", effort=effort))
        return [mapping.n_cores, seconds]

    for graph, target in (
        (networks.plain(networks.vgg11()), "n1024"),
        (networks.vgg11(), "kapoho-point"),
    ):
        for effort, limit in SPEED_LIMITS.items():
            work = partial(once, graph, target, effort)
            cores, seconds = kept.value(f"speed/{target}-{effort}", work)
            print(
                f"  {_word(seconds <= limit)} {target}, {effort}: {cores} cores, "
                f"{seconds:.2f} s (≤ {limit:g})",
                flush=True,
            )


def equal_bytes(kept: Kept) -> None:
    """The same seed in two fresh processes with different hash seeds: the same file?"""
    print("\nbytes: one seed, two processes with different hash seeds")
    graphs: list[tuple[Callable[[], Graph], str]] = [
        (spiking_pilotnet, "loihi2"),
        (lambda: networks.vgg9(4), "kapoho-point"),
        (networks.cell_dag, "kapoho-point"),
    ]
    for make, target in graphs:
        graph = make()
        for policy in policy_names():
            work = partial(_digests, graph, target, policy)
            found = kept.value(f"bytes/{graph.name}-{policy}", work)
            print(f"  {_word(len(set(found)) == 1)} {graph.name} on {target}, {policy}", flush=True)


def _digests(graph: Graph, target: str, policy: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        network = Path(folder) / "network.npz"
        save(graph, network)
        return [_digest(network, target, policy, seed) for seed in ("1", "2")]


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


def scale(name: str, kept: Kept) -> None:
    """Networks over many chips: time, memory, cores against the bound."""
    graph, target = {
        "scale-20M": (networks.wide(20e6), target_named("kapoho-point")),
        "scale-giant": (networks.plain(networks.giant()), target_named("n8192-hala")),
    }[name]

    def once() -> list[float]:
        mapping, seconds = timed(lambda: map_graph(graph, target, "balanced"))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        bound = lower_bound_cores(graph, target)
        return [mapping.n_cores, len(mapping.chips), bound, seconds, memory]

    neurons = sum(p.size for p in graph.neurons)
    print(f"\n{name}: {networks.weights(graph):,} weights, {neurons:,} neurons on {target.name}")
    cores, chips, bound, seconds, memory = kept.value(f"{name}/ours", once)
    print(
        f"  {cores:,} cores on {chips} chips, at least {bound:,}; "
        f"{seconds:.1f} cpu s with its check, {memory:,.0f} MiB"
    )


def _word(reached: bool) -> str:
    return "yes" if reached else "NO "


SCALES = ("scale-20M", "scale-giant")
PARTS = ("nengo", *PLACER_SIZES, "placement", "growth", "speed", "bytes", *SCALES)


def run(name: str, kept: Kept, peers: Path | None, plot: Path | None) -> None:
    """Measure one part by name."""
    if name in PLACER_SIZES:
        placer(name, kept, peers)
    elif name in SCALES:
        scale(name, kept)
    elif name == "nengo":
        against_nengo(kept, peers)
    elif name == "placement":
        placement.report()
    elif name == "growth":
        growth(kept, plot)
    elif name == "speed":
        speed(kept)
    else:
        equal_bytes(kept)
