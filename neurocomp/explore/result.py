"""What a search found: the ranking, what was rejected and why, and the front."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from neurocomp.arch import Candidate
from neurocomp.arch.features import depth
from neurocomp.cost import Price
from neurocomp.errors import FitError
from neurocomp.explore.front import Points, front, volume_over_time
from neurocomp.explore.objectives import OBJECTIVES, costs

RANKING_ROWS = 20  # of the ranking that stand in the summary; `rows` has all
BASELINES: dict[str, Callable[[Scored], float]] = {
    "convolutions": lambda s: s.candidate.convolutions,
    "depth": lambda s: depth(s.candidate),
    "params": lambda s: s.price.params,
    "synops": lambda s: s.price.synops,
}


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate within the limits, with its score.

    Attributes:
        mapped_cores: that it uses as it is mapped; None where nobody has mapped it.
    """

    candidate: Candidate
    price: Price
    score: float
    mapped_cores: int | None = None

    def row(self) -> dict[str, Any]:
        """The candidate as plain values, the count of live convolutions beside the score."""
        row = _row(self.candidate, self.price) | {"mapped_cores": self.mapped_cores}
        return row | {"score": self.score, "rejected": None}


class Rejected(NamedTuple):
    """A candidate that is out, and why; thousands are made, in microseconds.

    Attributes:
        price: None where a limit or the target has put it out, since then it is not priced.
        limit: what it breaks: a limit's name, target, table, score or halving.
        reason: the same in words, equal for all candidates that break the same limit.
        detail: what exactly was found, where ``passed`` does not say it.
        passed: field of `Price` that is limited, and what it has of that or a lower bound; of
            "least_cores", what any mapping needs.
    """

    candidate: Candidate
    price: Price | None
    limit: str
    reason: str
    detail: str = ""
    passed: tuple[str, float] | None = None

    def row(self) -> dict[str, Any]:
        """The candidate as plain values; what is not known of it is None."""
        known = {} if self.passed is None else dict([self.passed])
        row = _row(self.candidate, self.price) | known
        return row | {"score": None, "rejected": self.reason}


@dataclass(frozen=True)
class SearchResult:
    """A finished search.

    Attributes:
        drawn: genotypes that the strategy proposed; distinct: networks among them.
        ranking: candidates that were evaluated in full, best first.
        order: the same in the order in which the strategy proposed them.
        objectives, budgets: as the search was asked for.
        evaluated: of this and all earlier calls; evaluating_seconds: wall time of these.
        seconds: of this and all earlier calls, with what this call did besides evaluating.
        accounts: trials of the study by what became of them.
        ended: why the search proposed no more, in words.
    """

    drawn: int
    distinct: int
    ranking: tuple[Scored, ...]
    rejected: tuple[Rejected, ...]
    evaluated: int
    evaluating_seconds: float
    seconds: float
    order: tuple[Scored, ...] = ()
    objectives: tuple[str, ...] = ("score", "stored_mb", "cores")
    budgets: Mapping[str, float] = field(default_factory=dict)
    accounts: Mapping[str, int] = field(default_factory=dict)
    strategy: str = "random"
    evaluator: str = ""
    ended: str = ""

    @cached_property
    def best(self) -> Scored:
        """The highest score within the budgets.

        Raises:
            FitError: none is; says what the cheapest costs.
        """
        for scored in self.ranking:
            if all(self._cost(name, scored) <= most for name, most in self.budgets.items()):
                return scored
        least = ", ".join(
            f"{name} {min(self._cost(name, s) for s in self.ranking):.6g} (budget {most:g})"
            for name, most in self.budgets.items()
        )
        raise FitError(
            f"none of {len(self.ranking)} evaluated candidates is within the budgets; the least "
            f"there is of each: {least}; raise a budget, or search with it as a limit"
        )

    @property
    def feasible(self) -> int:
        """Distinct candidates within the limits, evaluated in full or not."""
        kept = ("score", "halving", "left")
        return len(self.ranking) + sum(r.limit in kept for r in self.rejected)

    @property
    def candidates_per_second(self) -> float:
        """Evaluations per second of wall time, all workers and calls together."""
        return self.evaluated / self.evaluating_seconds if self.evaluating_seconds else 0.0

    @cached_property
    def pareto(self) -> tuple[Scored, ...]:
        """Candidates that no other beats in all objectives at once, best score first.

        Of candidates that are equal in all the first of the ranking stands for all.
        """
        if not self.ranking:
            return ()
        return tuple(self.ranking[i] for i in front(points(self.objectives, self.ranking)))

    @cached_property
    def hypervolume(self) -> list[tuple[int, float]]:
        """(evaluations, share of the box between the best and the worst of each objective)."""
        return volume_over_time(points(self.objectives, self.order)) if self.order else []

    @cached_property
    def taus(self) -> dict[str, float | None]:
        """Kendall's τ between the score and plain counts; None where one is constant.

        The nearer to 1, the less the score tells beyond a count.
        """
        from scipy.stats import kendalltau

        scores = [s.score for s in self.ranking]
        found: dict[str, float | None] = {}
        for name, count in BASELINES.items():
            counts = [count(s) for s in self.ranking]
            constant = len(set(counts)) < 2 or len(set(scores)) < 2
            found[name] = None if constant else float(kendalltau(scores, counts).statistic)
        return found

    @property
    def count_tau(self) -> float | None:
        """Kendall's τ between the score and the number of live convolutions."""
        return self.taus["convolutions"]

    def rows(self) -> list[dict[str, Any]]:
        """Every distinct candidate as plain values: the ranking, then the rejected ones."""
        return [*(s.row() for s in self.ranking), *(r.row() for r in self.rejected)]

    def as_row(self) -> dict[str, Any]:
        """The parts ``search``, ``best`` and ``pareto`` of the summary, as JSON values."""
        return {
            "search": {
                "strategy": self.strategy,
                "evaluator": self.evaluator,
                "candidates": self.drawn,
                "distinct": self.distinct,
                "feasible": self.feasible,
                "rejected": dict(Counter(r.limit for r in self.rejected)),
                "evaluated": self.evaluated,
                "ended": self.ended,
                "seconds": self.seconds,
                "candidates_per_second": self.candidates_per_second,
                "trials": dict(self.accounts),
                "count_tau": self.count_tau,
                "taus": self.taus,
                "objectives": list(self.objectives),
                "hypervolume": [list(moment) for moment in self.hypervolume],
                "ranking": [s.row() for s in self.ranking[:RANKING_ROWS]],
            },
            "best": self.best.row(),
            "pareto": [s.row() | {"candidate": s.candidate.as_dict()} for s in self.pareto],
        }

    @staticmethod
    def _cost(name: str, scored: Scored) -> float:
        cost = OBJECTIVES[name].cost
        return -scored.score if cost is None else float(cost(scored.price))


def points(objectives: Sequence[str], scored: Sequence[Scored]) -> Points:
    """(N, objectives) what candidates are weighed by, all the better the smaller."""
    return np.array([costs(objectives, s.score, s.price) for s in scored])


def _row(candidate: Candidate, price: Price | None) -> dict[str, Any]:
    blank = dict.fromkeys(Price.__dataclass_fields__)
    return {
        "id": candidate.id,
        "timesteps": candidate.timesteps,
        "weight_bits": candidate.weight_bits,
        "prune": candidate.prune,
        "convolutions": candidate.convolutions,
        **(blank if price is None else asdict(price)),
        "least_cores": None,
        "mapped_cores": None,
    }
