"""Execution in Lava, measured: CPU time per network step, on the same run and the same spikes.

    python benchmarks/simulate.py [pilotnet] [netx] [cores] [vgg] [memory] [crossover] [nengo]
        [--networks FOLDER] [--nengo PYTHON] [--steps N] [--images N]

CPU time is that of all processes that the backend starts, and of this one while it hands values
over and reads spikes; comparing with the reference does not count. Stock netx is lava-dl's loader
in our runtime; its processes, channels and service are Lava's own. Start-up is left out: the first
sample warms up, the second one counts.

- pilotnet: a convolutional LIF network of PilotNet's shape, with weights made here.
- netx: the files tiny_conv_lif.net, mnist_dense.net, oxford_dense.net, pilotnet_sdnn.net in FOLDER,
  in blocks and step by step; u and v are compared at the end as well.
- cores: the PilotNet-shaped network cut for 1 and for 128 cores.
- vgg: 1,000 images through a VGG-9-like network, T = 4, on two workers, against a plain torch
  forward pass of the same integer network on one thread.
- memory: the greatest proportional set size of all processes during the PilotNet-shaped run.
- crossover: dense and event form of convolutions and dense layers by share of neurons that send.
- nengo: nengo-loihi's emulator on a dense network; PYTHON is an environment made by
  ``python3.10 -m venv .peers/nengo-sim && .peers/nengo-sim/bin/pip install "numpy<1.24"
  nengo==3.2.0 nengo-loihi==1.1.0``.

What is not there is named and left out.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from neurocomp import backend
from neurocomp.backend.emit.program import Synapses
from neurocomp.backend.engine import kernels
from neurocomp.formats.netx import read_netx, write_netx
from neurocomp.ir import Array, Conv, Dense, Graph, Input, LoihiLif, Population, Projection, Slice
from neurocomp.ir.shapes import conv_output
from neurocomp.mapping import map_graph
from neurocomp.mapping.model import CoreAddress, Mapping, Partition, Placement, Route
from neurocomp.quant import reference
from neurocomp.quant.check import check
from neurocomp.quant.reference import Watch
from neurocomp.spec.target import load_target

RATE = 0.05  # share of neurons that fires in the networks made here
NETWORKS = {
    "tiny_conv_lif.net": ("loihi2", 400),
    "mnist_dense.net": ("loihi2", 400),
    "oxford_dense.net": ("loihi2-2023", 200),
    "pilotnet_sdnn.net": ("loihi2-2023", 12),
}


def main() -> None:
    """Run what was asked for and print a row for each figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=["pilotnet"], help=", ".join(PARTS))
    parser.add_argument("--networks", type=Path, help="folder of the netx files")
    parser.add_argument("--nengo", type=Path, help="python of nengo-loihi's environment")
    parser.add_argument("--steps", type=int, default=32, help="steps of the PilotNet-shaped run")
    parser.add_argument("--images", type=int, default=1000, help="images through the VGG")
    options = parser.parse_args()
    for part in options.parts:
        PARTS[part](options)


def measured(
    graph: Graph, values: Array, name: str, mapping: Mapping | None = None, **settings: object
) -> tuple[float, int]:
    """CPU ms per step of the second of two equal runs, and what differs from the reference."""
    watch = Watch(tuple(p.name for p in graph.neurons))
    runs = backend.stream(graph, mapping, [values, values], backend=name, watch=watch, **settings)
    with closing(runs):
        _, executed = runs
    differing = executed.trace.mismatches(reference.run(graph, values, watch))
    return 1e3 * executed.cpu_s / executed.steps, sum(differing.values())


def show(what: str, ms: float, differing: int, against: float | None = None) -> None:
    """One row."""
    ratio = "" if against is None else f"   × {against / ms:6.1f}"
    print(f"{what:44} {ms:9.3f} cpu-ms/step   {differing} differ{ratio}", flush=True)


def pilotnet(options: argparse.Namespace) -> None:
    """Mapped on its real number of cores against stock netx."""
    graph, values = pilot_network(options.steps)
    mapping = map_graph(graph, load_target("loihi2"), "compiler")
    synapses = sum(_synapses(graph, e) for e in graph.projections)
    print(
        f"PilotNet's shape: {sum(p.size for p in graph.neurons):,} neurons, {synapses:,} synapses, "
        f"{mapping.n_cores} cores, {RATE:.0%} active"
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pilot.net"
        write_netx(graph, file)
        stock, differing = measured(graph, values, "netx", file=file)
        show("stock netx", stock, differing)
    for block in (None, 1):
        ms, differing = measured(graph, values, "lava", mapping, block=block)
        show("lava, blocks" if block is None else "lava, step by step", ms, differing, stock)


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
        for block in (None, 1):
            ms, differing = measured(graph, values, "lava", mapping, block=block)
            how = "in blocks" if block is None else "step by step"
            show(f"{name}, {mapping.n_cores} cores, {how}", ms, differing, stock)


def cores(options: argparse.Namespace) -> None:
    """The cost does not grow with the number of cores."""
    graph, values = pilot_network(options.steps)
    one = None
    for n in (1, 128):
        ms, differing = measured(graph, values, "lava", cut(graph, n))
        show(f"{n} core(s)", ms, differing, one)
        one = one or ms


def vgg(options: argparse.Namespace) -> None:
    """A whole test set on two workers, and the same integers in plain torch."""
    import torch

    graph = vgg_network()
    weights = sum(e.weight.size for e in graph.projections if e.weight is not None)
    rng = np.random.default_rng(1)
    values = rng.integers(0, 16, (options.images, *graph.inputs[0].shape)).astype(np.uint8)
    mapping = map_graph(graph, load_target("kapoho-point"), "balanced")
    for compare in (True, False):
        start = time.perf_counter()
        found = backend.simulate(graph, mapping, values, workers=2, compare=compare)
        seconds = time.perf_counter() - start
        print(
            f"VGG-9-like, {weights:,} weights, {mapping.n_cores} cores, {len(values)} images, "
            f"{'compared' if compare else 'not compared'}: {seconds:.0f} s, "
            f"{len(values) / seconds:.1f} images/s, mismatches {found.mismatches}, "
            f"{found.steps * len(values) / 64 * found.cpu_ms_per_step / 1e3:.0f} cpu-s in Lava",
            flush=True,
        )
    torch.set_num_threads(1)
    n = min(64, len(values))
    start = time.process_time()
    with torch.no_grad():
        readout = torch_forward(graph, torch.from_numpy(values[:n]).float())
    spent = time.process_time() - start
    same = (readout == reference.run(graph, values[:n]).readout).all()
    print(f"plain torch forward, one thread: {n / spent:.1f} images per cpu-s, equal: {bool(same)}")


def torch_forward(graph: Graph, values):  # type: ignore[no-untyped-def]
    """The readout of a sequential integer network, as a plain loop over layers and steps."""
    import torch
    from torch.nn import functional

    steps, batch = graph.timesteps or 1, len(values)
    x = values.repeat(steps, 1, 1, 1)  # time first, then samples
    for p in graph.neurons:
        (e,) = graph.incoming(p.name)
        assert e.weight is not None
        assert isinstance(p.neuron, LoihiLif)
        weight = torch.from_numpy(e.weight.astype(np.float32) * 64)
        if isinstance(e.op, Conv):
            op = e.op
            a = functional.conv2d(x, weight, None, op.stride, op.padding, op.dilation, op.groups)
        else:
            a = functional.linear(x.reshape(len(x), -1), weight)[..., None, None]
        v, spikes = torch.zeros_like(a[:batch]), []
        for t in range(steps):
            keep = (4096 - p.neuron.dv) / 4096
            v = torch.trunc(v * keep) + a[t * batch : (t + 1) * batch]
            fired = v > p.neuron.vth * 64
            v = v * ~fired
            spikes.append(fired)
        x = torch.cat(spikes).float()
    return v.reshape(batch, -1).numpy().astype(np.int64)


def memory(options: argparse.Namespace) -> None:
    """Greatest memory of all processes, shared pages counted once."""
    graph, values = pilot_network(options.steps)
    mapping = map_graph(graph, load_target("loihi2"), "compiler")
    weights = sum(e.weight.nbytes for e in graph.projections if e.weight is not None)
    states = sum(p.size for p in graph.neurons) * 8
    batches = [np.repeat(values, 16, axis=0)] * 3
    with peak_memory() as peak:
        with closing(backend.stream(graph, mapping, batches)) as runs:
            for _ in runs:
                pass
    print(
        f"memory: weights {weights / 2**20:.0f} MiB, states of 16 samples "
        f"{16 * states / 2**20:.0f} MiB, all processes {max(peak) / 2**20:.0f} MiB"
    )


@contextmanager
def peak_memory() -> Iterator[list[int]]:
    """Proportional set sizes of this process and its children, sampled."""
    found, done = [0], threading.Event()

    def watch() -> None:
        me = psutil.Process()
        while not done.wait(0.05):
            try:
                family = [me, *me.children(recursive=True)]
                found.append(sum(p.memory_full_info().pss for p in family))
            except psutil.NoSuchProcess:
                continue

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()


def crossover(options: argparse.Namespace) -> None:
    """Milliseconds of both forms of a kernel; the better one is below the share in `events`."""
    rng = np.random.default_rng(0)
    print("channels → channels, map   share   dense   events")
    shapes = ((24, 36, 32), (64, 64, 16), (128, 128, 16), (256, 256, 8))
    for (read, made, size), share in itertools.product(shapes, (0.01, 0.02, 0.03, 0.05, 0.1)):
        op = Conv((3, 3))
        seen = (rng.random((16, size, size, read)) < share).astype(np.uint8)
        weight = rng.integers(-128, 128, (made, read, 3, 3)).astype(np.float32)
        source = Slice("s", (0, 0, 0), (read, size, size))
        target = Slice("t", (0, 0, 0), (made, size - 2, size - 2))
        kernel = kernels.ConvKernel(Synapses(target, source, None, op, weight, 1, 0, 1), op, weight)
        into = np.zeros((16, size - 2, size - 2, made), np.float32)
        row = [_forced(kernel, seen, into, events=events) for events in (False, True)]
        print(
            f"{read:4} → {made:4}, {size:3} × {size:3}   {share:7.0%} {row[0]:7.2f} {row[1]:8.2f}"
        )
    for (read, made), share in itertools.product(((784, 128), (2048, 512)), (0.01, 0.05, 0.1)):
        seen = (rng.random((64, 1, 1, read)) < share).astype(np.uint8)
        weight = rng.integers(-128, 128, (made, read)).astype(np.float32)
        source, target = (Slice(n, (0, 0, 0), (k, 1, 1)) for n, k in (("s", read), ("t", made)))
        dense = kernels.DenseKernel(
            Synapses(target, source, None, Dense(), weight, 1, 0, 1), weight
        )
        into = np.zeros((64, 1, 1, made), np.float32)
        row = [_forced(dense, seen, into, events=events) for events in (False, True)]
        print(f"dense {read:5} → {made:4}      {share:7.0%} {row[0]:7.2f} {row[1]:8.2f}")


def _forced(kernel: kernels.Kernel, seen: Array, into: Array, *, events: bool) -> float:
    """Least milliseconds of CPU of a kernel in one of its forms."""
    real = kernels.is_sparse
    kernels.is_sparse = lambda *_: events
    try:
        kernel(seen, into, add=False)
        spent = []
        for _ in range(5):
            start = time.process_time()
            kernel(seen, into, add=False)
            spent.append(time.process_time() - start)
    finally:
        kernels.is_sparse = real
    return 1e3 * min(spent)


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


def nengo(options: argparse.Namespace) -> None:
    """nengo-loihi's emulator, which also models its input neurons and traces; same shape."""
    if options.nengo is None or not options.nengo.is_file():
        print("nengo-loihi: not measured, give --nengo PYTHON (see above)")
        return
    sizes, steps = (784, 512, 10), 1000
    done = subprocess.run(
        [options.nengo, "-c", NENGO, json.dumps([*sizes, steps])],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    theirs = float(done.stdout.split()[-1])
    show("nengo-loihi's emulator, 784-512-10", theirs, 0)
    graph = dense_network((*sizes[:1], *sizes))
    values = (np.random.default_rng(0).random((1, steps, *graph.inputs[0].shape)) < 0.1).astype(int)
    mapping = map_graph(graph, load_target("loihi1"), "balanced")
    for block in (None, 1):
        ms, differing = measured(graph, values, "lava", mapping, block=block)
        show("lava, blocks" if block is None else "lava, step by step", ms, differing, theirs)


def pilot_network(steps: int) -> tuple[Graph, Array]:
    """200 × 66 × 3 spikes, five convolutions, four dense layers, every layer about 5 % active."""
    rng = np.random.default_rng(0)
    values = (rng.random((1, steps, 3, 66, 200)) < 2 * RATE).astype(np.uint8)
    layers = [(24, 2), (36, 2), (64, 2), (64, 1), (64, 1)]
    populations = [Population("in", (3, 66, 200), Input())]
    projections: list[Projection] = []
    for i, (channels, stride) in enumerate(layers):
        _append(rng, populations, projections, f"conv{i}", Conv((3, 3), (stride, stride)), channels)
    for i, size in enumerate((100, 50, 10, 1)):
        _append(rng, populations, projections, f"fc{i}", Dense(), size)
    graph = Graph("pilot", tuple(populations), tuple(projections), "fc3", readout="spikes")
    return check(lively(graph, values[:, :16])), values


def vgg_network() -> Graph:
    """32 × 32 × 3 values of 4 bits, seven convolutions and two dense layers, T = 4."""
    rng = np.random.default_rng(0)
    populations = [Population("in", (3, 32, 32), Input(4))]
    projections: list[Projection] = []
    layers = [(64, 1), (64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (256, 1)]
    for i, (channels, stride) in enumerate(layers):
        op = Conv((3, 3), (stride, stride), (1, 1))
        _append(rng, populations, projections, f"conv{i}", op, channels, delay=0)
    _append(rng, populations, projections, "fc0", Dense(), 768, delay=0)
    _append(rng, populations, projections, "fc1", Dense(), 10, delay=0)
    graph = Graph("vgg", tuple(populations), tuple(projections), "fc1", timesteps=4)
    values = rng.integers(0, 16, (4, 3, 32, 32)).astype(np.uint8)
    graph = lively(graph, values, rate=2 * RATE)
    last = replace(graph.population("fc1"), neuron=LoihiLif(vth=2**17 - 1, dv=0))
    return check(graph.with_parts((*graph.populations[:-1], last), graph.projections))


def dense_network(sizes: tuple[int, ...]) -> Graph:
    """Dense layers of those sizes behind as many spikes as the first says."""
    rng = np.random.default_rng(0)
    populations = [Population("in", (sizes[0], 1, 1), Input())]
    projections: list[Projection] = []
    for i, size in enumerate(sizes[1:]):
        _append(rng, populations, projections, f"fc{i}", Dense(), size)
    last = populations[-1].name
    graph = Graph("dense", tuple(populations), tuple(projections), last, readout="spikes")
    values = (rng.random((1, 12, sizes[0], 1, 1)) < 0.1).astype(np.uint8)
    return check(lively(graph, values))


def _append(
    rng: np.random.Generator,
    populations: list[Population],
    projections: list[Projection],
    name: str,
    op: Conv | Dense,
    size: int,
    delay: int = 1,
) -> None:
    """Put another layer behind the last one, with even weights of 8 bits."""
    before = populations[-1]
    if isinstance(op, Conv):
        shape = conv_output(op, before.shape, size)
        form: tuple[int, ...] = (size, before.shape[0], *op.kernel)
    else:
        shape, form = (size, 1, 1), (size, before.size)
    weight = (rng.integers(-32, 33, form) * 2).astype(np.int32)
    populations.append(Population(name, shape, LoihiLif(vth=100, dv=1024)))
    projections.append(
        Projection(f"{before.name}-{name}", before.name, name, op, 8, weight, 1, delay=delay)
    )


def lively(graph: Graph, values: Array, rate: float = RATE) -> Graph:
    """The graph with thresholds at which each layer, in turn, fires at about a rate."""
    populations = [graph.populations[0]]
    for i, p in enumerate(graph.neurons):
        low, high = 0, 2**14
        while high - low > 1:
            vth = (low + high) // 2
            tried = (*populations, replace(p, neuron=replace(p.neuron, vth=vth)))
            part = Graph("part", tried, graph.projections[: i + 1], p.name, graph.timesteps)
            part = replace(part, readout="spikes")
            late = reference.run(part, values).spikes[p.name][:, -3:]
            low, high = (vth, high) if late.mean() > rate else (low, vth)
        populations.append(replace(p, neuron=replace(p.neuron, vth=high)))
    return graph.with_parts(tuple(populations), graph.projections)


def cut(graph: Graph, n_cores: int) -> Mapping:
    """A mapping by hand: every layer along its rows or neurons, about evenly, on one chip."""
    sizes = [p.size for p in graph.neurons]
    cores: list[tuple[Slice, ...]] = []
    if n_cores == 1:
        cores = [tuple(Slice(p.name, (0, 0, 0), p.shape) for p in graph.neurons)]
    else:
        for p in graph.neurons:
            pieces = max(1, round(n_cores * p.size / sum(sizes)))
            axis = 1 if p.shape[1] > 1 else 0
            edges = sorted({round(i * p.shape[axis] / pieces) for i in range(pieces + 1)})
            for a, b in itertools.pairwise(edges):
                start, stop = [0, 0, 0], list(p.shape)
                start[axis], stop[axis] = a, b
                cores.append((Slice(p.name, tuple(start), tuple(stop)),))
    everyone = tuple(range(len(cores)))
    routes = [Route(graph.inputs[0].name, None, everyone)]
    routes += [Route(s.population, i, everyone) for i, core in enumerate(cores) for s in core]
    return Mapping(
        graph.name, graph.digest(), "by hand", "by hand", 0, Partition(tuple(cores)),
        Placement(tuple(CoreAddress(0, i) for i in everyone)), tuple(routes),
    )  # fmt: skip


def _synapses(graph: Graph, e: Projection) -> int:
    assert e.weight is not None
    if isinstance(e.op, Conv):
        return graph.population(e.target).size * e.weight[0].size
    return int(e.weight.size)


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "pilotnet": pilotnet,
    "netx": netx,
    "cores": cores,
    "vgg": vgg,
    "memory": memory,
    "crossover": crossover,
    "nengo": nengo,
}


if __name__ == "__main__":
    sys.exit(main())
