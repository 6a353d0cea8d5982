"""What the parts have in common: spaces, images, rows with their aims."""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import kendalltau

import neurocomp
from neurocomp.arch import Candidate, Task, draw
from neurocomp.data import load
from neurocomp.spec.space import Space, load_space, narrowed

CIFAR = Task((3, 32, 32), 5, 10)
Values = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Missing(Exception):
    """Something that a part needs and that is not there, in words."""

    what: str


def aim(
    what: str, value: float, sign: Literal["≥", "≤", "="], wanted: float, unit: str = ""
) -> None:
    """A figure beside what it must reach."""
    reached = {"≥": value >= wanted, "≤": value <= wanted, "=": value == wanted}[sign]
    shown = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    print(f"  {'yes' if reached else 'NO '} {what}: {shown}{unit} ({sign} {wanted:,})", flush=True)


@cache
def code_digest(*packages: str) -> str:
    """Of the sources of some packages: what was kept under it was made by the same code."""
    root = Path(neurocomp.__file__).parent
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds that a call takes in this process."""
    start = time.process_time()
    work()
    return time.process_time() - start


def tau(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Kendall's τ-b."""
    return float(kendalltau(a, b).statistic)


def tau_error(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Standard error of τ for so few candidates, by drawing as many of them again 500 times."""
    rows, rng = np.stack([np.asarray(a), np.asarray(b)]), np.random.default_rng(0)
    drawn = (rows[:, rng.integers(0, rows.shape[1], rows.shape[1])] for _ in range(500))
    return float(np.std([tau(*pair) for pair in drawn]))


def ceilings(halves: float) -> tuple[float, float]:
    """How well anything can agree with a noisy reference, from the τ between its two halves.

    Scores and noise are taken as normal. Then τ is a correlation ``ρ = sin(πτ/2)`` (Kendall), and
    twice as many batches have ``2ρ/(1 + ρ)`` (Spearman and Brown).

    Returns:
        τ with another reference of the whole size, and τ with what has no noise at all.
    """
    rho = np.sin(np.pi * halves / 2)
    whole = 2 * rho / (1 + rho)
    another, best = (float(2 / np.pi * np.arcsin(x)) for x in (whole, np.sqrt(whole)))
    return another, best


def snasnet(channels: int, final_pool: int = 2) -> Space:
    """SNASNet's forward space at the paper's macro choices."""
    choices = {"channels": [channels], "final_pool": [final_pool], "hidden": [1024]}
    return narrowed(load_space("snasnet"), choices)


def distinct(space: Space, seed: int = 0) -> Iterator[Candidate]:
    """Networks as random search meets them, each once."""
    seen, index = set(), 0
    while True:
        candidate = draw(space, np.random.default_rng((seed, index))).canonical()
        index += 1
        if candidate not in seen:
            seen.add(candidate)
            yield candidate


def images(options: argparse.Namespace) -> Values:
    """CIFAR-10's training images as 5-bit values (N, 3, 32, 32), in random order.

    Raises:
        Missing: no folder is given.
    """
    if options.images is None:
        raise Missing("needs CIFAR-10 as folders of images: --images FOLDER (train/, test/)")
    return _images(Path(options.images))


@cache
def _images(folder: Path) -> Values:
    values = load(f"folder:{folder}", None, CIFAR.input_bits).train_values
    return values[np.random.default_rng(0).permutation(len(values))]
