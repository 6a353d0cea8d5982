"""What slices need of a core: the one place where fitting is decided.

`cost` and `mapping` both ask here, so that an estimate and a mapping agree on what fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from neurocomp.hw import basis, dynapcnn, loihi1, loihi2, truenorth
from neurocomp.hw.basis import ALL_EXACT, EXACT, Bases, Basis
from neurocomp.hw.fields import Box
from neurocomp.hw.layer import Counts, Entries, Layer, Outgoing, layer_of
from neurocomp.ir import Graph, Slice
from neurocomp.spec.target import Limits, Target


class Format(NamedTuple):
    """How a chip's cores store slices.

    Attributes:
        need: what boxes of one population need of a core.
        entries: axon entries to one destination core (of channels from, to, at some positions).
        basis: how sure those counts are, before or after the consumers are cut.
        whole_lists: a destination costs entries for all of a slice, not only for what it hears.
        positional: what a box needs depends on where in its population it lies.
        uncut: a population lies on one core as a whole.
    """

    need: Callable[[Layer, Sequence[Box], Target, Sequence[int] | None], Counts]
    entries: Entries
    basis: Callable[[Layer, bool], Bases]
    whole_lists: bool = False
    positional: bool = False
    uncut: bool = False


FORMATS: dict[str, Format] = {
    "dynap-cnn": Format(
        dynapcnn.need, dynapcnn.entries, basis.dynap_cnn, whole_lists=True, uncut=True
    ),
    "loihi1": Format(loihi1.need, loihi1.entries, basis.loihi1, positional=True),
    "loihi2": Format(loihi2.need, loihi2.entries, basis.loihi2, whole_lists=True),
    "truenorth": Format(truenorth.need, truenorth.entries, basis.truenorth, positional=True),
}


class Use(NamedTuple):
    """Used and available amount of a resource; limit None = not known.

    Attributes:
        basis: whether ``used`` is exact or a bound, see `neurocomp.hw.basis`.
    """

    used: int
    limit: int | None
    basis: Basis = EXACT

    @property
    def fits(self) -> bool:
        """Whether the limit, if there is one, is kept."""
        return self.limit is None or self.used <= self.limit


class Demand(NamedTuple):
    """(used, limit, basis) of every resource of a core."""

    neurons: Use
    neuron_groups: Use
    synapse_words: Use
    in_axons: Use
    out_axons: Use
    axon_map: Use
    axon_mem: Use
    total_words: Use

    @property
    def fits(self) -> bool:
        """Whether every limit is kept."""
        return all(use.fits for use in self)

    def excess(self) -> dict[str, Use]:
        """The resources whose limit is passed."""
        return {name: use for name, use in self._asdict().items() if not use.fits}

    def binding(self) -> str:
        """The resource with the greatest share of its limit in use."""
        shares = {name: use.used / use.limit for name, use in self._asdict().items() if use.limit}
        return max(shares, key=shares.__getitem__, default="neurons")


def demand(
    graph: Graph,
    slices: Sequence[Slice],
    target: Target,
    reach: dict[str, int] | None = None,
    core: int | None = None,
) -> Demand:
    """What the slices that share one core need of it, with their incoming projections.

    A kernel that several slices of a population use is counted once.

    Args:
        slices: slices of populations that live on cores (inputs do not).
        reach: per outgoing projection, by name: axon entries summed over the destination cores
            (`Format.entries`), which decide Loihi 1's output axons and Loihi 2's axon memory.
            None: the consumers are not cut yet, every slice has one destination.
        core: number of the core on its chip, whose own limits count; None = the greatest that any
            core of the target has.

    Raises:
        FitError: a weight or an index is wider than the target stores.
    """
    boxes: dict[str, list[Box]] = {}
    for s in slices:
        boxes.setdefault(s.population, []).append((s.start, s.stop))
    total, bases = Counts(), ALL_EXACT
    for name, own in boxes.items():
        layer = layer_of(graph, name, target)
        pairs = None if reach is None else [reach[e.name] for e in layer.outgoing]
        total = add(total, need(layer, own, target, pairs))
        bases = basis.together(bases, bases_of(layer, target, reach is not None))
    return with_limits(total, target.limits if core is None else target.limits_of(core), bases)


def need(
    layer: Layer, boxes: Sequence[Box], target: Target, reach: Sequence[int] | None = None
) -> Counts:
    """What boxes of one layer need of a core that they share, in the target's format."""
    return FORMATS[target.core.format].need(layer, boxes, target, reach)


def bases_of(layer: Layer, target: Target, cut: bool) -> Bases:
    """How sure `need` is of a layer's counts, before or after its consumers are cut."""
    return FORMATS[target.core.format].basis(layer, cut)


def slice_entries(layer: Layer, e: Outgoing, target: Target, box: Box) -> int:
    """Axon entries of a whole box to one destination core."""
    (c0, y0, x0), (c1, y1, x1) = box
    positions = (y1 - y0) * (x1 - x0)
    return FORMATS[target.core.format].entries(layer, e, target, c0, c1, positions)


def add(a: Counts, b: Counts) -> Counts:
    """Counts of two populations on one core."""
    return Counts(*(x + y for x, y in zip(a, b, strict=True)))


def with_limits(counts: Counts, limits: Limits, bases: Bases = ALL_EXACT) -> Demand:
    """Counts beside the core's limits and how sure they are."""
    return Demand(*map(Use, counts, limits, bases))


def fits(counts: Counts, limits: Limits) -> bool:
    """Whether counts keep every limit."""
    return all(limit is None or used <= limit for used, limit in zip(counts, limits, strict=True))
