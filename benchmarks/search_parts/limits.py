"""How fast a hard limit rejects: each candidate once, as a search meets it, then known ones."""

from __future__ import annotations

import argparse
from functools import partial
from itertools import islice
from typing import NamedTuple

from neurocomp import shipped
from neurocomp.arch import Candidate, Task, for_task
from neurocomp.cost import Pricer
from neurocomp.explore.evaluators import Counted
from neurocomp.explore.limits import Gate
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space, load_space
from neurocomp.spec.target import load_target
from search_parts.common import CIFAR, aim, cpu_seconds, distinct

CANDIDATES, REPEATS, SHARE = 5_000, 5, 20  # as many as a search of SNASNet meets
DIGITS = Task((1, 8, 8), 4, 10)
LOIHI2 = load_target("loihi2")
LIMITS = {"max_params": "params", "max_bits": "model_bits", "max_cores": "cores"}


class Stream(NamedTuple):
    """Distinct candidates of a space in the order of random search.

    Attributes:
        drawing: CPU microseconds that drawing and naming took, of each.
    """

    space: Space
    candidates: list[Candidate]
    drawing: float


def limits(options: argparse.Namespace) -> None:
    """Microseconds per rejected candidate, all shipped spaces as they are, on CIFAR-10's images.

    A limit is what the cheapest twentieth of some other candidates keeps. At the first meeting
    nothing is known of space or target; the least of several such passes is given, and of several
    over candidates that are known.
    """
    for name in shipped.names("search/spaces"):
        if name.startswith("litesnn"):  # those are designed jointly, not sampled
            continue
        stream = _stream(for_task(load_space(name), CIFAR))
        print(f"  {name}: drawing a candidate takes {stream.drawing:,.0f} µs", flush=True)
        for option, price in LIMITS.items():
            most = _limit(stream.space, price)
            first, later, out = _measured(stream.candidates, option, price, most)
            what = f"{name}, {option} {most:,} ({out} of {CANDIDATES:,} out)"
            aim(f"µs per rejected candidate at the first meeting, {what}", first, "≤", 10)
            print(f"      one that is known: {later:.1f}", flush=True)


def _stream(space: Space) -> Stream:
    found = list[Candidate]()
    seconds = cpu_seconds(lambda: found.extend(islice(distinct(space), CANDIDATES)))
    return Stream(space, found, 1e6 * seconds / CANDIDATES)


def _limit(space: Space, price: str) -> int:
    pricer = Pricer(CIFAR, LOIHI2)
    costs = sorted(pricer.total(c, price) for c in islice(distinct(space, seed=1), 100))
    return max(int(costs[len(costs) // SHARE]), 1)


def _measured(
    candidates: list[Candidate], option: str, price: str, most: int
) -> tuple[float, float, int]:
    """Microseconds at the first meeting and later, and how many were rejected."""
    other = Pricer(CIFAR, LOIHI2)
    out = [c for c in candidates if other.excess(c, [(price, most)]) is not None]
    spec = parse({"candidates": 9, "batch": 2, option: most}, SearchSpec, "benchmark")
    first, later = list[float](), list[float]()
    for _ in range(REPEATS):
        gate = Gate(spec, LOIHI2, Pricer(CIFAR, LOIHI2), Counted("depth"))
        for seconds in (first, later):
            seconds.append(cpu_seconds(partial(_judge, gate, out)))
    n = len(out) / 1e6
    return min(first) / n, min(later) / n, len(out)


def _judge(gate: Gate, candidates: list[Candidate]) -> None:
    for candidate in candidates:
        gate.judge(candidate)
