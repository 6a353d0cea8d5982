"""One step of the joint search against the step structure of the paper's public code."""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
import torch.nn.functional as F
from search_parts.common import aim
from torch import Tensor, nn

from neurocomp.arch import Task
from neurocomp.snn import Surrogate
from neurocomp.snn.compconv import quantised
from neurocomp.spec.joint import JointSpec, load_lite_space
from neurocomp.spec.target import load_target
from neurocomp.train.joint.backbone import Backbone
from neurocomp.train.joint.budgets import Budgets
from neurocomp.train.joint.choices import Choices, Given, Shares
from neurocomp.train.joint.costs import Costs
from neurocomp.train.joint.menu import Menu
from neurocomp.train.joint.phase import cross_entropy
from neurocomp.train.joint.supernet import Pass, SuperCell, Supernet

RATIO_WANTED = 3.0


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
    aim("step by step / merged", ratio, "≥", RATIO_WANTED)


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
        conv = net.backbone.stem_conv
        membranes: dict[str, Tensor] = {}
        outputs, rates, tops = [], [], []
        for _ in range(net.steps):
            drive = F.conv2d(shown, net.stem.weight[..., 0], None, conv.stride, conv.padding)
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
