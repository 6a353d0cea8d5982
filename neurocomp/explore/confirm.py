"""The limit on cores, held by what candidates use as they are mapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from neurocomp.arch import Candidate, Task, build
from neurocomp.errors import FitError
from neurocomp.explore.front import front
from neurocomp.explore.result import RANKING_ROWS, Rejected, Scored, points
from neurocomp.mapping import map_graph
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.target import Target


def mapped_by(policy: str, task: Task, target: Target) -> Callable[[Candidate], int]:
    """What says how many cores a candidate uses, mapped by a policy with little effort."""
    return lambda c: map_graph(build(c, task), target, policy, effort="fast").n_cores


def confirmed(
    ranking: tuple[Scored, ...], spec: SearchSpec, cores_of: Callable[[Candidate], int]
) -> tuple[tuple[Scored, ...], list[Rejected]]:
    """A ranking without those that use too many cores, as far as it is shown.

    Before it was evaluated, a candidate was only out when no mapping at all is within the limit.
    Here the first `RANKING_ROWS` and the front are mapped, and those that move up when some of
    these fall out, until all of them are within.

    Args:
        cores_of: cores of a candidate as it is mapped.

    Returns:
        The ranking, with the mapped cores of those that were mapped, and what fell out.

    Raises:
        FitError: all fell out; says what the least of them uses.
    """
    if (max_cores := spec.max_cores) is None:
        return ranking, []
    kept, out = list(ranking), list[Rejected]()
    used: dict[Candidate, int] = {}
    while kept:
        ahead = {*range(min(len(kept), RANKING_ROWS)), *front(points(spec.objectives, kept))}
        unknown = [kept[k].candidate for k in sorted(ahead) if kept[k].mapped_cores is None]
        if not unknown:
            return tuple(kept), out
        used |= {candidate: cores_of(candidate) for candidate in unknown}
        known = [replace(s, mapped_cores=used.get(s.candidate)) for s in kept]
        out += [_out(s, max_cores) for s in known if _over(s, max_cores)]
        kept = [s for s in known if not _over(s, max_cores)]
    raise FitError(
        f"none of {len(ranking)} evaluated candidates uses at most {max_cores:,} cores as it is "
        f"mapped; the least uses {min(used.values()):,}: raise --max-cores, or narrow the space to "
        "smaller networks"
    )


def _over(scored: Scored, max_cores: int) -> bool:
    return scored.mapped_cores is not None and scored.mapped_cores > max_cores


def _out(scored: Scored, max_cores: int) -> Rejected:
    reason = f"more than {max_cores:,} cores as mapped"
    detail = f"{scored.mapped_cores:,} cores as mapped"
    return Rejected(scored.candidate, scored.price, "max_cores", reason, detail)
