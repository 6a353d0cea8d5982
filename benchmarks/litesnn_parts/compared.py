"""What the rows of runs say: paired differences, equal accuracy, a front. Nothing is run here."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from search_parts.common import aim

from neurocomp.explore.front import front, hypervolume

SIZES_ALIKE = 1.05  # of the joint network's costs to the other's, mean over seeds, at most
CORES_WANTED = 0.85
BOX = (0.30, 60.0, 2.0)  # error, kbit, bit-SynOps (M): what is worse counts nothing


class Sized(NamedTuple):
    """Accuracy and costs of a trained network."""

    accuracy: float
    kbit: float
    msynops: float


class Pair(NamedTuple):
    """One seed's networks, designed jointly and step by step."""

    seed: int
    joint: Sized
    sequential: Sized


class Point(NamedTuple):
    """A trained network."""

    label: str
    seed: int
    accuracy: float
    kbit: float
    msynops: float
    cores: int


def judge_pairs(pairs: Sequence[Pair], none: int) -> None:
    """The mean difference over seeds with its spread, and whether joint design paid with costs.

    Args:
        none: seeds for which one of both ways gave no network.
    """
    if none:
        print(f"  {none} seeds without a network of both ways; they are in no mean")
    if not pairs:
        print("  nothing to compare")
        return
    points = [100 * (p.joint.accuracy - p.sequential.accuracy) for p in pairs]
    mean = statistics.mean(points)
    spread = statistics.stdev(points) if len(points) > 1 else float("nan")
    error = spread / len(points) ** 0.5
    wins = sum(d > 0 for d in points)
    print(
        f"  joint − sequential {mean:.2f} points, spread {spread:.2f}, standard error {error:.2f}, "
        f"{wins} of {len(points)} seeds above"
    )
    aim("mean difference less its standard error", mean - error, "≥", 0.0, " points")
    for name, cost in (("bits", "kbit"), ("bit-SynOps", "msynops")):
        each = [getattr(p.joint, cost) / getattr(p.sequential, cost) for p in pairs]
        aim(f"{name}, joint / sequential", statistics.mean(each), "≤", SIZES_ALIKE)


def judge_terms(paper: Sequence[Point], target: Sequence[Point], tolerance: float) -> None:
    """Ratio of cores at equal accuracy: of each paper's network and the target's nearest in cores.

    Args:
        tolerance: by which the target's network may be less accurate.
    """
    ratios = []
    for p in paper:
        alike = [
            t.cores for t in target if t.seed == p.seed and t.accuracy >= p.accuracy - tolerance
        ]
        if alike:
            ratios.append(min(alike) / p.cores)
    unmatched = len(paper) - len(ratios)
    print(f"  {unmatched} of {len(paper)} networks of the paper's terms have no equal")
    if ratios:
        aim("cores, target's terms / paper's", statistics.mean(ratios), "≤", CORES_WANTED)


def judge_front(points: Sequence[Point]) -> None:
    """The networks that no other one beats, and the volume that each seed's front takes."""
    for seed in sorted({p.seed for p in points}):
        own = [p for p in points if p.seed == seed]
        costs = np.array([(1 - p.accuracy, p.kbit, p.msynops) for p in own])
        share = hypervolume(costs, BOX) / float(np.prod(BOX))
        best = ", ".join(own[i].label for i in np.flatnonzero(front(costs)))
        print(f"  seed {seed}: hypervolume {share:.3f} of the box {BOX}; front: {best}")


def draw(points: Sequence[Point], path: Path) -> None:
    """Accuracy, size and bit-SynOps by (λ1, λ2), as the paper's Figure 3: means and all seeds."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.2), layout="constrained")
    labels = list(dict.fromkeys(p.label for p in points))
    panels = (("accuracy, integer (%)", 2, 100.0), ("kbit", 3, 1.0), ("bit-SynOps (M)", 4, 1.0))
    for axes, (title, column, unit) in zip(figure.subplots(1, 3), panels, strict=True):
        rows = [[unit * p[column] for p in points if p.label == label] for label in labels]
        axes.plot(labels, [statistics.mean(row) for row in rows], "-")
        for label, row in zip(labels, rows, strict=True):
            axes.plot([label] * len(row), row, "o", color="tab:blue", alpha=0.5)
        axes.set_title(title)
        axes.tick_params(axis="x", rotation=45)
    figure.supxlabel("(λ1, λ2)")
    figure.savefig(path)
    print(f"drawn: {path}")
