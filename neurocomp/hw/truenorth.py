"""TrueNorth's core: a crossbar of input axons and neurons with one bit per crossing.

An axon has one of four types, and a neuron one signed weight per type. A weight of b bits is
stored on b axons, whose types stand for 1, 2, …, −2^(b−1): four bits at most. A neuron sends its
spikes to a single axon of a single core, so that a neuron is needed again for each further axon
that hears it. Both are conclusions from the published architecture (Merolla et al. 2014, Akopyan
et al. 2015), not figures of IBM's tools, and so is what follows from them:

| resource | count |
|---|---|
| in_axons | source neurons that a box hears, times the bits of a weight |
| neurons | one for every axon that hears them; one for each that nothing on the chip hears |
| synapse_words | crossing points in use: in_axons · neurons / 64 |

Slices that share a core have axons of their own. Relay cores, which could copy spikes, are not
used. A neuron that sums projections of different widths needs types for each of them; that there
are four is not checked for such sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from neurocomp.hw.fields import Box, interval, region
from neurocomp.hw.layer import Counts, Layer, Outgoing, one_each
from neurocomp.hw.words import WORD_BITS
from neurocomp.spec.target import Target


def need(layer: Layer, boxes: Sequence[Box], target: Target, reach: Sequence[int] | None) -> Counts:
    """What boxes of one population need of a core they share; see `neurocomp.hw.demand`."""
    if reach is None:
        reach = one_each(layer, boxes, target, entries)
    in_axons = sum(
        region(e.op, e.source, layer.shape, box).size * e.width
        for e in layer.incoming
        for box in boxes
    )
    neurons = sum(reach) + sum(_unheard(layer, box) for box in boxes)
    neurons *= target.core.neuron_units.value
    return Counts(
        neurons=neurons,
        neuron_groups=len(boxes),
        synapse_words=-(-in_axons * neurons // WORD_BITS),
        in_axons=in_axons,
    )


def entries(
    layer: Layer, e: Outgoing, target: Target, start: int, stop: int, positions: int
) -> int:
    """Axons at one destination of channels ``start`` to ``stop`` at some positions."""
    return (stop - start) * positions * e.width


def _unheard(layer: Layer, box: Box) -> int:
    """Neurons of a box that nothing on the chip hears (at most, where several layers hear it)."""
    size = prod(b - a for a, b in zip(*box, strict=True))
    return min((size - _heard(layer, e, box) for e in layer.outgoing), default=size)


def _heard(layer: Layer, e: Outgoing, box: Box) -> int:
    (c0, y0, x0), (c1, y1, x1) = box
    all_of_it = region(e.op, layer.shape, e.target, ((0, 0, 0), e.target))
    rows, columns = all_of_it.rows & interval(y0, y1), all_of_it.columns & interval(x0, x1)
    return (c1 - c0) * rows.bit_count() * columns.bit_count()
