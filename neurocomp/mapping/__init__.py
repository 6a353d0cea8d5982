"""Mapping: partition, placement and routing of a network on a target, and the check of them."""

from neurocomp.mapping.check import check
from neurocomp.mapping.model import CoreAddress, Mapping, Partition, Placement, Route
from neurocomp.mapping.run import Pareto, map_graph, map_pareto
from neurocomp.mapping.summary import summary
from neurocomp.mapping.unruled import cores_without_rules

__all__ = [
    "CoreAddress",
    "Mapping",
    "Pareto",
    "Partition",
    "Placement",
    "Route",
    "check",
    "cores_without_rules",
    "map_graph",
    "map_pareto",
    "summary",
]
