"""Loihi 2's core memory, as fitted to the resource tables that Intel's compiler prints.

| resource | words |
|---|---|
| neurons | channels · rows · columns, columns padded to a power of two |
| neuron_groups | 1 per slice; on newer tables 1 per power-of-two chunk of a Conv layer's channels |
| synapse_words | Dense and Conv as in `neurocomp.hw.words`; a kernel once per core |
| in_axons | Dense: 1 per source neuron; Conv: 1 per power-of-two chunk of own channels |
| axon_map | to Dense or to the host: 1 per neuron; to Conv: 1 per position and own channel chunk |
| axon_mem | to Conv: a quarter word per map entry and destination core; to Dense: none |
| total_words | the sum of all of these |

An identity projection from an input population stores no synapses and takes one input axon; a layer
that has no other inputs is not chunked (the input layer of lava-dl's spiking PilotNet).

Two cases are not in the printed tables and are the natural continuation of the rules. A grouped
convolution is stored as one convolution per group: each group has its own input channels, chunks,
input axons and map entries, so a depthwise one costs a map entry per neuron. A population with
several outgoing projections has map entries for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import compress
from typing import Final, NamedTuple

from neurocomp.hw.fields import Box, pieces
from neurocomp.hw.layer import UNLIMITED, Counts, Layer, Outgoing, one_each
from neurocomp.hw.words import channel_chunks, dense_words, kernel_words
from neurocomp.ir import Conv
from neurocomp.spec.target import Target

ENTRIES_PER_WORD: Final = 4  # of axon memory; fitted to the tables' "axon mem", a field of 16 bits


def need(layer: Layer, boxes: Sequence[Box], target: Target, reach: Sequence[int] | None) -> Counts:
    """What boxes of one population need of a core they share; see `neurocomp.hw.demand`."""
    padded_x, _, group_per_chunk, _ = target.flags
    per_chunk = group_per_chunk and _hears_conv(layer)
    neurons = groups = size = 0
    for (c0, y0, x0), (c1, y1, x1) in boxes:
        rows, columns = (c1 - c0) * (y1 - y0), x1 - x0
        neurons += rows * (padded(columns) if padded_x else columns)
        size += rows * columns
        groups += (c1 - c0).bit_count() if per_chunk else 1
    neurons *= target.core.neuron_units.value
    own = one_each(layer, boxes, target, entries)
    axon_map = sum(own) if own else size  # without a consumer every spike goes to the host
    lists = 0
    for e, n in zip(layer.outgoing, own if reach is None else reach, strict=True):
        if isinstance(e.op, Conv):
            lists += n
    axon_mem = -(-lists // ENTRIES_PER_WORD)
    words, in_axons = kernels(layer, _runs(boxes), target)
    for d in layer.incoming:
        if not isinstance(d.op, Conv):
            sources = d.source[0] * d.source[1] * d.source[2]
            words += dense_words(sources, size, d.width)
            in_axons += sources
    in_axons += layer.injected
    total = neurons + groups + words + in_axons + axon_map + axon_mem
    return Counts(neurons, groups, words, in_axons, 0, axon_map, axon_mem, total)


def entries(
    layer: Layer, e: Outgoing, target: Target, start: int, stop: int, positions: int
) -> int:
    """Axon entries to one destination of channels ``start`` to ``stop`` at some positions.

    To Dense 1 per neuron; to Conv 1 per position and chunk of the channels of each group.
    """
    if not isinstance(e.op, Conv):
        return (stop - start) * positions
    if not (target.flags.channel_chunks and layer.incoming):
        return positions
    if e.op.groups == 1:
        return positions * (stop - start).bit_count()
    group = layer.shape[0] // e.op.groups
    return positions * sum(n * size.bit_count() for size, n in pieces(start, stop, group))


def _hears_conv(layer: Layer) -> bool:
    return any([isinstance(e.op, Conv) for e in layer.incoming])


class Room(NamedTuple):
    """What is left of a core for a box of some channels, in neurons, map entries and words.

    Attributes:
        units, entries, lists: what a position takes of the neurons, of the axon map and of the
            axon lists.
    """

    neurons: int
    axon_map: int
    axon_mem: int
    total: int
    units: int
    entries: int
    lists: int

    def rows(self, columns: int, counted: int) -> int:
        """Most rows of that many columns, of which ``counted`` count as neurons; 0 where none."""
        neurons, entries = self.units * counted, self.entries * columns
        lists = self.lists * columns
        words = ENTRIES_PER_WORD * (neurons + entries) + lists
        rows = min(self.neurons // neurons, self.axon_map // entries)
        rows = min(rows, self.total * ENTRIES_PER_WORD // words)
        return min(rows, self.axon_mem * ENTRIES_PER_WORD // lists) if lists else rows


def room(layer: Layer, target: Target, start: int, stop: int) -> Room:
    """Room for a box of channels ``start`` to ``stop`` whose inputs are all Conv.

    It is `need` turned round: the words of the kernels are fixed, the rest grows with the rows.
    Destinations are not known yet and count once.
    """
    limits, n = target.limits, stop - start
    words, in_axons = kernels(layer, [(start, stop)], target)
    in_axons += layer.injected
    groups = n.bit_count() if target.flags.group_per_chunk and _hears_conv(layer) else 1
    fixed = (words, in_axons, groups)
    fixed_limits = (limits.synapse_words, limits.in_axons, limits.neuron_groups)
    too_much = any(m is not None and k > m for k, m in zip(fixed, fixed_limits, strict=True))
    total = (limits.total_words or UNLIMITED) - words - in_axons - groups
    own = one_each(layer, [((start, 0, 0), (stop, 1, 1))], target, entries)
    to_conv = [isinstance(e.op, Conv) for e in layer.outgoing]
    return Room(
        neurons=limits.neurons or UNLIMITED,
        axon_map=limits.axon_map or UNLIMITED,
        axon_mem=limits.axon_mem or UNLIMITED,
        total=0 if too_much else max(total, 0),
        units=n * target.core.neuron_units.value,
        entries=sum(own) if own else n,
        lists=sum(compress(own, to_conv)),
    )


def padded(columns: int) -> int:
    """The next power of two."""
    return 1 << (columns - 1).bit_length()


def kernels(layer: Layer, channels: Sequence[tuple[int, int]], target: Target) -> tuple[int, int]:
    """Synapse words and input axons of the Conv projections into own channels (intervals)."""
    chunked = target.flags.channel_chunks
    words = in_axons = 0
    for e in layer.incoming:
        if isinstance(e.op, Conv):
            taps = e.op.kernel[0] * e.op.kernel[1] * (e.source[0] // e.op.groups)
            group = layer.shape[0] // e.op.groups
            for start, stop in channels:
                cut = pieces(start, stop, group) if e.op.groups > 1 else [(stop - start, 1)]
                for length, times in cut:
                    per_tap, chunks = _stored(length, e.width, chunked)
                    words += times * taps * per_tap
                    in_axons += times * chunks
    return words, in_axons


@lru_cache(maxsize=4096)
def _stored(channels: int, width: int, chunked: bool) -> tuple[int, int]:
    """Words per tap, and number of chunks, of that many channels of a convolution."""
    chunks = channel_chunks(channels) if chunked else (channels,)
    return kernel_words(1, chunks, width), len(chunks)


def _runs(boxes: Sequence[Box]) -> list[tuple[int, int]]:
    """Union of the boxes' channel intervals as disjoint, ascending runs."""
    if len(boxes) == 1:
        return [(boxes[0][0][0], boxes[0][1][0])]
    runs: list[tuple[int, int]] = []
    for start, stop in sorted((box[0][0], box[1][0]) for box in boxes):
        if runs and start <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], stop))
        else:
            runs.append((start, stop))
    return runs
