"""The graph's neurons as NIR's: the other direction of `neurocomp.formats.nir.neurons`."""

from __future__ import annotations

import nir
import numpy as np

from neurocomp.errors import InputError
from neurocomp.ir import Array, CubaLif, LoihiLif, Population

DECAY_UNITY = 4096  # of the chip's decays


def effective(p: Population) -> CubaLif:
    """The neuron in real numbers; weights and biases keep their unit.

    Raises:
        InputError: a sigma-delta neuron.
    """
    if isinstance(p.neuron, CubaLif):
        return p.neuron
    if isinstance(p.neuron, LoihiLif):
        n = p.neuron
        return CubaLif(float(n.vth), (n.du + 1) / DECAY_UNITY, n.dv / DECAY_UNITY)
    raise InputError(f"population '{p.name}': NIR has no neuron like {p.neuron}; write a netx file")


def neuron_node(p: Population, dims: tuple[int, ...], dt: float, *, is_read: bool) -> nir.NIRNode:
    """The NIR node of a population's neurons; parameters are arrays of its shape.

    ``τ = dt/decay`` and ``r = τ/dt``, so that r·dt/τ is 1: inputs are not scaled. The bias of a
    population whose current has a memory is its leak potential; others have it at their weights.

    Args:
        is_read: its membrane is the readout, so that it never fires: I, LI or CubaLI.

    Raises:
        InputError: a current without decay, or a current with a membrane that keeps all: NIR's
            current-based neurons leak.
    """
    n = effective(p)
    if n.current_decay == 0 or (n.current_decay < 1 and n.voltage_decay == 0):
        raise InputError(
            f"population '{p.name}': NIR's current-based neurons leak, its current decay is "
            f"{n.current_decay:g} and its voltage decay {n.voltage_decay:g}"
        )
    fires = {"v_threshold": n.threshold, "v_reset": 0.0}
    if n.voltage_decay == 0:
        kind, values = ("I", {"r": 1.0}) if is_read else ("IF", {"r": 1.0, **fires})
        return getattr(nir, kind)(**_filled(values, dims))
    tau = dt / n.voltage_decay
    values = {"r": tau / dt, "v_leak": 0.0} | ({} if is_read else fires)
    if n.current_decay == 1:
        kind = nir.LI if is_read else nir.LIF
        return kind(**_filled({"tau": tau, **values}, dims))
    tau_syn = dt / n.current_decay
    values |= {"tau_mem": tau, "tau_syn": tau_syn, "w_in": tau_syn / dt}
    arrays = _filled(values, dims)
    if p.bias is not None:
        leak = (p.bias / n.voltage_decay).reshape(-1, *[1] * (len(dims) - 1))
        arrays["v_leak"] = np.broadcast_to(leak, dims).astype(np.float64)
    return (nir.CubaLI if is_read else nir.CubaLIF)(**arrays)


def _filled(values: dict[str, float], dims: tuple[int, ...]) -> dict[str, Array]:
    return {key: np.full(dims, value) for key, value in values.items()}
