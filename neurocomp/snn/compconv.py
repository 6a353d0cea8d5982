"""Compressed weights with one set of weights and scores for all bit widths (LitE-SNN, Eqs. 8–11).

``W_out = M ⊙ Σ_b share_b·Q_b(W)``: quantise, average, then prune.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from neurocomp.snn.levels import straight_through

GAUSSIAN_STEP = {1: 1.596, 2: 0.996, 3: 0.586, 4: 0.336, 8: 0.031}
"""Distance of uniform levels with the least squared error on a unit Gaussian, by bits."""


def quantised(unit: Tensor, bits: int) -> Tensor:
    """Q_b of weights with standard deviation 1: the ``2^b`` mid-rise levels ``(k + ½)·g_b``.

    ``clip((round(w/g + ½) − ½)·g, ±(2^(b−1) − ½)·g)``. There is no level zero.
    """
    step, peak = GAUSSIAN_STEP[bits], 2.0 ** (bits - 1) - 0.5
    levels = (unit / step).add_(0.5).round_().sub_(0.5).clamp_(-peak, peak)
    return torch.mul(levels, step)


def average(weight: Tensor, shares: Tensor, widths: Sequence[int]) -> Tensor:
    """``Σ_b shares_b·Q_b(W/std(W))``; gradients pass straight to the weight.

    Q_b scales with its argument, so this is the average of Q_b(W) over std(W).

    Args:
        shares: (widths,).
    """
    made: Tensor = _Average.apply(weight, shares, tuple(widths))  # type: ignore[no-untyped-call]
    return made


class _Average(torch.autograd.Function):
    """One node of the graph for all widths; the spread is taken as a constant."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, shares: Tensor, widths: tuple[int, ...]) -> Tensor:
        spread = weight.std()
        unit = weight / spread
        levels = torch.stack([quantised(unit, b) for b in widths])
        ctx.save_for_backward(levels, shares, spread)
        made: Tensor = torch.tensordot(shares, levels, 1)
        return made

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        levels, shares, spread = ctx.saved_tensors
        to_weight = grad * (shares.sum() / spread) if ctx.needs_input_grad[0] else None
        to_shares = levels.flatten(1) @ grad.flatten() if ctx.needs_input_grad[1] else None
        return to_weight, to_shares, None


def first_scores(weight: Tensor) -> Tensor:
    """Where scores start: ``√(6/fan_in)·W/max|W|``, so that the weakest weights go first."""
    fan_in = weight[0].numel()
    return math.sqrt(6 / fan_in) * weight / weight.abs().max()


def n_kept(size: int, share: float) -> int:
    """Weights that are left of ``size`` where ``share`` is kept; as `neurocomp.train.prune`."""
    return size - min(round((1 - share) * size), size - 1)


def kept(scores: Tensor, share: float) -> Tensor:
    """The mask M: one for the greatest |scores|, zero else; gradients pass straight to |scores|."""
    strength = scores.abs()
    found = strength.detach().flatten()
    best = found.topk(n_kept(found.numel(), share), sorted=False).indices
    mask = torch.zeros_like(found).index_fill_(0, best, 1.0)
    return straight_through(mask.view(scores.shape), strength)


class Scored(nn.Module):
    """Weights of which learnt scores keep a share; a SLAYER synapse's ``pre_hook_fx``."""

    def __init__(self, weight: Tensor, share: float) -> None:
        super().__init__()
        self.scores = nn.Parameter(first_scores(weight))
        self.share = share

    def mask(self) -> Tensor:
        """Which weights are left, in the weight's shape."""
        return kept(self.scores, self.share)

    def forward(self, weight: Tensor) -> Tensor:
        """The weights that are left."""
        return weight * self.mask().view(weight.shape)


class CompConv(Scored):
    """Weights averaged over bit widths, then pruned."""

    def __init__(self, weight: Tensor, share: float, widths: Sequence[int]) -> None:
        super().__init__(weight, share)
        self.widths = tuple(widths)

    def mixed(self, weight: Tensor, shares: Tensor) -> Tensor:
        """``M ⊙ Σ_b shares_b·Q_b(W)`` over std(W), shaped as the weight.

        Args:
            shares: (widths,), in the order of the bit widths.
        """
        made = average(weight, shares, self.widths)
        return made if self.share == 1.0 else self.mask() * made
