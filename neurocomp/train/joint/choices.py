"""What is searched: shares of ops (α), bit widths (β) and window lengths (ψ), and decoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from neurocomp.spec.joint import LiteSpace
from neurocomp.train.joint.backbone import INPUTS, edges_of
from neurocomp.train.joint.design import Design, Kept

START = 1e-3  # standard deviation of fresh choice parameters
Live: TypeAlias = tuple[tuple[int, ...], ...]  # by possible edge the ops that it may be, by index


@dataclass(frozen=True, slots=True)
class Given:
    """Choices that are made already; None leaves a kind open.

    Attributes:
        nodes: kept edges, as `Design.nodes`.
        bits: as `Design.bits`; needs ``nodes``.
    """

    nodes: tuple[tuple[Kept, ...], ...] | None = None
    bits: tuple[tuple[int, ...], ...] | None = None


class Shares(NamedTuple):
    """The choices as numbers between 0 and 1.

    Attributes:
        ops: (edges, ops), what an op counts in its edge's sum; 1 in all for an edge.
        kept: (edges, ops), the same times the share of a node's possible edges that it will keep:
            what an op counts in a cost.
        bits: (cells, edges, widths), 1 in all.
        lengths: (lengths,), ψ, 1 in all.
    """

    ops: Tensor
    kept: Tensor
    bits: Tensor
    lengths: Tensor


class Choices(nn.Module):
    """The parameters of the choices.

    Attributes:
        alpha: (edges, ops), shared by all cells. beta: (cells, 1 or edges, widths).
        psi: (lengths,).
        live: ops that each edge may be; an edge without any is not there.
        temperature: of the softmax that makes shares of parameters; the lower, the more decided.
    """

    def __init__(self, space: LiteSpace, given: Given, seed: int) -> None:
        super().__init__()
        self.space, self.given = space, given
        edges, widths = edges_of(space), len(space.bits)
        per_cell = 1 if space.bits_per == "cell" else len(edges)
        generator = torch.Generator().manual_seed(seed)
        self.alpha = _fresh((len(edges), len(space.ops)), generator)
        self.beta = _fresh((len(space.cells), per_cell, widths), generator)
        self.psi = _fresh((len(space.timesteps),), generator)
        self.live, self.temperature = self._live(), 1.0
        self.kept_share: Tensor
        self.register_buffer("kept_share", self._kept_share(), persistent=False)

    def forward(self) -> Shares:
        """All shares: softmax of the parameters, or zeros and ones where a choice is given."""
        edges, warmth = len(self.live), self.temperature
        ops = (self.alpha / warmth).softmax(1) if self.given.nodes is None else self._given_ops()
        bits = (self.beta / warmth).softmax(2).expand(-1, edges, -1)
        if self.given.bits is not None:
            bits = self._given_bits()
        return Shares(ops, ops * self.kept_share[:, None], bits, (self.psi / warmth).softmax(0))

    @torch.no_grad()
    def decided(self) -> Shares:
        """Shares of the design that `decode` gives: zeros and ones."""
        design = self.decode()
        made: Shares = Choices(self.space, Given(design.nodes, design.bits), 0).to(self.alpha)()
        length = self.space.timesteps.index(design.timesteps)
        lengths = F.one_hot(torch.tensor(length), len(self.psi)).to(self.psi)
        return made._replace(lengths=lengths)

    @torch.no_grad()
    def decode(self) -> Design:
        """The strongest choices: per node its strongest edges, each with its strongest op.

        An edge is as strong as its strongest op, whichever that is; of equals the first counts.
        Bits are the cell's, or the projection's, most likely ones, and so is the window's length.
        """
        shares = self()
        nodes = self.given.nodes or self._strongest(shares.ops)
        edges = edges_of(self.space)
        kept = [edges.index((k.state, j)) for j, node in enumerate(nodes) for k in node]
        widths = shares.bits.argmax(2)
        return Design(
            nodes=nodes,
            bits=tuple(tuple(self.space.bits[int(row[e])] for e in kept) for row in widths),
            timesteps=self.space.timesteps[int(shares.lengths.argmax())],
        )

    def _strongest(self, ops: Tensor) -> tuple[tuple[Kept, ...], ...]:
        strength, best = ops.max(1)
        nodes = []
        for j in range(self.space.nodes):
            own = [(i, e.state) for i, e in enumerate(edges_of(self.space)) if e.node == j]
            own.sort(key=lambda edge: -float(strength[edge[0]]))
            chosen = sorted(own[: self.space.edges], key=lambda edge: edge[1])
            nodes.append(tuple(Kept(s, self.space.ops[int(best[i])]) for i, s in chosen))
        return tuple(nodes)

    def _live(self) -> Live:
        edges = edges_of(self.space)
        if self.given.nodes is None:
            return (tuple(range(len(self.space.ops))),) * len(edges)
        ops = [
            next((k.op for k in self.given.nodes[e.node] if k.state == e.state), None)
            for e in edges
        ]
        return tuple(() if op is None else (self.space.ops.index(op),) for op in ops)

    def _kept_share(self) -> Tensor:
        """By edge: the share of its node's possible edges that are kept, 1 where they are given."""
        if self.given.nodes is not None:
            return torch.ones(len(self.live))
        possible = [INPUTS + e.node for e in edges_of(self.space)]
        return torch.tensor([min(self.space.edges / n, 1.0) for n in possible])

    def _given_ops(self) -> Tensor:
        made = torch.zeros_like(self.alpha)
        for e, ops in enumerate(self.live):
            made[e, list(ops)] = 1.0
        return made

    def _given_bits(self) -> Tensor:
        assert self.given.nodes is not None  # see `Given`
        assert self.given.bits is not None
        edges = edges_of(self.space)
        kept = [edges.index((k.state, j)) for j, node in enumerate(self.given.nodes) for k in node]
        made = self.beta.new_zeros(len(self.space.cells), len(edges), len(self.space.bits))
        for c, row in enumerate(self.given.bits):
            for e, bits in zip(kept, row, strict=True):
                made[c, e, self.space.bits.index(bits)] = 1.0
        return made


def _fresh(shape: tuple[int, ...], generator: torch.Generator) -> nn.Parameter:
    return nn.Parameter(START * torch.randn(shape, generator=generator))
