"""The neuron's dynamics over a whole window, exact on the chip's grid, with surrogate gradients.

Activity is time-major here: (T, B, C, H, W). A drive whose first axis is 1 is shown at every step.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar, cast

import torch
from torch import Tensor
from torch import _dynamo as dynamo

from neurocomp.quant.fixed import STATE_LIMIT, STATE_SHIFT

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
FORMS = 1024  # of one compiled function: populations times batch sizes
SurrogateKind: TypeAlias = Literal["triangle", "atan", "slayer", "dspike"]


@dataclass(frozen=True)  # no slots: torch.compile takes weak references
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


@dataclass(frozen=True)  # no slots, as above
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
        last = _channels_last(drive)
        ctx.facts = (dynamics, surrogate, drive.shape, last)
        columns = None if bias is None else _flat(bias.view(-1, 1, 1).expand(drive[:1].shape), last)
        integrate = on(drive.device, integrated)
        flat = _flat(drive, last)
        voltage, spikes = integrate(flat, columns, steps, dynamics, surrogate is not None)
        if spikes is None:
            return _shaped(voltage.mul_(dynamics.unit), drive.shape, last)
        ctx.save_for_backward(voltage, spikes, columns)
        return _shaped(spikes, drive.shape, last)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients in real units; rounding and clipping pass them straight through."""
        dynamics, surrogate, shape, last = ctx.facts
        saved: Any = ctx.saved_tensors if surrogate else (None, None, None)
        voltage, spikes, columns = saved
        flat = _flat(grad, last)
        descend = on(grad.device, descended)
        of_voltage, of_drive = descend(flat, voltage, spikes, dynamics, surrogate)
        of_bias = of_constants = None
        if ctx.needs_input_grad[1]:
            of_bias = _shaped(of_voltage, shape, last).sum((0, 1, 3, 4))
        if ctx.needs_input_grad[5]:
            slope = slopes(voltage, dynamics, surrogate)
            keeps = _of_keeps(of_drive, of_voltage, voltage, spikes, columns, dynamics)
            of_constants = torch.stack([-(slope * flat).sum(), *keeps])
        if shape[0] == 1:
            of_drive = of_drive.sum(0, keepdim=True)
        of_drive = _shaped(of_drive, shape, last).to(grad.dtype)
        return of_drive, of_bias, None, None, None, of_constants


def _channels_last(x: Tensor) -> bool:
    """Whether channels vary fastest in memory, (T, B, C, H, W)."""
    return not x.is_contiguous() and x[0].is_contiguous(memory_format=torch.channels_last)


def _flat(x: Tensor, last: bool) -> Tensor:
    """(T, B, C, H, W) as (T, neurons), in the order in which they lie in memory."""
    return (x.permute(0, 1, 3, 4, 2) if last else x).reshape(len(x), -1)


def _shaped(flat: Tensor, shape: torch.Size, last: bool) -> Tensor:
    """(T, neurons) as (T, B, C, H, W)."""
    batch, channels, height, width = shape[1:]
    if last:
        return flat.view(-1, batch, height, width, channels).permute(0, 1, 4, 2, 3)
    return flat.view(-1, batch, channels, height, width)


def on(device: torch.device, function: FunctionT) -> FunctionT:
    """A function over whole windows as it is best run: one kernel on a GPU, as it is elsewhere."""
    return compiled(function) if device.type == "cuda" else function


@functools.cache
def compiled(function: FunctionT) -> FunctionT:
    """The function fused over time by torch.compile, once per shape and constants.

    The numbers stay the same. Torch gives up beyond 8 forms of a function; a network has more.
    """
    dynamo.config.cache_size_limit = dynamo.config.accumulated_cache_size_limit = FORMS
    return cast("FunctionT", torch.compile(function, dynamic=False))


def integrated(
    drive: Tensor, bias: Tensor | None, steps: int, dynamics: Dynamics, fires: bool
) -> tuple[Tensor, Tensor | None]:
    """Membranes before resets, in units of the state, and spikes: (T, neurons) each.

    Args:
        drive: (T or 1, neurons). bias: (1, neurons) or None.
    """
    shown, late_bias = _in_state_units(drive, bias, dynamics)
    voltage = shown.new_empty((steps, *drive.shape[1:]))
    spikes = drive.new_empty(voltage.shape) if fires else None
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
    return voltage, spikes


def descended(
    grad: Tensor,
    voltage: Tensor | None,
    spikes: Tensor | None,
    dynamics: Dynamics,
    surrogate: Surrogate | None,
) -> tuple[Tensor, Tensor]:
    """Gradients of membranes and of drives, (T, neurons), in real units."""
    if surrogate is None or voltage is None:
        total = _precise(grad).clone()
    else:
        total = slopes(voltage, dynamics, surrogate).mul_(grad)
    for t in range(len(total) - 2, -1, -1):
        carried = total[t + 1] * dynamics.voltage_keep
        if spikes is not None:
            carried.addcmul_(carried, spikes[t], value=-1.0)
        total[t] += carried
    if not dynamics.current_keep:
        return total, total
    of_drive = total.clone()
    for t in range(len(total) - 2, -1, -1):
        of_drive[t] += of_drive[t + 1] * dynamics.current_keep
    return total, of_drive


def slopes(voltage: Tensor, dynamics: Dynamics, surrogate: Surrogate) -> Tensor:
    """The surrogate's derivative at every membrane."""
    excess = (voltage * dynamics.unit).sub_(dynamics.threshold)
    width = surrogate.width * dynamics.threshold
    if surrogate.kind == "dspike":
        return _dspike(excess, width, surrogate.temperature)
    return _SLOPES[surrogate.kind](excess, width)


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
        current -= bias
    return (of_current[1:] * current).sum(), of_keep_v


def _in_state_units(
    drive: Tensor, bias: Tensor | None, dynamics: Dynamics
) -> tuple[Tensor, Tensor | None]:
    """Drive and bias in units of the state; without a current the bias joins the drive.

    Sums of synapses are brought back to the weights' grid first: some convolution kernels
    (Winograd, TF32) leave the grid by a rounding error.
    """
    drive = _precise(drive)
    if dynamics.grid is not None:
        scale, shift = 2.0**dynamics.grid, 2.0**STATE_SHIFT
        drive = (drive * scale).round_().mul_(shift)
        bias = None if bias is None else (bias * scale).round_().mul_(shift)
    if bias is not None and not dynamics.current_keep:
        return drive + bias, None
    return drive, bias


def _precise(x: Tensor) -> Tensor:
    """Values as states hold them: float32 at least."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


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
        out.add_(bias[0])
    if dynamics.grid is not None:
        out.clamp_(1 - STATE_LIMIT, STATE_LIMIT - 1)


def _kept(state: Tensor, keep: float, dynamics: Dynamics) -> Tensor:
    """What a step keeps of a state; on a grid rounded toward zero, exactly."""
    if dynamics.grid is None:
        return state * keep
    if math.frexp(keep)[0] in (0.0, 0.5):
        return (state * keep).trunc_()
    return (state.double() * keep).trunc_().float()


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
