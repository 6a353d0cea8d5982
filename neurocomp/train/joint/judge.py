"""What a design really costs: its network is built, mapped onto the target and priced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from neurocomp.cost.litesnn import figures
from neurocomp.cost.size import trained_weights
from neurocomp.errors import FitError
from neurocomp.hw import demand
from neurocomp.ir import Graph
from neurocomp.mapping import Mapping as CoreMapping
from neurocomp.mapping import map_graph, summary
from neurocomp.snn.compconv import n_kept
from neurocomp.spec.joint import Term
from neurocomp.spec.target import Target
from neurocomp.train.joint.backbone import Backbone
from neurocomp.train.joint.build import build
from neurocomp.train.joint.design import Design


@dataclass(frozen=True, slots=True)
class Verdict:
    """Costs of a design, and why it is out.

    Attributes:
        costs: by term; cores and messages are None where the network cannot be mapped.
        broken: limits that are broken, in words.
    """

    costs: dict[Term, float | None]
    broken: tuple[str, ...]


@dataclass(frozen=True)
class Judge:
    """Prices designs on a target with a mapping policy; a network is mapped once."""

    backbone: Backbone
    target: Target
    policy: str
    kept: float
    limits: Mapping[Term, float]
    seed: int = 0
    _mapped: dict[str, CoreMapping | str] = field(default_factory=dict)

    def __call__(self, design: Design, rates: Mapping[str, float]) -> Verdict:
        """The verdict on a design.

        Args:
            rates: spikes per neuron and step by population of the backbone.
        """
        graph = build(design, self.backbone)
        own = {p.name: rates[p.name] for p in graph.neurons if p.name != graph.output}
        own[graph.output] = 0.0
        mapped = self._map(graph)
        costs: dict[Term, float | None] = {
            "bits": float(kept_bits(graph, self.kept)),
            "bit_synops": self.kept * figures(graph, own, self.target).bit_synops,
            "cores": None,
            "messages": None,
        }
        broken = [mapped] if isinstance(mapped, str) else []
        if not isinstance(mapped, str):
            traffic = summary(graph, mapped, self.target, own)["traffic"]
            costs["cores"] = float(mapped.n_cores)
            costs["messages"] = design.timesteps * traffic["messages_per_step"]
        for term, limit in self.limits.items():
            cost = costs[term]
            if cost is not None and cost > limit:
                broken.append(f"more than {limit:,.0f} {WORDS[term]}")
        return Verdict(costs, tuple(broken))

    def _map(self, graph: Graph) -> CoreMapping | str:
        """The network's mapping, or why there is none."""
        if graph.name not in self._mapped:
            try:
                self._mapped[graph.name] = map_graph(
                    graph, self.target, self.policy, seed=self.seed
                )
            except FitError:
                self._mapped[graph.name] = f"does not fit {self.target.name}"
        return self._mapped[graph.name]


WORDS: dict[Term, str] = {
    "bits": "weight bits",
    "bit_synops": "bit-SynOps per image",
    "cores": "cores",
    "messages": "messages per image",
}


def stored_bits(graph: Graph, mapping: CoreMapping, target: Target) -> int:
    """Synapse memory that a mapped network takes, in whole words, copies of kernels included."""
    cores = mapping.partition.cores
    word = target.core.word_bits.value
    return word * sum(demand(graph, core, target).synapse_words.used for core in cores)


def kept_bits(graph: Graph, kept: float) -> int:
    """Designed bits of the trained weights that pruning leaves of an untrained network."""
    bits = {e.name: e.weight_bits for e in graph.projections}
    return sum(n_kept(n, kept) * bits[name] for name, n in trained_weights(graph).items())
