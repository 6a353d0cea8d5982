"""Our placer on flows whose best placement is known: cliques for chips, and shuffled grids.

A clique of as many cores as a chip has belongs on one chip; a grid of cores that send to the next
one belongs on a mesh of the same size, where every message takes one hop. Cores are in an order
drawn at random.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from mapping_peers.peers import timed
from neurocomp.mapping.effort import EFFORTS
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.place import PLACERS
from neurocomp.mapping.place.bound import fewest_hops
from neurocomp.mapping.place.order import in_order
from neurocomp.mapping.traffic import Traffic, traffic
from neurocomp.spec.figure import Figure
from neurocomp.spec.target import Target, load_target

WEAK = 0.05  # messages between two cores of different cliques; within a clique one
CLIQUES = ((4, 8, (4, 2, 1), (2, 2)), (8, 16, (4, 4, 1), (4, 2)), (8, 16, (2, 2, 4), (4, 2)))
GRIDS = (10, 20, 39)
SEEDS = (0, 1, 2)


class Known(NamedTuple):
    """A flow on a target; ``hops`` and ``crossings`` of the best placement, if known."""

    name: str
    flow: Flow
    target: Target
    hops: float | None
    crossings: float


def report() -> None:
    """Every case in both efforts beside the optimum, the given order and the lower bound."""
    print("\nplacement: flows with a known best placement; cores in an order drawn at random")
    print(f"  {'':24}{'hops':>10}{'of best':>9}{'order':>10}{'bound':>10}{'torn':>10}{'cpu s':>8}")
    for seed in SEEDS:
        for case in (
            *map(cliques, CLIQUES, [seed] * len(CLIQUES)),
            *(grid(n, seed) for n in GRIDS),
        ):
            for effort in EFFORTS:
                _line(case, effort, seed)


def _line(case: Known, effort: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    place = PLACERS["anneal"]
    found, seconds = timed(lambda: place(case.flow, case.target, rng, EFFORTS[effort]))
    sent = traffic(case.flow, found, case.target)
    order = _in_order(case)
    share = "" if case.hops is None else f"{sent.spike_hops / case.hops:.3f}"
    print(
        f"  {case.name + ', ' + effort:24}{sent.spike_hops:10,.0f}{share:>9}"
        f"{order.spike_hops:10,.0f}{fewest_hops(case.flow, case.target):10,.0f}"
        f"{sent.chip_crossings - case.crossings:10,.1f}{seconds:8.2f}",
        flush=True,
    )


def _in_order(case: Known) -> Traffic:
    rng = np.random.default_rng(0)
    return traffic(case.flow, in_order(case.flow, case.target, rng, EFFORTS["fast"]), case.target)


def cliques(shape: tuple[int, int, tuple[int, int, int], tuple[int, int]], seed: int) -> Known:
    """As many cliques as chips; the weak messages between two of them cross whatever one does."""
    count, size, mesh, board = shape
    n = count * size
    order = np.random.default_rng(seed).permutation(n)
    between = np.full((n, n), WEAK)
    for members in order.reshape(count, size):
        between[np.ix_(members, members)] = 1.0
    np.fill_diagonal(between, 0)
    chips = np.array([divmod(chip, board[1]) for chip in range(count)])
    borders = np.abs(chips[:, None] - chips).sum()
    flow = Flow(n, csr_array(between), np.zeros(n))
    name = f"{count} cliques of {size}"
    return Known(name, flow, _target(mesh, board), None, float(borders * size * size * WEAK))


def grid(side: int, seed: int) -> Known:
    """Cores that send to the next one in their row and in their column."""
    n = side * side
    order = np.random.default_rng(seed).permutation(n).reshape(side, side)
    sources = np.concatenate([order[:-1].ravel(), order[:, :-1].ravel()])
    ends = np.concatenate([order[1:].ravel(), order[:, 1:].ravel()])
    between = csr_array((np.ones(len(ends)), (sources, ends)), shape=(n, n))
    return Known(
        f"grid {side}×{side}",
        Flow(n, between, np.zeros(n)),
        _target((side, side, 1), (1, 1)),
        float(len(ends)),
        0.0,
    )


def _target(mesh: tuple[int, int, int], board: tuple[int, int]) -> Target:
    """A board of loihi1's chips with another mesh."""
    target = load_target("loihi1")
    sizes = dict(zip(("columns", "rows", "cores_per_tile"), mesh, strict=True))
    chips = dict(zip(("columns", "rows"), board, strict=True))
    return target.model_copy(
        update={
            "mesh": target.mesh.model_copy(update=_figures(sizes)),
            "board": target.board.model_copy(update=_figures(chips)),
        }
    )


def _figures(sizes: dict[str, int]) -> dict[str, Figure]:
    return {name: Figure(value=size) for name, size in sizes.items()}


if __name__ == "__main__":
    report()
