"""The neuron's dynamics over a whole window, exact on the chip's grid, with surrogate gradients.

Activity is time-major here: (T, B, C, H, W). A drive whose first axis is 1 is shown at every step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor

from neurocomp.quant.fixed import STATE_LIMIT, STATE_SHIFT

SurrogateKind: TypeAlias = Literal["triangle", "atan", "slayer", "dspike"]


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Derivative that stands in for the spike function's; the area under each is 1.

    With x = v − θ and w = ``width``·θ: triangle ``max(0, 1 − |x|/w)/w``, atan
    ``1/(w·(1 + (πx/w)²))`` (SpikingJelly's default at w = 1), slayer ``exp(−|x|/w)/(2w)``, dspike
    ``b/(4w)·(1 − tanh²(bx/(2w)))/tanh(b/2)`` within |x| < w and 0 outside, b = ``temperature``
    (Dspike, Li et al. 2021; SpikeDHS's function on (0, 1) at θ = w = ½).
    """

    kind: SurrogateKind = "triangle"
    width: float = 1.0
    temperature: float = 3.0


@dataclass(frozen=True, slots=True)
class Dynamics:
    """Constants of a population's neurons.

    Attributes:
        current_keep, voltage_keep: share of the state that one step keeps.
        grid: e of the population's grid 2^−e (`neurocomp.quant.discretize.Plan`): every step is
            then the chip's integer arithmetic, bit for bit. None: plain float32, nothing rounded.
    """

    threshold: float
    current_keep: float
    voltage_keep: float
    grid: int | None = None

    @property
    def unit(self) -> float:
        """What the number 1 of a state means: 2^−(e+6) on a grid."""
        return 1.0 if self.grid is None else 2.0 ** -(self.grid + STATE_SHIFT)


def fire(
    drive: Tensor,
    bias: Tensor | None,
    steps: int,
    dynamics: Dynamics,
    surrogate: Surrogate,
    constants: Tensor | None = None,
) -> Tensor:
    """Spikes of neurons that integrate a drive, leak, fire at v > θ and are reset to zero.

    ``u_t = keep_u·u_{t−1} + a_t``, ``v_t = keep_v·v_{t−1} + u_t + bias``, spike iff v_t > θ, then
    v_t = 0. No gradient goes through the reset itself.

    Args:
        drive: a, (T or 1, B, C, H, W), in units of the weights; states are float32 whatever it is.
        bias: (C,) or None, in the same units.
        constants: θ, keep_u and keep_v, (3,), where gradients for them are wanted; their values are
            those of ``dynamics``, without a grid.

    Returns:
        Ones and zeros, (T, B, C, H, W), of the drive's type.
    """
    spikes: Tensor = _Lif.apply(drive, bias, steps, dynamics, surrogate, constants)  # type: ignore[no-untyped-call]
    return spikes


def membrane(drive: Tensor, bias: Tensor | None, steps: int, dynamics: Dynamics) -> Tensor:
    """Membrane at the window's end, (B, C, H, W), of neurons that never fire."""
    voltage: Tensor = _Lif.apply(drive, bias, steps, dynamics, None, None)  # type: ignore[no-untyped-call]
    return voltage[-1]


class _Lif(torch.autograd.Function):
    """Current and membrane over time; gives spikes, or without a surrogate the membrane.

    On a grid the states are kept in units of 2^−(e+6), so that they are the chip's integers.
    float32 holds these (they stay within ±2^23); products with a decay that is no power of two
    need 36 bits and are taken in float64.
    """

    @staticmethod
    def forward(
        ctx: Any,
        drive: Tensor,
        bias: Tensor | None,
        steps: int,
        dynamics: Dynamics,
        surrogate: Surrogate | None,
        constants: Tensor | None,
    ) -> Tensor:
        shown, late_bias = _in_state_units(drive, bias, dynamics)
        voltage = shown.new_empty((steps, *drive.shape[1:]))
        spikes = drive.new_empty(voltage.shape) if surrogate else None
        current: Tensor | None = None
        left: Tensor | None = None
        for t in range(steps):
            push = shown[t % len(shown)]
            if dynamics.current_keep:
                push = current = _next_current(current, push, dynamics)
            _next_voltage(voltage[t], left, push, late_bias, dynamics)
            left = voltage[t]
            if spikes is not None:
                torch.gt(left, dynamics.threshold / dynamics.unit, out=spikes[t])
                left = torch.addcmul(left, left, spikes[t], value=-1.0)  # 0 where it fired
        ctx.facts = (dynamics, surrogate, steps, len(drive))
        if spikes is None:
            return voltage.mul_(dynamics.unit)
        ctx.save_for_backward(voltage, spikes, bias)
        return spikes

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients in real units; rounding and clipping pass them straight through."""
        dynamics, surrogate, steps, shown = ctx.facts
        voltage, spikes, bias = ctx.saved_tensors if surrogate else (None, None, None)
        of_threshold: Tensor | None = None
        if surrogate is None:
            total = grad.clone()
        else:
            excess = (voltage * dynamics.unit).sub_(dynamics.threshold)
            total = _slope(excess, surrogate, dynamics.threshold).mul_(grad)
            of_threshold = -total.sum() if ctx.needs_input_grad[5] else None
        for t in range(steps - 2, -1, -1):
            carried = total[t + 1] * dynamics.voltage_keep
            if spikes is not None:
                carried.addcmul_(carried, spikes[t], value=-1.0)
            total[t] += carried
        bias_grad = total.sum((0, 1, 3, 4)) if ctx.needs_input_grad[1] else None
        of_voltage = total.clone() if of_threshold is not None else None
        if dynamics.current_keep:
            for t in range(steps - 2, -1, -1):
                total[t] += total[t + 1] * dynamics.current_keep
        constants_grad: Tensor | None = None
        if of_threshold is not None and of_voltage is not None:
            assert voltage is not None  # only what fires has constants to learn
            assert spikes is not None
            keeps = _of_keeps(total, of_voltage, voltage, spikes, bias, dynamics)
            constants_grad = torch.stack([of_threshold, *keeps])
        if shown == 1:
            total = total.sum(0, keepdim=True)
        return total.to(grad.dtype), bias_grad, None, None, None, constants_grad


def _of_keeps(
    of_current: Tensor,
    of_voltage: Tensor,
    voltage: Tensor,
    spikes: Tensor,
    bias: Tensor | None,
    dynamics: Dynamics,
) -> tuple[Tensor, Tensor]:
    """Gradients of keep_u and keep_v: ``Σ_t ∂u_t·u_{t−1}`` and ``Σ_t ∂v_t·v_{t−1}`` after resets.

    The current is what the membrane shows of it: ``u_t = v_t − keep_v·v_{t−1} − bias``.
    """
    left = torch.addcmul(voltage, voltage, spikes, value=-1.0)[:-1]
    of_keep_v = (of_voltage[1:] * left).sum()
    current = voltage[:-1].clone()
    current[1:] -= dynamics.voltage_keep * left[:-1]
    if bias is not None:
        current -= bias[:, None, None]
    return (of_current[1:] * current).sum(), of_keep_v


def _in_state_units(
    drive: Tensor, bias: Tensor | None, dynamics: Dynamics
) -> tuple[Tensor, Tensor | None]:
    """Drive and bias in units of the state; without a current the bias joins the drive.

    Sums of synapses are brought back to the weights' grid first: some convolution kernels
    (Winograd, TF32) leave the grid by a rounding error.
    """
    column = None if bias is None else bias[:, None, None]
    drive = drive.float()
    if dynamics.grid is not None:
        scale, shift = 2.0**dynamics.grid, 2.0**STATE_SHIFT
        drive = (drive * scale).round_().mul_(shift)
        column = None if column is None else (column * scale).round_().mul_(shift)
    if column is not None and not dynamics.current_keep:
        return drive + column, None
    return drive, column


def _next_current(current: Tensor | None, push: Tensor, dynamics: Dynamics) -> Tensor:
    if current is None:
        return push
    current = _kept(current, dynamics.current_keep, dynamics).add_(push)
    if dynamics.grid is None:
        return current
    over = torch.where(current > STATE_LIMIT, current - 2 * STATE_LIMIT, current)
    return torch.where(over <= -STATE_LIMIT, over + 2 * STATE_LIMIT, over)


def _next_voltage(
    out: Tensor, left: Tensor | None, push: Tensor, bias: Tensor | None, dynamics: Dynamics
) -> None:
    if left is None:
        out.copy_(push)
    else:
        torch.add(_kept(left, dynamics.voltage_keep, dynamics), push, out=out)
    if bias is not None:
        out.add_(bias)
    if dynamics.grid is not None:
        out.clamp_(1 - STATE_LIMIT, STATE_LIMIT - 1)


def _kept(state: Tensor, keep: float, dynamics: Dynamics) -> Tensor:
    """What a step keeps of a state; on a grid rounded toward zero, exactly."""
    if dynamics.grid is None:
        return state * keep
    if math.frexp(keep)[0] in (0.0, 0.5):
        return (state * keep).trunc_()
    return (state.double() * keep).trunc_().float()


def _slope(excess: Tensor, surrogate: Surrogate, threshold: float) -> Tensor:
    """The surrogate's derivative; overwrites the excess v − θ."""
    width = surrogate.width * threshold
    if surrogate.kind == "dspike":
        return _dspike(excess, width, surrogate.temperature)
    return _SLOPES[surrogate.kind](excess, width)


# Each overwrites the excess v − θ that it is given.
def _triangle(excess: Tensor, width: float) -> Tensor:
    return excess.abs_().div_(-width * width).add_(1.0 / width).clamp_(min=0.0)


def _atan(excess: Tensor, width: float) -> Tensor:
    return excess.mul_(math.pi / width).square_().add_(1.0).mul_(width).reciprocal_()


def _slayer(excess: Tensor, width: float) -> Tensor:
    return excess.abs_().div_(-width).exp_().div_(2.0 * width)


def _dspike(excess: Tensor, width: float, temperature: float) -> Tensor:
    inside = excess.abs() < width
    peak = temperature / (4 * width * math.tanh(temperature / 2))
    bend = excess.mul_(temperature / (2 * width)).tanh_().square_()
    return bend.neg_().add_(1.0).mul_(peak).mul_(inside)


_SLOPES: dict[SurrogateKind, Callable[[Tensor, float], Tensor]] = {
    "triangle": _triangle,
    "atan": _atan,
    "slayer": _slayer,
}
