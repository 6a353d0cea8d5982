"""Choosing blocks of layers and a way to cut each, so that little is sent and few cores are used.

Local search over whole networks: one block's way is exchanged, two blocks become one, or a layer
leaves its block, while that pays. Cores are counted by a plan of what shares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import TypeAlias

import numpy as np

from neurocomp.hw.demand import fits
from neurocomp.mapping.effort import Effort
from neurocomp.mapping.packing.plan import Vector, n_cores, vector
from neurocomp.mapping.tiling.layout import Choice, messages, planned, tiles_of
from neurocomp.mapping.tiling.ways import Block, Ways
from neurocomp.spec.policy import Policy

MAX_SWEEPS = 4
MAX_PLANS = 24  # of the changes that can be made at one place, the most promising ones
KICKED = 3  # blocks that a kick changes
Size: TypeAlias = tuple[int, float]  # cores and messages
Cost: TypeAlias = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What counts in which unit.

    Attributes:
        cores, messages: of the network cut with one layer per core.
        cores_per_chip: that live.
    """

    cores: int
    messages: float
    cores_per_chip: int

    def cost(self, aim: Policy, cores: float, messages: float) -> Cost:
        """Chips if the policy counts them, and the weighted sum of shares; smaller is better."""
        chips = -int(-cores // self.cores_per_chip) if aim.fewest_chips else 0
        return chips, aim.core_weight * cores / self.cores + messages / (self.messages or 1.0)


class Search:
    """A choice, changed while that pays.

    Attributes:
        work: classes of bundles that were planned; it stands for time.
    """

    def __init__(self, ways: Ways, start: Choice, yardstick: Yardstick, effort: Effort) -> None:
        self.ways, self.choice, self.work = ways, start, 0
        self._yardstick, self._effort = yardstick, effort
        self._limits = vector(ways.target.limits)

    def descend(self, aim: Policy) -> Size:
        """Go on from the last choice to one that no single change makes better for a policy."""
        self._cost = partial(self._yardstick.cost, aim)
        self._best = self._cost(*self.measure())
        for _ in range(MAX_SWEEPS):
            before = self._best
            for block in sorted(self.choice, key=lambda b: (-self.choice[b].n_bundles, b)):
                for changes, gone in self._changes(block):
                    if self._effort.over:
                        return self._settled()
                    self._try_all(changes, gone)
            if self._best == before:
                break
        return self._settled()

    def _settled(self) -> Size:
        """Count axons to consumers as they are cut now; cores and messages then."""
        tiles = tiles_of(self.choice)
        self.choice = {
            block: way if way.fill else self.ways.way(way.tiles, tiles)
            for block, way in self.choice.items()
        }
        return self.measure()

    def kick(self, rng: np.random.Generator) -> None:
        """Change some blocks at random, which leads out of a local optimum."""
        for _ in range(KICKED):
            block = sorted(self.choice)[rng.integers(len(self.choice))]
            joined = [self.ways.block(block + other) for other in self._neighbours(block)]
            parts: list[Block] = [(name,) for name in block]
            options: list[list[Block]] = [[block], *([b] for b in joined)]
            options += [parts] if len(block) > 1 else []
            new = options[rng.integers(len(options))]
            if all(self.ways.of(b) for b in new):
                gone = {name for b in new for name in b}
                kept = {b: w for b, w in self.choice.items() if gone.isdisjoint(b)}
                change = {b: self.ways.of(b)[rng.integers(len(self.ways.of(b)))] for b in new}
                if self._legal(kept | change, change):
                    self.choice = kept | change

    def measure(self, choice: Choice | None = None) -> Size:
        """(cores, messages) of a choice, by default the last one."""
        choice = self.choice if choice is None else choice
        self.work += sum(len(way.classes) or 1 for way in choice.values())
        steps = planned(choice, self.ways)
        return n_cores(steps), messages(choice, steps)

    def _changes(self, block: Block) -> Iterator[tuple[list[Choice], list[Block]]]:
        """What can become of a block, and the blocks that are gone then."""
        yield [{block: way} for way in self.ways.of(block)], [block]
        for other in self._neighbours(block):
            both = self.ways.block(block + other)
            yield [{both: way} for way in self.ways.of(both)], [block, other]
        for name in block if len(block) > 1 else ():
            yield self._without(block, name), [block]

    def _try_all(self, changes: list[Choice], gone: list[Block]) -> None:
        """Make the best of some changes if it pays; nothing once the blocks are not there."""
        if not all(block in self.choice for block in gone):
            return
        kept = {block: way for block, way in self.choice.items() if block not in gone}
        least = sum((way.least for way in kept.values()), np.zeros_like(self._limits))
        sent = sum(way.messages + way.each * way.n_bundles for way in kept.values())
        bounds = [self._at_least(change, least, sent) for change in changes]
        for bound, i in sorted(zip(bounds, range(len(changes)), strict=True))[:MAX_PLANS]:
            if bound < self._best:
                other = kept | changes[i]
                cost = self._cost(*self.measure(other))
                if cost < self._best and self._legal(other, changes[i]):
                    self._best, self.choice = cost, other

    def _at_least(self, change: Choice, least: Vector, sent: float) -> Cost:
        """A lower bound of the cost, without a plan.

        Args:
            least, sent: what all other blocks need and send.
        """
        for way in change.values():
            least = least + way.least
            sent += way.messages + way.each * way.n_bundles
        return self._cost(int((-(-least // self._limits)).max()), sent)

    def _neighbours(self, block: Block) -> list[Block]:
        """Blocks that send to a block or hear it."""
        graph = self.ways.graph
        ends = {e.source for n in block for e in graph.incoming(n)}
        ends |= {e.target for n in block for e in graph.outgoing(n)}
        return [b for b in sorted(self.choice) if b != block and ends & set(b)]

    def _without(self, block: Block, name: str) -> list[Choice]:
        """A layer of its own, the other layers as one block."""
        rest = self.ways.block(n for n in block if n != name)
        return [
            {rest: way, (name,): own}
            for way, own in product(self.ways.of(rest), self.ways.of((name,)))
        ]

    def _legal(self, choice: Choice, change: Choice) -> bool:
        """Whether what was changed and what feeds it fit with their axons."""
        tiles = tiles_of(choice)
        sources = {e.source for block in change for n in block for e in self.ways.graph.incoming(n)}
        return all(
            fits(found.needs, self.ways.target.limits)
            for block, way in choice.items()
            if block in change or sources & set(block)
            for found in self.ways.way(way.tiles, tiles).classes
        )
