"""Parameters and bits of a candidate's projections, summed up without building its network."""

from __future__ import annotations

from typing import NamedTuple

from neurocomp.arch import Candidate, Task
from neurocomp.arch.build import grow
from neurocomp.arch.network import Network, Term
from neurocomp.ir import Conv, CubaLif
from neurocomp.ir.shapes import n_weights


class Size(NamedTuple):
    """What a projection adds: Eq. 2's parameters, trained weights at their designed width."""

    params: int = 0
    model_bits: int = 0


class _Tally(Network):
    """Counts what would be joined, and joins nothing."""

    def __init__(self, neuron: CubaLif) -> None:
        super().__init__(neuron)
        self.sizes: list[tuple[str, Size]] = []

    def join(self, term: Term, target: str, delay: int = 0) -> None:
        """Count a projection; constant weights are not trained."""
        if term.weight is None:
            shape = self._shapes[target]
            weights = n_weights(term.op, self._shapes[term.source], shape)
            filters = shape[0] if isinstance(term.op, Conv) else 0
            self.sizes.append((term.label, Size(weights + 2 * filters, weights * term.bits)))


def sizes_of(candidate: Candidate, task: Task) -> list[tuple[str, Size]]:
    """Label and size of every trained projection of a candidate, its nodes named as they are."""
    tally, _ = grow(candidate.live(), task, _Tally)
    return tally.sizes


def total_size(parts: list[Size]) -> Size:
    """Several projections together."""
    return Size(sum(p.params for p in parts), sum(p.model_bits for p in parts))
