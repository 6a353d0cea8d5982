"""Predictors and searches against measured accuracies, SpikeNAS-Bench's or a part of them.

Cells that are one network are one row, its accuracy the mean. Which predictors there are was
decided looking at half of the 1,500-row sample ("looked at": a permutation of the sorted networks,
seed 0); the other half is printed beside it. No predictor is fitted to an accuracy of what it is
judged on, but features that it learns from, as `drive`, were made looking at the one half; so every
figure is also given for the networks of the other half alone.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from neurocomp.arch import Candidate, all_candidates
from neurocomp.arch.cell import ZEROIZE
from neurocomp.atomic import write_json
from neurocomp.explore import Table, learned, read_table, search
from neurocomp.explore.evaluators import COUNTS
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import Model, SearchSpec
from neurocomp.spec.space import Space, load_space, narrowed
from neurocomp.spec.target import load_target
from search_parts.common import CIFAR, Missing, aim, code_digest, tau

LABELS, EVALUATIONS = 200, 60
ENDLESS = Path(__file__).with_name("endless.yaml")
TWINS = (1, 0, 2, 4, 3, 5)  # edges (0,1), (0,2), (0,3), (1,2), (1,3), (2,3), inner nodes swapped


class Bench(NamedTuple):
    """The table's networks in a fixed order, with their accuracies."""

    space: Space
    table: Table
    candidates: list[Candidate]
    accuracy: npt.NDArray[np.float64]


def bench(options: argparse.Namespace) -> Bench:
    """The table that the options name.

    Raises:
        Missing: none is named.
    """
    if options.table is None:
        raise Missing("needs SpikeNAS-Bench's log or a part of it: --table CSV")
    choices = {"channels": [128], "hidden": [1024]}
    space = narrowed(load_space("spikenas-bench"), choices)
    table = read_table(options.table, space)
    known = sorted((c for c in all_candidates(space) if table.knows(c)), key=_number)
    return Bench(space, table, known, np.array([table(c, 1.0).score for c in known]))


def _number(candidate: Candidate) -> tuple[int, ...]:
    """Op numbers of a cell as SpikeNAS-Bench counts them, the lesser of its two namings."""
    ops = tuple(
        0 if op == ZEROIZE else 1 if not op.bits else _grade(op.threshold) for op in candidate.cell
    )
    twin = tuple(ops[k] for k in TWINS)
    return ops if ops[3] else min(ops, twin)


def _grade(threshold: float) -> int:
    """2, 3 or 4 for the lowest, the middle and the highest threshold."""
    return 2 + min(range(3), key=lambda k: abs((k + 1) * 2 / 3 - threshold))


def predictors(options: argparse.Namespace) -> None:
    """τ of predictors that look at a candidate alone, then of the evaluator with 200 labels."""
    data = bench(options)
    n = len(data.candidates)
    looked = np.zeros(n, dtype=bool)
    looked[np.random.default_rng(0).permutation(n)[: n // 2]] = True
    print(f"  {n:,} distinct live networks, best {data.accuracy.max():.2f} %")
    for name, predict in COUNTS.items():
        values = np.array([predict(c) for c in data.candidates])
        halves = [tau(values[half], data.accuracy[half]) for half in (looked, ~looked)]
        words = f"{name}: looked at {halves[0]:.3f}, held out {halves[1]:.3f}"
        if name == "drive":
            aim(f"τ without training, held out ({words})", halves[1], "≥", 0.40)
        else:
            print(f"      {words}")
    for model in get_args(Model):
        rows = [_learnt(data, looked, model, seed) for seed in range(options.seeds)]
        every, seen, unseen = (list(column) for column in zip(*rows, strict=True))
        words = f"τ of {model} with {LABELS} random labels, judged on the others never looked at"
        spread = f"{options.seeds} splits, {min(unseen):.3f} to {max(unseen):.3f}"
        aim(f"{words} ({spread})", float(np.mean(unseen)), "≥", 0.50)
        print(f"      all {n - LABELS} others: {np.mean(every):.3f}; looked at {np.mean(seen):.3f}")


def _learnt(
    data: Bench, looked: npt.NDArray[np.bool_], model: Model, seed: int
) -> tuple[float, float, float]:
    """τ on all networks without a label, on those looked at, on those not."""
    order = np.random.default_rng(seed).permutation(len(data.candidates))
    seen, unseen = order[:LABELS], order[LABELS:]
    labels = {data.candidates[k]: float(data.accuracy[k]) for k in seen}
    evaluator = learned(labels, model, seed=seed)
    expected = np.array([evaluator(data.candidates[k], 1.0).score for k in unseen])
    before, true = looked[unseen], data.accuracy[unseen]
    return (
        tau(expected, true),
        tau(expected[before], true[before]),
        tau(expected[~before], true[~before]),
    )


def searches(options: argparse.Namespace) -> None:
    """Points between the best network of the table and the best that 60 evaluations find."""
    data = bench(options)
    rows = csv.DictReader(options.table.read_text().splitlines())
    best, row = float(data.accuracy.max()), max(float(r["test_acc"]) for r in rows)
    print(f"  the best network's mean is {best:.2f} %, the best single training {row:.2f} %")
    for strategy in ("surrogate", "evolution", "random"):
        ends = [_found(options, data, strategy, seed) for seed in range(options.seeds)]
        spread = f"{options.seeds} seeds, {row - max(ends):.2f} to {row - min(ends):.2f}"
        words = f"{strategy}: points from the best single training ({spread})"
        mean = float(np.mean(ends))
        if strategy == "surrogate":
            aim(words, row - mean, "≤", 0.3)
        else:
            print(f"      {words}: {row - mean:.3f}", flush=True)
        print(f"      {strategy}: points from the best network: {best - mean:.3f}", flush=True)


def _found(options: argparse.Namespace, data: Bench, strategy: str, seed: int) -> float:
    """The accuracy that a search ends with; one that --keep has is not done again."""
    code = code_digest("arch", "explore")
    path = options.keep / f"searches-{data.table.digest}-{code}.json"
    kept: dict[str, float] = json.loads(path.read_text()) if path.is_file() else {}
    key = f"{strategy} {EVALUATIONS} {seed}"
    if key not in kept:
        kept[key] = _searched(data, strategy, seed)
        write_json(path, kept)
    return kept[key]


def _searched(data: Bench, strategy: str, seed: int) -> float:
    wanted = {"strategy": strategy, "candidates": 10**6, "evaluations": EVALUATIONS, "batch": 2}
    if strategy == "evolution":
        wanted["population"] = 20
    spec = parse(wanted, SearchSpec, "benchmark")
    with tempfile.TemporaryDirectory() as folder:
        result = search(
            data.space, spec, load_target(str(ENDLESS)), CIFAR, data.table,
            storage=Path(folder) / "journal.log", seed=seed,
        )  # fmt: skip
    return float(result.ranking[0].score)
