"""Strategies that learn nothing: random draws, and every network there is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from neurocomp.arch import Candidate, all_candidates, draw, n_genotypes
from neurocomp.errors import InputError
from neurocomp.explore.strategies.strategy import Passes, Told
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space

MAX_GENOTYPES = 2_000_000  # about a minute of enumeration
SMALL, SMALL_GENOTYPES = 20_000, 250_000  # networks of a space that is listed, not sampled
BATCH = 1_000


def small_space(space: Space) -> list[Candidate] | None:
    """Every network of a space that has fewer than 20,000; None for a larger one."""
    if n_genotypes(space) > SMALL_GENOTYPES:
        return None
    found = []
    for candidate in all_candidates(space):
        found.append(candidate)
        if len(found) >= SMALL:
            return None
    return found


class Random:
    """Independent draws, as in SNASNet; from a small space all networks in random order.

    Draw i depends on (seed, i) alone, so that more candidates extend the same set.
    """

    def __init__(self, space: Space, spec: SearchSpec, seed: int, passes: Passes) -> None:
        self._space, self._seed, self._done = space, seed, 0
        self._batch = min(spec.candidates, BATCH)
        listed = small_space(space)
        self._order: list[Candidate] | None = None
        if listed is not None:
            places = np.random.default_rng(seed).permutation(len(listed))
            self._order = [listed[place] for place in places]

    def ask(self) -> list[Candidate]:
        """The next draws."""
        these = range(self._done, self._done + self._batch)
        self._done += self._batch
        if self._order is not None:
            return self._order[these.start : these.stop]
        rngs = (np.random.default_rng((self._seed, index)) for index in these)
        return [draw(self._space, rng).canonical() for rng in rngs]

    def tell(self, told: Mapping[Candidate, Told]) -> None:
        """It learns nothing."""


class Exhaustive:
    """Every network of the space once."""

    def __init__(self, space: Space, spec: SearchSpec, seed: int, passes: Passes) -> None:
        """See that there are not too many.

        Raises:
            InputError: the space is too large to enumerate.
        """
        genotypes = n_genotypes(space)
        if genotypes > MAX_GENOTYPES:
            raise InputError(
                f"space '{space.name}': has {genotypes:,} genotypes, exhaustive search looks at "
                f"{MAX_GENOTYPES:,} at most; narrow it, or use the strategy random"
            )
        self._left = all_candidates(space)

    def ask(self) -> list[Candidate]:
        """The next networks."""
        return [candidate for candidate, _ in zip(self._left, range(BATCH), strict=False)]

    def tell(self, told: Mapping[Candidate, Told]) -> None:
        """It learns nothing."""
