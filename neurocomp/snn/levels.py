"""Weight levels in training: rounded forward, straight through backward."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurocomp.quant.discretize import clip_range


class Masked(nn.Module):
    """Weights with the pruned synapses at zero; a SLAYER synapse's ``pre_hook_fx``."""

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, weight: Tensor) -> Tensor:
        """The weights that are left."""
        return weight * self.mask.view(weight.shape)


class Levels(nn.Module):
    """Weights brought to the levels of a bit width, ``step`` apart; gradients pass straight.

    The rule is `neurocomp.quant.discretize.to_levels`; a SLAYER synapse's ``pre_hook_fx``.
    """

    mask: Tensor | None

    def __init__(self, bits: int, step: float, mask: Tensor | None = None) -> None:
        super().__init__()
        self.bits, self.step = bits, step
        self.register_buffer("mask", mask)

    @property
    def gap(self) -> float:
        """Distance of neighbouring levels; the two of 1 bit lie on both sides of zero."""
        return 2 * self.step if self.bits == 1 else self.step

    def forward(self, weight: Tensor) -> Tensor:
        """The quantised weights; a pruned synapse is zero and stays so."""
        if self.bits == 1:
            levels = torch.where(weight < 0, -1.0, 1.0)
        else:
            low, high = clip_range(self.bits)
            levels = (weight.detach() / self.step).round_().clamp_(low, high)
        quantised = straight_through(levels * self.step, weight)
        return quantised if self.mask is None else quantised * self.mask.view(weight.shape)


def straight_through(value: Tensor, source: Tensor) -> Tensor:
    """The value, bit for bit, with the gradient of its source."""
    return value + (source - source.detach())
