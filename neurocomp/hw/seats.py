"""Which core may hold what, on chips whose cores hold unequal amounts."""

from __future__ import annotations

from collections.abc import Sequence

from neurocomp.hw.demand import fits
from neurocomp.hw.layer import Counts
from neurocomp.hw.mesh import live_cores
from neurocomp.spec.target import Target


def seats(needs: Sequence[Counts], target: Target) -> list[tuple[int, int]] | None:
    """A live core, (chip, core), of its own for each need; None where they do not all fit at once.

    It is a matching of needs and cores within each core's own limits, found by augmenting paths
    (Kuhn): a need takes a free core, or one whose holder finds another.
    """
    cores = list(live_cores(target))
    holder: dict[tuple[int, int], int] = {}

    def seat(i: int, tried: set[tuple[int, int]]) -> bool:
        for place in cores:
            if place in tried or not fits(needs[i], target.limits_of(place[1])):
                continue
            tried.add(place)
            if place not in holder or seat(holder[place], tried):
                holder[place] = i
                return True
        return False

    if not all(seat(i, set()) for i in range(len(needs))):
        return None
    place_of = {i: place for place, i in holder.items()}
    return [place_of[i] for i in range(len(needs))]
