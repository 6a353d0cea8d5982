"""Members of the portfolio: partitions that were placed, what they take and send, and the best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from neurocomp.errors import FitError
from neurocomp.hw.mesh import n_live_cores
from neurocomp.ir import Graph
from neurocomp.mapping.effort import Effort
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import Partition, Placement
from neurocomp.mapping.place import PLACERS
from neurocomp.mapping.place.board import CROSSING
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
    """A partition with its messages and its places.

    Attributes:
        way: Σ message × distance, with chip borders as the placers count them.
    """

    partition: Partition
    sent: Flow
    placement: Placement
    figures: Figures
    way: float


def placed(
    graph: Graph,
    target: Target,
    policy: Policy,
    portfolio: Portfolio,
    effort: Effort,
    seed: int,
) -> list[Member]:
    """Partitions of a portfolio on the target, but for those beaten in cores and messages.

    All are placed once; what a policy of the portfolio likes best is placed with all the effort,
    which counts unless it is worse: a placer whose time ends gives the order it was given.

    Raises:
        FitError: the target has too few cores for any.
    """
    members, once = list[Member](), replace(effort, runs=1)
    fault = _too_many(graph, portfolio.partitions, target)

    def member(partition: Partition, sent: Flow, effort: Effort) -> Member:
        places = _places(graph, target, policy, partition, sent, effort, seed)
        found = traffic(sent, places, target)
        figures = Figures(sent.n, found.messages, found.spike_hops, found.max_link)
        way = found.spike_hops + CROSSING * found.chip_crossings
        return Member(partition, sent, places, figures, way)

    every = sorted(portfolio.partitions.items(), key=lambda item: (item[1].n, item[1].messages))
    for left, (partition, sent) in zip(range(len(every), 0, -1), every, strict=True):
        unbeaten = all(sent.messages < m.sent.messages for m in members)
        if sent.n <= n_live_cores(target) and unbeaten and not (members and effort.over):
            try:
                members.append(member(partition, sent, once.share(1 / left)))
            except FitError as reason:
                fault = reason
    if not members:
        raise fault
    if effort.runs > 1:
        _improve(members, portfolio, effort, lambda m: member(m.partition, m.sent, effort))
    return members


def _improve(
    members: list[Member], portfolio: Portfolio, effort: Effort, again: Callable[[Member], Member]
) -> None:
    """Place again what a policy likes best, until all that is liked was placed twice."""
    rough = members[:]
    while not effort.over:
        liked = {best(members, aim, portfolio.yardstick) for aim in portfolio.aims}
        chosen = [m for m in rough if m in liked]
        if not chosen:
            break
        for m in chosen:
            if effort.over:
                break
            rough.remove(m)
            placed_again = again(m)
            if placed_again.way <= m.way:
                members[members.index(m)] = placed_again


def best(members: Sequence[Member], policy: Policy, yardstick: Yardstick) -> Member:
    """The member that a policy likes best, the first one where several are alike.

    Few chips, if the policy counts them; then within the bounds of `Policy.never_worse`; then the
    least weighted sum of cores, messages and hops.
    """

    def dislike(member: Member) -> tuple[int, bool, float]:
        cores, messages, hops, _ = member.figures
        chips, weighted = yardstick.cost(policy, cores, messages + policy.hop_weight * hops)
        worse = cores > yardstick.cores or messages > yardstick.messages
        return chips, policy.never_worse and worse, weighted

    return min(members, key=dislike)


def unbeaten(members: Sequence[Member]) -> list[Member]:
    """The Pareto list: those that no other beats, few cores first; of equal ones the first."""
    every = {m.figures: m for m in reversed(members)}
    return [every[f] for f in sorted(every) if not any(f.beaten_by(other) for other in every)]


def _places(
    graph: Graph,
    target: Target,
    policy: Policy,
    partition: Partition,
    sent: Flow,
    effort: Effort,
    seed: int,
) -> Placement:
    """By the policy's placer; where cores hold unequal amounts, what fits decides."""
    if target.core_kinds:
        return by_kind(graph, partition, target)
    return PLACERS[policy.placer](sent, target, np.random.default_rng(seed), effort)


def _too_many(graph: Graph, partitions: Iterable[Partition], target: Target) -> FitError:
    partition = min(partitions, key=lambda p: len(p.cores))
    cores = Counter(name for core in partition.cores for name in {s.population for s in core})
    layer, most = cores.most_common(1)[0]
    return FitError(
        f"{graph.name}: needs {len(partition.cores):,} cores ('{layer}' alone {most:,}), "
        f"{target.name} has {n_live_cores(target):,}; use another policy, a smaller network, "
        "fewer weight bits or a board with more chips"
    )
