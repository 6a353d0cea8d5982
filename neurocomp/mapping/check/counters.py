"""Are a mapping's counters right? Cores, messages, hops and link loads, counted once more."""

from __future__ import annotations

import math
from collections.abc import Iterator
from collections.abc import Mapping as Mapping_
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from neurocomp.hw.mesh import chip_of, tile_of
from neurocomp.ir import Graph, Input
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.check.synapses import Heard, indices
from neurocomp.mapping.check.tables import Ints, Table
from neurocomp.mapping.model import Mapping
from neurocomp.spec.target import Target

TOLERANCE = 1e-9  # relative: sums are made in another order
Floats = npt.NDArray[np.float64]
Region = tuple[Ints, Ints, Ints]  # indices along each axis, within a slice


class Sent(NamedTuple):
    """Messages per step, counted from who listens to whom.

    Attributes:
        source, end: logical cores; values: from the one to the other, 0 within a core.
        inputs: to each logical core, from outside the mesh.
    """

    source: Ints
    end: Ints
    values: Floats
    inputs: Floats


def counter_faults(
    mapping: Mapping, target: Target, row: dict[str, Any], tables: dict[str, Table], sent: Sent
) -> Iterator[str]:
    """Cores, chips and traffic of a summary row that differ from what the mapping says."""
    want: dict[str, Any] = {
        "n_cores": len(mapping.placement.addresses),
        "n_chips": len({address.chip for address in mapping.placement.addresses}),
    }
    have = {key: row[key] for key in want}
    for layer in row["layers"]:
        key = f"cores of '{layer['name']}'"
        have[key] = layer["n_cores"]
        want[key] = len(np.unique(tables[layer["name"]].cores))
    want |= _traffic(mapping, target, sent)
    have |= {key: row["traffic"][key] for key in want.keys() - have.keys()}
    yield from differences(have, want)


def differences(have: Mapping_[str, float], want: Mapping_[str, float]) -> Iterator[str]:
    """Numbers of a summary that are not those of the mapping."""
    for key, value in want.items():
        if not math.isclose(have[key], value, rel_tol=TOLERANCE, abs_tol=TOLERANCE):
            yield f"{key.replace('_', ' ')}: the summary says {have[key]}, the mapping {value}"


def sent_by_all(
    graph: Graph, rates: Rates, tables: dict[str, Table], heard: list[Heard], n_cores: int
) -> Sent:
    """The messages of every population, inputs included."""
    parts: list[tuple[Ints, Ints, Floats]] = []
    inputs = np.zeros(n_cores)
    for p in graph.populations:
        own = [h for h in heard if h.projection.source == p.name]
        if not own:
            continue
        slices, cores, messages = _messages(graph, own, rates, tables)
        if isinstance(p.neuron, Input):
            np.add.at(inputs, cores, messages)
        else:
            parts.append((tables[p.name].cores[slices], cores, messages))
    if not parts:
        return Sent(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), inputs)
    source, end, message = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Sent(source, end, np.where(source == end, 0.0, message), inputs)


def _traffic(mapping: Mapping, target: Target, sent: Sent) -> dict[str, float]:
    """The traffic counters of a summary row."""
    source, end, message, inputs = sent
    addresses = mapping.placement.addresses
    tiles = np.array([tile_of(target, *a) for a in addresses], np.int64)
    chips = np.array([chip_of(target, a.chip) for a in addresses], np.int64)
    return {
        "messages_per_step": float(message.sum()),
        "spike_hops_per_step": float(message @ np.abs(tiles[source] - tiles[end]).sum(axis=1)),
        "max_link_per_step": _max_link(tiles[source], tiles[end], message),
        "chip_crossings_per_step": float(message @ np.abs(chips[source] - chips[end]).sum(axis=1)),
        "input_messages_per_step": float(inputs.sum()),
    }


def _messages(
    graph: Graph, heard: list[Heard], rates: Rates, tables: dict[str, Table]
) -> tuple[Ints, Ints, Floats]:
    """(source slice, target core, messages per step) of one population.

    A neuron's message goes to a core once, however many projections and slices listen there: the
    union of what they listen to.
    """
    population = heard[0].projection.source
    pairs = [
        np.column_stack([h.source, tables[h.projection.target].cores[h.target]]) for h in heard
    ]
    ways, way = np.unique(np.concatenate(pairs), axis=0, return_inverse=True)
    way = way.ravel()
    times = np.bincount(way, minlength=len(ways))
    rate = rates.values[population]
    messages = np.zeros(len(ways))
    if isinstance(rate, float):  # one region: its size; the others are done below
        size = np.concatenate([h.extent.prod(axis=1) for h in heard])
        messages = np.bincount(way, size, len(ways)) * rate
    numbers = np.concatenate([np.arange(len(h.source)) for h in heard])
    which = np.repeat(np.arange(len(heard)), [len(h.source) for h in heard])
    order = np.argsort(way, kind="stable")
    stops = np.cumsum(times)
    for number in np.flatnonzero((times > 1) | (not isinstance(rate, float))).tolist():
        own = order[stops[number] - times[number] : stops[number]]
        box = tables[population].boxes[ways[number, 0]]
        regions = [
            _region(graph, heard[h], i, tables)
            for h, i in zip(which[own].tolist(), numbers[own].tolist(), strict=True)
        ]
        messages[number] = _spikes(regions, box, rate)
    return ways[:, 0], ways[:, 1], messages


def _region(graph: Graph, h: Heard, pair: int, tables: dict[str, Table]) -> Region:
    """What a target slice hears of a source slice, as indices from the slice's start."""
    e = h.projection
    ends = graph.population(e.source).shape, graph.population(e.target).shape
    box = tables[e.source].boxes[h.source[pair]]
    listener = tables[e.target].boxes[h.target[pair]].tolist()
    axes = []
    for axis in range(3):
        found = indices(e, ends, axis, *listener[axis])
        low, high = np.searchsorted(found, box[axis])
        axes.append(found[low:high] - box[axis, 0])
    return axes[0], axes[1], axes[2]


def _spikes(regions: list[Region], box: Ints, rate: float | Floats) -> float:
    """Spikes per step of the union of regions of a slice.

    With one rate for all, indices that the same regions hold are counted together, so that no
    neuron is looked at.
    """
    inside = [np.zeros((len(regions), b - a), np.bool_) for a, b in box.tolist()]
    for number, region in enumerate(regions):
        for axis, found in enumerate(region):
            inside[axis][number, found] = True
    if not isinstance(rate, float):
        (c0, c1), (y0, y1), (x0, x1) = box.tolist()
        return float(rate[c0:c1, y0:y1, x0:x1][_union(inside)].sum())
    kinds = [np.unique(axis, axis=1, return_counts=True) for axis in inside]
    c, y, x = (count for _, count in kinds)
    size = c[:, None, None] * y[:, None] * x
    return rate * float(size[_union([kind for kind, _ in kinds])].sum())


def _union(inside: list[npt.NDArray[np.bool_]]) -> npt.NDArray[np.bool_]:
    c, y, x = inside
    return np.asarray((c[:, :, None, None] & y[:, None, :, None] & x[:, None, None, :]).any(axis=0))


def _max_link(start: Ints, end: Ints, message: Floats) -> float:
    """Greatest load of a directed link: every message goes along the row first, then the column.

    Loads are summed up from where messages enter and leave a line of links.
    """
    if not len(message):
        return 0.0
    size = np.maximum(start.max(axis=0), end.max(axis=0)) + 1
    most = 0.0
    corner = np.column_stack([end[:, 0], start[:, 1]])
    for axis, (a, b) in ((0, (start, corner)), (1, (corner, end))):
        for forth in (True, False):
            chosen = a[:, axis] < b[:, axis] if forth else a[:, axis] > b[:, axis]
            low, high = (a, b) if forth else (b, a)
            steps = np.zeros(size)
            np.add.at(steps, tuple(low[chosen].T), message[chosen])
            np.subtract.at(steps, tuple(high[chosen].T), message[chosen])
            most = max(most, float(np.cumsum(steps, axis=axis).max()))
    return most
