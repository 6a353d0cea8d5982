"""The study: candidates are proposed, made unique, priced, limited, and only then evaluated."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from neurocomp.arch import Candidate, Task, for_task
from neurocomp.cost import Price, Pricer
from neurocomp.errors import FitError, InputError, RunError
from neurocomp.explore.confirm import confirmed, mapped_by
from neurocomp.explore.evaluate import Evaluation, key_of
from neurocomp.explore.limits import Gate
from neurocomp.explore.objectives import costs
from neurocomp.explore.outcome import FULL, Evaluator, Outcome
from neurocomp.explore.result import Rejected, Scored, SearchResult
from neurocomp.explore.store import Store
from neurocomp.explore.strategies import STRATEGIES, Told
from neurocomp.explore.workers import Workers
from neurocomp.progress import Progress, quiet
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space
from neurocomp.spec.target import Target


def search(
    space: Space,
    spec: SearchSpec,
    target: Target,
    task: Task,
    evaluator: Evaluator,
    *,
    storage: Path | str,
    seed: int = 0,
    workers: int = 1,
    policy: str = "balanced",
    progress: Progress | None = None,
) -> SearchResult:
    """Propose candidates, price each on the target, evaluate those within the limits, rank them.

    The same arguments give the same ranking, whatever the number of workers and machines and
    however often the search was interrupted. Nothing that stands in the storage is evaluated
    again; limits and target may change between calls, for scores do not depend on them.

    Args:
        spec: strategy, number of candidates, limits, objectives.
        storage: journal file, or URL of a database, in which evaluations are kept.
        workers: processes that evaluate, with one thread each; 1 evaluates in this process. With
            more, ``evaluator`` must be picklable, and a script must call this under
            ``if __name__ == "__main__":``, because the workers import it.
        policy: of the mapping that the limit on cores is held by.

    Raises:
        InputError: the space does not suit the task, or the storage cannot be used.
        FitError: no candidate is within the limits, or none as it is mapped; says which limit is to
            be relaxed.
        RunError: a worker was killed twice at the same candidate (what was evaluated is kept), or
            no score is finite.
    """
    start = time.perf_counter()
    fitting = for_task(space, task)
    gate = Gate(spec, target, Pricer(task, target, spec.rate), evaluator)
    strategy = STRATEGIES[spec.strategy](fitting, spec, seed, gate.passes)
    book = _Book(spec, gate, progress or quiet)
    evaluating = 0.0
    with (
        Store(storage, f"{evaluator.about}; {task}") as store,
        Workers(evaluator, workers) as pool,
    ):
        evaluation = Evaluation(store, pool, book.evaluated)
        while book.ended is None and (batch := strategy.ask()):
            feasible = book.take(batch)
            began = time.perf_counter()
            if spec.halving is None:
                outcomes = {c: (o, FULL) for c, o in evaluation.full(feasible).items()}
            else:
                outcomes = evaluation.halved(feasible, spec.halving)
            evaluating += time.perf_counter() - began
            book.enter(outcomes)
            strategy.tell(book.told(batch))
        book.require_result()
        at_work = store.seconds_at_work(book.keys)
        accounts = store.accounts()
    ranking, over = confirmed(book.ranking(), spec, target, mapped_by(policy, task, target))
    there = {s.candidate: s for s in ranking}
    return SearchResult(
        drawn=book.drawn,
        distinct=len(book.seen),
        ranking=ranking,
        rejected=(*book.rejected.values(), *over),
        evaluated=len(book.keys),
        evaluating_seconds=at_work,
        seconds=at_work + time.perf_counter() - start - evaluating,
        order=tuple(there[c] for c in book.scored if c in there),
        objectives=spec.objectives,
        budgets={str(name): most for name, most in spec.budgets.items()},
        accounts=accounts,
        strategy=spec.strategy,
        evaluator=evaluator.about,
        ended=book.ended or USED_UP,
    )


class _Book:
    """What is known of all candidates so far, in the order in which they were proposed."""

    def __init__(self, spec: SearchSpec, gate: Gate, report: Progress) -> None:
        self._spec, self._gate, self._report = spec, gate, report
        self._prices: dict[Candidate, Price] = {}
        self._outcomes: dict[Candidate, Outcome] = {}
        self.drawn = 0
        self.seen: set[Candidate] = set()
        self.scored: dict[Candidate, Scored] = {}
        self.rejected: dict[Candidate, Rejected] = {}
        self.keys: set[str] = set()
        self._done = 0
        self._barren = 0  # batches since the last that brought something new

    @property
    def ended(self) -> str | None:
        """Why no more candidates are wanted, in words; None where they are."""
        spec = self._spec
        if spec.evaluations is not None and len(self._outcomes) >= spec.evaluations:
            return f"all {spec.evaluations:,} evaluations are made"
        if self.drawn >= spec.candidates:
            return f"all {spec.candidates:,} candidates are proposed"
        if self._barren >= MOST_BARREN:
            return f"the last {MOST_BARREN} batches of {spec.strategy} brought no new network"
        return None

    def take(self, batch: list[Candidate]) -> dict[Candidate, Price]:
        """Price a batch; returns those that are to be evaluated."""
        batch = batch[: self._spec.candidates - self.drawn]
        self.drawn += len(batch)
        fresh = [c for c in dict.fromkeys(batch) if c not in self.seen]
        self._barren = 0 if fresh else self._barren + 1
        room = self._spec.evaluations or len(fresh) + len(self._outcomes)
        feasible: dict[Candidate, Price] = {}
        for done, candidate in enumerate(fresh, 1):
            if len(self._outcomes) + len(feasible) >= room:
                break
            self.seen.add(candidate)
            verdict = self._gate.judge(candidate)
            if isinstance(verdict, Rejected):
                self.rejected[candidate] = verdict
            else:
                feasible[candidate] = self._prices[candidate] = verdict
            self._report("price", len(self.seen), len(self.seen) + len(fresh) - done)
        if feasible:
            self._report("score", self._done, self._done + len(feasible))
        return feasible

    def evaluated(self, name: str) -> None:
        """Tell how far the evaluations are."""
        self._done += 1
        self._report("score", self._done, max(len(self._prices), self._done), name)

    def enter(self, outcomes: Mapping[Candidate, tuple[Outcome, float]]) -> None:
        """Keep the outcomes of what `take` has let through."""
        for candidate in [c for c in self._prices if c in outcomes]:
            outcome, share = outcomes[candidate]
            price = self._prices[candidate]
            self._outcomes[candidate] = outcome
            self.keys.add(key_of(candidate, share))
            if outcome.score is None:
                detail = "its spikes do not tell the samples of a batch apart"
                self.rejected[candidate] = Rejected(
                    candidate, price, "score", "no finite score", detail
                )
            elif share < FULL:
                detail = f"score {outcome.score:.6g} after {share:.0%} of the effort"
                self.rejected[candidate] = Rejected(
                    candidate, price, "halving", "stopped by successive halving", detail
                )
            else:
                self.scored[candidate] = Scored(candidate, price, outcome.score)
        self._done = len(self._outcomes)

    def told(self, batch: list[Candidate]) -> dict[Candidate, Told]:
        """What the strategy is told about the candidates of a batch."""
        found: dict[Candidate, Told] = {}
        clean = dict.fromkeys(self._gate.names, 0.0)
        for candidate in batch:
            outcome, out = self._outcomes.get(candidate), self.rejected.get(candidate)
            if outcome is not None and outcome.score is not None:
                cost = costs(self._spec.objectives, outcome.score, self._prices[candidate])
                found[candidate] = Told(outcome.score, cost, outcome.spikes, clean)
            elif outcome is None and out is not None:
                share = self._gate.violation(out)
                found[candidate] = Told(violation=clean | {out.limit: share})
            elif outcome is not None:
                found[candidate] = Told(violation=clean)
        return found

    def ranking(self) -> tuple[Scored, ...]:
        """Scored candidates, best first, equals by stored bits and id."""
        order = sorted(
            self.scored.values(), key=lambda s: (-s.score, s.price.stored_bits, s.candidate.id)
        )
        return tuple(order)

    def require_result(self) -> None:
        """Something must have been proposed, have passed the limits, and have a score."""
        if not self.seen:
            raise InputError(
                f"strategy {self._spec.strategy}: found no candidate within the limits to propose; "
                "raise a limit, or narrow the space to smaller networks"
            )
        if not self._prices:
            raise FitError(self._gate.nothing_feasible(list(self.rejected.values())))
        if not self.scored:
            raise RunError(
                f"none of the {len(self._prices)} candidates within the limits has a finite score: "
                "their spikes do not tell the samples apart; score larger batches or longer windows"
            )


MOST_BARREN = 20  # batches in a row that propose nothing new; then the space is taken as used up
USED_UP = "there are no more networks to propose"
