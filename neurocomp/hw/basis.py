"""How sure a count is: which counts are the format's own, which are bounds, which nobody knows.

A count is "exact" where printed tables or the peer's own code give the same; "upper bound" where a
way to store it is known that no table confirms; "lower bound" where something is not counted yet or
a source counts more; "unknown" where no rule is known, or what is known bounds neither side.
Figures of the target that were inferred are a matter of `neurocomp.spec.figure`, not of this.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from neurocomp.hw.layer import Incoming, Layer, Outgoing
from neurocomp.ir import Conv

Basis: TypeAlias = Literal["exact", "upper bound", "lower bound", "unknown"]
EXACT: Basis = "exact"
UPPER: Basis = "upper bound"
LOWER: Basis = "lower bound"
UNKNOWN: Basis = "unknown"


class Bases(NamedTuple):
    """The basis of every count; fields as `neurocomp.hw.layer.Counts`."""

    neurons: Basis = EXACT
    neuron_groups: Basis = EXACT
    synapse_words: Basis = EXACT
    in_axons: Basis = EXACT
    out_axons: Basis = EXACT
    axon_map: Basis = EXACT
    axon_mem: Basis = EXACT
    total_words: Basis = EXACT


ALL_EXACT = Bases()


def both(*parts: Basis) -> Basis:
    """The basis of a sum: bounds of one side stay, bounds of both sides leave nothing known."""
    found = set(parts) - {EXACT}
    return found.pop() if len(found) == 1 else UNKNOWN if found else EXACT


def together(a: Bases, b: Bases) -> Bases:
    """The bases of two populations' counts on one core."""
    return Bases(*map(both, a, b))


def loihi2(layer: Layer, cut: bool) -> Bases:
    """Exact are the printed cases: Dense, Conv of one group, one consumer or Dense ones.

    Grouped convolutions are counted as one convolution per group, but for their neuron groups,
    which may be more. Several consumers have lists of their own. What delays of synapses or
    projections cost is unknown and counted as nothing.

    Args:
        cut: whether the consumers are; axon memory counts their cores.
    """
    grouped = any(map(_grouped, layer.incoming))
    ends = UPPER if _unprinted_ends(layer) else EXACT
    uncut = LOWER if not cut and any(isinstance(e.op, Conv) for e in layer.outgoing) else EXACT
    synapses = both(UPPER if grouped else EXACT, _delays(layer))
    axons, groups = (UPPER, LOWER) if grouped else (EXACT, EXACT)
    lists = both(ends, uncut)
    total = both(groups, synapses, axons, ends, lists)
    return Bases(EXACT, groups, synapses, axons, EXACT, ends, lists, total)


def loihi1(layer: Layer, cut: bool) -> Bases:
    """Exact is what nengo-loihi stores; it has no grouped convolutions."""
    inside = UPPER if any(map(_grouped, layer.incoming)) else EXACT
    ends = UPPER if any(map(_grouped, layer.outgoing)) else EXACT
    slots = both(ends, LOWER if layer.outgoing and not cut else EXACT)
    return Bases(synapse_words=inside, in_axons=inside, out_axons=slots)


def truenorth(layer: Layer, cut: bool) -> Bases:
    """One way to store weights of several bits, by axons of several types; others may need less.

    Sums of projections of unequal widths may need more than the four types that there are.
    """
    widths = {e.width for e in layer.incoming}
    inside = both(UPPER if len(widths) == 1 else UNKNOWN, _delays(layer))
    ends = both(UPPER, LOWER if layer.outgoing and not cut else EXACT) if layer.outgoing else EXACT
    return Bases(neurons=ends, synapse_words=both(inside, ends), in_axons=inside)


def dynap_cnn(layer: Layer, cut: bool) -> Bases:
    """Exact is sinabs' documentation; its code pads rows and columns to powers of two.

    It says nothing of several projections into one layer; zeros between groups are stored.
    """
    unpadded = all(n & (n - 1) == 0 for n in layer.shape[1:])
    inside = UPPER if any(map(_grouped, layer.incoming)) else EXACT
    summed = UNKNOWN if len(layer.incoming) > 1 else EXACT
    return Bases(
        neurons=EXACT if unpadded else LOWER,
        synapse_words=both(inside, summed, _delays(layer)),
    )


def _grouped(e: Incoming | Outgoing) -> bool:
    return isinstance(e.op, Conv) and e.op.groups > 1


def _unprinted_ends(layer: Layer) -> bool:
    """Whether consumers are such that no printed table has the map and the lists to them."""
    several = len(layer.outgoing) > 1
    return any(_grouped(e) or (several and isinstance(e.op, Conv)) for e in layer.outgoing)


def _delays(layer: Layer) -> Basis:
    return UNKNOWN if any(e.delayed for e in layer.incoming) else EXACT
