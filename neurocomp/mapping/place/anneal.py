"""Simulated annealing of cores over the tiles of a board, many swaps at a time.

The cost is ``Σ messages × distance``. Distances are sums of one along the columns and one along the
rows, so ``across[i, x] + down[i, y]`` is what core i pays at tile (x, y); a swap is judged in a few
look-ups and made in one update of two thin matrices. Places are paired by a common displacement,
which gives as many independent swaps as there are pairs. The schedule is that of VPR (Betz and
Rose 1997, as in rig's annealer): temperature and range of the swaps follow the share of accepted
swaps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from neurocomp.mapping.effort import Effort
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import Placement
from neurocomp.mapping.place.board import Board, Floats, Ints, board
from neurocomp.mapping.place.starts import starts
from neurocomp.spec.target import Target

MAX_ANNEALED = 1500  # cores; more than these are only moved downhill from the best start
MAX_TEMPERATURES = 400
MAX_DESCENT = 1 << 20  # cores × places up to which all swaps are looked at in the end
HOT, WARM = 20.0, 0.1  # standard deviations of what swaps change: the first temperatures
SLOW = 0.002  # share that a round downhill has to save for another one
LEAST = 1e-9  # of the mean messages between two cores that talk: less is no saving
ACCEPTED = 0.44  # share of accepted swaps at which annealing works best
COLD = 0.005  # of the mean messages between two cores that talk: the last temperature


def anneal(flow: Flow, target: Target, rng: np.random.Generator, effort: Effort) -> Placement:
    """Few messages × hops on the fewest chips, and few chip crossings; the best of some runs.

    Runs from a high temperature forget where they begin; the last run is gentle and begins with the
    best that is known by then, be it one of the `starts`. Where the time is up, what is there
    counts: it is never worse than the given order.

    Raises:
        FitError: more cores than the target has.
    """
    places = board(target, flow.n)
    both = csr_array(flow.between + flow.between.T)
    begun = starts(both, places, flow.n, effort)
    best, found = begun[0]
    hot_runs = effort.runs if flow.n <= MAX_ANNEALED else 0
    for run in range(hot_runs + 1):
        if effort.over:
            break
        hot = run < hot_runs
        annealer = Annealer(both, places, np.arange(flow.n) if hot else found, rng)
        cost, ends = annealer.run(effort, HOT if hot else WARM)
        if cost < best:
            best, found = cost, ends
    return Placement(tuple(places.addresses[place] for place in found))


class Annealer:
    """Cores on the places of a board, changed in place.

    Attributes:
        place: of each core.
        cost: Σ messages × distance.
    """

    def __init__(
        self, between: csr_array, board: Board, start: Ints, rng: np.random.Generator
    ) -> None:
        """``between``: messages of both directions, symmetric."""
        self.n, self.board, self.rng = len(start), board, rng
        messages: Any = between.tocsc()
        messages.resize((self.n + 1, self.n + 1))
        self._mean = between.sum() / max(between.nnz, 1)
        self._messages = messages.toarray() if self.n <= MAX_ANNEALED else messages
        self._x, self._y = board.tiles.T
        shape = (*(board.tiles.max(axis=0) + 1), board.slots.max() + 1)
        self._number = np.full(shape, -1)
        self._number[self._x, self._y, board.slots] = np.arange(len(board.tiles))
        self._pairs: dict[tuple[int, int, int, int], tuple[Ints, Ints]] = {}
        self._stand(start)

    def _stand(self, places: Ints) -> None:
        """Put the cores on these places."""
        self.place = places.copy()
        self._at = np.full(len(self.board.tiles), self.n)  # the core of a place; n = empty
        self._at[places] = np.arange(self.n)
        self._across = self._messages[:, : self.n] @ self.board.across[self._x[places]]
        self._down = self._messages[:, : self.n] @ self.board.down[self._y[places]]

    @property
    def cost(self) -> float:
        """Σ messages × distance."""
        cores, tiles = np.arange(self.n), self.board.tiles[self.place]
        paid = self._across[cores, tiles[:, 0]] + self._down[cores, tiles[:, 1]]
        return float(paid.sum() / 2)

    def run(self, effort: Effort, heat: float) -> tuple[float, Ints]:
        """The least cost found, and the places of the cores there; ``heat``: `HOT` or `WARM`."""
        swaps = int(effort.swaps * self.n ** (4 / 3)) + 1
        reach = widest = float(max(self._number.shape[:2]))
        best, places = self.cost, self.place.copy()
        last = best
        temperature = heat * self._spread() if self.n <= MAX_ANNEALED else 0.0
        for _ in range(MAX_TEMPERATURES):
            accepted = self._try(swaps, reach, temperature)
            cost = self.cost
            if cost < best:
                best, places = cost, self.place.copy()
            still = temperature > 0 or cost > (1 - SLOW) * last
            temperature, last = temperature * _cooling(accepted, reach), cost
            reach = min(max(reach * (1 - ACCEPTED + accepted), 1.0), widest)
            if effort.over or (still and temperature <= COLD * self._mean):
                break
        for reach in (1.0, 2.0, 3.0):
            self._try(swaps, reach, 0.0)
        if self.cost > best:
            self._stand(places)
        if self.n * len(self.board.tiles) <= MAX_DESCENT:
            self._descend(effort)
        return self.cost, self.place

    def _descend(self, effort: Effort) -> None:
        """Swap each core with the place that saves most, until no swap of two places saves."""
        every = np.arange(len(self.board.tiles))
        saved = True
        while saved and not effort.over:
            saved = False
            for core in range(self.n):
                change, a, b = self._changes(np.full_like(every, self.place[core]), every)
                best = int(change.argmin())
                if change[best] < -LEAST * self._mean:
                    self._swap(a[best : best + 1], b[best : best + 1])
                    saved = True

    def _spread(self) -> float:
        """Standard deviation of what swaps change."""
        pairs = [self._paired(max(self._number.shape)) for _ in range(16)]
        changes = np.concatenate([self._changes(*pair)[0] for pair in pairs])
        return float(changes.std()) if len(changes) else 0.0

    def _try(self, swaps: int, reach: float, temperature: float) -> float:
        """Try about so many swaps; the share that was accepted."""
        tried = accepted = 0
        while tried < swaps:
            change, a, b = self._changes(*self._paired(int(reach)))
            chosen = (change < temperature * -np.log(self.rng.random(len(change)))).nonzero()[0]
            tried += len(change) or 1
            accepted += len(chosen)
            if len(chosen):
                self._swap(a[chosen], b[chosen])
        return accepted / tried

    def _paired(self, reach: int) -> tuple[Ints, Ints]:
        """Places and those at some displacement from them, every place at most once."""
        columns, rows, slots = self._number.shape
        dx = int(self.rng.integers(-min(reach, columns - 1), min(reach, columns - 1) + 1))
        dy = int(self.rng.integers(0, min(reach, rows - 1) + 1))
        key = dx, dy, int(self.rng.integers(2)), int(self.rng.integers(slots))
        if key not in self._pairs:
            self._pairs[key] = self._shifted(*key)
        return self._pairs[key]

    def _shifted(self, dx: int, dy: int, parity: int, turn: int) -> tuple[Ints, Ints]:
        """Pairs of live places (x, y, slot) and (x + dx, y + dy, slot + turn)."""
        columns, rows, slots = self._number.shape
        x, y = self._x + dx, self._y + dy
        line, step = (self._y, dy) if dy else (self._x, abs(dx) or 1)
        inside = (x >= 0) & (x < columns) & (y < rows) & (line // step % 2 == parity)
        a = inside.nonzero()[0] if dx or dy else inside.nonzero()[0][:0]
        b = self._number[x[a], y[a], (self.board.slots[a] + turn) % slots]
        return a[b >= 0], b[b >= 0]

    def _changes(self, a: Ints, b: Ints) -> tuple[Floats, Ints, Ints]:
        """What it costs to swap pairs of places, and the pairs that are not both empty."""
        i, j = self._at[a], self._at[b]
        held = (np.minimum(i, j) < self.n).nonzero()[0]
        a, b, i, j = a[held], b[held], i[held], j[held]
        x, y, x_b, y_b = self._x[a], self._y[a], self._x[b], self._y[b]
        across = self._across[i, x_b] - self._across[i, x]
        across += self._across[j, x] - self._across[j, x_b]
        down = self._down[i, y_b] - self._down[i, y] + self._down[j, y] - self._down[j, y_b]
        between = np.asarray(self._messages[i, j]).ravel()
        apart = self.board.across[x, x_b] + self.board.down[y, y_b]
        return across + down + 2 * between * apart, a, b

    def _swap(self, a: Ints, b: Ints) -> None:
        """Swap what stands on pairs of places."""
        i, j = self._at[a], self._at[b]
        self._at[a], self._at[b] = j, i
        cores, old, new = np.concatenate([i, j]), np.concatenate([a, b]), np.concatenate([b, a])
        held = (cores < self.n).nonzero()[0]
        cores, old, new = cores[held], old[held], new[held]
        self.place[cores] = new
        sent = self._messages[:, cores]
        self._across += sent @ (self.board.across[self._x[new]] - self.board.across[self._x[old]])
        self._down += sent @ (self.board.down[self._y[new]] - self.board.down[self._y[old]])


def _cooling(accepted: float, reach: float) -> float:
    """VPR's factor for the temperature: slow where annealing works best."""
    if accepted > 0.96:
        return 0.5
    if accepted > 0.8:
        return 0.9
    return 0.95 if accepted > 0.15 and reach > 1 else 0.8
