"""Exchanging: slices move to and swap with the cores where they save more messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from neurocomp.mapping.effort import Effort
from neurocomp.mapping.packing.needs import Core, Needs
from neurocomp.mapping.packing.nets import Net

MAX_CORES = 12  # to which a slice would move are looked at, the best ones
TOLERANCE = 1e-9  # relative; a smaller gain is rounding


class Exchange:
    """Slices on cores, changed in place while that saves messages and every core still fits."""

    def __init__(self, cores: Sequence[Core], needs: Needs, nets: Sequence[Net]) -> None:
        self.cores = [set(core) for core in cores]
        self.core_of = {i: number for number, core in enumerate(cores) for i in core}
        self.needs, self.nets = needs, nets
        self.nets_of: list[list[int]] = [[] for _ in needs.slices]
        self.held: list[dict[int, int]] = []  # of each net: how many slices each core holds
        for number, net in enumerate(nets):
            on: dict[int, int] = {}
            for i in net.slices:
                self.nets_of[i].append(number)
                on[self.core_of[i]] = on.get(self.core_of[i], 0) + 1
            self.held.append(on)
        self._pulls: dict[int, dict[int, float]] = {}

    def messages(self) -> float:
        """Messages per step between cores."""
        held = zip(self.nets, self.held, strict=True)
        return sum(net.messages * (len(on) - 1) for net, on in held)

    def run(self, effort: Effort) -> list[Core]:
        """Try every slice in turn, some times over; cores that become empty are gone."""
        for _ in range(effort.passes):
            if not any([self._better(i) for i in sorted(self.core_of) if not effort.over]):
                break
        return [sorted(core) for core in self.cores if core]

    def _better(self, i: int) -> bool:
        """Move one slice, or swap it with another, to where most is saved, if anywhere."""
        for _, there, j in sorted(self._offers(i), reverse=True):
            here = self.core_of[i]
            if self._fit(there, i, j) and (j < 0 or self._fit(here, j, i)):
                self._move(i, there)
                if j >= 0:
                    self._move(j, here)
                return True
        return False

    def _fit(self, core: int, new: int, gone: int) -> bool:
        """Whether a core takes a slice when another one, unless −1, leaves it."""
        held = self.cores[core] - {gone}
        layers = [self.needs.slices[i].population for i in (new, *held)]
        if len(layers) > len(set(layers)):
            return self.needs.fit(held | {new})
        limits = self.needs.target.limits
        alone = [self.needs.alone[i] for i in (new, *held)]
        return all(
            limit is None or sum(used) <= limit for limit, *used in zip(limits, *alone, strict=True)
        )

    def _offers(self, i: int) -> Iterator[tuple[float, int, int]]:
        """(gain, other core, slice to swap with or −1) of what saves messages."""
        here, pull = self.core_of[i], self._pull(i)
        least = TOLERANCE * sum(self.nets[n].messages for n in self.nets_of[i])
        stay = pull.get(here, 0.0)
        gains = sorted(((saved - stay, c) for c, saved in pull.items() if c != here), reverse=True)
        for gain, there in gains[:MAX_CORES]:
            if gain > least:
                yield gain, there, -1
            for j in self.cores[there]:
                back = self._pull(j)
                swapped = gain + back.get(here, 0.0) - back.get(there, 0.0)
                if swapped > least:
                    swapped -= self._counted_twice(i, j)
                    if swapped > least:
                        yield swapped, there, j

    def _pull(self, i: int) -> dict[int, float]:
        """What a slice saves on each core where other slices of its nets are."""
        if i not in self._pulls:
            here, pull = self.core_of[i], dict[int, float]()
            for n in self.nets_of[i]:
                saved = self.nets[n].messages
                for core, slices in self.held[n].items():
                    if core != here or slices > 1:
                        pull[core] = pull.get(core, 0.0) + saved
            self._pulls[i] = pull
        return self._pulls[i]

    def _counted_twice(self, i: int, j: int) -> float:
        """Gains of two single moves that a swap does not have: nets with both stay as they are."""
        here, there = self.core_of[i], self.core_of[j]
        return sum(
            self.nets[n].messages * ((self.held[n][here] == 1) + (self.held[n][there] == 1))
            for n in set(self.nets_of[i]).intersection(self.nets_of[j])
        )

    def _move(self, i: int, there: int) -> None:
        here = self.core_of[i]
        for n in self.nets_of[i]:
            on = self.held[n]
            on[there] = on.get(there, 0) + 1
            on[here] -= 1
            if not on[here]:
                del on[here]
            for j in self.nets[n].slices:
                self._pulls.pop(j, None)
        self._pulls.pop(i, None)
        self.cores[here].discard(i)
        self.cores[there].add(i)
        self.core_of[i] = there
