"""What the choices cost, differentiable in every one of them and in the spikes.

With g the shares of kept ops, b̄ the mean bits, p the pruned share and r the spikes per neuron of a
window (LitE-SNN, Eqs. 12 to 20):

* bits ``(1 − p)·Σ g·b̄·kh·kw·cin·cout``
* bit_synops ``(1 − p)·Σ g·b̄·r·kh·kw·cin·cout·H·W``, ``r = Σ_n ψ_n Σ_{t≤n} r̄_t``
* cores ``Σ_layers max_resources need/limit``: of the cores that hold nothing else, the share that
  a layer fills; what it needs is the mean over the choices of what the target stores
* messages ``Σ g·r·neurons·max(1, cores of the target layer)``: a spike goes to every core on which
  a listener lies

Stem and classifier have no choice but count; graded input values are an event at every step.
"""

from __future__ import annotations

from typing import TypeAlias

import torch
from torch import Tensor, nn

from neurocomp.spec.joint import Term
from neurocomp.train.joint.backbone import STEM_KERNEL
from neurocomp.train.joint.choices import Shares
from neurocomp.train.joint.menu import Menu

Terms: TypeAlias = dict[Term, Tensor]


class Costs(nn.Module):
    """The four costs of a menu's network, one image."""

    weights: Tensor
    macs: Tensor
    senders: Tensor
    taken: Tensor
    given: Tensor
    sources: Tensor
    base: Tensor
    limits: Tensor
    targets: Tensor
    widths: Tensor
    lengths: Tensor

    def __init__(self, menu: Menu, kept: float) -> None:
        """Args: kept: share of every trained projection's weights that pruning leaves."""
        super().__init__()
        space, self.kept = menu.backbone.space, kept
        for name in ("weights", "macs", "senders", "taken", "given", "sources", "base", "limits"):
            self._keep(name, torch.tensor(getattr(menu, name), dtype=torch.float32))
        self._keep("targets", torch.tensor(menu.targets))
        self._keep("widths", torch.tensor(space.bits, dtype=torch.float32))
        self._keep("lengths", torch.tensor(space.timesteps))
        self.states = [e.state for e in menu.backbone.edges]
        stem, top, task = menu.backbone.stem, menu.backbone.top, menu.backbone.task
        stem_weights = STEM_KERNEL**2 * task.shape[0] * stem.channels
        head_weights = top.channels * task.classes
        self.stem_bits = space.stem_bits * stem_weights
        self.head_bits = space.head_bits * head_weights
        self.pixels = stem.shape[1] * stem.shape[2]

    def forward(self, shares: Shares, rates: Tensor, top: Tensor) -> Terms:
        """All costs, each a number.

        Args:
            rates, top: spikes per neuron and step, as `neurocomp.train.joint.supernet.Pass`.
        """
        width = shares.bits @ self.widths  # (c, e)
        spikes = self._spikes(shares.lengths, rates)[:, self.states]  # (c, e)
        steps = (shares.lengths * self.lengths).sum()
        chosen = (shares.kept * self.weights).sum(2)
        work = (shares.kept * self.macs).sum(2)
        macro = self.stem_bits * self.pixels * steps
        macro = macro + self.head_bits * self._spikes(shares.lengths, top)
        cores = self.cores(shares)
        listeners = cores[self.targets].clamp(min=1.0)  # (c, e)
        sent = shares.kept.sum(1) * spikes * self.senders * listeners
        return {
            "bits": self.kept * ((chosen * width).sum() + self.stem_bits + self.head_bits),
            "bit_synops": self.kept * ((work * width * spikes).sum() + macro),
            "cores": cores.sum(),
            "messages": sent.sum(),
        }

    def cores(self, shares: Shares) -> Tensor:
        """(layers,) the share of a core, or the cores, that each layer fills."""
        taken = torch.einsum("eo,ceb,ceobr->cer", shares.kept, shares.bits, self.taken)
        given = torch.einsum("eo,ceor->cer", shares.kept, self.given)
        need = self.base + torch.einsum("cel,cer->lr", self.sources, given)
        need = need.index_add(0, self.targets.flatten(), taken.flatten(0, 1))
        return (need / self.limits).amax(1)

    def _spikes(self, lengths: Tensor, rates: Tensor) -> Tensor:
        """Spikes per neuron of a window, mean over its possible lengths; (…, T) to (…)."""
        until = rates.cumsum(-1)[..., self.lengths - 1]
        return (until * lengths).sum(-1)

    def _keep(self, name: str, value: Tensor) -> None:
        self.register_buffer(name, value, persistent=False)
