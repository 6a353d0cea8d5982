"""The static check before every build: does the integer graph keep to what the chip and Lava do?

Lava's processes accept much that the chip cannot hold and silently change the rest (odd weights,
−256 of a single sign). Nothing is built that has not passed here.
"""

from __future__ import annotations

import numpy as np

from neurocomp.errors import InputError
from neurocomp.ir import (
    GRADED,
    Conv,
    CubaLif,
    Delta,
    Dense,
    Graph,
    LoihiLif,
    Population,
    Projection,
    SigmaDelta,
    verify,
)
from neurocomp.ir.schedule import axon_delays
from neurocomp.quant.fixed import (
    MAX_AXON_DELAY,
    MAX_BIAS,
    MAX_EXPONENT,
    MAX_VTH,
    MIN_BIAS,
    MIN_EXPONENT,
    WORD_LIMIT,
    level_range,
    loihi_exponent,
    single_sign,
)
from neurocomp.quant.sums import EXACT_SUMS, reach

U_LIMIT = 2**17  # u wraps at ±2^23 in units of 1/64 weight


def check(graph: Graph) -> Graph:
    """Return the integer graph if it can be built; `InputError` lists every fault otherwise."""
    if any(isinstance(p.neuron, CubaLif) for p in graph.neurons):
        raise InputError(f"network '{graph.name}' has float neurons; train the network first")
    verify(graph, integer=True)
    faults: list[str] = []
    for e in graph.projections:
        faults += _weight_faults(e)
    waits = axon_delays(graph)
    for e in graph.projections:
        name, wait = e.name, waits[e.name] + (0 if e.delays is None else int(e.delays.max()))
        if wait > MAX_AXON_DELAY:
            faults.append(
                f"projection '{name}': waits {wait} steps for the longest path, an axon delay "
                f"holds {MAX_AXON_DELAY}; shorten the path it skips"
            )
    for p in graph.neurons:
        drive = peak_drive(graph, p)
        if drive > EXACT_SUMS:
            faults.append(
                f"population '{p.name}': its synapses can sum to {drive:.0f}, which is exact up to "
                f"{EXACT_SUMS}; use smaller weights"
            )
        elif isinstance(p.neuron, GRADED):
            faults += _graded_faults(p)
        else:
            faults += _lif_faults(graph, p, drive)
    if faults:
        raise InputError.from_faults(f"integer network '{graph.name}'", faults)
    return graph


def _weight_faults(e: Projection) -> list[str]:
    assert e.weight is not None
    where = f"projection '{e.name}'"
    weight = e.weight.astype(np.int64)
    if not weight.any():
        return [f"{where}: all weights are zero; remove the projection"]
    if e.exponent < 0:
        return [f"{where}: exponent must not be negative, got {e.exponent}"]
    faults = []
    unit = 1 << e.exponent
    if (weight % unit).any():
        bad = int(weight[weight % unit != 0].flat[0])
        faults.append(f"{where}: every weight must be a multiple of 2^{e.exponent}, got {bad}")
    low, high = level_range(e.weight_bits)
    levels = weight // unit
    least, greatest = int(levels.min()), int(levels.max())
    unsigned = single_sign(e.weight_bits, least, greatest)
    if (least < low or greatest > high) and not unsigned:
        faults.append(
            f"{where}: {e.weight_bits}-bit levels are {low} to {high}, "
            f"got {levels.min()} to {levels.max()}"
        )
    if weight.max() <= 0 and e.weight_bits == 8 and levels.min() == low:
        faults.append(f"{where}: −256 without a positive weight becomes −255 in Lava; raise it")
    exponent = loihi_exponent(e.weight_bits, e.exponent, unsigned=unsigned)
    if not MIN_EXPONENT <= exponent <= MAX_EXPONENT:
        faults.append(
            f"{where}: weight exponent {exponent} is outside {MIN_EXPONENT} to {MAX_EXPONENT}"
        )
    if e.mask is not None and weight[~e.mask].any():
        faults.append(f"{where}: a pruned synapse has a weight other than zero")
    return faults


def _graded_faults(p: Population) -> list[str]:
    """Lava holds thresholds and biases of sigma-delta neurons, scaled, in 32 bits."""
    faults = []
    n = p.neuron
    if isinstance(n, (Delta, SigmaDelta)):
        limit = WORD_LIMIT >> (n.spike_exp + n.state_exp)
        if not 0 <= n.vth < limit:
            faults.append(f"threshold must be 0 to {limit - 1}, got {n.vth}")
        if p.bias is not None and np.abs(p.bias.astype(np.int64)).max() >= limit:
            faults.append(f"biases must lie within ±{limit - 1}, got {np.abs(p.bias).max()}")
    elif p.bias is not None:
        faults.append("sigma neurons have no bias")
    return [f"population '{p.name}': {fault}" for fault in faults]


def _lif_faults(graph: Graph, p: Population, drive: float) -> list[str]:
    assert isinstance(p.neuron, LoihiLif)
    where = f"population '{p.name}'"
    faults = []
    n = p.neuron
    if not 0 <= n.vth <= MAX_VTH:
        faults.append(f"{where}: threshold mantissa must be 0 to {MAX_VTH}, got {n.vth}")
    if not -1 <= n.du <= 4095 or not 0 <= n.dv <= 4096:
        faults.append(
            f"{where}: decays must be 0 to 4095, or −1 (du) to keep and 4096 (dv) to lose all, "
            f"got du {n.du}, dv {n.dv}"
        )
    if p.bias is not None and (p.bias.min() < MIN_BIAS or p.bias.max() > MAX_BIAS):
        faults.append(
            f"{where}: biases must be {MIN_BIAS} to {MAX_BIAS} (13 bits), "
            f"got {p.bias.min()} to {p.bias.max()}"
        )
    bounded = not any(_is_graded(graph, e) for e in graph.incoming(p.name))
    if n.du == 4095 and drive >= U_LIMIT and bounded:
        faults.append(
            f"{where}: its synapses can sum to {drive:.0f}, the current wraps at {U_LIMIT}; "
            "use a smaller exponent or fewer weight bits"
        )
    if p.name == graph.output and graph.readout == "membrane":
        bias = 0 if p.bias is None else int(np.abs(p.bias.astype(np.int64)).max())
        total = (drive + bias) * (graph.timesteps or 1)
        if n.vth != MAX_VTH or total > MAX_VTH:
            faults.append(
                f"{where}: a membrane readout needs threshold {MAX_VTH} that is never passed; "
                f"threshold is {n.vth}, {graph.timesteps} steps can sum to {total:.0f}"
            )
    return faults


def peak_drive(graph: Graph, p: Population) -> float:
    """Greatest |synaptic sum| any neuron of a population can get in one step, any input given."""
    up = down = np.zeros(1)
    for e in graph.incoming(p.name):
        if e.weight is None:
            raise InputError(f"projection '{e.name}': has no weights; train the network first")
        above, below = reach(e.weight, graph.population(e.source).neuron)
        if isinstance(e.op, Conv) and _has_dense(graph, p):  # per channel → per neuron
            above, below = (np.repeat(x, p.size // p.shape[0]) for x in (above, below))
        up, down = up + above, down + below
    return float(max(up.max(), down.max()))


def _is_graded(graph: Graph, e: Projection) -> bool:
    """Whether a projection's messages are bounded by nothing but their 32 bits."""
    return isinstance(graph.population(e.source).neuron, GRADED)


def _has_dense(graph: Graph, p: Population) -> bool:
    return any(isinstance(e.op, Dense) for e in graph.incoming(p.name))
