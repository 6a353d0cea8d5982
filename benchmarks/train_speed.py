"""One full training step of a VGG-9-like network: neurocomp beside SLAYER and SpikingJelly.

``python benchmarks/train_speed.py`` on a CPU or a GPU (``--device cuda``). Each row is one way to
train the same 4.6 M parameters on 32 × 32 images at T = 4: forward, loss, backward, optimiser.

- ours: the float phase (batch-norm, exact kernel); on a GPU in bf16, channels last, compiled
- ours, qat: the second phase on the chip's grids
- slayer: stock lava-dl blocks (``slayer.block.cuba.Conv``), as its tutorials train
- spikingjelly: multi-step layers, backend cupy on a GPU and torch elsewhere; needs ``pip install
  spikingjelly==0.0.0.0.14 cupy-cuda12x`` in the same environment, and is left out without

Rows take turns, and the best turn of each counts. On a CPU the time is the process's CPU time on
one thread and the batch is 8; on a GPU it is the time between events and the batch is 256. What
bounds ours is printed as well: the share of the device's matrix peak, as a large product shows it
(bf16 on a GPU, float32 on a CPU), and on a CPU how many images per second the step's convolutions
and dense products would allow if there was nothing else, each in the layout that is faster.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurocomp.ir import Conv, CubaLif, Dense, Graph, Input, Population, Projection
from neurocomp.quant.discretize import plan
from neurocomp.snn import Network, to_graph
from neurocomp.snn.parts import slayer

PLAN = ((64, 32), (64, 32), (128, 16), (128, 16), (256, 8), (256, 8), (256, 4))  # channels, size
HIDDEN, CLASSES, STEPS, BITS = 690, 10, 4, 8
LEAK, THRESHOLD = 0.5, 1.0
LEARNING_RATE = 0.01
AIM = 5.0  # of stock SLAYER blocks on a CPU
Step = Callable[[Tensor, Tensor], None]


def vgg9() -> Graph:
    """Seven convolutions with stride 2 where the maps shrink, two dense layers, untrained."""
    lif, conv = CubaLif(THRESHOLD, 1.0, LEAK), (3, 3)
    populations = [Population("in", (3, 32, 32), Input(BITS))]
    projections = []
    for i, (channels, size) in enumerate(PLAN):
        source = populations[-1]
        stride = source.shape[1] // size
        op = Conv(conv, stride=(stride, stride), padding=(1, 1))
        populations.append(Population(f"conv{i}", (channels, size, size), lif))
        projections.append(Projection(f"to-conv{i}", source.name, f"conv{i}", op, 8))
    populations.append(Population("hidden", (HIDDEN, 1, 1), lif))
    projections.append(Projection("to-hidden", populations[-2].name, "hidden", Dense(), 8))
    populations.append(Population("out", (CLASSES, 1, 1), CubaLif(THRESHOLD, 1.0, 0.0)))
    projections.append(Projection("to-out", "hidden", "out", Dense(), 8))
    return Graph("vgg9", tuple(populations), tuple(projections), output="out", timesteps=STEPS)


def parameters(module: nn.Module) -> int:
    """Weights that are trained."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def stepping(module: nn.Module, logits: Callable[[Tensor], Tensor]) -> Step:
    """One full training step with SGD and cross-entropy."""
    trained = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, LEARNING_RATE, momentum=0.9)

    def step(values: Tensor, labels: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(logits(values).float(), labels).backward()
        optimizer.step()

    return step


def ours(device: torch.device) -> tuple[Step, int]:
    network = Network.floating(vgg9(), seed=0).to(device)
    if device.type != "cuda":
        return stepping(network, network), parameters(network)

    def logits(values: Tensor) -> Tensor:
        with torch.autocast("cuda", torch.bfloat16):
            made: Tensor = network(values)
        return made

    return stepping(network, logits), parameters(network)


def ours_qat(device: torch.device) -> tuple[Step, int]:
    graph = to_graph(Network.floating(vgg9(), seed=0))
    network = Network.quantised(graph, plan(graph)).to(device)
    return stepping(network, network), parameters(network)


def stock(device: torch.device) -> tuple[Step, int]:
    """SLAYER's blocks: NCHWT, its own dynamics and surrogate; the rate of the last one decides."""
    blocks = slayer().block.cuba
    norm = slayer().neuron.norm.MeanOnlyBatchNorm
    given: dict[str, Any] = {
        "threshold": THRESHOLD, "current_decay": 1.0, "voltage_decay": LEAK, "norm": norm,
    }  # fmt: skip
    layers: list[nn.Module] = []
    channels, size = 3, 32
    for out, after in PLAN:
        layers.append(blocks.Conv(given, channels, out, 3, stride=size // after, padding=1))
        channels, size = out, after
    layers.append(blocks.Flatten())
    layers.append(blocks.Dense(given, channels * size**2, HIDDEN))
    layers.append(blocks.Dense(given, HIDDEN, CLASSES))
    network = nn.Sequential(*layers).to(device)

    def logits(values: Tensor) -> Tensor:
        shown = (values.float() / 2**BITS)[..., None].expand(*values.shape, STEPS)
        made: Tensor = network(shown.contiguous()).mean(-1)
        return made

    return stepping(network, logits), parameters(network)


def spikingjelly(device: torch.device) -> tuple[Step, int]:
    """Multi-step layers with the backend that is fastest there."""
    from spikingjelly.activation_based import functional, layer, neuron, surrogate

    backend = "cupy" if device.type == "cuda" else "torch"

    def lif() -> nn.Module:
        made: nn.Module = neuron.LIFNode(
            tau=1 / LEAK, v_threshold=THRESHOLD, v_reset=0.0, decay_input=False,
            surrogate_function=surrogate.ATan(), detach_reset=True, step_mode="m", backend=backend,
        )  # fmt: skip
        return made

    layers: list[nn.Module] = []
    channels, size = 3, 32
    for out, after in PLAN:
        conv = layer.Conv2d(channels, out, 3, size // after, 1, bias=False, step_mode="m")
        layers += [conv, layer.BatchNorm2d(out, step_mode="m"), lif()]
        channels, size = out, after
    layers += [layer.Flatten(step_mode="m")]
    layers += [layer.Linear(channels * size**2, HIDDEN, step_mode="m"), lif()]
    layers += [layer.Linear(HIDDEN, CLASSES, step_mode="m")]
    network = nn.Sequential(*layers).to(device)
    if device.type == "cuda":
        network = network.to(memory_format=torch.channels_last)

    def logits(values: Tensor) -> Tensor:
        functional.reset_net(network)
        shown = (values.float() / 2**BITS)[None].expand(STEPS, *values.shape)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            made: Tensor = network(shown).mean(0)
        return made

    return stepping(network, logits), parameters(network)


ROWS: dict[str, Callable[[torch.device], tuple[Step, int]]] = {
    "ours": ours,
    "ours, qat": ours_qat,
    "slayer": stock,
    "spikingjelly": spikingjelly,
}


def seconds(step: Step, values: Tensor, labels: Tensor, repeats: int) -> float:
    """Of one step: CPU time of the process, or time between events on a GPU."""
    if values.device.type != "cuda":
        start = time.process_time()
        for _ in range(repeats):
            step(values, labels)
        return (time.process_time() - start) / repeats
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    for _ in range(repeats):
        step(values, labels)
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1000 / repeats


def flops_of_step() -> float:
    """Multiply and add, forward and two products backward, of one image over the window."""
    graph = vgg9()
    total = 0
    for e in graph.projections:
        target, source = graph.population(e.target), graph.population(e.source)
        fan_in = 9 * source.shape[0] if isinstance(e.op, Conv) else source.size
        steps = 1 if source.name == "in" else STEPS  # the same frame at every step
        total += steps * target.size * fan_in
    return 6.0 * total


def peak_flops(device: torch.device) -> float:
    """Of a product of two square matrices: bf16 and 8192 on a GPU, float32 and 1536 on a CPU."""
    gpu = device.type == "cuda"
    n = 8192 if gpu else 1536
    a = torch.randn(n, n, device=device, dtype=torch.bfloat16 if gpu else torch.float32)

    def multiply(left: Tensor, right: Tensor) -> None:
        torch.matmul(left, right)

    if gpu:
        return 2 * n**3 / seconds(multiply, a, a, 20)
    return 2 * n**3 / min(seconds(multiply, a, a, 1) for _ in range(10))


def products_alone(batch: int, turns: int) -> float:
    """CPU time of a step's convolutions and dense products, forward and backward, and no more.

    Each is taken in its best turn and in the layout, channels first or last, that is faster.
    """
    graph, total = vgg9(), 0.0
    for e in graph.projections:
        source, target = graph.population(e.source), graph.population(e.target)
        first = source.name == "in"
        spikes = torch.rand(batch * (1 if first else STEPS), *source.shape).lt(0.15).float()
        if isinstance(e.op, Conv):
            weight = torch.randn(target.shape[0], source.shape[0], *e.op.kernel)
            product = functools.partial(F.conv2d, stride=e.op.stride, padding=e.op.padding)
            layouts = (torch.contiguous_format, torch.channels_last)
        else:
            spikes, weight = spikes.flatten(1), torch.randn(target.size, source.size)
            product, layouts = F.linear, (torch.contiguous_format,)
        total += min(
            seconds(
                functools.partial(_both_ways, product),
                spikes.contiguous(memory_format=layout).requires_grad_(not first),
                weight.contiguous(memory_format=layout).requires_grad_(),
                1,
            )
            for _ in range(turns)
            for layout in layouts
        )
    return total


def _both_ways(product: Callable[[Tensor, Tensor], Tensor], x: Tensor, weight: Tensor) -> None:
    """A product, and the gradients of what it is made of."""
    made = product(x, weight)
    torch.autograd.grad(made, [t for t in (x, weight) if t.requires_grad], made.detach())


def tell_bound(device: torch.device, best: dict[str, float], batch: int, turns: int) -> None:
    """Print what bounds our step."""
    peak, flops = peak_flops(device), flops_of_step()
    done = flops * batch / best["ours"]
    kind = "bf16" if device.type == "cuda" else "float32"
    print(
        f"{kind} peak measured: {peak / 1e9:,.0f} GFLOPS; ours does {done / 1e9:,.0f} "
        f"({flops / 1e9:.2f} GFLOP per image), {done / peak:.0%} of it"
    )
    if device.type == "cuda":
        return
    alone = products_alone(batch, turns)
    print(
        f"convolutions and dense products alone: {batch / alone:,.1f} images/s, "
        f"{flops * batch / alone / 1e9:,.0f} GFLOPS; they take {alone / best['ours']:.0%} of our "
        f"step, and alone they would be x{best['slayer'] / alone:.2f} of slayer"
    )
    wanted = AIM * batch / best["slayer"]
    print(
        f"x{AIM:g} of slayer is {wanted:,.1f} images/s, {wanted * flops / 1e9:,.0f} GFLOPS, "
        f"{wanted * flops / peak:.0%} of the peak"
    )
    print("no GPU was used: the GPU figures of this benchmark are not measured here")


def main() -> None:
    """Print one row per way, and what ours is beside each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--batch", type=int, help="256 on a GPU, 8 on a CPU")
    parser.add_argument("--repeats", type=int, help="steps of a turn: 20 on a GPU, 1 on a CPU")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    device = torch.device(options.device)
    gpu = device.type == "cuda"
    if gpu and not torch.cuda.is_available():
        parser.error("torch sees no GPU here; run it with --device cpu")
    if not gpu:
        torch.set_num_threads(1)
    batch, repeats = options.batch or (256 if gpu else 8), options.repeats or (20 if gpu else 1)
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(0, 2**BITS, (batch, 3, 32, 32), generator=generator).to(device)
    labels = torch.randint(0, CLASSES, (batch,), generator=generator).to(device)
    steps: dict[str, Step] = {}
    for name, make in ROWS.items():
        if name == "spikingjelly" and importlib.util.find_spec("spikingjelly") is None:
            print("spikingjelly: not installed, left out")
            continue
        steps[name], size = make(device)
        print(f"{name}: {size:,} parameters")
        for _ in range(5 if gpu else 1):
            steps[name](values, labels)  # compiles, and finds the fastest kernels
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(options.turns):
        for name, step in steps.items():
            best[name] = min(best[name], seconds(step, values, labels, repeats))
    for name, took in best.items():
        print(f"{name}: {batch / took:,.1f} images/s; ours is x{took / best['ours']:.2f}")
    tell_bound(device, best, batch, options.turns)


if __name__ == "__main__":
    main()
