"""Does every neuron stand on exactly one core? Told from the edges of the slices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurocomp.hw.demand import FORMATS
from neurocomp.ir import Graph
from neurocomp.mapping.check.tables import Ints, Table
from neurocomp.mapping.model import Mapping
from neurocomp.spec.target import Target


def slice_faults(graph: Graph, mapping: Mapping, target: Target) -> Iterator[str]:
    """Slices that are no boxes of a population, or that the chip does not cut so."""
    known = {p.name: p.shape for p in graph.neurons}
    uncut = FORMATS[target.core.format].uncut
    for core, slices in enumerate(mapping.partition.cores):
        if not slices:
            yield f"core {core}: holds nothing"
        for s in slices:
            if s.population not in known:
                yield f"core {core}: '{s.population}' is no population of neurons"
                continue
            shape = known[s.population]
            if not all(0 <= a < b <= n for a, b, n in zip(s.start, s.stop, shape, strict=True)):
                yield f"core {core}: {s} is no box of a population of shape {shape}"
            elif uncut and s.shape != shape:
                yield f"core {core}: {s} is a part, {target.name} holds a population on one core"
            elif target.flags.padded_x and s.stop[2] < shape[2] and s.shape[2].bit_count() != 1:
                yield (
                    f"core {core}: {s}: {s.shape[2]} columns are no power of two, as x tiles of "
                    f"{target.name} must be except the last one"
                )


def cover_faults(tables: dict[str, Table]) -> Iterator[str]:
    """Neurons that stand on no core or on several."""
    for table in tables.values():
        once, more = _covered(table.boxes, 0)
        missing = table.size - once
        if missing:
            yield f"population '{table.population}': {missing} neurons stand on no core"
        if more:
            yield f"population '{table.population}': {more} neurons stand on more than one core"


def _covered(boxes: Ints, axis: int) -> tuple[int, int]:
    """Places that lie in one box or more, and in two or more; from this axis on.

    The axis is cut at every edge of a box; between two cuts the boxes are the same all along, so
    that the work grows with the boxes.

    Args:
        boxes: (boxes, axes, start and stop).
    """
    edges = np.unique(boxes[:, axis])
    lengths = np.diff(edges)
    if axis == 2:
        steps = np.bincount(np.searchsorted(edges, boxes[:, 2, 0]), minlength=len(edges))
        steps = steps - np.bincount(np.searchsorted(edges, boxes[:, 2, 1]), minlength=len(edges))
        times = np.cumsum(steps)[:-1]
        return int(lengths[times > 0].sum()), int(lengths[times > 1].sum())
    once = more = 0
    for start, length in zip(edges[:-1].tolist(), lengths.tolist(), strict=True):
        here = boxes[(boxes[:, axis, 0] <= start) & (start < boxes[:, axis, 1])]
        if len(here):
            inner, double = _covered(here, axis + 1)
            once, more = once + length * inner, more + length * double
    return once, more
