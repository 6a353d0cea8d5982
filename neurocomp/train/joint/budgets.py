"""The prices of costs in the loss: fixed λ, and budgets whose λ adapts until they are kept."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from neurocomp.spec.joint import JointSpec, Term
from neurocomp.train.joint.costs import Terms

LEAST_RISE = 0.5  # a limit that is broken by less counts as broken by this: choices are discrete


class Budgets(nn.Module):
    """λ of every cost; with a limit it is a dual variable.

    The loss gets ``Σ_k λ_k·cost_k``. A limit's λ rises while the cost is above it and falls while
    below, ``μ ← max(0, μ + rate·(cost/limit − 1))`` with μ = λ·limit, after every step (dual
    ascent). What is held against the limit is not the cost of the shares but of the choices that
    would be decoded now, times what `correct` has learnt: the true cost of such choices.

    Attributes:
        terms: costs with a λ or a limit.
        scale: by term its limit, 1 where there is none. weight: μ, or λ where there is no limit.
        ratio: true cost over that of the choices.
    """

    scale: Tensor
    weight: Tensor
    ratio: Tensor
    limited: Tensor

    def __init__(self, spec: JointSpec, limits: Mapping[Term, float]) -> None:
        """Args: limits: hard limits by term; the spec's own and the target's."""
        super().__init__()
        lambdas = spec.lambdas
        self.rate = spec.dual_rate
        self.terms: tuple[Term, ...] = tuple(dict.fromkeys((*lambdas, *limits)))
        scale = torch.tensor([limits.get(term, 1.0) for term in self.terms])
        start = torch.tensor([lambdas.get(term, 0.0) for term in self.terms])
        self.register_buffer("scale", scale)
        self.register_buffer("weight", start * scale)
        self.register_buffer("ratio", torch.ones(len(self.terms)))
        limited = torch.tensor([term in limits for term in self.terms], dtype=torch.bool)
        self.register_buffer("limited", limited)

    def penalty(self, costs: Terms) -> Tensor:
        """What the loss gets."""
        return (self.weight * self._relative(costs)).sum()

    @torch.no_grad()
    def ascend(self, decoded: Terms) -> None:
        """Adapt the λ of the limits to what the choices would cost if they were decoded now."""
        over = self._relative(decoded) * self.ratio - 1
        over = torch.where(over > 0, over.clamp(min=LEAST_RISE), over)
        risen = (self.weight + self.rate * over).clamp(min=0.0)
        self.weight.copy_(torch.where(self.limited, risen, self.weight))

    @torch.no_grad()
    def correct(self, decoded: Terms, true: Mapping[Term, float | None]) -> None:
        """Learn what choices really cost; None = not known."""
        for k, term in enumerate(self.terms):
            cost = true[term]
            if cost is not None:
                self.ratio[k] = cost / float(decoded[term])

    def lambdas(self) -> dict[Term, float]:
        """λ of every term, per unit of its cost."""
        return {
            t: float(w / s) for t, w, s in zip(self.terms, self.weight, self.scale, strict=True)
        }

    def _relative(self, costs: Terms) -> Tensor:
        """Costs over their limits."""
        spent = torch.stack([costs[term] for term in self.terms]) if self.terms else self.weight
        return spent / self.scale
