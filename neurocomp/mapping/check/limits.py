"""Does every core keep its limits? Counted with the hardware model, from the slices alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurocomp.hw.demand import FORMATS, add, need, with_limits
from neurocomp.hw.fields import Box
from neurocomp.hw.layer import Counts, Layer, Outgoing, layer_of
from neurocomp.ir import Graph
from neurocomp.mapping.check.synapses import Heard
from neurocomp.mapping.check.tables import Ints, Table
from neurocomp.mapping.model import Mapping
from neurocomp.spec.target import Target


def limit_faults(
    graph: Graph, mapping: Mapping, target: Target, tables: dict[str, Table], heard: list[Heard]
) -> Iterator[str]:
    """Cores that need more of a resource than they have."""
    layers = {p.name: layer_of(graph, p.name, target) for p in graph.neurons}
    reach = {
        h.projection.name: _entries(h, layers, target, tables, mapping.n_cores)
        for h in heard
        if h.projection.source in layers
    }
    for core, slices in enumerate(mapping.partition.cores):
        boxes: dict[str, list[Box]] = {}
        for s in slices:
            boxes.setdefault(s.population, []).append((s.start, s.stop))
        total = Counts()
        for name, own in boxes.items():
            entries = [int(reach[e.name][core]) for e in layers[name].outgoing]
            total = add(total, need(layers[name], own, target, entries))
        limits = target.limits_of(mapping.placement.addresses[core].core)
        for resource, use in with_limits(total, limits).excess().items():
            held = ", ".join(sorted(boxes))
            yield f"core {core} ({held}): {resource}: needs {use.used:,}, has {use.limit:,}"


def _entries(
    h: Heard, layers: dict[str, Layer], target: Target, tables: dict[str, Table], n_cores: int
) -> Ints:
    """Axon entries of every core through one projection.

    Loihi 2 lists a whole slice for each destination core; on Loihi 1 a neuron or position has an
    axon to each target slice that hears it.
    """
    layer = layers[h.projection.source]
    (e,) = (out for out in layer.outgoing if out.name == h.projection.name)
    sources, targets = tables[h.projection.source], tables[h.projection.target]
    if FORMATS[target.core.format].whole_lists:
        ways = np.unique(np.stack([h.source, targets.cores[h.target]]), axis=1)
        own = ways[0]
        spans, extent = sources.boxes[own, 0], np.diff(sources.boxes[own], axis=2)[:, :, 0]
    else:
        own = h.source
        spans, extent = _spans(h, layer, e, sources, targets), h.extent
    kinds, kind = np.unique(
        np.column_stack([spans, extent[:, 1] * extent[:, 2]]), axis=0, return_inverse=True
    )
    entries = FORMATS[target.core.format].entries
    each = np.array([entries(layer, e, target, *row) for row in kinds.tolist()], np.int64)
    total = np.zeros(n_cores, np.int64)
    np.add.at(total, sources.cores[own], each[kind.ravel()])
    return total


def _spans(h: Heard, layer: Layer, e: Outgoing, sources: Table, targets: Table) -> Ints:
    """The source channels of each pair: from the first group that is heard to the last."""
    groups = getattr(h.projection.op, "groups", 1)
    per_group, group_out = layer.shape[0] // groups, e.target[0] // groups
    box, end = sources.boxes[h.source, 0], targets.boxes[h.target, 0]
    first = np.maximum(box[:, 0], end[:, 0] // group_out * per_group)
    return np.column_stack([first, first + h.extent[:, 0]])
