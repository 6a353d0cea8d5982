"""The joint search, measured: against sequential design, over λ, on the target's terms, in time.

    python benchmarks/litesnn.py joint  [--seeds 5] [--data digits|folder:PATH] [--out FOLDER]
    python benchmarks/litesnn.py front  [--out FOLDER]
    python benchmarks/litesnn.py terms  [--out FOLDER]
    python benchmarks/litesnn.py cost   [--image 16] [--batch 8] [--steps 2] [--space litesnn]

`joint` designs networks jointly and by A + P + Q + T under one limit on weight bits, for several
seeds. `front` draws the paper's Figure 3: accuracy against MB against bit-SynOps over λ1 and λ2.
`terms` compares searches that pay for bits and bit-SynOps with such that pay for the target's cores
and messages. These three use networks that a CPU trains in minutes; every run has a folder in
FOLDER and an interrupted benchmark goes on. `cost` times one step of the search against the step
structure of the paper's public code on the same supernet: two full passes in float32, a loop over
time outermost, one convolution and one batch-norm per op and step, nothing compiled.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurocomp.arch import Task
from neurocomp.flow import search as main_job
from neurocomp.snn import Surrogate
from neurocomp.snn.compconv import quantised
from neurocomp.spec.joint import JointSpec, load_lite_space
from neurocomp.spec.read import write_yaml
from neurocomp.spec.recipe import load_recipe
from neurocomp.spec.target import load_target
from neurocomp.train.joint.backbone import Backbone
from neurocomp.train.joint.budgets import Budgets
from neurocomp.train.joint.choices import Choices, Given, Shares
from neurocomp.train.joint.costs import Costs
from neurocomp.train.joint.menu import Menu
from neurocomp.train.joint.phase import cross_entropy
from neurocomp.train.joint.supernet import Pass, SuperCell, Supernet

RATIO_WANTED = 3.0
SAMPLES = 20  # executed in Lava in every run
SMALL = {"cells": [1, 2, 4], "timesteps": [2, 3]}
EPOCHS = {"epochs": 10, "psi_warmup": 2, "alpha_rate": 0.03, "beta_rate": 0.03, "psi_rate": 0.03}
TRAINING = {"epochs": 8, "qat_epochs": 8}
LIMIT_BITS = 14_000
FRONT: list[tuple[float, float]] = [
    # λ1 per bit, λ2 per bit-SynOp
    (0.0, 0.0), (1e-6, 0.0), (1e-6, 1e-7), (3e-6, 1e-7), (3e-6, 1e-6), (1e-5, 1e-6),
]  # fmt: skip
WIDE = 48  # channels at which kernels, not neurons, decide on cores
TERMS: dict[str, list[dict[str, float]]] = {
    "paper": [{"bits": v, "bit_synops": v / 10} for v in (1e-8, 1e-7, 1e-6)],
    "target": [{"cores": v, "messages": v / 1e4} for v in (1e-3, 1e-2, 1e-1)],
}


def main() -> None:
    """Run what was asked for and print a row each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=list(BENCHMARKS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark-litesnn"))
    parser.add_argument("--space", default="litesnn")
    parser.add_argument("--image", type=int, default=16)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    BENCHMARKS[options.what](options)


def joint(options: argparse.Namespace) -> None:
    """Integer accuracy of both ways to design under one limit on weight bits."""
    budgets = {"bits": LIMIT_BITS}
    path = recipe(options.out, "joint", budgets=budgets, baselines=["sequential"])
    accuracy: dict[str, list[float]] = {"joint": [], "sequential": []}
    print("seed  design      integer   kbit   bit-SynOps k   T  design hours")
    for seed in range(options.seeds):
        made = run(path, options, f"joint-{Path(options.data).name}-{seed}", seed=seed)
        for name, row in (("joint", made), ("sequential", made["baselines"][0])):
            if row.get("fault"):
                print(f"{seed:4}  {name:10}  {row['fault']}")
                continue
            accuracy[name].append(row["accuracy"]["integer"])
            figures = row.get("figures", row)
            print(f"{seed:4}  {name:10}  {row['accuracy']['integer']:7.2%}  {_work(figures)}")
    for name, values in accuracy.items():
        if len(values) > 1:
            mean, spread = statistics.mean(values), statistics.stdev(values)
            print(f"{name}: {mean:.2%} ± {spread:.2%} over {len(values)} seeds")


def front(options: argparse.Namespace) -> None:
    """Figure 3 of the paper: three panels of points, one per (λ1, λ2)."""
    print("λ1        λ2         integer   kbit   bit-SynOps k   T  design hours")
    points = []
    for first, second in FRONT:
        path = recipe(
            options.out, f"front-{first}-{second}", lambdas={"bits": first, "bit_synops": second}
        )
        made = run(path, options, f"front-{first}-{second}", stop_after="map")
        integer, figures = made["accuracy"]["integer"], made["figures"]
        points.append((first, second, integer, figures["size_mb"], figures["bit_synops"] / 1e6))
        print(f"{first:<9} {second:<9} {integer:8.2%}  {_work(figures)}")
    draw(points, options.out / "front.svg")


def terms(options: argparse.Namespace) -> None:
    """Cores of networks searched with the paper's terms and with the target's."""
    print("terms   λ                                        integer   cores   kbit")
    for kind, choices in TERMS.items():
        for i, lambdas in enumerate(choices):
            path = recipe(options.out, f"terms-{kind}-{i}", lambdas=lambdas, channels=WIDE)
            made = run(path, options, f"terms-{kind}-{i}", stop_after="map")
            integer, cores = made["accuracy"]["integer"], made["mapping"]["n_cores"]
            kbit = made["figures"]["size_mb"] * 8000
            print(f"{kind:7} {lambdas!s:40} {integer:7.2%}  {cores:6}  {kbit:6.1f}")


def recipe(folder: Path, name: str, **changes: Any) -> Path:
    """The digits recipe cut down, with its own space, as files."""
    folder.mkdir(parents=True, exist_ok=True)
    shipped = load_recipe("litesnn-digits").model_dump(mode="json")
    space = load_lite_space("litesnn-digits").model_dump(mode="json") | SMALL
    write_yaml(folder / f"{name}-space.yaml", space)
    own = {"space": str(folder / f"{name}-space.yaml"), "budgets": {}, **EPOCHS, **changes}
    shipped["joint"] |= own
    shipped["train"] |= TRAINING
    write_yaml(folder / f"{name}.yaml", shipped)
    return folder / f"{name}.yaml"


def run(path: Path, options: argparse.Namespace, name: str, **changes: Any) -> dict[str, Any]:
    """The main job in a folder of its own."""
    return main_job(
        "loihi2", str(path), out=options.out / name, data=options.data, samples=SAMPLES, **changes
    )


def _work(figures: dict[str, Any]) -> str:
    kbit, work = figures["size_mb"] * 8000, figures["bit_synops"] / 1e3
    return f"{kbit:5.1f}  {work:13.1f}  {figures['timesteps']:2}  {figures['design_hours']:.4f}"


def draw(points: list[tuple[float, float, float, float, float]], path: Path) -> None:
    """Accuracy, size and bit-SynOps by (λ1, λ2), as the paper's Figure 3."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    names = [f"({first:g}, {second:g})" for first, second, *_ in points]
    panels = (("accuracy, integer (%)", 2, 100.0), ("MB", 3, 1.0), ("bit-SynOps (M)", 4, 1.0))
    for axes, (title, column, unit) in zip(figure.subplots(1, 3), panels, strict=True):
        axes.plot(names, [unit * p[column] for p in points], "o-")
        axes.set_title(title)
        axes.tick_params(axis="x", rotation=45)
    figure.supxlabel("(λ1, λ2)")
    figure.savefig(path)
    print(f"drawn: {path}")


def cost(options: argparse.Namespace) -> None:
    """CPU seconds of one step of both structures on the same supernet."""
    space = load_lite_space(options.space)
    task = Task((3, options.image, options.image), 5, 10)
    backbone = Backbone(space, task, 16)
    choices = Choices(space, Given(), 0)
    net = Supernet(backbone, choices.live, 0.5, Surrogate("dspike"), 0)
    costs = Costs(Menu(Backbone(space, task, 48), load_target("loihi2")), 0.5)
    spec = JointSpec(
        space=options.space, channels=48, search_channels=16, epochs=1, batch=options.batch,
        lambdas={"bits": 1e-10, "bit_synops": 1e-14},
    )  # fmt: skip
    values = torch.randint(0, 32, (options.batch, *task.shape))
    labels = torch.arange(options.batch) % task.classes
    seconds = {}
    for name, model in (("merged", net), ("step by step", Stepwise(net))):
        seconds[name] = _seconds(model, choices, costs, spec, values, labels, options.steps)
        print(f"{name:13} {seconds[name]:8.2f} CPU-s per step of {2 * options.batch} images")
    ratio = seconds["step by step"] / seconds["merged"]
    verdict = "reached" if ratio >= RATIO_WANTED else "not reached"
    print(f"ratio {ratio:.2f} (wanted {RATIO_WANTED}): {verdict}")


def _seconds(
    model: nn.Module,
    choices: Choices,
    costs: Costs,
    spec: JointSpec,
    values: Tensor,
    labels: Tensor,
    steps: int,
) -> float:
    """Mean CPU seconds of a weights pass and a choices pass, after one to warm up.

    As in the search, the weights pass of `Supernet` leaves the choices' gradients out and the other
    way round; the public structure computes all in both.
    """
    merged = isinstance(model, Supernet)
    own = list(choices.parameters())
    scores = [p for n, p in model.named_parameters() if n.endswith(".scores")]
    weights = [p for n, p in model.named_parameters() if not n.endswith(".scores")]
    budgets = Budgets(spec, {})
    for step in range(steps + 1):
        if step == 1:
            start = time.process_time()
        for trained, frozen in ((weights, [*own, *scores]), ([*own, *scores], weights)):
            for p in frozen:
                p.requires_grad_(not merged)
            shares = choices()
            passed = model(values, shares)
            entropy = cross_entropy(passed.outputs, labels, shares.lengths, costs.lengths)
            loss = entropy + budgets.penalty(costs(shares, passed.rates, passed.top))
            loss.backward()
            for p in [*trained, *frozen]:
                p.requires_grad_(True)
                p.grad = None
    return (time.process_time() - start) / steps


class _Spike(torch.autograd.Function):
    """Heaviside of u − ½, Dspike's derivative at temperature 3."""

    @staticmethod
    def forward(ctx: Any, u: Tensor) -> Tensor:
        ctx.save_for_backward(u)
        return (u > 0.5).to(u)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (u,) = ctx.saved_tensors
        b = torch.tensor(3.0)
        slope = (1 - torch.tanh(b * (u - 0.5)) ** 2) * b / 2 / torch.tanh(b / 2)
        slope[(u <= 0) | (u >= 1)] = 0
        return grad * slope


class _Levels(torch.autograd.Function):
    """One bit width's levels, gradients straight through."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bits: int) -> Tensor:
        spread = weight.std()
        return quantised(weight / spread, bits) * spread

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad, None


def _levels(weight: Tensor, bits: int) -> Tensor:
    made: Tensor = _Levels.apply(weight, bits)  # type: ignore[no-untyped-call]
    return made


class Stepwise(nn.Module):
    """The same supernet, weights and choices, one step and one op at a time."""

    def __init__(self, net: Supernet) -> None:
        super().__init__()
        self.net = net
        self.ops = net.backbone.space.ops
        self.norms = nn.ModuleDict()
        for c, cell in enumerate(net.cells):
            for e, edge in cell.edges.items():
                for o in edge.synapses:
                    self.norms[f"{c}-{e}-{o}"] = nn.BatchNorm2d(cell.cell.shape[0])

    def forward(self, values: Tensor, shares: Shares) -> Pass:
        net = self.net
        shown = values.to(net.stem.weight.dtype) / 2.0**net.backbone.task.input_bits
        membranes: dict[str, Tensor] = {}
        outputs, rates, tops = [], [], []
        for _ in range(net.steps):
            drive = F.conv2d(shown, net.stem.weight[..., 0], padding=1)
            before = after = _fired(membranes, "stem", net.stem_fires.norm(drive))
            seen = []
            for c, cell in enumerate(net.cells):
                states = [before, after]
                for j in range(len(cell.nodes)):
                    drive = self._drive(c, cell, j, states, shares)
                    states.append(_fired(membranes, f"{c}-{j}", drive))
                seen.append(torch.stack([x.mean() for x in states]))
                before, after = after, torch.cat(states[2:], 1)
            pooled = net.pool_fires.norm(after.mean((2, 3), keepdim=True))
            spikes = _fired(membranes, "pool", pooled)
            outputs.append(F.linear(spikes.flatten(1), net.classifier.weight.flatten(1)))
            rates.append(torch.stack(seen))
            tops.append(spikes.mean())
        return Pass(torch.stack(outputs), torch.stack(rates, -1), torch.stack(tops))

    def _drive(
        self, c: int, cell: SuperCell, node: int, states: list[Tensor], shares: Shares
    ) -> Tensor:
        total = torch.zeros(())
        for e, edge in enumerate(self.net.backbone.edges):
            if edge.node != node:
                continue
            x, stride = states[edge.state], cell.cell.stride(edge.state)
            mixed = cell.edges[str(e)]
            for o, op in enumerate(self.ops):
                if str(o) in mixed.synapses:
                    weight = mixed.synapses[str(o)].weight
                    compress = mixed.compress[str(o)]
                    widths = zip(shares.bits[c, e], compress.widths, strict=True)
                    parts = [share * _levels(weight, bits) for share, bits in widths]
                    kernel = (compress.mask() * sum(parts))[..., 0]
                    made = F.conv2d(x, kernel, None, stride, kernel.shape[-1] // 2)
                    made = self.norms[f"{c}-{e}-{o}"](made)
                else:
                    made = _plain(op, x, cell.cell.states[edge.state].shape[0], stride)
                    made = made.repeat_interleave(cell.cell.shape[0] // made.shape[1], 1)
                total = total + shares.ops[e, o] * made
        return total


def _plain(op: str, x: Tensor, channels: int, stride: int) -> Tensor:
    """A skip or a pooling without any convolution, the populations of a state added up."""
    added = sum(x.split(channels, 1))
    assert isinstance(added, Tensor)
    return added[:, :, ::stride, ::stride] if op == "skip" else F.avg_pool2d(added, 3, stride, 1)


def _fired(membranes: dict[str, Tensor], name: str, drive: Tensor) -> Tensor:
    voltage = membranes[name] + drive if name in membranes else drive
    spikes: Tensor = _Spike.apply(voltage)  # type: ignore[no-untyped-call]
    membranes[name] = voltage * 0.2 * (1 - spikes)
    return spikes


BENCHMARKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "joint": joint,
    "front": front,
    "terms": terms,
    "cost": cost,
}

if __name__ == "__main__":
    main()
