"""Candidates from a space by a series of decisions: drawn, changed a little, or crossed.

Whoever makes the decisions (a random generator, a sampler, another genotype) is asked for each by
name, in a fixed order; later decisions may depend on earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from neurocomp.arch.candidate import Candidate
from neurocomp.arch.cell import (
    AVGPOOL3,
    SKIP,
    ZEROIZE,
    CellKind,
    Edge,
    EdgeOp,
    conv,
    direct_edge,
    edges,
)
from neurocomp.spec.space import Space

Choose: TypeAlias = Callable[[str, Sequence[str]], int]  # a decision's name, what there is
Genotype: TypeAlias = Mapping[str, int]  # which of a decision's options was taken, by its name

WITHOUT_WEIGHTS = {"zeroize": ZEROIZE, "skip": SKIP, "avgpool3": AVGPOOL3}
MACRO = ("channels", "final_pool", "hidden", "macro_bits", "timesteps", "prune")


def assemble(space: Space, choose: Choose) -> Candidate:
    """The candidate that a series of decisions leads to; not canonical, its cells may be dead.

    As in SNASNet, each kernel size is an op of its own. Where a decision has one option only,
    nobody is asked.
    """
    ask = _Asking(choose)
    kind = kind_of(space)
    ops: list[EdgeOp] = []
    kernels: Sequence[int] = ()
    if space.kernel_sets:
        kernels = tuple(space.kernel_sets.values())[ask("kernels", tuple(space.kernel_sets))]
    for number in range(1, space.n_cells + 1):
        cell = ask.within(f"c{number}." if space.n_cells > 1 else "")
        ops += _cell(space, kind, kernels, cell)
    neuron = tuple(space.neurons.values())[ask("neuron", tuple(space.neurons))]
    macro: dict[str, Any] = {}
    for name in MACRO:
        values = getattr(space, name)
        macro[name] = values[ask(name, tuple(map(str, values)))] if values else 0
    return Candidate(
        cell=tuple(ops),
        kind=kind,
        macro=space.macro,
        threshold=neuron.threshold,
        voltage_decay=neuron.voltage_decay,
        **macro,
    )


def draw(space: Space, rng: np.random.Generator) -> Candidate:
    """One genotype, uniform over every decision; it is as drawn, not canonical."""
    return redraw(space, rng)[0]


def redraw(
    space: Space, rng: np.random.Generator, keep: Genotype | None = None
) -> tuple[Candidate, Genotype]:
    """A candidate with its genotype: decisions in ``keep`` as they stand there, others drawn.

    Cells without a way from input to output are drawn again, as in SNASNet.
    """
    while True:
        taken: dict[str, int] = {}

        def choose(
            name: str,
            options: Sequence[str],
            taken: dict[str, int] = taken,
            keep: Genotype | None = keep,
        ) -> int:
            kept = -1 if keep is None else keep.get(name, -1)
            taken[name] = kept if 0 <= kept < len(options) else int(rng.integers(len(options)))
            return taken[name]

        candidate = assemble(space, choose)
        if candidate.alive:
            return candidate, taken
        keep = None if keep is None else {}


def mutate(
    space: Space, genotype: Genotype, rng: np.random.Generator, probability: float
) -> tuple[Candidate, Genotype]:
    """A candidate with each decision drawn anew with a probability (AutoSNN's mutation)."""
    kept = {name: k for name, k in genotype.items() if rng.random() >= probability}
    return redraw(space, rng, kept)


def cross(
    space: Space, first: Genotype, second: Genotype, rng: np.random.Generator
) -> tuple[Candidate, Genotype]:
    """A candidate with the first decisions of one genotype and the rest of another (AutoSNN)."""
    names = tuple(first)
    cut = int(rng.integers(1, max(len(names), 2)))
    head = {name: first[name] for name in names[:cut]}
    return redraw(space, rng, {**second, **head})


def kind_of(space: Space) -> CellKind:
    """How the nodes of a space's cells are joined."""
    return CellKind(space.nodes, space.inputs, space.feedback, space.carries == "sums")


def ops_of(
    space: Space, kernels: Sequence[int], bits: Sequence[int], direct: bool = False
) -> tuple[EdgeOp, ...]:
    """What an edge may be; where ``direct``, the edge from input to output, never zeroize."""
    ops: list[EdgeOp] = []
    for name in space.ops:
        if name == "conv":
            ops += [
                conv(k, b, t) for k in kernels for t in space.thresholds or (0.0,) for b in bits
            ]
        elif not (direct and name == "zeroize"):
            ops.append(WITHOUT_WEIGHTS[name])
    return tuple(ops)


class _Asking:
    """Asks for decisions; one that is none is not asked for."""

    def __init__(self, choose: Choose, prefix: str = "") -> None:
        self._choose, self._prefix = choose, prefix

    def __call__(self, name: str, options: Sequence[str]) -> int:
        return self._choose(self._prefix + name, options) if len(options) > 1 else 0

    def within(self, prefix: str) -> _Asking:
        return _Asking(self._choose, self._prefix + prefix)


def _cell(space: Space, kind: CellKind, kernels: Sequence[int], ask: _Asking) -> list[EdgeOp]:
    if space.blocks:
        chosen = tuple(space.blocks.values())[ask("block", tuple(space.blocks))]
        return _block(space, kind, chosen, ask)
    there = _present(space, kind, ask)
    always = direct_edge(kind) if space.direct else None
    found: dict[Edge, EdgeOp] = {}
    for e in there:
        # The bits are a decision of their own, so that ops are drawn evenly.
        ops = ops_of(space, kernels, (0,), direct=e == always)
        op = ops[ask(_name(e), _labels(ops, many=len(space.kernel_sets) > 1))]
        if op.op == "conv":
            op = op._replace(bits=_bits(space, e, ask))
        found[e] = op
    return [found.get(e, ZEROIZE) for e in edges(kind)]


def _present(space: Space, kind: CellKind, ask: _Asking) -> list[Edge]:
    """The edges that get an op."""
    if space.fan_in == 1:
        ends = [(j, [(i, j) for i in range(j)]) for j in kind.outputs]
        return [mine[ask(f"{j}.from", tuple(map(_name, mine)))] for j, mine in ends]
    if space.fan_in == 2:
        return [e for j in kind.outputs for e in _pair(j, ask)]
    forward = [(i, j) for i, j in edges(kind) if i < j]
    if not kind.feedback:
        return forward
    ways = ("forward", "backward")
    always = direct_edge(kind) if space.direct else None
    return [
        (i, j) if (i, j) == always or not ask(f"{i}-{j}.way", ways) else (j, i) for i, j in forward
    ]


def _pair(j: int, ask: _Asking) -> tuple[Edge, Edge]:
    """Two incoming edges of a node."""
    pairs = [(a, b) for a in range(j) for b in range(a + 1, j)]
    a, b = pairs[ask(f"{j}.from", tuple(f"{a}+{b}" for a, b in pairs))]
    return (a, j), (b, j)


def _block(space: Space, kind: CellKind, block: Mapping[str, str], ask: _Asking) -> list[EdgeOp]:
    ops = []
    for e in edges(kind):
        label = block.get(_name(e), "zeroize")
        if label.startswith("conv"):
            ops.append(conv(int(label.removeprefix("conv")), _bits(space, e, ask)))
        else:
            ops.append(WITHOUT_WEIGHTS[label])
    return ops


def _bits(space: Space, e: Edge, ask: _Asking) -> int:
    return space.cell_bits[ask(f"{_name(e)}.bits", tuple(map(str, space.cell_bits)))]


def _labels(ops: Sequence[EdgeOp], many: bool) -> tuple[str, ...]:
    """What the options of an edge are called; with many kernel sets by their place in the set."""
    labels: list[str] = []
    for op in ops:
        name = op.label if op.op != "conv" or not many else f"conv.{len(labels)}"
        labels.append(f"{name}>{op.threshold:g}" if op.threshold else name)
    return tuple(labels)


def _name(e: Edge) -> str:
    return f"{e[0]}-{e[1]}"
