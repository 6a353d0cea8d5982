"""Limits before scores: what a candidate may cost, and which ones are out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from neurocomp.arch import Candidate
from neurocomp.cost import Price, Pricer
from neurocomp.cost.pieces import TARGET
from neurocomp.errors import FitError
from neurocomp.explore.outcome import Evaluator
from neurocomp.explore.result import Rejected
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.target import Target

TABLE = "table"


class Limit(NamedTuple):
    """A limit on something that a candidate costs.

    Attributes:
        price: field of `Price`; of "cores" the least that any mapping needs.
        words: what it counts; option: of the command line.
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
        ("max_cores", "cores", spec.max_cores, "cores in any mapping", "--max-cores"),
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
        """The price of a candidate that passes, or why it does not.

        Of what breaks a limit no more is priced than that shows.
        """
        if not self._evaluator.knows(candidate):
            return Rejected(candidate, None, TABLE, "not in the table", self._evaluator.about)
        passed = self._pricer.excess(candidate, self._quick)
        if passed is None or passed[0] == TARGET:
            try:
                return self._pricer(candidate)
            except FitError as fault:
                reason = f"does not fit {self._target.name}"
                return Rejected(candidate, None, TARGET, reason, str(fault))
        limit = next(limit for limit in self._limits if limit.price == passed[0])
        reason = f"more than {limit.most:,} {limit.words}"
        detail = f"{passed[1]:,.0f} {limit.words} or more"
        name = "least_cores" if limit.price == "cores" else limit.price
        return Rejected(candidate, None, limit.name, reason, detail, (name, passed[1]))

    def passes(self, candidate: Candidate) -> bool:
        """What `judge` decides, without prices and reasons, in microseconds."""
        if not self._evaluator.knows(candidate):
            return False
        return self._pricer.excess(candidate, self._quick) is None

    def violation(self, rejected: Rejected) -> float:
        """By what share of the limit it is passed; 1 where there is no such share."""
        for limit in self._limits:
            if rejected.limit == limit.name and rejected.passed is not None:
                return rejected.passed[1] / limit.most - 1.0
        return 1.0

    def nothing_feasible(self, rejected: Sequence[Rejected]) -> str:
        """What to say when all are out: the limit broken most often, and what to relax."""
        counts = Counter(r.reason for r in rejected)
        found = ", ".join(f"{n} × {reason}" for reason, n in counts.most_common())
        most = counts.most_common(1)[0][0]
        broken = [r for r in rejected if r.reason == most]
        advice = f"for example {broken[0].detail}"
        for limit in self._limits:
            if broken[0].limit == limit.name:
                least = self._least(limit, broken)
                advice = (
                    f"the least of these has {least:,.0f} {limit.words}: raise {limit.option}, "
                    "or narrow the space to smaller networks"
                )
        return (
            f"none of {len(rejected)} distinct candidates is within the limits ({found}); {advice}"
        )

    def _least(self, limit: Limit, broken: Sequence[Rejected]) -> float:
        """The least that any of these has of what is limited."""
        nearest = sorted(broken, key=lambda r: r.passed[1] if r.passed else 0.0)
        least = float("inf")
        for one in nearest:
            if one.passed is not None and one.passed[1] < least:
                least = min(least, self._pricer.total(one.candidate, limit.price))
        return least
