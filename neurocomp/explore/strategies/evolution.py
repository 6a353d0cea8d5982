"""AutoSNN's evolutionary search (Na et al., ICML 2022)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import fmean

import numpy as np

from neurocomp.arch import Candidate, Genotype, cross, mutate, redraw
from neurocomp.errors import InputError
from neurocomp.explore.strategies.strategy import Passes, Told
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space

POPULATION = 20  # candidates of a generation, half of them mutants, half crossed (AutoSNN)
PARENTS_SHARE = 0.5  # of a population's size: the best candidates so far are parents
MUTATION = 0.2  # probability that a decision of a parent is made anew
TRIES = 200  # draws per candidate, until it is new and within the limits


class Evolution:
    """Generations of mutants and crossings of the best candidates so far; the first is random.

    Fitness is ``score·(spikes/average)^λ``, the average being the first generation's and λ the
    recipe's ``spike_exponent`` (AutoSNN's −0.08; 0 = the score alone). No candidate comes twice.
    """

    def __init__(self, space: Space, spec: SearchSpec, seed: int, passes: Passes) -> None:
        self._space, self._passes, self._exponent = space, passes, spec.spike_exponent
        self._size = spec.population or POPULATION
        self._rng = np.random.default_rng(seed)
        self._genotypes: dict[Candidate, Genotype] = {}  # of all candidates so far
        self._fitness: dict[Candidate, float] = {}
        self._average: float | None = None

    def ask(self) -> list[Candidate]:
        """The next generation."""
        parents = self._parents()
        space, rng = self._space, self._rng

        def mutant() -> tuple[Candidate, Genotype]:
            return mutate(space, parents[int(rng.integers(len(parents)))], rng, MUTATION)

        def crossed() -> tuple[Candidate, Genotype]:
            first, second = rng.choice(len(parents), 2, replace=False)
            return cross(space, parents[first], parents[second], rng)

        made: list[Candidate] = []
        if len(parents) > 1:
            made += self._new(mutant, self._size // 2)
            made += self._new(crossed, self._size // 2)
        made += self._new(lambda: redraw(space, rng), self._size - len(made))
        return made

    def tell(self, told: Mapping[Candidate, Told]) -> None:
        """Keep the fitness of what was scored.

        Raises:
            InputError: spikes are to count, but the evaluator sees none.
        """
        scored = {c: t for c, t in told.items() if t.score is not None}
        if self._exponent and scored:
            counts = [t.spikes for t in scored.values() if t.spikes is not None]
            if len(counts) < len(scored):
                raise InputError(
                    "search.spike_exponent: this evaluator sees no spikes; set it to 0"
                )
            self._average = self._average or fmean(counts)
        for candidate, one in scored.items():
            assert one.score is not None
            self._fitness[candidate] = self._fit(one.score, one.spikes)

    def _fit(self, score: float, spikes: float | None) -> float:
        if not self._exponent or not spikes or not self._average:
            return score
        factor: float = (spikes / self._average) ** self._exponent
        return score * factor if score > 0 else score / factor

    def _parents(self) -> list[Genotype]:
        best = sorted(self._fitness, key=lambda c: -self._fitness[c])
        return [self._genotypes[c] for c in best[: max(round(PARENTS_SHARE * self._size), 2)]]

    def _new(self, make: Callable[[], tuple[Candidate, Genotype]], number: int) -> list[Candidate]:
        """So many candidates that are new and within the limits, or as many as can be found."""
        made: list[Candidate] = []
        for _ in range(TRIES * number):
            if len(made) == number:
                break
            drawn, genotype = make()
            candidate = drawn.canonical()
            if candidate not in self._genotypes and self._passes(candidate):
                self._genotypes[candidate] = genotype
                made.append(candidate)
        return made
