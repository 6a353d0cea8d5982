"""Is a mapping legal? Rebuilt from the result alone, by code that imports no algorithm.

Which neurons a core listens to is counted in closed form (`synapses`), apart from the sets with
which the mapper works; what a core needs is counted by `neurocomp.hw`, the one place that knows
what fits. The work grows with slices that meet, not with neurons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from neurocomp.errors import RunError
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Given, Rates, rates_of
from neurocomp.mapping.check.boxes import cover_faults, slice_faults
from neurocomp.mapping.check.counters import counter_faults, sent_by_all
from neurocomp.mapping.check.limits import limit_faults
from neurocomp.mapping.check.routes import route_faults
from neurocomp.mapping.check.synapses import heard_by_all, synapse_faults
from neurocomp.mapping.check.tables import tables_of
from neurocomp.mapping.check.trees import tree_faults
from neurocomp.mapping.check.work import work_faults
from neurocomp.mapping.model import Mapping
from neurocomp.spec.target import Target

__all__ = ["check", "check_summary", "check_tables"]

MAX_SHOWN = 20  # faults; a broken mapping can have one per core


def check(graph: Graph, mapping: Mapping, target: Target) -> Mapping:
    """Return the mapping if it is legal.

    Every neuron stands on exactly one core and every synapse lies there once, every core has a live
    place of its own and keeps all limits, and every slice's messages go to exactly the cores that
    hold targets.

    Raises:
        RunError: it is not; with all faults.
    """
    faults = [*_identity_faults(graph, mapping, target), *_place_faults(mapping, target)]
    faults += slice_faults(graph, mapping, target)
    if not faults:
        tables = tables_of(graph, mapping)
        faults += cover_faults(tables)
    if not faults:
        heard = list(heard_by_all(graph, tables))
        faults += synapse_faults(graph, heard)
        faults += limit_faults(graph, mapping, target, tables, heard)
        faults += route_faults(mapping, tables, heard)
    _require_none(mapping, faults)
    return mapping


def check_summary(
    graph: Graph,
    mapping: Mapping,
    target: Target,
    row: dict[str, Any],
    rates: Given | None = None,
) -> dict[str, Any]:
    """Return the summary row of a legal mapping if its counters are right.

    Cores, chips, traffic, events and their energy are counted once more, and whose rates were
    assumed is told from the graph.

    Args:
        rates: those with which the row was made.

    Raises:
        RunError: some differ; with all of them.
    """
    tables = tables_of(graph, mapping)
    heard = list(heard_by_all(graph, tables))
    activity = rates_of(graph, rates)
    sent = sent_by_all(graph, activity, tables, heard, mapping.n_cores)
    faults = [*counter_faults(mapping, target, row, tables, sent)]
    faults += work_faults(graph, mapping, target, activity, row, tables, heard, sent)
    unknown = {p.name for p in graph.populations} - (rates or {}).keys()
    if unknown != row["traffic"]["assumed_rates"].keys():
        faults.append(f"assumed rates: those of {sorted(unknown)} were not given")
    _require_none(mapping, faults)
    return row


def check_tables(
    mapping: Mapping, target: Target, rates: Rates, tables: dict[str, Any]
) -> dict[str, Any]:
    """Return the routing tables of a legal mapping if all their trees and loads are right.

    Raises:
        RunError: a tree misses a listener, goes where XY routing does not, or is none, or a load
            is wrong; with all faults.
    """
    _require_none(mapping, tree_faults(mapping, target, rates, tables))
    return tables


def _require_none(mapping: Mapping, faults: Iterable[str]) -> None:
    """Raise `RunError` with the faults, if there are any."""
    found = list(faults)
    if found:
        more = len(found) - MAX_SHOWN
        shown = found[:MAX_SHOWN] + ([f"and {more} more"] if more > 0 else [])
        where = f"mapping of '{mapping.network}' on {mapping.target} is wrong"
        raise RunError("\n  ".join([f"{where}:", *shown]))


def _identity_faults(graph: Graph, mapping: Mapping, target: Target) -> Iterator[str]:
    if mapping.graph_digest != graph.digest():
        yield f"it was made for another network than '{graph.name}'"
    if mapping.target != target.name:
        yield f"it was made for target {mapping.target}, not {target.name}"


def _place_faults(mapping: Mapping, target: Target) -> Iterator[str]:
    addresses = mapping.placement.addresses
    if len(addresses) != len(mapping.partition.cores):
        yield f"{len(mapping.partition.cores)} cores have {len(addresses)} addresses"
    dead = {(d.chip, d.core) for d in target.dead_cores}
    for address, times in Counter(addresses).items():
        chip, core = address
        if times > 1:
            yield f"chip {chip}, core {core}: {times} logical cores stand on it"
        if not (0 <= chip < target.n_chips and 0 <= core < target.cores_per_chip):
            yield f"chip {chip}, core {core}: {target.name} has no such core"
        elif address in dead:
            yield f"chip {chip}, core {core}: is dead"
