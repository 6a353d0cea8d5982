"""Mapping policies: which algorithm partitions, places and routes, and what it prefers."""

from __future__ import annotations

from pydantic import Field

from neurocomp import shipped
from neurocomp.spec.read import Name, Spec, read

KIND = "mappings/policies"


class Policy(Spec):
    """One way to map; the names are those of the registries in `neurocomp.mapping`.

    Attributes:
        core_weight: one percent more cores is worth so many percent more messages.
        hop_weight: so many messages cost as much as one hop between tiles.
        fewest_chips: a partition on fewer chips is better, whatever else it costs.
        never_worse: cores and messages are bounded by those of the best tiling with one layer per
            core, as long as a partition keeps both bounds.
    """

    name: Name
    summary: str
    partitioner: str
    placer: str
    router: str
    core_weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    hop_weight: float = Field(default=0.03, ge=0, allow_inf_nan=False)
    fewest_chips: bool = True
    never_worse: bool = False


def policy_names() -> list[str]:
    """Names of the shipped policies, sorted."""
    return shipped.names(KIND)


def load_policy(name: str) -> Policy:
    """A shipped policy by name, or the user's own file by path (ending in .yaml)."""
    return read(shipped.find(KIND, "policy", name), Policy)
