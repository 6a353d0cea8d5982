"""What a mapping is: which slice stands on which core, and where its messages go.

Values only; the algorithms are in `tiling`, `packing`, `place` and `route`, the judge is `check`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from neurocomp.ir import Slice


class CoreAddress(NamedTuple):
    """A physical core: chip, and core number on the chip."""

    chip: int
    core: int


@dataclass(frozen=True, slots=True)
class Partition:
    """The slices of each logical core; a core may hold slices of several populations."""

    cores: tuple[tuple[Slice, ...], ...]


@dataclass(frozen=True, slots=True)
class Placement:
    """The physical core of each logical core, in the partition's order."""

    addresses: tuple[CoreAddress, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Messages of one slice of a source population to the cores that hold its targets.

    ``source`` is an index into the partition's cores (None: an input population, whose messages
    come from outside the mesh); ``targets`` are the logical cores reached, in ascending order, the
    source's own core included where it holds targets.
    """

    population: str
    source: int | None
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A network on a target: made by `neurocomp.mapping.map_graph`, judged by `check`.

    Attributes:
        graph_digest: `Graph.digest` of the network that was mapped.
        routes: sorted by (population, source).
    """

    network: str
    graph_digest: str
    target: str
    policy: str
    seed: int
    partition: Partition
    placement: Placement
    routes: tuple[Route, ...]

    @property
    def n_cores(self) -> int:
        """Cores that hold neurons."""
        return len(self.partition.cores)

    @property
    def chips(self) -> tuple[int, ...]:
        """Chips that hold neurons, ascending."""
        return tuple(sorted({a.chip for a in self.placement.addresses}))
