"""The baselines' rows of a case: partitions by others, placed in their own way and in ours."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from mapping_peers import hypergraph, metis
from mapping_peers.hilbert import hilbert
from mapping_peers.judge import Score, assembled, board_for, complaints, measured, placed
from mapping_peers.neurons import Cores, excess, neuron_cores, neuron_flow
from mapping_peers.problem import (
    Ints,
    Problem,
    atom_problem,
    atoms_of,
    cores_of_atoms,
    grain_problem,
    grains_of,
    partition_of_grains,
    subproblem,
)
from mapping_peers.slices import chunks, tiles
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.bound import lower_bound_cores
from neurocomp.mapping.flow import Flow, flow
from neurocomp.mapping.model import Partition, Placement
from neurocomp.mapping.place.order import first_cores
from neurocomp.spec.target import Target

T = TypeVar("T")
GROWTH = 1.05
HOPELESS = 8.0  # times a limit
OURS = "+ours"  # placed by our placer


class Partitioner(NamedTuple):
    """One that cuts a problem into a number of parts."""

    name: str
    cut: Callable[[Problem, int], Ints]


class Cut(NamedTuple):
    """A baseline's partition: its messages, where its populations lie, and what it breaks.

    Attributes:
        shares: neurons of each population on each core, (cores, populations).
        broken: resources that are passed on any core, and by how much.
        worst: the most times that a limit is passed.
        wrong: the cores that do not fit.
        partition: the same as boxes, where it is made of them.
    """

    sent: Flow
    shares: Ints
    broken: str
    worst: float
    wrong: list[int]
    partition: Partition | None = None


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """A result and its CPU seconds, those of child processes included."""
    before = _cpu()
    result = work()
    return result, _cpu() - before


def sliced_rows(graph: Graph, target: Target, rates: Rates) -> Iterator[Score]:
    """Chunks and tiles, placed in row order and by our placer."""
    for name, make in (("chunks", chunks), ("tiles", tiles)):
        partition, seconds = timed(lambda make=make: make(graph, target))  # type: ignore[misc]
        sent = flow(graph, partition, rates)
        board = board_for(sent.n, target)
        in_order = Placement(tuple(first_cores(sent.n, board)))
        ours, placing = timed(partial(placed, sent, board))
        broken = complaints(graph, assembled(name, graph, target, partition, in_order), board)
        yield measured(name, sent, in_order, board, seconds, broken)
        yield measured(name + OURS, sent, ours, board, seconds + placing, broken)


def partitioner_rows(
    graph: Graph, target: Target, rates: Rates, peers: Path | None, most: int
) -> Iterator[Score]:
    """METIS and Mt-KaHyPar on atoms and on grains, along a Hilbert curve and by our placer.

    Args:
        peers: folder of their environments; what is not there is left out.
        most: parts beyond which no more are tried; twice as many of grains.
    """
    found: list[Partitioner] = []
    if peers is not None and metis.available(peers):
        found.append(Partitioner("metis", lambda p, n: metis.partition(p, n, peers)))
    if hypergraph.available():
        found.append(Partitioner("kahypar", hypergraph.partition))
    atoms = atoms_of(graph, rates)
    fine = atom_problem(graph, atoms)
    grains = grains_of(graph, target)
    coarse = grain_problem(graph, grains, target, rates)

    def of_atoms(part: Ints) -> Cut:
        n, cores = int(part.max()) + 1, cores_of_atoms(graph, atoms, part)
        return _cut(graph, target, cores, neuron_flow(graph, cores, n, rates))

    def of_grains(part: Ints) -> Cut:
        partition = partition_of_grains(grains, part)
        cores = neuron_cores(graph, partition)
        cut = _cut(graph, target, cores, flow(graph, partition, rates))
        return cut._replace(partition=partition)

    first = lower_bound_cores(graph, target)
    for peer in found:
        for kind, problem, made, legal, limit in (
            ("", fine, of_atoms, _halved, most),
            ("-grains", coarse, of_grains, _more, 2 * most),
        ):
            work = partial(legal, peer, problem, made, first, limit)
            cut, seconds = timed(work)
            yield from _placed_rows(peer.name + kind, graph, target, cut, seconds)


def _cut(graph: Graph, target: Target, cores: Cores, sent: Flow) -> Cut:
    passed: dict[str, float] = {}
    wrong = []
    for core, found in enumerate(excess(graph, cores, sent.n, target)):
        wrong += [core] if found else []
        passed |= {name: max(times, passed.get(name, 0.0)) for name, times in found.items()}
    broken = ", ".join(f"{name} {times:.2f}×" for name, times in sorted(passed.items()))
    shares = [np.bincount(cores[p.name].ravel(), minlength=sent.n) for p in graph.neurons]
    return Cut(sent, np.stack(shares, axis=1), broken, max(passed.values(), default=0.0), wrong)


def _halved(
    peer: Partitioner, problem: Problem, made: Callable[[Ints], Cut], first: int, most: int
) -> Cut:
    """As many parts as the lower bound, of which those that do not fit a core are halved.

    It ends where the parts become too many, or one of the first is so far from fitting that they
    surely would.
    """
    part = peer.cut(problem, first)
    while True:
        part = np.unique(part, return_inverse=True)[1]  # without empty parts
        cut = made(part)
        n = cut.sent.n
        if not cut.wrong or n + len(cut.wrong) > most or cut.worst > HOPELESS:
            return cut
        for number in cut.wrong:
            own = np.flatnonzero(part == number)
            half = peer.cut(subproblem(problem, own), 2)
            if half.min() == half.max():
                half = np.arange(len(own)) % 2
            part[own[half == 1]] = n
            n += 1


def _more(
    peer: Partitioner, problem: Problem, made: Callable[[Ints], Cut], first: int, most: int
) -> Cut:
    """The fewest parts, from the lower bound on in steps of 5 %, that all fit a core."""
    n = first
    while True:
        cut = made(np.unique(peer.cut(problem, n), return_inverse=True)[1])
        if not cut.wrong or n > most:
            return cut
        n = max(n + 1, round(GROWTH * n))


def _placed_rows(
    name: str, graph: Graph, target: Target, cut: Cut, seconds: float
) -> Iterator[Score]:
    board = board_for(cut.sent.n, target)
    curve = hilbert(graph, cut.sent, cut.shares, board)
    ours, placing = timed(partial(placed, cut.sent, board))
    broken = cut.broken
    if cut.partition is not None and not broken:
        broken = complaints(graph, assembled(name, graph, target, cut.partition, curve), board)
    yield measured(f"{name}+hilbert", cut.sent, curve, board, seconds, broken)
    yield measured(name + OURS, cut.sent, ours, board, seconds + placing, broken)


def _cpu() -> float:
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)
