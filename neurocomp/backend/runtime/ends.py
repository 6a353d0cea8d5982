"""What the parent agrees on with the source and the sink of a Lava network."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from neurocomp.backend.runtime.shared import Slots

END = -1  # a note instead of a number of frames: there are no more batches


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """Where the source gets its frames from.

    Attributes:
        slots: each holds the frames of one batch, a row of int32 words for each Lava step; the note
            is their number: 1 = the same in every step of the batch.
        steps: Lava steps of a batch.
        tail: Lava steps after the last batch, until all that it caused has come out.
    """

    slots: Slots
    steps: int
    tail: int


@dataclass(frozen=True, slots=True)
class Field:
    """Bytes ``start`` to ``stop`` of the messages at a port of the sink, and when they count.

    Attributes:
        depth: what belongs to a batch's step t arrives at Lava step t + depth.
        last: only the batch's last step is wanted, not all.
    """

    port: int
    start: int
    stop: int
    depth: int
    last: bool = False

    def steps(self, of_batch: int) -> range:
        """The steps that are wanted, of all Lava steps of a batch."""
        return range(of_batch - 1, of_batch) if self.last else range(of_batch)

    def nbytes(self, of_batch: int) -> int:
        """Bytes per batch."""
        return (self.stop - self.start) * len(self.steps(of_batch))


@dataclass(frozen=True, slots=True, eq=False)
class Harvest:
    """What the sink hands over, and where to.

    Attributes:
        slots: each takes all fields of one batch one after the other, each with its steps in order;
            the note is the number of the batch.
        steps: Lava steps of a batch.
    """

    slots: Slots
    fields: tuple[Field, ...]
    steps: int

    @property
    def depth(self) -> int:
        """Greatest depth of a field."""
        return max(f.depth for f in self.fields)

    def starts(self) -> list[int]:
        """The byte at which each field begins."""
        sizes = [f.nbytes(self.steps) for f in self.fields]
        return list(accumulate(sizes[:-1], initial=0))
