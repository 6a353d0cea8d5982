"""Members of the portfolio: partitions that were placed, what they take and send, and the best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from neurocomp.errors import FitError
from neurocomp.hw.mesh import live_per_chip, n_live_cores
from neurocomp.hw.tiles import cuts
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.effort import Effort
from neurocomp.mapping.flow import flow
from neurocomp.mapping.model import Partition, Placement
from neurocomp.mapping.place import PLACERS
from neurocomp.mapping.place.kinds import by_kind
from neurocomp.mapping.portfolio import Portfolio
from neurocomp.mapping.tiling.choose import Yardstick
from neurocomp.mapping.traffic import traffic
from neurocomp.spec.policy import Policy
from neurocomp.spec.target import Target


class Figures(NamedTuple):
    """What a mapping takes, and sends per step; less is better."""

    cores: int
    messages: float
    hops: float
    max_link: float

    def beaten_by(self, other: Figures) -> bool:
        """Whether another mapping is as good in everything and better in something."""
        return other != self and all(a <= b for a, b in zip(other, self, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """A partition with its places."""

    partition: Partition
    placement: Placement
    figures: Figures


def placed(
    graph: Graph,
    target: Target,
    rates: Rates,
    policy: Policy,
    portfolio: Portfolio,
    effort: Effort,
    seed: int,
) -> list[Member]:
    """Every partition of a portfolio that the target has cores for, with its places.

    The member that the policy likes best is placed with all the effort, the others once.

    Raises:
        FitError: there is none.
    """
    once = replace(effort, runs=1)
    found: list[Member] = []
    fault = _too_many(graph, portfolio.partitions, target)
    for partition in portfolio.partitions:
        if len(partition.cores) <= n_live_cores(target) and not (found and effort.over):
            try:
                found.append(_member(graph, target, rates, policy, partition, once, seed))
            except FitError as reason:
                fault = reason
    if not found:
        raise fault
    chosen = best(found, policy, portfolio.yardstick, target)
    if effort.runs > 1 and not effort.over:
        again = _member(graph, target, rates, policy, chosen.partition, effort, seed)
        found[found.index(chosen)] = again
    return found


def best(members: Sequence[Member], policy: Policy, yardstick: Yardstick, target: Target) -> Member:
    """The member that a policy likes best, the first one where several are alike.

    Few chips, if the policy counts them; then within the bounds of `Policy.never_worse`; then the
    least weighted sum of cores, messages and hops.
    """

    def dislike(member: Member) -> tuple[int, bool, float]:
        cores, messages, hops, _ = member.figures
        chips = cuts(cores, live_per_chip(target)) if policy.fewest_chips else 0
        worse = cores > yardstick.cores or messages > yardstick.messages
        sent = messages + policy.hop_weight * hops
        return chips, policy.never_worse and worse, yardstick.cost(cores, sent)[1]

    return min(members, key=dislike)


def unbeaten(members: Sequence[Member]) -> list[Member]:
    """The Pareto list: those that no other beats, few cores first; of equal ones the first."""
    every = {m.figures: m for m in reversed(members)}
    return [every[f] for f in sorted(every) if not any(f.beaten_by(other) for other in every)]


def _member(
    graph: Graph,
    target: Target,
    rates: Rates,
    policy: Policy,
    partition: Partition,
    effort: Effort,
    seed: int,
) -> Member:
    between = flow(graph, partition, rates)
    if target.core_kinds:
        placement = by_kind(graph, partition, target)
    else:
        place = PLACERS[policy.placer]
        placement = place(between, target, np.random.default_rng(seed), effort)
    sent = traffic(between, placement, target)
    figures = Figures(between.n, sent.messages, sent.spike_hops, sent.max_link)
    return Member(partition, placement, figures)


def _too_many(graph: Graph, partitions: Sequence[Partition], target: Target) -> FitError:
    partition = min(partitions, key=lambda p: len(p.cores))
    cores = Counter(name for core in partition.cores for name in {s.population for s in core})
    layer, most = cores.most_common(1)[0]
    return FitError(
        f"{graph.name}: needs {len(partition.cores):,} cores ('{layer}' alone {most:,}), "
        f"{target.name} has {n_live_cores(target):,}; use a smaller network, fewer weight bits or "
        "a board with more chips"
    )
