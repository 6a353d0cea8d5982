"""How fast parameters move: optimiser, schedule, and rates that cross the gaps of levels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.optim import lr_scheduler as schedules

from neurocomp.snn import Network
from neurocomp.snn.levels import Levels
from neurocomp.spec.train import TrainSpec

REACH = 4.0  # gaps between levels that a weight can be moved by in a whole phase, at least
MEAN_OF_COSINE = 0.5  # of the greatest rate; a one-cycle's is 0.51


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """An optimiser with its schedule, which is stepped after every batch."""

    optimizer: torch.optim.Optimizer
    schedule: schedules.LRScheduler


def plan(
    network: Network, others: list[nn.Parameter], spec: TrainSpec, rate: float, steps: int
) -> Plan:
    """The spec's optimiser and schedule for so many steps.

    On levels a weight acts only by crossing half of the gap to the next one. Adam moves it by its
    rate a step at most, so that a rate that suits 8 bits leaves 1-bit weights their first signs.
    Adam's rate is therefore ``REACH·gap/(steps·mean of the schedule)`` at least. SGD's steps grow
    with the gradient, which is not known yet: `reach_levels` raises its rate later.

    Args:
        others: what is trained besides the synapses; it does not decay.
    """
    groups = [*_weight_groups(network, spec, rate, steps), {"params": others, "gap": 0.0}]
    optimizer: torch.optim.Optimizer
    if spec.optimizer == "sgd":
        optimizer = torch.optim.SGD(groups, rate, momentum=spec.momentum)
    else:
        optimizer = torch.optim.Adam(groups, rate)
    return Plan(optimizer, _schedule(optimizer, spec, steps))


def reach_levels(made: Plan, spec: TrainSpec, steps: int) -> None:
    """Raise SGD's rates so that weights can cross the gaps of their levels, by a first gradient.

    The parameters hold the gradients of one batch, clipped as in training. A weight's step is taken
    as the root mean square of its projection's gradient, over ``1 − momentum`` as steps of one
    direction add up. Where the rate grows, the decay shrinks as much, so that weights are pulled to
    zero as before. A projection without any gradient keeps its rate.
    """
    for group in made.optimizer.param_groups:
        strength = _strength(group) if group["gap"] else 0.0
        if strength:
            least = _least_step(group["gap"], spec, steps) * (1 - spec.momentum) / strength
            factor = max(1.0, least / group.get("max_lr", group["initial_lr"]))
            for key in ("lr", "initial_lr", "max_lr", "min_lr"):
                if key in group:
                    group[key] *= factor
            group["weight_decay"] /= factor
    made.schedule.base_lrs = [group["initial_lr"] for group in made.optimizer.param_groups]


def _weight_groups(
    network: Network, spec: TrainSpec, rate: float, steps: int
) -> list[dict[str, Any]]:
    """Weights of synapses by their rate; with SGD, those on levels each by itself.

    ``gap`` of a group is that of the levels for which its rate must be found yet, else 0.
    """
    groups: dict[tuple[float, int], dict[str, Any]] = {}
    for i, synapses in enumerate(network.synapses):
        weight, levels = synapses.synapse.weight, synapses.synapse.pre_hook_fx
        if not weight.requires_grad:
            continue
        gap = levels.gap if isinstance(levels, Levels) else 0.0
        alone = gap > 0 and spec.optimizer == "sgd"
        own = rate if alone else max(rate, _least_step(gap, spec, steps))
        fresh = {"params": [], "lr": own, "weight_decay": spec.weight_decay}
        group = groups.setdefault((own, i if alone else -1), fresh | {"gap": gap * alone})
        group["params"].append(weight)
    return list(groups.values())


def _strength(group: dict[str, Any]) -> float:
    """Root mean square of the gradient of a group's weights."""
    gradients = [w.grad.flatten() for w in group["params"] if w.grad is not None]
    return float(torch.cat(gradients).square().mean().sqrt()) if gradients else 0.0


def _least_step(gap: float, spec: TrainSpec, steps: int) -> float:
    """Greatest step of a schedule that adds up to `REACH` gaps."""
    return REACH / _mean(spec) / steps * gap


def _mean(spec: TrainSpec) -> float:
    """Mean of the schedule over its greatest value."""
    if spec.schedule != "step":
        return MEAN_OF_COSINE
    ends = [0.0, *sorted(spec.drops), 1.0]
    return sum((after - before) * spec.drop**n for n, (before, after) in enumerate(pairwise(ends)))


def _schedule(
    optimizer: torch.optim.Optimizer, spec: TrainSpec, steps: int
) -> schedules.LRScheduler:
    if spec.schedule == "one-cycle":
        rates = [group["lr"] for group in optimizer.param_groups]
        return _OneCycle(optimizer, rates, steps, cycle_momentum=False)
    if spec.schedule == "step":
        milestones = [round(share * steps) for share in spec.drops]
        return _Step(optimizer, milestones, spec.drop)
    return schedules.CosineAnnealingLR(optimizer, T_max=steps)


class _Placed(schedules.LRScheduler):
    """A schedule of whose state only the place is kept: plain numbers, which are safe to read."""

    def state_dict(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("last_epoch", "_step_count", "base_lrs")}


class _OneCycle(_Placed, schedules.OneCycleLR):
    pass


class _Step(_Placed, schedules.MultiStepLR):
    pass
