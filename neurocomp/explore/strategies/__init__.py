"""Search strategies: which candidates are looked at, by name."""

from __future__ import annotations

from neurocomp.explore.strategies.evolution import Evolution
from neurocomp.explore.strategies.listed import Exhaustive, Random, small_space
from neurocomp.explore.strategies.sampler import nsga2, tpe
from neurocomp.explore.strategies.strategy import Make, Strategy, Told
from neurocomp.explore.strategies.surrogate import Surrogate

STRATEGIES: dict[str, Make] = {
    "random": Random,
    "exhaustive": Exhaustive,
    "evolution": Evolution,
    "nsga2": nsga2,
    "tpe": tpe,
    "surrogate": Surrogate,
}

__all__ = ["STRATEGIES", "Strategy", "Told", "small_space"]
