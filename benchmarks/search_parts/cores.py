"""How near the estimate of cores is to what a mapping uses."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from neurocomp.arch import Candidate, Task, build, for_task
from neurocomp.cost import price
from neurocomp.errors import FitError
from neurocomp.hw import layer_cores
from neurocomp.hw.bound import lower_bound_cores
from neurocomp.hw.demand import demand
from neurocomp.ir import Graph
from neurocomp.mapping import map_graph
from neurocomp.spec.space import load_space, narrowed
from neurocomp.spec.target import Target, load_target
from search_parts.common import CIFAR, distinct
from search_parts.limits import DIGITS

NETWORKS = 40
CASES = ((DIGITS, {}), (CIFAR, {"channels": [8, 16]}))  # wider ones fill most of the chip


class Row(NamedTuple):
    """Cores of a network, and synapse words as priced and on the mapped cores."""

    mapped: int
    estimate: int
    bound: int
    alone: int
    priced_words: int
    mapped_words: int


def cores(options: argparse.Namespace) -> None:
    """Estimates as multiples of mapped cores, over networks of `spikernel` that fit loihi2."""
    target = load_target("loihi2")
    for task, choices in CASES:
        space = for_task(narrowed(load_space("spikernel"), choices), task)
        rows = list(islice(_rows(distinct(space, seed=2), task, target), NETWORKS))
        used = np.array([row.mapped for row in rows])
        shape = "×".join(map(str, task.shape))
        print(
            f"  {len(rows)} networks, images {shape}, mapped on {used.min()} to {used.max()} cores"
        )
        _print("estimate (`Price.cores`)", [row.estimate / row.mapped for row in rows])
        _print("lower bound", [row.bound / row.mapped for row in rows])
        _print("one layer per core", [row.alone / row.mapped for row in rows])
        _print("synapse words, priced", [row.priced_words / row.mapped_words for row in rows])


def _rows(candidates: Iterator[Candidate], task: Task, target: Target) -> Iterator[Row]:
    for candidate in candidates:
        graph = build(candidate, task)
        try:
            yield _row(graph, target)
        except FitError:
            continue


def _row(graph: Graph, target: Target) -> Row:
    cost = price(graph, target)
    held = map_graph(graph, target, "balanced", effort="fast").partition.cores
    return Row(
        len(held),
        cost.cores,
        lower_bound_cores(graph, target),
        sum(layer_cores(graph, p.name, target).n_cores for p in graph.neurons),
        cost.stored_bits // target.core.word_bits.value,
        sum(demand(graph, slices, target).synapse_words.used for slices in held),
    )


def _print(what: str, ratios: Sequence[float]) -> None:
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
    off = np.mean([abs(ratio - 1) for ratio in ratios])
    print(
        f"      {what} / mapped: mean {np.mean(ratios):.2f}, {spread}, off by {off:.0%}", flush=True
    )
