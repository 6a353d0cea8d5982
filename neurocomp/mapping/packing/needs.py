"""What every slice of a tiling needs of a core, its axons counted to the cores that hear it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from neurocomp.hw.demand import FORMATS, add, fits, need, slice_entries
from neurocomp.hw.layer import Counts, Layer, Outgoing, layer_of
from neurocomp.ir import Graph, Slice
from neurocomp.mapping.connections import Connection, connections
from neurocomp.mapping.model import Partition
from neurocomp.spec.target import Target

Core: TypeAlias = list[int]  # numbers of slices, or of bundles, that a core holds


class Needs:
    """What the slices of a partition with one slice per core need, alone and together.

    Every slice that hears counts as a destination of its own; when some of them share a core there
    are fewer, so the needs are right or too high after any merge.
    """

    def __init__(self, graph: Graph, slices: Partition, target: Target) -> None:
        self.target = target
        self.slices = [s for (s,) in slices.cores]
        self.layers = {p.name: layer_of(graph, p.name, target) for p in graph.neurons}
        ends = {e.name: e for layer in self.layers.values() for e in layer.outgoing}
        self.reach: list[dict[str, int]] = [dict.fromkeys(ends, 0) for _ in self.slices]
        for c in connections(graph, slices):
            if c.source is not None:
                s, e = self.slices[c.source], ends[c.projection]
                n = _entries(self.layers[c.population], e, target, s, c)
                self.reach[c.source][c.projection] += n
        self._together: dict[tuple[int, ...], Counts] = {}
        self.alone = [self._of_one_layer((i,)) for i in range(len(self.slices))]

    def fit(self, numbers: Iterable[int]) -> bool:
        """Whether the slices of these numbers fit a core together; none always do.

        A sum decides where no population has two slices; else what is never shared must fit first.
        """
        chosen = sorted(numbers)
        limits = self.target.limits
        total = Counts(*map(sum, zip(*(self.alone[i] for i in chosen), strict=True)))
        if len({self.slices[i].population for i in chosen}) == len(chosen):
            return fits(total, limits)
        unshared = total._replace(synapse_words=0, in_axons=0, total_words=0)
        return fits(unshared, limits) and fits(self.of(chosen), limits)

    def of(self, numbers: Sequence[int]) -> Counts:
        """Needs of the slices of these numbers on one core, shared kernels counted once."""
        by_population: dict[str, list[int]] = {}
        for i in numbers:
            by_population.setdefault(self.slices[i].population, []).append(i)
        total = Counts()
        for own in by_population.values():
            total = add(total, self._of_one_layer(tuple(sorted(own))))
        return total

    def _of_one_layer(self, own: tuple[int, ...]) -> Counts:
        if own not in self._together:
            layer = self.layers[self.slices[own[0]].population]
            boxes = [(self.slices[i].start, self.slices[i].stop) for i in own]
            reach = [sum(self.reach[i][e.name] for i in own) for e in layer.outgoing]
            self._together[own] = need(layer, boxes, self.target, reach)
        return self._together[own]


def _entries(layer: Layer, e: Outgoing, target: Target, s: Slice, c: Connection) -> int:
    chosen = FORMATS[target.core.format]
    if chosen.whole_lists:
        return slice_entries(layer, e, target, (s.start, s.stop))
    return chosen.entries(layer, e, target, *c.region.channels, c.region.positions)
