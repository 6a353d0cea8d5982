"""A strategy that learns: it evaluates what a model of all outcomes so far expects most of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neurocomp.arch import Candidate, Genotype, mutate, redraw
from neurocomp.explore.predict import Predictor
from neurocomp.explore.strategies.listed import small_space
from neurocomp.explore.strategies.strategy import Passes, Told
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space

FIRST = 20  # random candidates before anything is learnt
BATCH = 5  # candidates that are chosen before the model learns again
POOL, PARENTS = 1_000, 10  # candidates that a large space is judged by, half mutants of the best
MUTATION = 0.2
CURIOSITY = 1.0  # standard deviations that count in favour of a candidate


class Surrogate:
    """Evaluates the candidates with the greatest ``mean + standard deviation`` of a model.

    The model is a Gaussian process on what can be read off candidates
    (`neurocomp.explore.predict`), learnt anew from all scores after every batch. Of a small space
    it judges every network, of a large one fresh draws and mutants of the best.
    """

    def __init__(self, space: Space, spec: SearchSpec, seed: int, passes: Passes) -> None:
        self._space, self._passes, self._seed = space, passes, seed
        self._rng = np.random.default_rng(seed)
        listed = small_space(space)
        self._listed = None if listed is None else [c for c in listed if passes(c)]
        self._first = spec.population or FIRST
        self._asked: set[Candidate] = set()
        self._genotypes: dict[Candidate, Genotype] = {}
        self._scores: dict[Candidate, float] = {}

    def ask(self) -> list[Candidate]:
        """Random candidates first, then the most promising ones."""
        pool = [c for c in self._pool() if c not in self._asked]
        if len(self._asked) < self._first:
            order = self._rng.permutation(len(pool))[: self._first]
            chosen = [pool[k] for k in order]
        elif len(set(self._scores.values())) > 1:
            model = Predictor("gp", seed=self._seed)
            model.fit(list(self._scores), list(self._scores.values()))
            mean, deviation = model.predict(pool) if pool else (np.zeros(0), np.zeros(0))
            chosen = [pool[k] for k in np.argsort(-(mean + CURIOSITY * deviation))[:BATCH]]
        else:
            chosen = pool[:BATCH]
        self._asked.update(chosen)
        return chosen

    def tell(self, told: Mapping[Candidate, Told]) -> None:
        """Keep the scores."""
        self._scores.update({c: t.score for c, t in told.items() if t.score is not None})

    def _pool(self) -> list[Candidate]:
        """The candidates to choose from."""
        if self._listed is not None:
            return self._listed
        best = sorted(self._scores, key=lambda c: -self._scores[c])[:PARENTS]
        found: dict[Candidate, Genotype] = {}
        for k in range(POOL):
            if k % 2 and best:
                parent = self._genotypes[best[k // 2 % len(best)]]
                drawn, genotype = mutate(self._space, parent, self._rng, MUTATION)
            else:
                drawn, genotype = redraw(self._space, self._rng)
            candidate = drawn.canonical()
            if self._passes(candidate):
                found.setdefault(candidate, genotype)
        self._genotypes |= found
        return list(found)
