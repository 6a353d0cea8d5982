"""Are a mapping's events and their prices right? What each core does in a step, counted once more.

Energy and the busiest core's time are priced again on every basis; the time of a whole step, which
adds the longest way and the barrier, is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from neurocomp.hw.mesh import tile_of
from neurocomp.ir import Conv, Graph
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.check.counters import Floats, Sent, differences
from neurocomp.mapping.check.synapses import Heard, pair_counts
from neurocomp.mapping.check.tables import OUTSIDE, Ints, Table
from neurocomp.mapping.model import Mapping
from neurocomp.spec.target import Costs, Target, load_target


class Work(NamedTuple):
    """Events of a step, by logical core; ``mesh``: of east-west and north-south links, and
    messages that stay on their tile."""

    neurons: Floats
    spikes: Floats
    dense: Floats
    conv: Floats
    sent: Floats
    received: Floats
    mesh: Floats


def work_faults(
    graph: Graph,
    mapping: Mapping,
    target: Target,
    rates: Rates,
    row: dict[str, Any],
    tables: dict[str, Table],
    heard: list[Heard],
    sent: Sent,
) -> Iterator[str]:
    """Events, energies and busiest cores of a summary row that are not those of the mapping."""
    work = _work(graph, mapping, target, rates, tables, heard, sent)
    operations = work.dense + work.conv
    want = {
        "neuron_updates": float(work.neurons.sum()),
        "spikes": float(work.spikes.sum()),
        "synops": float(operations.sum()),
        "busiest_core_synops": float(operations.max()),
        "messages": float(work.sent.sum()),
        "hops": float(work.mesh[:2].sum()),
    }
    yield from differences(row["events"], want)
    priced = target if target.costs or target.costs_like is None else load_target(target.costs_like)
    for by_basis in row["costs"].values():
        for basis, found in by_basis.items():
            price = _priced(work, priced.costs[basis])
            have = found["energy_pj"] | {"makespan": found["makespan_ns"], "noc": found["noc_pj"]}
            for fault in differences(have, price):
                yield f"{basis}: {fault}"


def _work(
    graph: Graph,
    mapping: Mapping,
    target: Target,
    rates: Rates,
    tables: dict[str, Table],
    heard: list[Heard],
    sent: Sent,
) -> Work:
    n = len(mapping.partition.cores)
    neurons, spikes, dense, conv = (np.zeros(n) for _ in range(4))
    for name, table in tables.items():
        if OUTSIDE not in table.cores:
            np.add.at(neurons, table.cores, np.diff(table.boxes, axis=2).prod(axis=(1, 2)))
            np.add.at(spikes, table.cores, _spikes(table, rates.values[name]))
    for h in heard:
        kind = conv if isinstance(h.projection.op, Conv) else dense
        rate = rates.values[h.projection.source]
        cores = tables[h.projection.target].cores
        if isinstance(rate, float):
            np.add.at(kind, cores[h.target], rate * h.synapses)
        else:
            np.add.at(kind, cores, _operations(graph, h, tables, rate))
    source, end, values, inputs = sent
    tiles = np.array([tile_of(target, *a) for a in mapping.placement.addresses], np.int64)
    ways = np.abs(tiles[source] - tiles[end])
    stays = values[ways.sum(axis=1) == 0].sum()
    return Work(
        neurons,
        spikes,
        dense,
        conv,
        np.bincount(source, values, n).astype(np.float64),
        inputs + np.bincount(end, values, n),
        np.append(values @ ways, stays),
    )


def _spikes(table: Table, rate: float | Floats) -> Floats:
    """Spikes per step of each slice."""
    if isinstance(rate, float):
        return np.asarray(rate * np.diff(table.boxes, axis=2).prod(axis=(1, 2)), np.float64)
    parts = (rate[c0:c1, y0:y1, x0:x1] for (c0, c1), (y0, y1), (x0, x1) in table.boxes.tolist())
    return np.array([part.sum() for part in parts])


def _operations(graph: Graph, h: Heard, tables: dict[str, Table], rate: Floats) -> Floats:
    """Synaptic operations per step onto each slice of the target, by the rate of every neuron."""
    e, boxes = h.projection, tables[h.projection.target].boxes
    ends = graph.population(e.source).shape, graph.population(e.target).shape
    found, places = rate, []
    for axis in range(3):
        cuts, place = np.unique(boxes[:, axis], axis=0, return_inverse=True)
        each: Ints = np.arange(ends[0][axis])[:, None] + np.arange(2)
        counts = pair_counts(e, ends, axis, each, cuts)  # (cuts, source indices)
        found = np.moveaxis(np.tensordot(counts, found, axes=(1, axis)), 0, axis)
        places.append(place.ravel())
    return np.asarray(found[places[0], places[1], places[2]])


def _priced(work: Work, costs: Costs) -> dict[str, float]:
    """Energy of a step by part in pJ, of the network on chip, and the busiest core's time in ns."""
    active = costs.neuron_active is not None
    neurons = ("neuron_active",) if active else ("neuron_access", "neuron_update")
    one = costs.synapse is not None
    on_cores = [("neurons", event, work.neurons) for event in neurons]
    on_cores += [] if active else [("neurons", "neuron_spike", work.spikes)]
    on_cores += [("synapses", "synapse" if one else "synapse_dense", work.dense)]
    on_cores += [("synapses", "synapse" if one else "synapse_conv", work.conv)]
    on_cores += [("messages", "message_out", work.sent), ("messages", "message_in", work.received)]
    energy = {"neurons": 0.0, "synapses": 0.0, "messages": 0.0, "mesh": 0.0}
    busy = np.zeros(len(work.neurons))
    for part, event, numbers in on_cores:
        cost = getattr(costs, event)
        if cost is not None:
            energy[part] += (cost.pj or 0.0) * float(numbers.sum())
            busy += (cost.ns or 0.0) * numbers
    links = ("hop_east_west", "hop_north_south", "within_tile")
    for event, number in zip(links, work.mesh.tolist(), strict=True):
        cost = getattr(costs, event)
        energy["mesh"] += 0.0 if cost is None else (cost.pj or 0.0) * number
    noc = energy["messages"] + energy["mesh"]
    return {**energy, "total": sum(energy.values()), "noc": noc, "makespan": float(busy.max())}
