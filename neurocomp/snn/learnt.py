"""Thresholds and decays that training moves, one of each per population."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from neurocomp.quant.fixed import DECAY_UNITY
from neurocomp.snn.levels import straight_through
from neurocomp.snn.lif import Dynamics
from neurocomp.spec.train import Learnable


class Learnt(nn.Module):
    """Constants of a population of which some are trained.

    A threshold is kept as its logarithm and a decay as its logit, so that no step leads out of
    what a neuron may have; both act in steps of 1/4096, as the chip and SLAYER hold decays. A
    decay of 0 or 1 means another kind of neuron (none leaks, no memory) and stays.
    """

    def __init__(self, start: Dynamics, names: Sequence[Learnable]) -> None:
        super().__init__()
        self._start = start
        self.raw = nn.ParameterDict()
        decays = {
            "current_decay": 1 - start.current_keep,
            "voltage_decay": 1 - start.voltage_keep,
        }
        for name in names:
            if name == "threshold":
                self.raw[name] = nn.Parameter(torch.tensor(start.threshold).log())
            elif 0 < decays[name] < 1:
                self.raw[name] = nn.Parameter(torch.tensor(decays[name]).logit())

    def forward(self) -> Tensor:
        """θ, keep_u and keep_v as they act, (3,), with gradients for those that are trained."""
        start = self._start
        values = [
            _stepped(self.raw["threshold"].exp(), 1.0, None)
            if "threshold" in self.raw
            else torch.tensor(start.threshold),
            self._keep("current_decay", start.current_keep),
            self._keep("voltage_decay", start.voltage_keep),
        ]
        device = next(self.parameters(), values[0]).device
        return torch.stack([value.to(device) for value in values])

    def dynamics(self) -> Dynamics:
        """The constants as they act now."""
        threshold, current_keep, voltage_keep = self().tolist()
        return replace(
            self._start,
            threshold=threshold,
            current_keep=current_keep,
            voltage_keep=voltage_keep,
        )

    def _keep(self, name: str, start: float) -> Tensor:
        if name not in self.raw:
            return torch.tensor(start)
        decay = _stepped(self.raw[name].sigmoid(), 1.0, DECAY_UNITY - 1.0)
        return torch.sub(1.0, decay)


def _stepped(value: Tensor, least: float, most: float | None) -> Tensor:
    """A value rounded to 1/4096, at least and at most so many of these."""
    steps = (value.detach() * DECAY_UNITY).round().clamp(least, most)
    return straight_through(steps / DECAY_UNITY, value)
