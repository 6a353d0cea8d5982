"""The joint search (LitE-SNN): its space, and the section ``joint`` of a recipe."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, StringConstraints

from neurocomp import shipped
from neurocomp.spec.read import LIST, Spec, read
from neurocomp.spec.space import Bits, BitWidths, Count, Counts, NeuronSpec

Term: TypeAlias = Literal["bits", "bit_synops", "cores", "messages"]
Baseline: TypeAlias = Literal["sequential", "uniform4", "spikedhs", "spikernel"]
LiteOp = Annotated[str, StringConstraints(pattern=r"^(skip|avgpool3|conv[1357])$")]
Rate = Annotated[float, Field(gt=0.0)]
NotNegative = Annotated[float, Field(ge=0.0)]


def _scales(cells: tuple[int, ...]) -> tuple[int, ...]:
    if not cells or cells[0] != 1:
        raise ValueError("the first cell must have scale 1")
    if any(n & (n - 1) for n in cells) or list(cells) != sorted(cells):
        raise ValueError("scales must be powers of two that never fall")
    return cells


def _distinct(ops: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(ops)) != len(ops):
        raise ValueError("no op may stand twice")
    if not any(op.startswith("conv") for op in ops):
        raise ValueError("a node needs a convolution to choose")
    return ops


class LiteSpace(Spec):
    """LitE-SNN's backbone and what may be chosen in it.

    Stem conv3×3, cells, global average pooling, classifier. A cell has ``nodes`` nodes; each is
    one LIF over the sum of its edges, which come from the two states before the cell (the outputs
    of the two cells before it; the stem stands in where there are none) and from the nodes before
    it. A cell's output is the concatenation of its nodes. All cells share one choice of edges and
    ops (LitE-SNN, Sec. 3.1).

    Attributes:
        stem_stride: of the stem's convolution; its maps are the image's divided by it.
        cells: a cell's scale: its channels are the base's times this, its maps the stem's divided
            by it.
        edges: incoming edges that a node keeps.
        ops: what an edge may be.
        bits: widths among which every convolution's weights choose, per cell or per projection.
        timesteps: candidate lengths of the window.
        stem_bits, head_bits: weight bits of the stem and of the classifier.
    """

    name: str
    summary: str
    source: str
    stem_stride: Literal[1, 2, 4] = 1
    cells: Annotated[tuple[Count, ...], LIST, AfterValidator(_scales)]
    nodes: Annotated[int, Field(ge=1, le=6)]
    edges: Count = 2
    ops: Annotated[tuple[LiteOp, ...], LIST, AfterValidator(_distinct)]
    bits: BitWidths
    bits_per: Literal["cell", "projection"] = "cell"
    timesteps: Counts
    stem_bits: Bits
    head_bits: Bits
    neuron: NeuronSpec


class JointSpec(Spec):
    """How architecture, bits and timesteps are searched together (LitE-SNN, Sec. 3.4).

    One half of the training set trains weights, the other decides on the choices. Surrogate,
    augmentation and the pruned share are those of the recipe's ``train`` section. The loss is
    ``Σ_n ψ_n CE_n + Σ_k λ_k·cost_k``; costs are those of the network that is built.

    Attributes:
        space: name of a file in ``search/spaces`` or a path to one.
        channels: of a node at scale 1 in the network that is built.
        search_channels: of the same node while searching.
        alpha_rate, beta_rate, psi_rate: Adam's, for ops, for bits and scores, for timesteps.
        psi_warmup: epochs in which the timesteps' weights stay equal.
        temperature_end: of the softmax over choices in the last epoch; it falls from 1 by the same
            factor every epoch, so that what is decoded is what was trained. 1 = as in the paper.
        lambdas: weight of each cost in the loss; the unit is 1/bit, 1/bit-SynOp, 1/core,
            1/message per image.
        budgets: hard limits of the chosen network, in the same units; each is reached by adapting
            its λ with ``dual_rate`` (dual ascent), a given one in ``lambdas`` is where it starts.
        baselines: other ways to design a network, run and compared after the main one.
    """

    space: str
    channels: Count
    search_channels: Count
    epochs: Count
    batch: Count
    weight_rate: Rate = 0.025
    weight_rate_end: NotNegative = 0.001
    momentum: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    weight_decay: NotNegative = 3e-4
    gradient_clip: Rate = 5.0
    alpha_rate: Rate = 1e-3
    beta_rate: Rate = 1e-2
    psi_rate: Rate = 1e-2
    choice_decay: NotNegative = 1e-3
    psi_warmup: Annotated[int, Field(ge=0)] = 5
    temperature_end: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    lambdas: dict[Term, NotNegative] = Field(default_factory=dict)
    budgets: dict[Term, Rate] = Field(default_factory=dict)
    dual_rate: Rate = 0.005
    baselines: Annotated[tuple[Baseline, ...], LIST] = ()


def load_lite_space(name: str) -> LiteSpace:
    """A shipped space of the joint search by name, or the user's own by path.

    Raises:
        InputError: an unknown name, or a file with faults.
    """
    return read(shipped.find("search/spaces", "space", name), LiteSpace)
