"""Limits before scores: what a candidate may cost, and which ones are out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from neurocomp.arch import Candidate
from neurocomp.cost import Price, Pricer
from neurocomp.errors import FitError
from neurocomp.explore.outcome import Evaluator
from neurocomp.explore.result import Rejected
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.target import Target

TARGET, TABLE = "target", "table"


class Limit(NamedTuple):
    """A limit on something that a candidate costs.

    Attributes:
        price: field of `Price`; words: what it counts; option: of the command line.
    """

    name: str
    price: str
    most: float
    words: str
    option: str


def limits_of(spec: SearchSpec) -> tuple[Limit, ...]:
    """The limits that a search has."""
    known = (
        ("max_params", "params", spec.max_params, "parameters", "--max-params"),
        ("max_bits", "model_bits", spec.max_bits, "weight bits", "--max-bits"),
        ("max_cores", "cores", spec.max_cores, "cores", "--max-cores"),
    )
    return tuple(
        Limit(name, price, most, words, option)
        for name, price, most, words, option in known
        if most is not None
    )


class Gate:
    """Lets candidates pass that are within the limits, and says of the others why not."""

    def __init__(
        self, spec: SearchSpec, target: Target, pricer: Pricer, evaluator: Evaluator
    ) -> None:
        self._limits, self._target = limits_of(spec), target
        self._pricer, self._evaluator = pricer, evaluator
        self._quick = tuple((limit.price, limit.most) for limit in self._limits)

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that a candidate may break."""
        return (TARGET, TABLE, *(limit.name for limit in self._limits))

    def judge(self, candidate: Candidate) -> Price | Rejected:
        """The price of a candidate that passes, or why it does not."""
        if not self._evaluator.knows(candidate):
            return Rejected(candidate, None, TABLE, "not in the table", self._evaluator.about)
        try:
            price = self._pricer(candidate)
        except FitError as fault:
            reason = f"does not fit {self._target.name}"
            return Rejected(candidate, None, TARGET, reason, str(fault))
        for limit in self._limits:
            found = getattr(price, limit.price)
            if found > limit.most:
                reason = f"more than {limit.most:,} {limit.words}"
                return Rejected(candidate, price, limit.name, reason, f"{found:,} {limit.words}")
        return price

    def passes(self, candidate: Candidate) -> bool:
        """What `judge` decides, without prices and reasons, in microseconds."""
        return self._evaluator.knows(candidate) and not self._pricer.exceeds(candidate, self._quick)

    def violation(self, rejected: Rejected) -> float:
        """By what share of the limit it is passed; 1 where there is no such share."""
        for limit in self._limits:
            if rejected.limit == limit.name and rejected.price is not None:
                return float(getattr(rejected.price, limit.price)) / limit.most - 1.0
        return 1.0


def nothing_feasible(rejected: Sequence[Rejected], spec: SearchSpec) -> str:
    """What to say when every candidate is out: the limit broken most often, and what to relax."""
    counts = Counter(r.reason for r in rejected)
    found = ", ".join(f"{n} × {reason}" for reason, n in counts.most_common())
    most = counts.most_common(1)[0][0]
    broken = [r for r in rejected if r.reason == most]
    advice = f"for example {broken[0].detail}"
    for limit in limits_of(spec):
        if broken[0].limit == limit.name:
            least = min(getattr(r.price, limit.price) for r in broken)
            advice = (
                f"the least of these has {least:,} {limit.words}: raise {limit.option}, "
                "or narrow the space to smaller networks"
            )
    return f"none of {len(rejected)} distinct candidates is within the limits ({found}); {advice}"
