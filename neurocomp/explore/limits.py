"""Limits before scores: what a candidate may cost, and which ones are out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from neurocomp.arch import Candidate
from neurocomp.cost import Price, Pricer
from neurocomp.cost.pricer import TARGET
from neurocomp.errors import FitError
from neurocomp.explore.outcome import Evaluator
from neurocomp.explore.result import Rejected
from neurocomp.hw.layer import ENDLESS
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.target import Target

TABLE = "table"


class Limit(NamedTuple):
    """A limit on something that a candidate costs.

    Attributes:
        price: field of `Price`; of "cores" the least that any mapping needs.
        words: what it counts; option: of the command line; reason: why a candidate is out.
    """

    name: str
    price: str
    most: float
    words: str
    option: str
    reason: str


def limits_of(spec: SearchSpec) -> tuple[Limit, ...]:
    """The limits that a search has."""
    known = (
        ("max_params", "params", spec.max_params, "parameters", "--max-params"),
        ("max_bits", "model_bits", spec.max_bits, "weight bits", "--max-bits"),
        ("max_cores", "cores", spec.max_cores, "cores in any mapping", "--max-cores"),
    )
    return tuple(
        Limit(name, price, most, words, option, f"more than {most:,} {words}")
        for name, price, most, words, option in known
        if most is not None
    )


def unfit(target: Target) -> str:
    """Why a candidate that a target cannot hold is out."""
    return f"does not fit {target.name}"


class Gate:
    """Lets candidates pass that are within the limits, and says of the others why not."""

    def __init__(
        self, spec: SearchSpec, target: Target, pricer: Pricer, evaluator: Evaluator
    ) -> None:
        self._limits = limits_of(spec)
        self._pricer, self._evaluator = pricer, evaluator
        self._quick = tuple((limit.price, limit.most) for limit in self._limits)
        self._by_price = {limit.price: limit for limit in self._limits}
        self._unfit = unfit(target)

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
        if passed is not None:
            name, found = passed
            if name != TARGET:
                limit = self._by_price[name]
                known = "least_cores" if name == "cores" else name, found
                return Rejected(candidate, None, limit.name, limit.reason, "", known)
            if found < ENDLESS:
                detail = f"{found:,.0f} cores in any mapping or more"
                return Rejected(candidate, None, TARGET, self._unfit, detail)
        try:
            return self._pricer(candidate)
        except FitError as fault:
            return Rejected(candidate, None, TARGET, self._unfit, str(fault))

    def passes(self, candidate: Candidate) -> bool:
        """Whether a candidate is within the limits, in microseconds.

        That a layer fits no core however it is cut only `judge` finds.
        """
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
