"""Cores as an objective against parameters alone, at equal evaluations."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neurocomp.explore import Scored, search
from neurocomp.explore.front import hypervolume
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import load_space, narrowed
from neurocomp.spec.target import load_target
from search_parts.common import CIFAR, aim, images
from search_parts.scores import Setting

EVALUATIONS, POPULATION = 240, 24
SETTING = Setting(4, 4, 32)
SPACE = {
    "channels": [32], "final_pool": [2], "hidden": [64], "timesteps": [5], "neurons": ["snasnet"],
}  # fmt: skip


def front(options: argparse.Namespace) -> None:
    """Hypervolume in (score, cores on loihi2) of fronts that NSGA-II finds, each over seeds.

    The reference point is the worst of both searches together. A front is what no other evaluated
    network beats in the objectives that the search had; all networks that it evaluated are
    compared as well, which asks more of the cores as an objective.
    """
    fronts, everything = [], []
    for seed in range(min(options.seeds, 5)):
        aware = _found(options, seed, "cores")
        plain = _found(options, seed, "params")
        both = np.vstack([_points(aware[1]), _points(plain[1])])
        worst, best = both.max(axis=0), both.min(axis=0)
        for ratios, which in ((fronts, 0), (everything, 1)):
            volumes = [
                hypervolume((_points(found[which]) - best) / (worst - best), (1.0, 1.0))
                for found in (aware, plain)
            ]
            ratios.append(volumes[0] / volumes[1])
    words = f"{EVALUATIONS} evaluations each, {len(fronts)} seeds, {_spread(fronts)}"
    aim(f"hypervolume of the front, cores / parameters ({words})", float(np.mean(fronts)), "≥", 1.1)
    aim(
        f"the same of all that was evaluated ({_spread(everything)})",
        float(np.mean(everything)), "≥", 1.1,
    )  # fmt: skip


def _found(
    options: argparse.Namespace, seed: int, cost: str
) -> tuple[tuple[Scored, ...], tuple[Scored, ...]]:
    """The front of a search, and all that it evaluated."""
    wanted = {
        "strategy": "nsga2", "candidates": 10_000, "evaluations": EVALUATIONS,
        "population": POPULATION, "objectives": ["score", cost], "batch": SETTING.batch,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        found = search(
            narrowed(load_space("spikernel"), SPACE), parse(wanted, SearchSpec, "benchmark"),
            load_target("loihi2"), CIFAR, SETTING.evaluator(images(options), 0),
            storage=Path(folder) / "journal.log", seed=seed,
        )  # fmt: skip
    return found.pareto, found.ranking


def _points(scored: tuple[Scored, ...]) -> npt.NDArray[np.float64]:
    return np.array([(-s.score, float(s.price.cores)) for s in scored])


def _spread(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"
