"""Strategies whose decisions an Optuna sampler makes, with limits as hard constraints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import optuna
from optuna.samplers import BaseSampler, NSGAIISampler, TPESampler
from optuna.trial import Trial, TrialState

from neurocomp.arch import Candidate, assemble
from neurocomp.explore.strategies.strategy import Passes, Told
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space

POPULATION = 50  # of NSGA-II, Optuna's own
TPE_BATCH = 10  # candidates that are proposed before the outcome of any is known
WORST = float("inf")


class Sampled:
    """Candidates whose decisions a sampler suggests; it sees every objective and every limit.

    The study that it learns from is kept in memory; a search that goes on tells it all again.
    """

    def __init__(self, space: Space, spec: SearchSpec, sampler: BaseSampler, batch: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space, self._batch = space, batch
        self._study = optuna.create_study(
            directions=["minimize"] * len(spec.objectives), sampler=sampler
        )
        self._asked: list[tuple[Trial, Candidate]] = []

    def ask(self) -> list[Candidate]:
        """The next suggestions; they may come again."""
        self._asked = [self._next() for _ in range(self._batch)]
        return [candidate for _, candidate in self._asked]

    def tell(self, told: Mapping[Candidate, Told]) -> None:
        """Costs of what was scored; of what is out, by how much, and the worst costs."""
        for trial, candidate in self._asked:
            one = told.get(candidate, Told())
            for name, share in one.violation.items():
                trial.set_constraint(name, share)
            if one.costs:
                self._study.tell(trial, list(one.costs))
            elif any(share > 0 for share in one.violation.values()):
                self._study.tell(trial, [WORST] * len(self._study.directions))
            else:
                self._study.tell(trial, state=TrialState.FAIL)
        self._asked = []

    def _next(self) -> tuple[Trial, Candidate]:
        """A suggestion with a way from every cell's input to its output."""
        while True:
            trial = self._study.ask()

            def choose(name: str, options: Sequence[str], trial: Trial = trial) -> int:
                return options.index(
                    trial.suggest_categorical(f"{name} of {len(options)}", options)
                )

            candidate = assemble(self._space, choose)
            if candidate.alive:
                return trial, candidate.canonical()
            self._study.tell(trial, state=TrialState.FAIL)


def nsga2(space: Space, spec: SearchSpec, seed: int, passes: Passes) -> Sampled:
    """NSGA-II, a population at a time (Deb et al., 2002; Optuna's NSGAIISampler)."""
    size = spec.population or POPULATION
    return Sampled(space, spec, NSGAIISampler(population_size=size, seed=seed), size)


def tpe(space: Space, spec: SearchSpec, seed: int, passes: Passes) -> Sampled:
    """Tree-structured Parzen estimator (Optuna's TPESampler), also of several objectives."""
    return Sampled(space, spec, TPESampler(seed=seed), spec.population or TPE_BATCH)
