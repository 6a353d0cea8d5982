"""From a graph to a checked mapping."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import NamedTuple

from neurocomp.errors import FitError, InputError
from neurocomp.hw.bound import needs_of, require_room
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Given, rates_of
from neurocomp.mapping.canonical import canonical
from neurocomp.mapping.check import check
from neurocomp.mapping.effort import Effort, effort_named
from neurocomp.mapping.members import Member, best, placed, unbeaten
from neurocomp.mapping.model import Mapping
from neurocomp.mapping.place import PLACERS
from neurocomp.mapping.portfolio import PARTITIONERS
from neurocomp.mapping.route import ROUTERS
from neurocomp.mapping.tiling.choose import Yardstick
from neurocomp.spec.policy import Policy, load_policy
from neurocomp.spec.target import Target

DEFAULT_EFFORT = "fast"


def map_graph(
    graph: Graph,
    target: Target,
    policy: str,
    *,
    rates: Given | None = None,
    seed: int = 0,
    effort: str = DEFAULT_EFFORT,
    seconds: float | None = None,
) -> Mapping:
    """Partition, place and route a network, trained or not, and check the result.

    The same network, target, policy, rates, seed and effort give the same mapping in every process,
    whatever its layers are called and in whatever order they stand; unless the time is limited.

    Args:
        policy: name of a shipped policy, or the path of a user's own file.
        rates: spikes per neuron and step by population, one number or an array of its shape;
            None assumes 0.1 everywhere. They decide what is near to what, never what fits.
        effort: "fast" or "quality".
        seconds: after these nothing more is tried, and the best mapping found counts.

    Raises:
        FitError: the network does not fit; names layer, limit, needed and available.
        InputError: an unknown policy, algorithm or effort, or rates that do not suit the graph.
    """
    job = _Job(graph, target, _known(load_policy(policy)), rates, seed)
    members, yardstick = job.members(effort_named(effort, seconds))
    return job.mapping(best(members, job.policy, yardstick))


class Pareto(NamedTuple):
    """Mappings to choose from.

    Attributes:
        best: what the policy likes best.
        unbeaten: of all that were found those that none beats in cores, messages, hops and
            greatest link load together; few cores first.
    """

    best: Mapping
    unbeaten: tuple[Mapping, ...]


def map_pareto(
    graph: Graph,
    target: Target,
    policy: str,
    *,
    rates: Given | None = None,
    seed: int = 0,
    effort: str = DEFAULT_EFFORT,
    seconds: float | None = None,
) -> Pareto:
    """What can be had for what: `map_graph`, with a search from fewest cores to fewest messages.

    Arguments and errors are those of `map_graph`.
    """
    job = _Job(graph, target, _known(load_policy(policy)), rates, seed)
    members, yardstick = job.members(effort_named(effort, seconds))
    return Pareto(
        job.mapping(best(members, job.policy, yardstick)),
        tuple(job.mapping(member) for member in unbeaten(members)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    graph: Graph
    target: Target
    policy: Policy
    given: Given | None
    seed: int

    def members(self, effort: Effort) -> tuple[list[Member], Yardstick]:
        """Placed partitions under the graph's own names, and what they are measured by."""
        rates = rates_of(self.graph, self.given)
        require_room(self.graph.name, needs_of(self.graph, self.target), self.target)
        own = canonical(self.graph, rates)
        partitioner = PARTITIONERS[self.policy.partitioner]
        try:
            portfolio = partitioner(
                own.graph, self.target, own.rates, self.policy, effort, self.seed
            )
            members = placed(own.graph, self.target, self.policy, portfolio, effort, self.seed)
        except FitError as fault:
            raise own.fault(fault) from None
        found = [replace(m, partition=own.given(m.partition)) for m in members]
        return found, portfolio.yardstick

    def mapping(self, member: Member) -> Mapping:
        """The member with its routes, checked."""
        mapping = Mapping(
            network=self.graph.name,
            graph_digest=self.graph.digest(),
            target=self.target.name,
            policy=self.policy.name,
            seed=self.seed,
            partition=member.partition,
            placement=member.placement,
            routes=ROUTERS[self.policy.router](self.graph, member.partition),
        )
        return check(self.graph, mapping, self.target)


def _known(policy: Policy) -> Policy:
    """The policy, if all its algorithms exist."""
    registries: dict[str, Collection[str]] = {
        "partitioner": PARTITIONERS,
        "placer": PLACERS,
        "router": ROUTERS,
    }
    for kind, registry in registries.items():
        name = getattr(policy, kind)
        if name not in registry:
            reason = InputError.unknown(kind, name, list(registry))
            raise InputError(f"policy {policy.name}: {reason}")
    return policy
