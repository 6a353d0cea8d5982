"""Gathering: bundles of slices onto shared cores, by a plan and by what they save."""

from __future__ import annotations

from collections.abc import Sequence

from neurocomp.hw.layer import Counts
from neurocomp.ir import Shape
from neurocomp.mapping.packing.needs import Core, Needs
from neurocomp.mapping.packing.nets import Savings
from neurocomp.mapping.packing.plan import Class, plan


def gathered(turns: Sequence[Sequence[Core]], needs: Needs, saved: Savings) -> list[Core]:
    """Bundles onto cores by `plan`; which of equally large ones goes where, the savings decide.

    Bundles of a turn with slices of the same populations and shapes are one class, which needs what
    the neediest of them does.
    """
    bundles = [bundle for turn in turns for bundle in turn]
    turn_of = [turn for turn, own in enumerate(turns) for _ in own]
    members: dict[tuple[int, tuple[tuple[str, Shape], ...]], list[int]] = {}
    for number, bundle in enumerate(bundles):
        kind = tuple((needs.slices[i].population, needs.slices[i].shape) for i in bundle)
        members.setdefault((turn_of[number], kind), []).append(number)
    kinds = [members[kind] for kind in sorted(members)]
    classes = [
        Class(len(kind), _most([needs.of(bundles[b]) for b in kind]), turn_of[kind[0]])
        for kind in kinds
    ]
    between = _between(bundles, saved)
    left = [dict.fromkeys(kind) for kind in kinds]
    groups: list[list[Core]] = []
    for step in plan(classes, needs.target.limits):
        own = left[step.kind]
        if step.group is None:
            cores = [_new_core(own, step.n_each, between) for _ in range(step.n_cores)]
        else:
            cores = _joined(groups[step.group], own, step.n_cores, step.n_each, between)
        groups.append(cores)
    return [[i for b in core for i in bundles[b]] for group in groups for core in group]


def _most(needs: list[Counts]) -> Counts:
    return Counts(*map(max, *needs)) if len(needs) > 1 else needs[0]


def _between(bundles: list[Core], saved: Savings) -> Savings:
    """What pairs of bundles save."""
    bundle_of = {i: number for number, bundle in enumerate(bundles) for i in bundle}
    between: Savings = [{} for _ in bundles]
    for a, bundle in enumerate(bundles):
        for i in bundle:
            for j, gain in saved[i].items():
                b = bundle_of[j]
                if a != b:
                    between[a][b] = between[a].get(b, 0.0) + gain
    return between


def _new_core(bundles: dict[int, None], n: int, saved: Savings) -> Core:
    """A new core with ``n`` of the bundles: the first one, and those that save most with it."""
    core: Core = []
    gains: dict[int, float] = {}
    while len(core) < n:
        near = {j: gain for j, gain in gains.items() if j in bundles}
        best = max(near, key=lambda j: (near[j], -j)) if near else next(iter(bundles))
        core.append(best)
        del bundles[best]
        for j, gain in saved[best].items():
            gains[j] = gains.get(j, 0.0) + gain
    return core


def _joined(
    group: list[Core], bundles: dict[int, None], n_cores: int, n_each: int, saved: Savings
) -> list[Core]:
    """``n_each`` of the bundles on each of ``n_cores`` cores of a group, which leave the group.

    Pairs of a bundle and a core are taken by what they save, greatest first; then what is missing
    is filled up in order.
    """
    core_of = {b: number for number, core in enumerate(group) for b in core}
    chosen: dict[int, Core] = {}
    for number, b in _by_gain(bundles, core_of, saved):
        if b in bundles and len(chosen.get(number, ())) < n_each:
            if number in chosen or len(chosen) < n_cores:
                chosen.setdefault(number, []).append(b)
                del bundles[b]
    for number in range(len(group)):
        if len(chosen) == n_cores:
            break
        chosen.setdefault(number, [])
    for added in chosen.values():
        while len(added) < n_each:
            added.append(next(iter(bundles)))
            del bundles[added[-1]]
    cores = [group[number] + added for number, added in sorted(chosen.items())]
    group[:] = [core for number, core in enumerate(group) if number not in chosen]
    return cores


def _by_gain(
    bundles: dict[int, None], core_of: dict[int, int], saved: Savings
) -> list[tuple[int, int]]:
    """(core, bundle) pairs that save anything, greatest saving first."""
    gains: dict[tuple[int, int], float] = {}
    for b in bundles:
        for other, gain in saved[b].items():
            if other in core_of:
                pair = (core_of[other], b)
                gains[pair] = gains.get(pair, 0.0) + gain
    return sorted(gains, key=lambda pair: (-gains[pair], pair))
