"""What a search weighs against each other, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from neurocomp.cost import Price
from neurocomp.cost.litesnn import BITS_PER_MB


@dataclass(frozen=True, slots=True)
class Objective:
    """One thing to optimise.

    Attributes:
        words: name and unit.
        cost: of a price; None = the evaluator's value, the only one that is the better the greater.
    """

    words: str
    cost: Callable[[Price], float] | None


OBJECTIVES: dict[str, Objective] = {
    "score": Objective("score", None),
    "params": Objective("parameters", lambda p: p.params),
    "model_mb": Objective("designed weight bits, MB", lambda p: p.model_bits / BITS_PER_MB),
    "stored_mb": Objective("stored weights, MB", lambda p: p.stored_bits / BITS_PER_MB),
    "cores": Objective("cores, estimated", lambda p: p.cores),
    "synops": Objective("SynOps per image", lambda p: p.synops),
    "bit_synops": Objective("bit-SynOps per image", lambda p: p.bit_synops),
    "energy_mj": Objective("energy per image in 45 nm CMOS, mJ", lambda p: p.energy_mj),
}


def costs(names: Sequence[str], score: float, price: Price) -> tuple[float, ...]:
    """The objectives of a candidate, all the better the smaller; the score is negated."""
    found = []
    for name in names:
        cost = OBJECTIVES[name].cost
        found.append(-score if cost is None else float(cost(price)))
    return tuple(found)
