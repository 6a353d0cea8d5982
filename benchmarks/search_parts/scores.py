"""How fast and how like the reference the score is; against SNASNet's own settings."""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from dataclasses import replace
from itertools import combinations, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from neurocomp.arch import Candidate, build
from neurocomp.atomic import write_json
from neurocomp.explore import ScoreEvaluator, SearchResult, search
from neurocomp.score import Scorer
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space, load_space, narrowed
from neurocomp.spec.target import load_target
from search_parts.common import (
    CIFAR,
    Values,
    aim,
    ceilings,
    code_digest,
    cpu_seconds,
    distinct,
    images,
    snasnet,
    tau,
    tau_error,
)

OWN = "128,256,2"  # channels, samples of a batch, batches: SNASNet's own settings


def reference(options: argparse.Namespace) -> dict[Candidate, list[float]]:
    """The score of each batch at the reference's settings, weights fresh for every candidate.

    What was computed before is read from --keep; the run ends when --seconds are over.
    """
    channels, batch, batches = map(int, options.reference.split(","))
    values = images(options)
    path, known = _file(options), _kept(options)
    start, found = time.monotonic(), {}
    for number, candidate in enumerate(islice(distinct(snasnet(channels)), options.candidates)):
        if candidate.id not in known:
            if time.monotonic() - start > options.seconds:
                break
            began = time.process_time()
            graph = build(candidate, CIFAR)
            parts = [
                Scorer(values[k * batch :][:batch], seed=1 + number * batches + k)(graph).value
                for k in range(batches)
            ]
            known[candidate.id] = [time.process_time() - began, *parts]
            write_json(path, known)
        found[candidate] = known[candidate.id]
    cpu = [row[0] for row in found.values()]
    print(
        f"reference: {len(found)} candidates of snasnet, C = {channels}, {batches} batches of "
        f"{batch}, T = 5, {np.mean(cpu):.1f} CPU-s each",
        flush=True,
    )
    return {candidate: row[1:] for candidate, row in found.items()}


def _file(options: argparse.Namespace) -> Path:
    """Where scores of these settings, images and code are kept."""
    shown = hashlib.sha256(images(options)[:1000].tobytes()).hexdigest()[:10]
    settings = options.reference.replace(",", "-")
    code = code_digest("arch", "quant", "score", "snn")
    return Path(options.keep) / f"reference-{settings}-{shown}-{code}.json"


def _kept(options: argparse.Namespace) -> dict[str, list[float]]:
    """CPU seconds and scores by candidate, as far as they were computed before."""
    path = _file(options)
    known: dict[str, list[float]] = json.loads(path.read_text()) if path.is_file() else {}
    return known


class Setting(NamedTuple):
    """How candidates are scored in place of the reference.

    Attributes:
        narrower, smaller, draws: as in `neurocomp.spec.recipe.ProxySpec`; batch: samples.
    """

    narrower: int
    smaller: int
    batch: int
    draws: int = 1

    def __str__(self) -> str:
        return f"C/{self.narrower}, images/{self.smaller}, {self.batch} samples, {self.draws} draws"

    def evaluator(self, values: Values, seed: int) -> ScoreEvaluator:
        """The evaluator of a search that scores so, on samples of its own for every seed."""
        mine = values[seed * self.batch :][: self.batch]
        return ScoreEvaluator(
            CIFAR, mine, draws=self.draws, seed=seed, narrower=self.narrower,
            smaller=self.smaller,
        )  # fmt: skip


CLOSE, QUICK = Setting(8, 4, 64, 2), Setting(8, 4, 48)  # of networks with C = 128
RATED = 200  # candidates whose time is taken


def speed(options: argparse.Namespace) -> None:
    """Candidates per second with τ, against the reference and over seeds."""
    scores = reference(options)
    known = [replace(candidate, channels=128) for candidate in scores]
    means = [float(np.mean(row)) for row in scores.values()]
    parts = np.array(list(scores.values()))
    halves = tau(parts[:, ::2].mean(1), parts[:, 1::2].mean(1))
    another, best = ceilings(halves)
    words = f"so about {another:.2f} with another of its size, {best:.2f} without any noise"
    print(f"      τ between the reference's halves: {halves:.3f}; {words}")
    counts = [candidate.convolutions for candidate in known]
    print(f"      τ of the reference with the number of convolutions: {tau(means, counts):.3f}")
    values = images(options)
    for setting, wanted, wanted_tau in ((CLOSE, 9, 0.80), (QUICK, 25, 0.75)):
        by_seed = [_scored(setting.evaluator(values, seed), known) for seed in range(SEEDS)]
        with_reference = [tau(found, means) for found in by_seed]
        with_itself = [tau(a, b) for a, b in combinations(by_seed, 2)]
        aim(f"candidates/s, {setting}", _rate(setting, values), "≥", wanted)
        error = np.mean([tau_error(found, means) for found in by_seed])
        spread = f"{len(known)} candidates: ± {error:.2f}; {SEEDS} seeds, {_spread(with_reference)}"
        aim(f"τ with the reference ({spread})", float(np.mean(with_reference)), "≥", wanted_tau)
        aim(f"τ with itself ({_spread(with_itself)})", float(np.mean(with_itself)), "≥", 0.85)


SEEDS = 4


def _scored(evaluator: ScoreEvaluator, candidates: list[Candidate]) -> list[float]:
    found = {c: evaluator(c, 1.0).score for c in sorted(candidates, key=lambda c: c.cell)}
    return [found[c] if found[c] is not None else -np.inf for c in candidates]


def _rate(setting: Setting, values: Values) -> float:
    """Candidates per CPU second, in the order in which a search evaluates a batch."""
    drawn = list(islice(distinct(snasnet(128), seed=1), RATED))
    evaluator = setting.evaluator(values, 0)
    return RATED / cpu_seconds(lambda: _scored(evaluator, drawn))


def snasnet_ratio(options: argparse.Namespace) -> None:
    """CPU time per candidate against the score at SNASNet's own settings."""
    own = argparse.Namespace(**{**vars(options), "reference": OWN, "candidates": 2})
    reference(own)
    seconds = [row[0] for row in _kept(own).values()]
    values = images(options)
    for setting in (CLOSE, QUICK):
        ours = 1 / _rate(setting, values)
        theirs = f"{len(seconds)} candidates at {np.mean(seconds):.0f} CPU-s"
        aim(f"× faster per candidate, {setting} ({theirs})", np.mean(seconds) / ours, "≥", 400)


def thousand(options: argparse.Namespace) -> None:
    """1000 candidates within 10 M parameters, drawn from all of SpiKernel's sets and scored."""
    choices = {"channels": [128], "final_pool": [4], "hidden": [1024], "cell_bits": [8],
               "macro_bits": [8], "timesteps": [5], "neurons": ["snasnet"]}  # fmt: skip
    space = narrowed(load_space("spikernel"), choices)
    wanted = {"candidates": 100_000, "evaluations": 1000, "max_params": 10_000_000}
    found, seconds = _searched(options, space, wanted, CLOSE)
    words = f"{found.drawn:,} drawn, {found.distinct:,} distinct, {found.feasible:,} feasible"
    aim(f"CPU seconds for 1000 feasible candidates ({words})", seconds, "≤", 120)


def whole(options: argparse.Namespace) -> None:
    """Every network of SNASNet's forward space, enumerated."""
    wanted = {"strategy": "exhaustive", "candidates": 100_000}
    found, seconds = _searched(options, snasnet(128), wanted, CLOSE)
    aim(f"CPU seconds for all {len(found.ranking):,} networks", seconds, "≤", 840)
    print(f"      τ of the score with the number of convolutions: {found.count_tau:.3f}")


def _searched(
    options: argparse.Namespace, space: Space, wanted: dict[str, object], setting: Setting
) -> tuple[SearchResult, float]:
    spec = parse({"batch": setting.batch, **wanted}, SearchSpec, "benchmark")
    evaluator = setting.evaluator(images(options), 0)
    endless = load_target(str(Path(__file__).with_name("endless.yaml")))
    with tempfile.TemporaryDirectory() as folder:
        start = time.process_time()
        storage = Path(folder) / "journal.log"
        found = search(space, spec, endless, CIFAR, evaluator, storage=storage)
        return found, time.process_time() - start


def _spread(values: list[float]) -> str:
    return f"{min(values):.3f} to {max(values):.3f}"
