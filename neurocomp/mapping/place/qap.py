"""Placer ``qap``: chips first, then each chip as a quadratic assignment problem."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import quadratic_assignment

from neurocomp.hw.mesh import Point, hops, live_cores, tile_of
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import CoreAddress, Placement
from neurocomp.mapping.place.chips import assign
from neurocomp.mapping.place.order import first_cores
from neurocomp.mapping.place.swaps import Matrix, Order, search
from neurocomp.spec.target import Target

KICKS = 24
SWEEPS = 2  # over the chips, each placed while the others stay
MAX_FAQ_ITERATIONS = 30
MAX_PLACES = 256  # of a chip, unless it holds more cores; the work grows with their cube


def qap(flow: Flow, target: Target, rng: np.random.Generator) -> Placement:
    """Least Σ messages × hops that local search finds, on the fewest chips.

    Cores are assigned to chips so that few messages cross; then each chip is placed, from the
    partition's order and from the relaxed problem's solution (scipy's ``faq``), the messages to
    other chips pulling toward where their ends stand.

    Raises:
        FitError: more cores than the board has.
    """
    used = first_cores(flow.n, target)
    n_chips = used[-1].chip + 1 if used else 0
    places: list[list[CoreAddress]] = [[] for _ in range(n_chips)]
    for address in map(CoreAddress._make, live_cores(target)):
        if address.chip < n_chips:
            places[address.chip].append(address)
    chip = assign(flow, [len(p) for p in places])
    sizes = np.bincount(chip, minlength=n_chips)
    places = [_near(p, int(n), target) for p, n in zip(places, sizes, strict=True)]
    addresses = _in_order(chip, places)
    for sweep in range(SWEEPS if n_chips > 1 else 1):
        for c in range(n_chips):
            _place_chip(flow, target, np.flatnonzero(chip == c), places[c], addresses, sweep, rng)
    return Placement(tuple(addresses))


def _near(places: list[CoreAddress], n: int, target: Target) -> list[CoreAddress]:
    """Places enough for ``n`` cores: all of them, or on a very large chip those near its first."""
    most = max(MAX_PLACES, n + n // 4)
    if len(places) <= most:
        return places
    first = tile_of(target, *places[0])
    return sorted(sorted(places, key=lambda p: hops(first, tile_of(target, *p)))[:most])


def _in_order(chip: npt.NDArray[np.intp], places: list[list[CoreAddress]]) -> list[CoreAddress]:
    following = [iter(p) for p in places]
    return [next(following[c]) for c in chip]


def _place_chip(
    flow: Flow,
    target: Target,
    cores: npt.NDArray[np.intp],
    places: list[CoreAddress],
    addresses: list[CoreAddress],
    sweep: int,
    rng: np.random.Generator,
) -> None:
    """Place the cores of one chip on its places; ``addresses`` is changed."""
    n, m = len(cores), len(places)
    both = flow.between + flow.between.T
    inner = np.zeros((m, m))
    inner[:n, :n] = both[cores][:, cores].toarray() / 2
    tiles = [tile_of(target, *p) for p in places]
    distance = _distances(tiles, tiles)
    bias = np.zeros((m, m))
    others = np.setdiff1d(np.arange(flow.n), cores)
    if len(others):
        ends = [tile_of(target, *addresses[i]) for i in others]
        bias[:n] = both[cores][:, others] @ _distances(ends, tiles)
    index = {address: i for i, address in enumerate(places)}
    start = _completed([index[addresses[i]] for i in cores], m)
    starts = [start]
    if sweep == 0:
        starts.append(_relaxed(inner, distance, rng))
    order = search(inner, distance, bias, starts, rng, KICKS)
    for item, place in zip(cores, order, strict=False):
        addresses[item] = places[place]


def _distances(a: list[Point], b: list[Point]) -> Matrix:
    first, second = np.array(a, np.float64), np.array(b, np.float64)
    return np.asarray(np.abs(first[:, None] - second[None]).sum(axis=2))


def _completed(order: list[int], m: int) -> Order:
    """A permutation of all places: the free ones follow for the items that stand for no core."""
    taken = set(order)
    return np.array(order + [i for i in range(m) if i not in taken], np.intp)


def _relaxed(flow: Matrix, distance: Matrix, rng: np.random.Generator) -> Order:
    """scipy's fast approximate QAP, from the centre of the doubly stochastic matrices."""
    options = {"maxiter": MAX_FAQ_ITERATIONS, "rng": rng}
    found = quadratic_assignment(flow, distance, method="faq", options=options)
    return np.asarray(found.col_ind, np.intp)
