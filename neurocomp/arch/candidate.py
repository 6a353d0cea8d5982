"""Candidates: one choice from a space, with the identity and the file form it is known by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from neurocomp.arch.cell import (
    SNASNET,
    ZEROIZE,
    Cell,
    CellKind,
    canonical,
    edges,
    live,
    n_convolutions,
)
from neurocomp.spec.macro import SNASNET_MACRO

_CODES = {"zeroize": "0", "skip": "s", "avgpool3": "p"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A genotype: everything that is chosen about a network, and nothing about its data.

    The kernel set that a cell was drawn from is not kept: cells that two sets share are one.

    Attributes:
        cell: ops in the order of `cell.edges`: of the one cell that all cell stages share, or of
            every stage's own cell, one after the other.
        channels: of the first convolution; widths grow as ``macro`` says.
        final_pool: size and stride of the last average pooling; 0 where ``macro`` has none.
        hidden: neurons of the fully connected layer before the output; 0 where there is none.
        macro_bits: weight bits of all trained layers outside the cells.
        timesteps: length of a sample's window.
        threshold, voltage_decay: of every spiking neuron, see `NeuronSpec`.
        prune: share of the weights that is pruned.
        kind: how the nodes of its cells are joined.
        macro: its stages, see `neurocomp.spec.space.stage`.
    """

    cell: Cell
    channels: int
    final_pool: int
    hidden: int
    macro_bits: int
    timesteps: int
    threshold: float
    voltage_decay: float
    prune: float = 0.0
    kind: CellKind = SNASNET
    macro: tuple[str, ...] = SNASNET_MACRO

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The genotypes in ``cell``: one, or one per cell stage."""
        n = len(edges(self.kind))
        return tuple(self.cell[i : i + n] for i in range(0, len(self.cell), n))

    def canonical(self) -> Candidate:
        """The candidate that stands for every genotype of the same network."""
        same = (canonical(cell, self.kind) for cell in self.cells)
        return replace(self, cell=tuple(op for cell in same for op in cell))

    def live(self) -> Candidate:
        """The candidate without its dead edges."""
        alive = (live(cell, self.kind) for cell in self.cells)
        return replace(self, cell=tuple(op for cell in alive for op in cell))

    @property
    def alive(self) -> bool:
        """Whether every cell has a way from its input to its output."""
        return all(set(live(cell, self.kind)) != {ZEROIZE} for cell in self.cells)

    @property
    def id(self) -> str:
        """Cell code and a hash over all choices, the same for all genotypes of one network.

        The code has a character per edge of the canonical cells, cells joined by a dot: 0
        zeroize, s skip, p average pooling, a convolution's kernel size else.
        """
        same = self.canonical()
        codes = ("".join(_CODES.get(op.op, str(op.kernel)) for op in cell) for cell in same.cells)
        text = repr(tuple(getattr(same, name) for name in sorted(self.__dataclass_fields__)))
        return f"{'.'.join(codes)}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"

    @property
    def convolutions(self) -> int:
        """Live convolutions of its genotypes, the count baseline."""
        return sum(n_convolutions(cell, self.kind) for cell in self.cells)

    @property
    def weight_bits(self) -> dict[str, int]:
        """Designed weight bits: ``macro`` and one entry per live convolution's edge, as "0-2".

        Where cells have a genotype each, edges are named "1:0-2", the cell first.
        """
        found = {"macro": self.macro_bits}
        for number, cell in enumerate(self.cells, 1):
            prefix = f"{number}:" if len(self.cells) > 1 else ""
            for (i, j), op in zip(edges(self.kind), live(cell, self.kind), strict=True):
                if op.bits:
                    found[f"{prefix}{i}-{j}"] = op.bits
        return found

    def as_dict(self) -> dict[str, Any]:
        """The candidate as plain values for YAML and JSON, zeroized edges left out.

        What equals SNASNet's (the kind of cell, the macro-architecture) is left out as well.
        """
        cells = [self._edges(cell) for cell in self.cells]
        form: dict[str, Any] = {
            **({"cell": cells[0]} if len(cells) == 1 else {"cells": cells}),
            "channels": self.channels,
            "final_pool": self.final_pool,
            "hidden": self.hidden,
            "macro_bits": self.macro_bits,
            "timesteps": self.timesteps,
            "neuron": {"threshold": self.threshold, "voltage_decay": self.voltage_decay},
        }
        if self.prune:
            form["prune"] = self.prune
        if self.kind != SNASNET:
            form["kind"] = self.kind._asdict()
        if self.macro != SNASNET_MACRO:
            form["macro"] = list(self.macro)
        return form

    def _edges(self, cell: Cell) -> dict[str, Any]:
        form: dict[str, Any] = {}
        for (i, j), op in zip(edges(self.kind), cell, strict=True):
            if op != ZEROIZE:
                values = {"bits": op.bits, "threshold": op.threshold}
                form[f"{i}-{j}"] = {"op": op.label} | {k: v for k, v in values.items() if v}
        return form
