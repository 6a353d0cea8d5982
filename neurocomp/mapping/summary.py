"""A mapping as the row that ``neurocomp map --json`` prints."""

from __future__ import annotations

from typing import Any

from neurocomp.hw.bound import lower_bound_cores
from neurocomp.hw.demand import Demand, Use, demand
from neurocomp.ir import Graph, Population
from neurocomp.ir.shapes import endpoints, n_weights
from neurocomp.mapping.activity import Given, Rates, rates_of
from neurocomp.mapping.check import check_summary
from neurocomp.mapping.costs import cost_rows
from neurocomp.mapping.events import events
from neurocomp.mapping.flow import flow
from neurocomp.mapping.listening import listening, reach
from neurocomp.mapping.model import Mapping
from neurocomp.mapping.place.bound import fewest_hops
from neurocomp.mapping.traffic import traffic
from neurocomp.spec.target import Target


def summary(
    graph: Graph,
    mapping: Mapping,
    target: Target,
    rates: Given | None = None,
    step_rate: float | None = None,
) -> dict[str, Any]:
    """What the mapping takes and sends; its counters are held against those of `check_summary`.

    ``lower_bound_hops_per_step`` bounds the hops of every placement of the same partition. A
    layer's ``used`` is, for each resource, the most that the layer's own slices take of a core,
    and the core's limit (null = not known); ``mean`` is that of its cores; ``basis`` says whether
    the count is exact, an upper or lower bound, or unknown.

    Args:
        rates: spikes per neuron and step by population, measured; see `rates_of` for those
            that are not given.
        step_rate: steps per second at which power is stated, see `neurocomp.mapping.costs`.

    Raises:
        InputError: rates that do not suit the graph.
        RunError: the checker counts something else.
    """
    activity = rates_of(graph, rates)
    between = flow(graph, mapping.partition, activity)
    sent = traffic(between, mapping.placement, target)
    entries = reach(graph, target, mapping.partition, list(listening(graph, mapping.partition)))
    row = {
        "network": mapping.network,
        "target": mapping.target,
        "policy": mapping.policy,
        "seed": mapping.seed,
        "n_chips": len(mapping.chips),
        "n_cores": mapping.n_cores,
        "lower_bound_cores": lower_bound_cores(graph, target),
        "layers": [_layer(graph, p, mapping, target, entries) for p in graph.neurons],
        "traffic": {
            "messages_per_step": sent.messages,
            "spike_hops_per_step": sent.spike_hops,
            "lower_bound_hops_per_step": fewest_hops(between, target),
            "max_link_per_step": sent.max_link,
            "chip_crossings_per_step": sent.chip_crossings,
            "input_messages_per_step": sent.inputs,
            "rates": _origin(activity),
            "assumed_rates": {name: activity.mean(name) for name in sorted(activity.assumed)},
        },
        **cost_rows(
            events(graph, mapping, between, sent, activity, target),
            target,
            len(mapping.chips),
            step_rate,
        ),
    }
    return check_summary(graph, mapping, target, row, rates)


def _origin(rates: Rates) -> str:
    """Where the rates come from."""
    if rates.measured:
        return "measured"
    return "assumed" if len(rates.assumed) == len(rates.values) else "partly assumed"


def _layer(
    graph: Graph, p: Population, mapping: Mapping, target: Target, entries: list[dict[str, int]]
) -> dict[str, Any]:
    demands: list[Demand] = []
    for core, slices in enumerate(mapping.partition.cores):
        own = [s for s in slices if s.population == p.name]
        if own:
            place = mapping.placement.addresses[core]
            demands.append(demand(graph, own, target, entries[core], place.core))
    weights = (n_weights(e.op, *endpoints(graph, e)) for e in graph.incoming(p.name))
    parameters = sum(weights) + (0 if p.bias is None else p.bias.size)
    fullest = Demand(*(max(column, key=_used) for column in zip(*demands, strict=True)))
    return {
        "name": p.name,
        "shape": list(p.shape),
        "parameters": parameters,
        "n_cores": len(demands),
        "weight_bits": max(e.weight_bits for e in graph.incoming(p.name)),
        "used": {name: [use.used, use.limit] for name, use in fullest._asdict().items()},
        "mean": {
            name: sum(map(_used, column)) / len(demands)
            for name, column in zip(Demand._fields, zip(*demands, strict=True), strict=True)
        },
        "basis": {name: use.basis for name, use in fullest._asdict().items()},
        "binding": fullest.binding(),
    }


def _used(use: Use) -> int:
    return use.used
