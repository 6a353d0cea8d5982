"""What the rules of a chip's tool chain cost: the same chip without them."""

from __future__ import annotations

from neurocomp.ir import Graph
from neurocomp.mapping.activity import Given
from neurocomp.mapping.run import map_graph
from neurocomp.spec.core import NO_LIMIT, Rules
from neurocomp.spec.target import Target


def cores_without_rules(
    graph: Graph, target: Target, policy: str, *, rates: Given | None = None, seed: int = 0
) -> int:
    """Cores that a policy needs where nothing is padded, chunked or limited in its groups.

    The rules are those of `Rules`, which only some targets have, and the limit on neuron groups,
    which a Loihi 2 core has beside them. It is an estimate: the search is the fast one.

    Raises:
        FitError: the network does not even fit so.
    """
    raw = target.model_dump()
    raw["core"]["neuron_groups"] = NO_LIMIT.model_dump()
    free = Target.model_validate(raw | {"rules": Rules().model_dump()})
    return map_graph(graph, free, policy, rates=rates, seed=seed).n_cores
