"""NIR's neurons as the graph's, stepped forward by Euler's rule.

NIR states differential equations; a file does not say which time step turns them into a network.
With dt, forward Euler gives what snnTorch, lava-dl (both dt = 1e-4 s), Norse (1e-3 s) and Spyx
(1 s) run:

    LIF      v ← (1 − dt/τ)·v + dt/τ·(v_leak + R·I)
    CubaLIF  i ← (1 − dt/τ_syn)·i + dt/τ_syn·w_in·S,  v ← (1 − dt/τ_mem)·v + dt/τ_mem·(v_leak + R·i)
    IF       v ← v + R·I, without dt, as all of them do
    spike where v > v_threshold, then v ← v_reset

Constant factors of an input go into weights and biases; v is measured from v_reset, which is where
every membrane starts. Thresholds and factors may differ between channels, time constants may not.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.errors import InputWarning
from neurocomp.formats.nir.nodes import Node
from neurocomp.formats.nir.signals import Signal, per_channel
from neurocomp.ir import CubaLif

Floats: TypeAlias = npt.NDArray[np.float64]

DEFAULT_DT = 1e-4  # seconds; snnTorch's and lava-dl's
FINEST_DECAY = 1 / 8192  # half a step of the chip's decays: below, a neuron keeps all
DIGITS = 12  # significant ones of what double precision gives: dt/(dt/x) is x again
SPIKING = ("IF", "LIF", "CubaLIF", "Threshold")
RESETTING = ("IF", "LIF", "CubaLIF")
READOUTS = ("I", "LI", "CubaLI")  # they send their membrane


@dataclass(frozen=True, eq=False)
class Neurons:
    """A population's neurons.

    Attributes:
        gain: what every weight and bias is multiplied with, (1,) or (channels,).
        drift: added to the membrane at each step, (1,) or (channels,).
    """

    cuba: CubaLif
    gain: Floats
    drift: Floats


def neurons_of(node: Node, signal: Signal, dt: float) -> Neurons:
    """The neurons of a node.

    Raises:
        InputError: parameters that are missing, not finite or out of range, or that differ where
            a population has one.
    """
    read = _Parameters(node, signal, dt)
    kind = node.kind
    gain, drift, decays = np.ones(1), np.zeros(1), {"current": 1.0, "voltage": 0.0}
    if kind in ("LIF", "LI"):
        decays["voltage"], gain = read.leak("tau", "r")
    elif kind in ("CubaLIF", "CubaLI"):
        decays["voltage"], gain = read.leak("tau_mem", "r")
        decays["current"], synapse = read.leak("tau_syn", "w_in")
        gain = gain * synapse
    elif kind in ("IF", "I"):
        gain = read.values("r")
    else:  # Threshold: no memory at all
        decays["voltage"] = 1.0
    reset = read.values("v_reset", 0.0) if kind in SPIKING else np.zeros(1)
    if "v_leak" in node.fields:
        drift = _settled(decays["voltage"] * (read.values("v_leak") - reset), 0.0)
    limit = np.full(1, node.number("threshold", 1.0))  # a readout has none: ours, if it was ours
    if kind in SPIKING:
        limit = read.values("threshold" if kind == "Threshold" else "v_threshold") - reset
        if limit.min() < 0 or (limit.min() == 0 and limit.max() > 0):
            raise node.fault(
                f"v_threshold: must not be below v_reset, lies {limit.min():g} to {limit.max():g} "
                "above it; equal to it only for all"
            )
    if limit.size > 1:  # v scales with its threshold: all channels to the greatest
        gain, drift = (x * (limit.max() / limit) for x in (gain, drift))
    cuba = CubaLif(float(limit.max()), decays["current"], decays["voltage"])
    return Neurons(cuba, gain, drift)


class _Parameters:
    """The parameters of one neuron node as numbers of double precision."""

    def __init__(self, node: Node, signal: Signal, dt: float) -> None:
        self._node, self._signal, self._dt = node, signal, dt

    def values(self, key: str, default: float | None = None) -> Floats:
        """One value, or one per channel."""
        if default is not None and key not in self._node.fields:
            return np.full(1, default)
        values = per_channel(self._node, key, self._node.array(key), self._signal)
        return values.astype(np.float64)

    def leak(self, tau_key: str, factor_key: str) -> tuple[float, Floats]:
        """Share lost per step, dt/τ, and the factor of the input, factor·dt/τ."""
        node = self._node
        tau = self.values(tau_key)
        default = 1.0 if factor_key == "w_in" else None
        if tau.size > 1:
            raise node.fault(
                f"{tau_key}: must be the same for all neurons of a population, has values from "
                f"{tau.min():g} to {tau.max():g}; split the node, or train one time constant"
            )
        share = _share(self._dt, float(tau[0]), _noise(node, tau_key))
        if share > 1.0:
            raise node.fault(
                f"{tau_key}: must be at least the time step, is {tau[0]:g} s at dt {self._dt:g} s; "
                "say another dt"
            )
        if share < FINEST_DECAY:
            warnings.warn(
                f"{node.where}: {tau_key} is {1 / share:,.0f} time steps of {self._dt:g} s, which "
                "is no leak at all on a chip; is that the file's dt?",
                InputWarning,
                stacklevel=2,
            )
        factor = self.values(factor_key, default) * self._dt / tau[0]
        return share, _settled(factor, _noise(node, tau_key, factor_key))


def _share(dt: float, tau: float, noise: float) -> float:
    """dt/τ, as exactly as the state that keeps the rest of itself: β = 1 − dt/τ has the noise."""
    if tau <= 0:
        return np.inf
    share = dt / tau
    return _decimal(share, noise + noise / (4 * share))


def _noise(node: Node, *keys: str) -> float:
    """Relative error that parameters of single precision leave in what is made of them."""
    kinds = (node.array(key).dtype for key in keys if key in node.fields)
    coarse = [np.finfo(kind) for kind in kinds if kind in (np.float16, np.float32)]
    return max((2 * float(info.eps) for info in coarse), default=0.0)


def _settled(values: Floats, noise: float) -> Floats:
    """Numbers to at most 12 digits: the shortest ones within the noise.

    snnTorch's r·dt/τ is 1 ± 1e-7 in single precision, and a tie with the threshold hangs on it; in
    double precision dt/(dt/x) becomes x again.
    """
    return np.array([_decimal(float(v), noise) for v in values.reshape(-1)])


def _decimal(value: float, noise: float) -> float:
    shorter = (float(f"{value:.{digits}e}") for digits in range(DIGITS - 1))
    near = (s for s in shorter if abs(s - value) <= noise * abs(value))
    return next(near, float(f"{value:.{DIGITS - 1}e}"))
