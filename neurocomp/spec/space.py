"""Search spaces: what may be chosen for a network, as one validated file each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from neurocomp import shipped
from neurocomp.errors import InputError
from neurocomp.spec.macro import SNASNET_MACRO, Macro, Stage, stage
from neurocomp.spec.read import LIST, Name, Spec, read

ItemT = TypeVar("ItemT")


def _once(values: tuple[ItemT, ...]) -> tuple[ItemT, ...]:
    if len(set(values)) != len(values):
        raise ValueError("no value may stand twice")
    return values


def _listed(values: tuple[ItemT, ...]) -> tuple[ItemT, ...]:
    if not values:
        raise ValueError("at least one value is needed")
    return _once(values)


def _odd(kernel: int) -> int:
    if kernel % 2 == 0:
        raise ValueError("a kernel size must be odd, so that images keep their size")
    return kernel


Kernel = Annotated[int, Field(gt=0), AfterValidator(_odd)]
Count = Annotated[int, Field(gt=0)]
Bits = Annotated[int, Field(ge=1, le=8)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Threshold = Annotated[float, Field(gt=0.0)]
Counts = Annotated[tuple[Count, ...], LIST, AfterValidator(_listed)]
BitWidths = Annotated[tuple[Bits, ...], LIST, AfterValidator(_listed)]
Shares = Annotated[tuple[Share, ...], LIST, AfterValidator(_listed)]
Thresholds = Annotated[tuple[Threshold, ...], LIST, AfterValidator(_once)]
KernelSet = Annotated[tuple[Kernel, ...], LIST, AfterValidator(_listed)]
CellOp = Literal["zeroize", "skip", "conv", "avgpool3"]
CellOps = Annotated[tuple[CellOp, ...], LIST, AfterValidator(_listed)]


def _makes_networks(ops: tuple[CellOp, ...]) -> tuple[CellOp, ...]:
    if set(ops) <= {"zeroize"}:
        raise ValueError("a cell needs an op besides zeroize")
    return ops


EDGE = r"^[0-5]-[0-5]$"
EDGE_OP = r"^(skip|avgpool3|conv\d?[13579])$"
Block = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=EDGE)],
        Annotated[str, StringConstraints(pattern=EDGE_OP)],
    ],
    Field(min_length=1),
]


class NeuronSpec(Spec):
    """A leaky integrate-and-fire neuron ``v ← (1 − voltage_decay)·v + input``, reset to zero.

    Attributes:
        threshold: the neuron fires where v exceeds it.
        voltage_decay: share of the membrane lost per step.
    """

    threshold: Threshold
    voltage_decay: Annotated[float, Field(ge=0.0, le=1.0)]


class Space(Spec):
    """The choices of a cell-based space; every list holds the values one may choose from.

    A cell has ``nodes`` nodes and ops on the edges between them. Edges run forward, from a node
    to a later one.

    Attributes:
        inputs: 1 = a cell's input is node 0 and its output the last node (SNASNet); 2 = nodes 0
            and 1 are the outputs of the two stages before it, and its output is all its other
            nodes side by side (SpikeDHS, LitE-SNN).
        fan_in: incoming edges of every node but the inputs; None = an op, zeroize included, on
            every edge.
        direct: the edge from input to output is never zeroize.
        feedback: between two nodes the edge may run backward instead; what it carries arrives a
            loop's length later (SNASNet).
        carries: spikes = every node is one LIF over the sum of its edges; sums = nodes carry
            sums, and a LIF stands before each convolution and pooling (SNASNet, SpikeNAS-Bench).
        cells: shared = all cells of a network have one genotype; own = each has its own.
        blocks: the cells there are, by name, each with the op of its edges; empty = any.
        kernel_sets: sizes the convolutions of one cell may have; a cell draws from one set.
        ops: what an edge may be; ``conv`` stands for one op per kernel of the set.
        thresholds: of the LIF before a convolution, each an op of its own; empty = the neuron's.
            Only where nodes carry sums.
        macro: stages from the image to the classifier, see `stage`.
        channels: of the first convolution; widths grow as ``macro`` says.
        final_pool: size and stride of the average pooling ``final_pool``.
        hidden: neurons of the fully connected layer ``hidden``.
        cell_bits: weight bits, chosen anew for every convolution of a cell.
        macro_bits: weight bits of all other trained layers.
        timesteps: length of a sample's window.
        prune: share of the weights that is pruned, the same in all trained layers.
    """

    name: Name
    summary: str
    source: str
    nodes: Annotated[int, Field(ge=3, le=6)]
    inputs: Literal[1, 2] = 1
    fan_in: Count | None = None
    direct: bool = True
    feedback: bool = False
    carries: Literal["spikes", "sums"] = "spikes"
    cells: Literal["shared", "own"] = "shared"
    blocks: dict[str, Block] = Field(default_factory=dict)
    ops: Annotated[CellOps, AfterValidator(_makes_networks)] = (
        "zeroize",
        "skip",
        "conv",
        "avgpool3",
    )
    kernel_sets: dict[str, KernelSet] = Field(default_factory=dict)
    thresholds: Thresholds = ()
    macro: Macro = SNASNET_MACRO
    channels: Counts
    final_pool: Counts = ()
    hidden: Counts = ()
    cell_bits: BitWidths
    macro_bits: BitWidths
    timesteps: Counts
    prune: Shares = (0.0,)
    neurons: Annotated[dict[str, NeuronSpec], Field(min_length=1)]

    @property
    def n_cells(self) -> int:
        """Genotypes that a network has: 1, or one per cell stage."""
        own = [text for text in self.macro if stage(text).kind == "cell"]
        return len(own) if self.cells == "own" else 1

    @model_validator(mode="after")
    def _choices_fit_together(self) -> Space:
        faults = list(_faults(self))
        if faults:
            raise ValueError("; ".join(faults))
        return self


def _faults(space: Space) -> Iterator[str]:
    """What in a space does not fit together."""
    block_ops = {op for block in space.blocks.values() for op in block.values()}
    pools = "avgpool3" in (block_ops or space.ops) and space.inputs == 1
    two, sums, fan_in = space.inputs == 2, space.carries == "sums", space.fan_in
    rules = (
        (
            "conv" in space.ops and not space.kernel_sets and not space.blocks,
            "kernel_sets: convolutions need at least one set of kernel sizes",
        ),
        *(
            (
                (name in space.macro) != bool(getattr(space, name)),
                f"{name}: values and a stage of that name in macro come together",
            )
            for name in ("final_pool", "hidden")
        ),
        (
            bool(space.thresholds) and not sums,
            "thresholds: a node that spikes has one neuron; they need carries: sums",
        ),
        (
            space.feedback and (two or bool(space.blocks) or sums),
            "feedback: needs cells of one input whose nodes carry spikes, and no blocks",
        ),
        (
            space.feedback and any(_resizes(stage(text)) for text in space.macro),
            "macro: a cell with feedback keeps width and size",
        ),
        (
            two != (fan_in is not None),
            "fan_in: is given where a cell has two inputs, and only there",
        ),
        (
            fan_in is not None and (fan_in > 2 or "zeroize" in space.ops),
            "fan_in: is at most 2, the inputs that every node has, and no edge is zeroize",
        ),
        (
            two and (sums or bool(space.blocks)),
            "inputs: cells of two inputs have nodes that carry spikes, and no blocks",
        ),
        (
            pools and any(_reshapes(stage(text)) for text in space.macro),
            "macro: a cell with avgpool3 cannot make its input wider",
        ),
        *(
            (
                any(not e[0] < e[2] < str(space.nodes) for e in block),
                f"blocks.{name}: edges run forward between nodes 0 to {space.nodes - 1}",
            )
            for name, block in space.blocks.items()
        ),
    )
    yield from (words for broken, words in rules if broken)


def _reshapes(one: Stage) -> bool:
    return one.kind == "cell" and one.widen > 1


def _resizes(one: Stage) -> bool:
    return one.kind == "cell" and (one.widen > 1 or one.stride > 1)


_NO_CHOICE: tuple[str, ...] = (
    "name",
    "summary",
    "source",
    "nodes",
    "inputs",
    "fan_in",
    "direct",
    "feedback",
)
_NO_CHOICE += ("carries", "cells", "macro")
CHOICES = tuple(k for k in Space.model_fields if k not in _NO_CHOICE)


def load_space(name: str) -> Space:
    """A shipped space by name, or the user's own by path."""
    return read(shipped.find("search/spaces", "space", name), Space)


def narrowed(
    space: Space, choices: Mapping[str, Sequence[int | float | str]], where: str | Path = "narrow"
) -> Space:
    """The space with some of its choices restricted to the values given.

    Args:
        choices: by the space's own keys (`CHOICES`); for ``kernel_sets``, ``blocks`` and
            ``neurons`` the names to keep, else the values to keep, in the order in which they are
            to stand.
        where: file and key for the message.

    Raises:
        InputError: with all unknown keys and values at once, each with the known ones.
    """
    faults = [fault for key, kept in choices.items() for fault in _narrow_faults(space, key, kept)]
    if faults:
        raise InputError.from_faults(str(where), faults)
    update: dict[str, Any] = {}
    for key, kept in choices.items():
        given = getattr(space, key)
        update[key] = {str(k): given[k] for k in kept} if isinstance(given, dict) else tuple(kept)
    return space.model_copy(update=update)


def _narrow_faults(space: Space, key: str, kept: Sequence[int | float | str]) -> list[str]:
    if key not in CHOICES:
        return [f"{key}: space '{space.name}' has no such choice (known: {', '.join(CHOICES)})"]
    known = list(getattr(space, key))
    shown = ", ".join(map(str, known))
    if not kept:
        return [f"{key}: at least one of {shown} must be kept"]
    faults = [
        f"{key}: space '{space.name}' does not offer {value!r} (known: {shown})"
        for value in kept
        if value not in known
    ]
    if len(set(kept)) != len(kept):
        faults.append(f"{key}: no value may stand twice, got {list(kept)}")
    if key == "ops" and set(kept) <= {"zeroize"}:
        faults.append("ops: a cell needs an op besides zeroize")
    return faults
