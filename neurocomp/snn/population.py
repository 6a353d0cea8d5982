"""One population as torch sees it: SLAYER's neuron, our dynamics or SLAYER's own, and a bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from neurocomp.errors import InputError
from neurocomp.ir import CubaLif, LoihiLif, Population
from neurocomp.quant.discretize import FINEST_GRID
from neurocomp.quant.fixed import DECAY_UNITY, MAX_BIAS
from neurocomp.snn.learnt import Learnt
from neurocomp.snn.levels import straight_through
from neurocomp.snn.lif import Dynamics, Surrogate, fire, membrane
from neurocomp.snn.parts import slayer
from neurocomp.spec.train import Learnable

Engine: TypeAlias = Literal["exact", "slayer", "relu"]
SLAYER_TAU, SLAYER_SCALE = 100.0, 0.1  # cuba.Neuron multiplies tau_grad and scale_grad by these
NEVER = 2.0**24  # threshold of a membrane that is read out


class Neurons(nn.Module):
    """A population's neurons.

    ``neuron`` is SLAYER's ``cuba.Neuron``; its threshold, decays and scales are the parameters
    of either engine. Its ``w_scale`` is 2^e: on a grid the chip's, without one the finest.

    Attributes:
        bias: (C,) or None, in units of the weights; rounded to the grid where there is one.
        fires: False for a membrane that is read out.
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        population: Population,
        *,
        fires: bool,
        biased: bool,
        grid: int | None,
        surrogate: Surrogate,
        engine: Engine,
        learn: Sequence[Learnable] = (),
    ) -> None:
        super().__init__()
        self.fires, self.grid, self.engine, self.surrogate = fires, grid, engine, surrogate
        self.neuron = _cuba(population, fires, grid, surrogate)
        self.bias = None
        if biased:
            start = np.zeros(population.shape[0]) if population.bias is None else population.bias
            self.bias = nn.Parameter(torch.tensor(start, dtype=torch.float32))
        self._dynamics = Dynamics(
            threshold=self.neuron.threshold,
            current_keep=1 - float(self.neuron.cx_current_decay) / DECAY_UNITY,
            voltage_keep=1 - float(self.neuron.cx_voltage_decay) / DECAY_UNITY,
            grid=grid,
        )
        self.learnt = Learnt(self._dynamics, learn) if learn and fires else None

    @property
    def dynamics(self) -> Dynamics:
        """Threshold and decays as they act."""
        return self._dynamics if self.learnt is None else self.learnt.dynamics()

    def forward(self, drive: Tensor, steps: int) -> Tensor:
        """Spikes (T, B, C, H, W) of a drive (T or 1, B, C, H, W); a membrane gives (B, C, H, W)."""
        bias = self.stored_bias()
        if self.engine == "relu":
            return self._analogue(drive, bias, steps)
        if self.engine == "slayer":
            return self._stock(drive.expand(steps, -1, -1, -1, -1), bias)
        if not self.fires:
            return membrane(drive, bias, steps, self.dynamics)
        constants = None if self.learnt is None else self.learnt()
        return fire(drive, bias, steps, self.dynamics, self.surrogate, constants)

    def stored_bias(self) -> Tensor | None:
        """The bias as it acts: on a grid rounded to it and held within the chip's 13 bits."""
        if self.bias is None or self.grid is None:
            return self.bias
        scale = 2.0**self.grid
        rounded = (self.bias.detach() * scale).round().clamp(-MAX_BIAS, MAX_BIAS) / scale
        return straight_through(rounded, self.bias)

    def cuba(self) -> CubaLif:
        """The neuron's parameters as they act, in the graph's terms."""
        return CubaLif(
            threshold=self.dynamics.threshold,
            current_decay=1 - self.dynamics.current_keep,
            voltage_decay=1 - self.dynamics.voltage_keep,
        )

    def _analogue(self, drive: Tensor, bias: Tensor | None, steps: int) -> Tensor:
        """An ANN's values; a membrane gathers their mean over the window's steps."""
        made = drive if bias is None else drive + bias.view(-1, 1, 1)
        return made.relu() if self.fires else made.mean(0) * steps

    def _stock(self, drive: Tensor, bias: Tensor | None) -> Tensor:
        """SLAYER's own forward pass, (N, C, H, W, T) there; its ``norm`` hook adds the bias.

        The states that it leaves, of the batch's size, are taken away again: they do not persist.
        """
        neuron, states = self.neuron, (self.neuron.current_state, self.neuron.voltage_state)
        neuron.norm = None if bias is None else (lambda x: x + bias.view(-1, 1, 1, 1))
        _, voltage = neuron.dynamics(drive.permute(1, 2, 3, 4, 0))
        neuron.norm = None
        made: Tensor = (
            neuron.spike(voltage).permute(4, 0, 1, 2, 3) if self.fires else voltage[..., -1]
        )
        neuron.current_state, neuron.voltage_state = states
        return made


def _cuba(population: Population, fires: bool, grid: int | None, surrogate: Surrogate) -> Any:
    """SLAYER's neuron of a float population, or of an integer one on its grid."""
    scale = 2 ** (FINEST_GRID if grid is None else grid)
    neuron = population.neuron
    if grid is not None and isinstance(neuron, LoihiLif):
        threshold = neuron.vth / scale
        decays = ((neuron.du + 1) / DECAY_UNITY, neuron.dv / DECAY_UNITY)
    elif grid is None and isinstance(neuron, CubaLif):
        threshold, decays = neuron.threshold, (neuron.current_decay, neuron.voltage_decay)
    else:
        raise InputError(
            f"population '{population.name}': float training needs CubaLif neurons, got {neuron}"
        )
    made = slayer().neuron.cuba.Neuron(
        threshold=threshold if fires else NEVER,
        current_decay=decays[0],
        voltage_decay=decays[1],
        tau_grad=surrogate.width / SLAYER_TAU,
        scale_grad=1 / SLAYER_SCALE,
        scale=scale,
    )
    # Spike at v > θ, as on the chip; SLAYER's own 0.01/s_scale is lost in float32 from θ = 64 on.
    made.threshold_eps = 1 / made.s_scale
    return made
