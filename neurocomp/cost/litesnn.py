"""The figures of LitE-SNN's tables: model size, bit-SynOps, additions, multiplications, energy.

Skips and average pooling have no trained weights and count nothing in the paper's figures. The
chip stores a signed 1-bit weight in two bits, rounds other widths up, and adds the weights of skips
and pooling like any others: the ``stored`` figures are those.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from neurocomp.cost.size import is_fixed, model_bits
from neurocomp.cost.synops import synops
from neurocomp.hw.words import stored_width
from neurocomp.ir import Graph, Input, Projection
from neurocomp.ir.shapes import endpoints, n_synapses
from neurocomp.spec.target import Target

ADDITION_PJ, MULTIPLICATION_PJ = 0.9, 3.7  # 45 nm, 32-bit floats (Horowitz, ISSCC 2014)
BITS_PER_MB = 8e6


@dataclass(frozen=True, slots=True)
class Figures:
    """One row of LitE-SNN's Tables 2 to 5; operations are per image.

    Attributes:
        size_mb: trained weights that are not pruned, at their designed width, 10⁶ bytes (Eq. 18).
        bit_synops: ``Σ b·(1 − p)·r·kh·kw·cin·cout·H·W`` (Eqs. 12 and 20).
        stored_bit_synops: the same over all projections, at the width that the chip stores.
        additions: synaptic operations of spikes; multiplications: of graded input values.
        energy_mj: of both in 45 nm CMOS.
    """

    size_mb: float
    bit_synops: float
    stored_bit_synops: float
    additions: float
    multiplications: float
    energy_mj: float


def figures(graph: Graph, rates: Mapping[str, float], target: Target) -> Figures:
    """The figures of a network.

    Args:
        rates: spikes per neuron and step by population, measured.
    """
    work = synops(graph, rates)
    widths = target.core.weight_bits.value
    trained = [e for e in graph.projections if not is_fixed(graph, e)]
    graded = sum(work[e.name] for e in trained if _is_graded(graph, e))
    additions = sum(work[e.name] for e in trained) - graded
    return Figures(
        size_mb=model_bits(graph) / BITS_PER_MB,
        bit_synops=sum(work[e.name] * e.weight_bits for e in trained),
        stored_bit_synops=sum(
            work[e.name] * stored_width(e.weight_bits, widths) for e in graph.projections
        ),
        additions=additions,
        multiplications=graded,
        energy_mj=energy_mj(additions, graded),
    )


def energy_mj(additions: float, multiplications: float) -> float:
    """Energy per image in millijoules: 0.9 pJ per addition, 3.7 pJ per multiplication."""
    return (ADDITION_PJ * additions + MULTIPLICATION_PJ * multiplications) * 1e-9


def macs(graph: Graph, kept: float = 1.0) -> float:
    """Multiply-accumulates of one pass of an untrained network: ``kept·Σ kh·kw·cin·cout·H·W``.

    Args:
        kept: share of the weights that pruning leaves.
    """
    sizes = (n_synapses(e.op, *endpoints(graph, e)) for e in graph.projections if e.weight is None)
    return kept * sum(sizes)


def _is_graded(graph: Graph, e: Projection) -> bool:
    neuron = graph.population(e.source).neuron
    return isinstance(neuron, Input) and neuron.bits > 1
