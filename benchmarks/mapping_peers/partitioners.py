"""METIS and Mt-KaHyPar, asked for parts until all of them fit a core."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mapping_peers import hypergraph, metis
from mapping_peers.clock import cpu
from mapping_peers.forms import Atoms
from mapping_peers.problem import Ints, Problem, subproblem

GROWTH = 1.05
HOPELESS = 8.0  # times a limit


class Partitioner(NamedTuple):
    """One that cuts a problem into a number of parts."""

    name: str
    version: str
    cut: Callable[[Problem, int], Ints]


class Parts(NamedTuple):
    """The part of every vertex, none of them empty, and what they break as cores."""

    part: Ints
    faults: list[dict[str, float]]

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.faults)

    @property
    def wrong(self) -> list[int]:
        """Those that do not fit a core."""
        return [number for number, found in enumerate(self.faults) if found]

    @property
    def passed(self) -> dict[str, float]:
        """The most times that any of them passes each limit."""
        names = sorted({name for found in self.faults for name in found})
        return {name: max(found.get(name, 0.0) for found in self.faults) for name in names}


def installed(peers: Path | None) -> list[Partitioner]:
    """What is there.

    Args:
        peers: folder of their environments.
    """
    found = []
    if peers is not None and metis.ENVIRONMENT.available(peers):
        cut = partial(metis.partition, peers=peers)
        found.append(Partitioner("metis", metis.ENVIRONMENT.version(peers), cut))
    if hypergraph.available():
        found.append(Partitioner("kahypar", hypergraph.version(), hypergraph.partition))
    return found


def halved(peer: Partitioner, form: Atoms, first: int, most: int, until: float) -> Parts:
    """As many parts as the lower bound, of which those that do not fit a core are halved.

    It ends where the parts become too many, or one of them is so far from fitting that they surely
    would.

    Args:
        first: the lower bound.
        most: parts beyond which no more are tried.
        until: `cpu` after which nothing more is tried.
    """
    parts = _parts(form, peer.cut(form.problem, first))
    while parts.wrong:
        if max(parts.passed.values()) > HOPELESS or parts.n + len(parts.wrong) > most:
            return parts
        part, n = parts.part.copy(), parts.n
        for number in parts.wrong:
            if cpu() > until:
                return parts
            own = np.flatnonzero(part == number)
            half = peer.cut(subproblem(form.problem, own), 2)
            if half.min() == half.max():
                half = np.arange(len(own)) % 2
            part[own[half == 1]] = n
            n += 1
        parts = _parts(form, part)
    return parts


def more(peer: Partitioner, form: Atoms, first: int, most: int, until: float) -> Parts:
    """The fewest parts that all fit a core, by bisection in steps of 5 % from the lower bound on.

    Where that finds none, those of the lower bound are halved.

    Args:
        first, most, until: as of `halved`, which gets as much time again.
    """
    sizes, start = [first], cpu()
    while sizes[-1] < most:
        sizes.append(max(sizes[-1] + 1, round(GROWTH * sizes[-1])))
    found, low, high = None, -1, len(sizes)
    while high - low > 1 and cpu() <= until:
        middle = (low + high) // 2
        parts = _parts(form, peer.cut(form.problem, sizes[middle]))
        if parts.wrong:
            low = middle
        else:
            found, high = parts, middle
    return found or halved(peer, form, first, most, cpu() + until - start)


def _parts(form: Atoms, part: Ints) -> Parts:
    part = np.unique(part, return_inverse=True)[1]
    return Parts(part, form.faults(part))
