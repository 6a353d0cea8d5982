"""Cores as an objective against parameters alone, at equal evaluations."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt

from neurocomp.arch import Candidate, build, for_task
from neurocomp.cost import Price, Pricer
from neurocomp.data import load
from neurocomp.explore import Scored, ScoreEvaluator, search
from neurocomp.explore.front import hypervolume
from neurocomp.explore.limits import Gate
from neurocomp.mapping import map_graph
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space, load_space, narrowed
from search_parts.common import aim, distinct
from search_parts.limits import DIGITS, LOIHI2

EVALUATIONS, POPULATION, BATCH = 160, 20, 32
SEEDS, RANDOM = 5, 100
CHANNELS = (8, 16, 32, 64)


def front(options: argparse.Namespace) -> None:
    """Hypervolume in (score, cores of loihi2 as mapped) of what NSGA-II finds, over seeds.

    The space is `spikernel` with up to 64 channels (wider networks take most of the chip), on
    scikit-learn's digits: kernel sets, channels, classifier, weight bits and timesteps are all
    open. Networks are scored at an eighth of the width. Both searches' networks are judged by
    the cores on which `balanced` maps them with little effort, however the search saw them. The
    reference point is the same for all: the lowest score and the most (estimated) cores of 100
    random networks of the space. A front is what the search reports; everything is all that it
    evaluated.
    """
    space = for_task(narrowed(load_space("spikernel"), {"channels": CHANNELS}), DIGITS)
    values = load("digits", None, DIGITS.input_bits).train_values[:BATCH]
    evaluator = ScoreEvaluator(DIGITS, values, narrower=8)
    worst = _worst(space, evaluator)
    print(f"  reference point: score {-worst[0]:.1f}, {worst[1]:.0f} cores", flush=True)
    judged = _Judged()
    ratios: dict[str, list[float]] = {"front": [], "everything": []}
    for seed in range(min(options.seeds, SEEDS)):
        aware, plain = (_found(space, evaluator, seed, cost) for cost in ("cores", "params"))
        for which, place in (("front", 0), ("everything", 1)):
            a, b = (hypervolume(judged(found[place]), worst) for found in (aware, plain))
            ratios[which].append(a / b)
            print(f"      seed {seed}, {which}: {a:.0f} / {b:.0f} = {a / b:.3f}", flush=True)
    for which, found in ratios.items():
        words = f"{which}, {EVALUATIONS} evaluations each, {len(found)} seeds, {_spread(found)}"
        aim(f"hypervolume, cores / parameters ({words})", float(np.mean(found)), "≥", 1.1)


def _worst(space: Space, evaluator: ScoreEvaluator) -> list[float]:
    """The reference point: (negated score, cores)."""
    spec = parse({"candidates": RANDOM, "batch": BATCH}, SearchSpec, "benchmark")
    gate = Gate(spec, LOIHI2, Pricer(DIGITS, LOIHI2), evaluator)
    verdicts = {c: gate.judge(c) for c in islice(distinct(space, seed=1_000), RANDOM)}
    prices = {c: price for c, price in verdicts.items() if isinstance(price, Price)}
    scores = [score for c in prices if (score := evaluator(c, 1.0).score) is not None]
    return [-min(scores), float(max(price.cores for price in prices.values()))]


def _found(
    space: Space, evaluator: ScoreEvaluator, seed: int, cost: str
) -> tuple[tuple[Scored, ...], tuple[Scored, ...]]:
    """The front of a search, and all that it evaluated."""
    wanted = {
        "strategy": "nsga2", "candidates": 10_000, "evaluations": EVALUATIONS,
        "population": POPULATION, "objectives": ["score", cost], "batch": BATCH,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        found = search(
            space, parse(wanted, SearchSpec, "benchmark"), LOIHI2, DIGITS, evaluator,
            storage=Path(folder) / "journal.log", seed=seed,
        )  # fmt: skip
    return found.pareto, found.ranking


class _Judged:
    """Networks by score and mapped cores, without those that others surely beat."""

    def __init__(self) -> None:
        self._cores: dict[Candidate, int] = {}
        self._pricer = Pricer(DIGITS, LOIHI2)

    def __call__(self, scored: Sequence[Scored]) -> npt.NDArray[np.float64]:
        """(n, 2) negated scores and mapped cores.

        A network is not mapped if one of a better score uses no more cores than it needs at least:
        it adds nothing to the volume.
        """
        points, fewest = list[tuple[float, float]](), float("inf")
        for one in sorted(scored, key=lambda s: -s.score):
            if self._pricer.total(one.candidate, "cores") < fewest:
                used = self._mapped(one.candidate)
                points.append((-one.score, float(used)))
                fewest = min(fewest, used)
        return np.array(points)

    def _mapped(self, candidate: Candidate) -> int:
        if candidate not in self._cores:
            mapping = map_graph(build(candidate, DIGITS), LOIHI2, "balanced", effort="fast")
            self._cores[candidate] = mapping.n_cores
        return self._cores[candidate]


def _spread(values: list[float]) -> str:
    return f"{min(values):.2f} to {max(values):.2f}"
