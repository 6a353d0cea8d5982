"""Candidates in files: what `Candidate.as_dict` wrote, read and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from neurocomp.arch.candidate import Candidate
from neurocomp.arch.cell import ZEROIZE, CellKind, EdgeOp, conv, edges
from neurocomp.errors import InputError
from neurocomp.spec.macro import SNASNET_MACRO, Macro
from neurocomp.spec.read import Spec, parse, read_yaml
from neurocomp.spec.space import EDGE, Bits, Count, NeuronSpec, Share, Threshold


def from_dict(value: dict[str, Any], where: str | Path) -> Candidate:
    """The candidate that `Candidate.as_dict` described; edges that are not named are zeroize.

    Args:
        where: file and key for the message.

    Raises:
        InputError: with all faults at once, or no path leads through a cell.
    """
    spec = parse(value, _CandidateSpec, where)
    forms = [spec.cell] if spec.cell is not None else spec.cells
    kind = CellKind(**dict(spec.kind)) if spec.kind else CellKind(nodes=_nodes(forms))
    candidate = Candidate(
        cell=tuple(op for form in forms for op in _ops(form, kind, where)),
        channels=spec.channels,
        final_pool=spec.final_pool,
        hidden=spec.hidden,
        macro_bits=spec.macro_bits,
        timesteps=spec.timesteps,
        threshold=spec.neuron.threshold,
        voltage_decay=spec.neuron.voltage_decay,
        prune=spec.prune,
        kind=kind,
        macro=spec.macro,
    )
    stages = sum(text.startswith("cell") for text in spec.macro)
    if spec.cells and len(spec.cells) != stages:
        raise InputError(f"{where}: cells: macro has {stages} cells, got {len(spec.cells)}")
    if not candidate.alive:
        raise InputError(
            f"{where}: cell: no path leads from node 0 to node {kind.nodes - 1}; add the edge "
            f"0-{kind.nodes - 1}, or others that join them"
        )
    return candidate


def load_candidate(path: Path) -> Candidate:
    """The candidate in a YAML file; `InputError` if there is none."""
    return from_dict(read_yaml(path), path)


class _EdgeSpec(Spec):
    op: Annotated[str, StringConstraints(pattern=r"^(zeroize|skip|avgpool3|conv\d?[13579])$")]
    bits: Bits | None = None
    threshold: Threshold | None = None

    @model_validator(mode="after")
    def _bits_belong_to_convolutions(self) -> _EdgeSpec:
        if self.op.startswith("conv") and self.bits is None:
            raise ValueError("a convolution needs weight bits")
        if not self.op.startswith("conv") and (self.bits or self.threshold) is not None:
            raise ValueError(f"{self.op} has no weights and so no bits and no threshold")
        return self

    def op_of_edge(self) -> EdgeOp:
        if self.bits is None:
            return EdgeOp(self.op)
        return conv(int(self.op.removeprefix("conv")), self.bits, self.threshold or 0.0)


_Edges = Annotated[
    dict[Annotated[str, StringConstraints(pattern=EDGE)], _EdgeSpec], Field(min_length=1)
]


class _KindSpec(Spec):
    nodes: Annotated[int, Field(ge=3, le=6)]
    inputs: Literal[1, 2] = 1
    feedback: bool = False
    sums: bool = False


class _CandidateSpec(Spec):
    cell: _Edges | None = None
    cells: list[_Edges] = Field(default_factory=list)
    channels: Count
    final_pool: Annotated[int, Field(ge=0)]
    hidden: Annotated[int, Field(ge=0)]
    macro_bits: Bits
    timesteps: Count
    neuron: NeuronSpec
    prune: Share = 0.0
    kind: _KindSpec | None = None
    macro: Macro = SNASNET_MACRO

    @model_validator(mode="after")
    def _has_cells(self) -> _CandidateSpec:
        if (self.cell is None) == (not self.cells):
            raise ValueError("a candidate has either a cell, or cells for the stages of macro")
        return self


def _nodes(forms: list[dict[str, _EdgeSpec]]) -> int:
    return 1 + max(int(end) for form in forms for name in form for end in name.split("-"))


def _ops(form: dict[str, _EdgeSpec], kind: CellKind, where: str | Path) -> tuple[EdgeOp, ...]:
    known = [f"{i}-{j}" for i, j in edges(kind)]
    strange = sorted(form.keys() - set(known))
    if strange:
        raise InputError(
            f"{where}: cell: there is no edge {', '.join(strange)} (known: {', '.join(known)})"
        )
    return tuple(form[name].op_of_edge() if name in form else ZEROIZE for name in known)
