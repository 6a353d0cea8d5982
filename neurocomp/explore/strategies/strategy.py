"""What every strategy does: it is asked for candidates and told what became of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from neurocomp.arch import Candidate
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import Space

Passes: TypeAlias = Callable[[Candidate], bool]  # whether a candidate is within the limits


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a candidate.

    Attributes:
        score: of the evaluator; None where it is out or has no finite score.
        costs: the search's objectives, all the better the smaller; empty without a score.
        spikes: per sample, where the evaluator saw any.
        violation: by what share each limit is passed, 0 where it is kept.
    """

    score: float | None = None
    costs: tuple[float, ...] = ()
    spikes: float | None = None
    violation: Mapping[str, float] = field(default_factory=dict)


class Strategy(Protocol):
    """Proposes candidates in batches.

    It depends on its arguments and on what it was told alone, so that a search that was
    interrupted, or that several machines do together, proposes the same again.
    """

    def ask(self) -> list[Candidate]:
        """The next candidates, canonical; none when it has nothing left."""
        ...

    def tell(self, told: Mapping[Candidate, Told]) -> None:
        """What became of the candidates of the last `ask`; some may be left out at the end."""
        ...


Make: TypeAlias = Callable[[Space, SearchSpec, int, Passes], Strategy]
