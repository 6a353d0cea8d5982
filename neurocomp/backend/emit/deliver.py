"""What the routes bring to each core, and the synapses that it meets there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from neurocomp.backend.emit.boxes import coverage, field_of_view, within
from neurocomp.backend.emit.program import Mask, Synapses
from neurocomp.ir import Conv, Graph, Population, Projection, Slice, whole
from neurocomp.mapping.model import Mapping
from neurocomp.quant.sums import peak, sum_bits


@dataclass(frozen=True, slots=True)
class Wiring:
    """A graph without delays per synapse, and what arrives where.

    Attributes:
        arriving: slices that the routes bring, by (source population, logical core).
    """

    graph: Graph
    arriving: dict[tuple[str, int], list[Slice]]


def wiring(graph: Graph, mapping: Mapping) -> Wiring:
    """Read the routes of a mapping."""
    arriving: dict[tuple[str, int], list[Slice]] = {}
    for r in mapping.routes:
        if r.source is None:
            sent = [whole(graph.population(r.population))]
        else:
            held = mapping.partition.cores[r.source]
            sent = [s for s in held if s.population == r.population]
        for target in r.targets:
            arriving.setdefault((r.population, target), []).extend(sent)
    return Wiring(graph, arriving)


def synapses_onto(
    net: Wiring, e: Projection, box: Slice, slices: dict[Slice, int]
) -> Iterator[Synapses]:
    """Synapses of one projection onto a box: one block, or one per core where routes lack.

    Args:
        slices: what the box is made of, and the logical core that holds each slice.
    """
    masks = {s: served(net, e, s, core) for s, core in slices.items()}
    if all(mask is None for mask in masks.values()):
        yield from _blocks(net, e, box, None)
    else:
        for s in sorted(slices):
            yield from _blocks(net, e, s, masks[s])


def served(net: Wiring, e: Projection, box: Slice, core: int) -> Mask | None:
    """Which of the neurons in view the routes bring to a core; None if all that there are."""
    view = _view(net, e, box)
    mask: Mask = coverage(net.arriving.get((e.source, core), []), view) > 0
    exists = coverage([whole(net.graph.population(e.source))], view) > 0
    return None if bool((mask | ~exists).all()) else mask


def _view(net: Wiring, e: Projection, box: Slice) -> Slice:
    source, target = net.graph.population(e.source), net.graph.population(e.target)
    return field_of_view(e.op, box, target.shape[0], source.name, source.shape)


def _blocks(net: Wiring, e: Projection, box: Slice, served: Mask | None) -> Iterator[Synapses]:
    """The synapses onto a box, cut at convolution groups; those that never count are left out."""
    source, population = net.graph.population(e.source), net.graph.population(e.target)
    n_groups = e.op.groups if isinstance(e.op, Conv) else 1
    first = _view(net, e, box).start[0]
    for target, groups in _by_groups(box, population.shape[0] // n_groups):
        view = _view(net, e, target)
        channels = slice(view.start[0] - first, view.stop[0] - first)
        mask = None if served is None else served[channels]
        weight = _weight(e, target, population)
        if weight.any() and (mask is None or mask.any()):
            bound = peak(weight, source.neuron)
            yield Synapses(
                target=target,
                view=view,
                arrives=mask,
                op=e.op,
                weight=weight,
                groups=groups,
                delay=e.delay,
                peak=bound,
                bits=sum_bits(e, source.neuron, bound),
            )


def _weight(e: Projection, box: Slice, target: Population) -> npt.NDArray[np.integer[Any]]:
    """The weights of a box of targets; not copied where they lie together."""
    assert e.weight is not None  # a checked integer graph
    weight: npt.NDArray[np.integer[Any]] = e.weight
    if isinstance(e.op, Conv):
        return weight[box.start[0] : box.stop[0]]
    rows = np.arange(target.size).reshape(target.shape)[within(box, whole(target))].ravel()
    together = int(rows[-1]) - int(rows[0]) + 1 == len(rows)
    chosen = weight[rows[0] : rows[-1] + 1] if together else weight[rows]
    return np.asarray(chosen)


def _by_groups(box: Slice, size: int) -> Iterator[tuple[Slice, int]]:
    """Cut a box along channels where groups of ``size`` channels begin in its midst.

    Yields boxes that hold a part of one group, or whole groups, and how many.
    """
    first, last = box.start[0], box.stop[0]
    cuts = sorted({first, last, -(-first // size) * size, last // size * size})
    cuts = [c for c in cuts if first <= c <= last]
    for a, b in pairwise(cuts):
        piece = Slice(box.population, (a, *box.start[1:]), (b, *box.stop[1:]))
        yield piece, max(1, (b - a) // size)
