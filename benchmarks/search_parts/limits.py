"""How fast a hard limit rejects: each candidate once, as a search meets it, then known ones."""

from __future__ import annotations

import argparse
import time
from itertools import islice
from typing import NamedTuple

from neurocomp import shipped
from neurocomp.arch import Candidate, Task, for_task
from neurocomp.cost import Pricer
from neurocomp.explore.evaluators import Counted
from neurocomp.explore.limits import Gate
from neurocomp.explore.result import Rejected
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space, load_space, narrowed
from neurocomp.spec.target import load_target
from search_parts.common import CIFAR, aim, cpu_seconds, distinct

CANDIDATES, REPEATS, SHARE = 1_000, 7, 20
DIGITS = Task((1, 8, 8), 4, 10)
OF_DIGITS = ("spikernel", "snasnet")
SMALL = {"channels": [16], "final_pool": [2], "hidden": [64]}
LIMITS = {"max_params": "params", "max_bits": "model_bits", "max_cores": "cores"}


class Case(NamedTuple):
    """A space with a limit that rejects most of it."""

    space: Space
    task: Task
    option: str
    most: int


def _cases() -> list[Case]:
    """Every shipped space on CIFAR-10 or digits; a limit is what the cheapest twentieth keeps."""
    found = []
    for name in shipped.names("search/spaces"):
        if not name.startswith("litesnn"):  # those are designed jointly, not sampled
            whole = load_space(name)
            task = DIGITS if name in OF_DIGITS else CIFAR
            space = for_task(narrowed(whole, SMALL) if name in OF_DIGITS else whole, task)
            pricer = Pricer(task, load_target("loihi2"))
            some = list(islice(distinct(space, seed=1), 40))
            for option, price in LIMITS.items():
                costs = sorted(pricer.total(c, price) for c in some)
                found.append(Case(space, task, option, max(int(costs[len(costs) // SHARE]), 1)))
    return found


def limits(options: argparse.Namespace) -> None:
    """Microseconds per rejected candidate: at the first meeting, and of one that is known."""
    for case in _cases():
        first, later, out = _measured(case)
        name = f"{case.space.name}, {case.option} {case.most:,} ({out} out)"
        aim(f"µs per rejected candidate at the first meeting, {name}", first, "≤", 10)
        print(f"      one that is known: {later:.1f}", flush=True)


def _measured(case: Case) -> tuple[float, float, int]:
    """Microseconds at the first meeting and later, and how many were rejected."""
    target = load_target("loihi2")
    spec = parse({"candidates": 9, "batch": 2, case.option: case.most}, SearchSpec, "benchmark")
    gate = Gate(spec, target, Pricer(case.task, target), Counted("depth"))
    spent, out = 0, list[Candidate]()
    for candidate in islice(distinct(case.space), CANDIDATES):
        start = time.process_time_ns()
        verdict = gate.judge(candidate)
        if isinstance(verdict, Rejected):
            spent += time.process_time_ns() - start
            out.append(candidate)
    known = min(cpu_seconds(lambda: [gate.judge(c) for c in out]) for _ in range(REPEATS))
    n = max(len(out), 1)
    return spent / n / 1e3, 1e6 * known / n, len(out)
