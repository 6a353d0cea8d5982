"""A whole test set in Lava, and the same integers in plain torch."""

from __future__ import annotations

import argparse
import resource
import time
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from neurocomp import backend
from neurocomp.ir import Array, Conv, Graph, LoihiLif
from neurocomp.mapping import map_graph
from neurocomp.quant import reference
from neurocomp.quant.fixed import DECAY_UNITY, STATE_SHIFT
from neurocomp.spec.target import load_target
from simulate_parts.measure import require
from simulate_parts.networks import vgg_network

if TYPE_CHECKING:
    import torch

BATCH = 64
UNIT = 1 << STATE_SHIFT


def vgg(options: argparse.Namespace) -> None:
    """1,000 images on two workers against plain torch on one and on two threads.

    In images per second, and per second of CPU time of all processes with starts, hand-over and
    counting; "in Lava" is `cpu_ms_per_step`'s part of it.
    """
    graph = vgg_network()
    weights = sum(e.weight.size for e in graph.projections if e.weight is not None)
    rng = np.random.default_rng(1)
    values = rng.integers(0, 16, (options.images, *graph.inputs[0].shape)).astype(np.uint8)
    mapping = map_graph(graph, load_target("kapoho-point"), "balanced")
    print(f"VGG-9-like: {weights:,} weights, {mapping.n_cores} cores, {len(mapping.chips)} chip(s)")
    torch_speed = max(_torch_speed(graph, values[: 4 * BATCH], threads) for threads in (1, 2))
    for compare in (False, True):
        start, spent = time.perf_counter(), _cpu_s()
        found = backend.simulate(graph, mapping, values, batch=BATCH, workers=2, compare=compare)
        seconds, spent = time.perf_counter() - start, _cpu_s() - spent
        batches = -(-len(values) // BATCH)
        in_lava = len(values) / (batches * found.steps * found.cpu_ms_per_step / 1e3)
        ratio = torch_speed * seconds / len(values)
        print(
            f"{'' if compare else 'not '}compared: {len(values)} images in {seconds:.0f} s, "
            f"{len(values) / seconds:.1f} images/s, {len(values) / spent:.1f} per cpu-s, "
            f"{in_lava:.1f} per cpu-s in Lava, torch / ours {ratio:.2f}, "
            f"mismatches {found.mismatches}",
            flush=True,
        )
        require("vgg: 5 minutes", seconds <= 300)
        require("vgg: nothing differs", not found.mismatches)
        if not compare:
            require("vgg: within 3 × of torch", ratio <= 3)


def _cpu_s() -> float:
    """CPU time of this process and of all its children that have ended."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(x.ru_utime + x.ru_stime for x in both)


def _torch_speed(graph: Graph, values: Array, threads: int) -> float:
    """Images per second; the second of two passes counts."""
    import torch

    torch.set_num_threads(threads)
    images = torch.from_numpy(values).float()
    with torch.no_grad():
        torch_forward(graph, images)
        start, spent = time.perf_counter(), time.process_time()
        readout = torch_forward(graph, images)
        seconds, spent = time.perf_counter() - start, time.process_time() - spent
    torch.set_num_threads(1)
    same = (readout == reference.run(graph, values).readout).all()
    print(
        f"plain torch, {threads} thread(s): {len(values) / seconds:.1f} images/s, "
        f"{len(values) / spent:.1f} per cpu-s, readout equal: {bool(same)}"
    )
    return len(values) / seconds


def torch_forward(graph: Graph, values: torch.Tensor) -> npt.NDArray[np.int64]:
    """The readout of a sequential integer network, as a plain loop over layers and steps."""
    import torch
    from torch.nn import functional

    steps, batch = graph.timesteps or 1, len(values)
    x = values.repeat(steps, 1, 1, 1)  # time first, then samples
    for p in graph.neurons:
        (e,) = graph.incoming(p.name)
        assert e.weight is not None
        assert isinstance(p.neuron, LoihiLif)
        weight = torch.from_numpy(e.weight.astype(np.float32) * UNIT)
        if isinstance(e.op, Conv):
            op = e.op
            a = functional.conv2d(x, weight, None, op.stride, op.padding, op.dilation, op.groups)
        else:
            a = functional.linear(x.reshape(len(x), -1), weight)[..., None, None]
        keep = (DECAY_UNITY - p.neuron.dv) / DECAY_UNITY
        v, spikes = torch.zeros_like(a[:batch]), []
        for t in range(steps):
            v = torch.trunc(v * keep) + a[t * batch : (t + 1) * batch]
            fired = v > p.neuron.vth * UNIT
            v = v * ~fired
            spikes.append(fired)
        x = torch.cat(spikes).float()
    return v.reshape(batch, -1).numpy().astype(np.int64)
