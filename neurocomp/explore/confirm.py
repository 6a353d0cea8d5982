"""The limit on cores, and the board's own, held by what candidates use as they are mapped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from neurocomp.arch import Candidate, Task, build
from neurocomp.cost.pricer import TARGET
from neurocomp.errors import FitError
from neurocomp.explore.front import front
from neurocomp.explore.limits import unfit
from neurocomp.explore.result import RANKING_ROWS, Rejected, Scored, points
from neurocomp.hw.mesh import n_live_cores
from neurocomp.mapping import map_graph
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.target import Target


def mapped_by(policy: str, task: Task, target: Target) -> Callable[[Candidate], int]:
    """What says how many cores a candidate uses, mapped by a policy with little effort."""
    return lambda c: map_graph(build(c, task), target, policy, effort="fast").n_cores


def confirmed(
    ranking: tuple[Scored, ...],
    spec: SearchSpec,
    target: Target,
    cores_of: Callable[[Candidate], int],
) -> tuple[tuple[Scored, ...], list[Rejected]]:
    """A ranking without those that use too many cores, as far as it is shown.

    Before it was evaluated, a candidate was only out when no mapping at all is within the limit.
    Here the first `RANKING_ROWS` and the front are mapped, and those that move up when some of
    these fall out, until all of them are within. Without a limit only those are mapped for which
    the target may have too few cores.

    Args:
        cores_of: cores of a candidate as it is mapped; raises FitError where it cannot be.

    Returns:
        The ranking, with the mapped cores of those that were mapped, and what fell out.

    Raises:
        FitError: all fell out; says what the least of them uses.
    """
    available = n_live_cores(target)
    kept, out = list(ranking), list[Rejected]()
    used: dict[Candidate, int] = {}
    while kept:
        ahead = {*range(min(len(kept), RANKING_ROWS)), *front(points(spec.objectives, kept))}
        shown = [kept[k] for k in sorted(ahead) if kept[k].mapped_cores is None]
        if spec.max_cores is None:
            shown = [s for s in shown if s.price.cores_alone > available]
        if not shown:
            return tuple(kept), out
        fallen = dict[Candidate, Rejected]()
        for s in shown:
            try:
                used[s.candidate] = cores_of(s.candidate)
            except FitError as fault:
                rejected = Rejected(s.candidate, s.price, TARGET, unfit(target), str(fault))
            else:
                if spec.max_cores is None or used[s.candidate] <= spec.max_cores:
                    continue
                rejected = _over(s, used[s.candidate], spec.max_cores)
            fallen[s.candidate] = rejected
        out += fallen.values()
        there = (s for s in kept if s.candidate not in fallen)
        kept = [replace(s, mapped_cores=used.get(s.candidate)) for s in there]
    narrower = "or narrow the space to smaller networks"
    if spec.max_cores is None or not used:
        raise FitError(
            f"none of {len(ranking)} evaluated candidates fits {target.name} as it is mapped, for "
            f"example {out[-1].detail}; use a larger board, {narrower}"
        )
    raise FitError(
        f"none of {len(ranking)} evaluated candidates uses at most {spec.max_cores:,} cores as it "
        f"is mapped; the least uses {min(used.values()):,}: raise --max-cores, {narrower}"
    )


def _over(s: Scored, cores: int, most: int) -> Rejected:
    reason, detail = f"more than {most:,} cores as mapped", f"{cores:,} cores as mapped"
    return Rejected(s.candidate, s.price, "max_cores", reason, detail)
