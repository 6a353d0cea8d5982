"""How fast a hard limit rejects."""

from __future__ import annotations

import argparse
from itertools import islice
from typing import NamedTuple

import numpy as np

from neurocomp.arch import Candidate, Task, draw, for_task
from neurocomp.cost import Pricer
from neurocomp.spec.space import Space, load_space, narrowed
from neurocomp.spec.target import load_target
from search_parts.common import CIFAR, aim, cpu_seconds

CANDIDATES, REPEATS = 2_000, 15
DIGITS = Task((1, 8, 8), 4, 10)


class Case(NamedTuple):
    """A space with a limit that rejects most of it."""

    name: str
    space: Space
    task: Task
    limit: tuple[str, float]


def _cases() -> list[Case]:
    small = {"channels": [16], "final_pool": [2], "hidden": [64]}
    snasnet, spikernel = (narrowed(load_space(n), small) for n in ("snasnet", "spikernel"))
    blocks = narrowed(load_space("autosnn"), {"channels": [8], "timesteps": [4]})
    return [
        Case("snasnet, parameters", snasnet, DIGITS, ("params", 15_000)),
        Case("snasnet, cores", snasnet, CIFAR, ("cores", 20)),
        Case("spikernel, parameters", spikernel, DIGITS, ("params", 15_000)),
        Case("spikernel, bits", spikernel, DIGITS, ("model_bits", 100_000)),
        Case("spikernel, cores", spikernel, CIFAR, ("cores", 20)),
        Case("autosnn, parameters", blocks, CIFAR, ("params", 50_000)),
    ]


def limits(options: argparse.Namespace) -> None:
    """Microseconds per rejected candidate: at the first meeting, and when its pieces are known."""
    print("  the first pass prices pieces that it has not seen; an empty loop turns in", end=" ")
    print(f"{1e9 * min(cpu_seconds(_spin) for _ in range(9)) / SPIN:.0f} ns here")
    for case in _cases():
        space = for_task(case.space, case.task)
        drawn = list(islice(_draws(space), CANDIDATES))
        pricer = Pricer(case.task, load_target("loihi2"))
        first = cpu_seconds(lambda p=pricer, d=drawn, c=case: _judge(p, d, c.limit))
        out = [c for c in drawn if pricer.excess(c, [case.limit]) is not None]
        known = min(
            cpu_seconds(lambda p=pricer, o=out, c=case: _judge(p, o, c.limit))
            for _ in range(REPEATS)
        )
        aim(
            f"µs per candidate, {case.name} ({len(out):,} of {len(drawn):,} out; first pass over "
            f"all {1e6 * first / len(drawn):.0f})", 1e6 * known / len(out), "≤", 10,
        )  # fmt: skip


def _judge(pricer: Pricer, drawn: list[Candidate], limit: tuple[str, float]) -> None:
    for candidate in drawn:
        pricer.excess(candidate, (limit,))


def _draws(space: Space):  # type: ignore[no-untyped-def]
    return (draw(space, np.random.default_rng(k)) for k in range(CANDIDATES))


SPIN = 100_000


def _spin() -> None:
    for _ in range(SPIN):
        pass
