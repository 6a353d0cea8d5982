"""Every network of a space once, where the space is small enough to look at all its genotypes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

from neurocomp.arch.candidate import Candidate
from neurocomp.arch.cell import ZEROIZE, Cell, all_cells, canonical, edges
from neurocomp.arch.draw import MACRO, assemble, kind_of, ops_of
from neurocomp.spec.space import Space


def all_candidates(space: Space) -> Iterator[Candidate]:
    """Every network of the space once, canonical; the macro choices change fastest."""
    names = [name for name in MACRO if getattr(space, name)]
    macro = list(product(*(getattr(space, name) for name in names), space.neurons.values()))
    blank = dict.fromkeys(MACRO, 0)
    for genotypes in product(distinct_cells(space), repeat=space.n_cells):
        cell = tuple(op for one in genotypes for op in one)
        for *values, neuron in macro:
            chosen = blank | dict(zip(names, values, strict=True)) | dict(neuron)
            yield Candidate(cell, **chosen, kind=kind_of(space), macro=space.macro)


def distinct_cells(space: Space) -> list[Cell]:
    """Every cell of the space once, canonical, in the order in which enumeration meets it."""
    kind = kind_of(space)
    found = dict.fromkeys(canonical(cell, kind) for cell in _genotypes(space))
    return [cell for cell in found if set(cell) != {ZEROIZE}]


def n_genotypes(space: Space) -> int:
    """Genotypes that `all_candidates` has to look at, equal and dead ones counted."""
    macro = len(space.neurons) * math.prod(len(getattr(space, name) or (0,)) for name in MACRO)
    n: int = _n_cells(space) ** space.n_cells * macro
    return n


def _n_cells(space: Space) -> int:
    kind = kind_of(space)
    if space.blocks:
        ops = [list(block.values()) for block in space.blocks.values()]
        return sum(len(space.cell_bits) ** sum("conv" in op for op in block) for block in ops)
    total = 0
    for kernels in space.kernel_sets.values() or ((),):
        choices = ops_of(space, kernels, space.cell_bits)
        n, some = len(choices), sum(op != ZEROIZE for op in choices)
        if space.fan_in is not None:
            ways = (math.comb(j, space.fan_in) * n**space.fan_in for j in kind.outputs)
            total += math.prod(ways)
        else:
            pairs = kind.nodes * (kind.nodes - 1) // 2
            either = 2 * n if kind.feedback else n
            total += either ** (pairs - space.direct) * some**space.direct
    return total


def _genotypes(space: Space) -> Iterator[Cell]:
    """Cells as one may draw them, several times where networks are the same."""
    kind = kind_of(space)
    plain = not space.blocks and space.fan_in is None and not space.feedback
    if plain:
        for kernels in space.kernel_sets.values() or ((),):
            yield from all_cells(kind, ops_of(space, kernels, space.cell_bits), space.direct)
        return
    one = space.model_copy(
        update={name: getattr(space, name)[:1] for name in MACRO} | {"cells": "shared"}
    )
    one = one.model_copy(update={"neurons": dict(list(space.neurons.items())[:1])})
    n = len(edges(kind))
    for decisions in _all_decisions(one):
        yield decisions.cell[:n]


def _all_decisions(space: Space) -> Iterator[Candidate]:
    """Every series of decisions, as an odometer: the last decision that can go on goes on."""
    path: list[int] = []
    while True:
        sizes: list[int] = []

        def choose(_: str, options: object, sizes: list[int] = sizes) -> int:
            sizes.append(len(options))  # type: ignore[arg-type]
            if len(sizes) > len(path):
                path.append(0)
            return path[len(sizes) - 1]

        yield assemble(space, choose)
        while path and path[-1] + 1 == sizes[len(path) - 1]:
            path.pop()
        if not path:
            return
        path[-1] += 1
