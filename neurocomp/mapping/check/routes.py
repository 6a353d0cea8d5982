"""Do the messages of every slice go to exactly the cores that hold targets?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from neurocomp.mapping.check.synapses import Heard
from neurocomp.mapping.check.tables import OUTSIDE, Table
from neurocomp.mapping.model import Mapping


def route_faults(mapping: Mapping, tables: dict[str, Table], heard: list[Heard]) -> Iterator[str]:
    """Routes that miss a core or reach one in vain, that lead nowhere or stand out of order, and
    messages that have two routes."""
    needed = _needed(tables, heard)
    keys = [(r.population, OUTSIDE if r.source is None else r.source) for r in mapping.routes]
    if keys != sorted(keys) or any(list(r.targets) != sorted(r.targets) for r in mapping.routes):
        yield "routes: must be sorted by population, source and targets"
    given: dict[tuple[str, int], set[int]] = {}
    for r in mapping.routes:
        key = r.population, OUTSIDE if r.source is None else r.source
        if key in given or len(set(r.targets)) < len(r.targets):
            yield f"{_where(*key)}: two routes"
        given.setdefault(key, set()).update(r.targets)
        if r.population not in tables or not r.targets:
            yield f"{_where(*key)}: is no population or has no targets"
    for key in sorted(needed.keys() | given.keys()):
        want, have = needed.get(key, set()), given.get(key, set())
        if want - have:
            yield f"{_where(*key)}: messages do not reach cores {sorted(want - have)}"
        if have - want:
            lost = sorted(have - want)
            yield f"{_where(*key)}: messages reach cores {lost} that have no targets"


def _needed(tables: dict[str, Table], heard: list[Heard]) -> dict[tuple[str, int], set[int]]:
    """The cores that hold targets of a population's neurons on a core."""
    needed: dict[tuple[str, int], set[int]] = {}
    for h in heard:
        e = h.projection
        ends = tables[e.source].cores[h.source], tables[e.target].cores[h.target]
        for source, target in np.unique(np.stack(ends, axis=1), axis=0).tolist():
            needed.setdefault((e.source, source), set()).add(target)
    return needed


def _where(population: str, source: int) -> str:
    return f"'{population}'" if source == OUTSIDE else f"'{population}' of core {source}"
