"""Cores as an objective against parameters alone, at equal evaluations."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neurocomp.data import load
from neurocomp.explore import Scored, ScoreEvaluator, search
from neurocomp.explore.front import front as unbeaten
from neurocomp.explore.front import hypervolume
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import load_space, narrowed
from neurocomp.spec.target import load_target
from search_parts.common import aim
from search_parts.limits import DIGITS

EVALUATIONS, POPULATION, BATCH = 240, 24, 32
SPACE = {
    "channels": [128], "final_pool": [2], "hidden": [256], "timesteps": [4], "neurons": ["leaky"],
}  # fmt: skip


def front(options: argparse.Namespace) -> None:
    """Hypervolume in (score, cores on loihi2) of fronts that NSGA-II finds, each over seeds.

    The reference point is the worst score and the most cores on either front. A front is what no
    other evaluated network beats in the objectives that the search had; all networks that it
    evaluated are compared as well, which asks more of the cores as an objective. Networks have 128
    channels and see scikit-learn's digits: there kernels and bits, not neurons, decide on cores.
    They are scored at an eighth of the width.
    """
    fronts, everything = [], []
    for seed in range(min(options.seeds, 5)):
        aware = _found(seed, "cores")
        plain = _found(seed, "params")
        for ratios, which in ((fronts, 0), (everything, 1)):
            points = [_points(found[which]) for found in (aware, plain)]
            worst = np.vstack([p[unbeaten(p)] for p in points]).max(axis=0)
            volumes = [hypervolume(p, worst.tolist()) for p in points]
            ratios.append(volumes[0] / volumes[1])
    words = f"{EVALUATIONS} evaluations each, {len(fronts)} seeds, {_spread(fronts)}"
    aim(f"hypervolume of the front, cores / parameters ({words})", float(np.mean(fronts)), "≥", 1.1)
    aim(
        f"the same of all that was evaluated ({_spread(everything)})",
        float(np.mean(everything)), "≥", 1.1,
    )  # fmt: skip


def _found(seed: int, cost: str) -> tuple[tuple[Scored, ...], tuple[Scored, ...]]:
    """The front of a search, and all that it evaluated."""
    wanted = {
        "strategy": "nsga2", "candidates": 10_000, "evaluations": EVALUATIONS,
        "population": POPULATION, "objectives": ["score", cost], "batch": BATCH,
    }  # fmt: skip
    values = load("digits", None, DIGITS.input_bits).train_values[:BATCH]
    with tempfile.TemporaryDirectory() as folder:
        found = search(
            narrowed(load_space("spikernel"), SPACE), parse(wanted, SearchSpec, "benchmark"),
            load_target("loihi2"), DIGITS, ScoreEvaluator(DIGITS, values, narrower=8),
            storage=Path(folder) / "journal.log", seed=seed,
        )  # fmt: skip
    return found.pareto, found.ranking


def _points(scored: tuple[Scored, ...]) -> npt.NDArray[np.float64]:
    return np.array([(-s.score, float(s.price.cores)) for s in scored])


def _spread(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"
