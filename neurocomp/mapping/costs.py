"""What a step of a mapping costs in energy and time, on each basis that somebody published.

A basis prices events; what it has no price for is named as unpriced and counts nothing. Two bases
are never mixed. A chip without published prices is quoted at those of the target that its file
names under ``costs_like``, and the figures are called that target's equivalent.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from neurocomp.errors import InputWarning
from neurocomp.mapping.events import Events, Values
from neurocomp.spec.target import Costs, EventCost, Target, load_target

ENERGY, EQUIVALENT = "energy", "_equivalent_energy"  # of the target itself, of the one it is like
MW_PER_PJ_HZ = 1e-9
NS_PER_S = 1e9


class _Priced(NamedTuple):
    """Events of one sort: how many each core has, or the mesh as a whole."""

    part: str
    event: str
    number: Values


def cost_rows(
    events: Events, target: Target, n_chips: int, step_rate: float | None = None
) -> dict[str, Any]:
    """Rows for `neurocomp.mapping.summary`: the events of a step and their price on every basis.

    Args:
        n_chips: chips in use, for static power.
        step_rate: steps per second at which power is stated.

    Returns:
        ``events`` per step; ``costs``: what the figures are called (``energy`` or, say,
        ``loihi1_equivalent_energy``) and by basis ``energy_pj`` per step by part and in all,
        ``noc_pj`` of messages and mesh (what the placement decides), ``makespan_ns`` of the
        busiest core, ``step_ns`` and ``power_mw``.
    """
    own = bool(target.costs) or target.costs_like is None
    priced = target if own else load_target(str(target.costs_like))
    name = ENERGY if own else f"{priced.name}{EQUIVALENT}"
    each = priced.static_mw_per_chip.value
    static = None if each is None else each * n_chips
    return {
        "events": {
            "neuron_updates": int(events.neurons.sum()),
            "spikes": float(events.spikes.sum()),
            "synops": float(events.dense.sum() + events.conv.sum()),
            "busiest_core_synops": float((events.dense + events.conv).max(initial=0.0)),
            "messages": float(events.sent.sum()),
            "hops": events.on_mesh.spike_hops,
        },
        "costs": {
            name: {
                basis: _row(events, basis, costs, static, step_rate)
                for basis, costs in priced.costs.items()
            }
        },
    }


def _row(
    events: Events,
    basis: str,
    costs: Costs,
    static_mw: float | None,
    step_rate: float | None,
) -> dict[str, Any]:
    energy: dict[str, float] = {}
    busy = np.zeros(len(events.neurons))
    unpriced = []
    for part, event, number in _events(events, costs):
        price: EventCost | None = getattr(costs, event)
        if price is None and number.any():
            unpriced.append(event)
        pj, ns = (0.0, 0.0) if price is None else (price.pj or 0.0, price.ns or 0.0)
        energy[part] = energy.get(part, 0.0) + pj * float(number.sum())
        if part != "mesh":
            busy += ns * number
    makespan = float(busy.max(initial=0.0))
    step = makespan + _way_ns(events, costs) + _barrier_ns(events.tiles, costs)
    if step_rate is not None and step_rate * step > NS_PER_S:
        text = (
            f"{step_rate:,g} steps per second are more than this mapping reaches: by the basis "
            f"'{basis}' a step takes {step:,.0f} ns, which is {NS_PER_S / step:,.0f} per second"
        )
        warnings.warn(text, InputWarning, stacklevel=2)
    total = sum(energy.values())
    return {
        "summary": costs.summary,
        "energy_pj": {**energy, "total": total},
        "noc_pj": energy["messages"] + energy["mesh"],
        "makespan_ns": makespan,
        "step_ns": step,
        "steps_per_second": NS_PER_S / step if step else None,
        "unpriced": unpriced,
        "power_mw": None
        if step_rate is None
        else {
            "steps_per_second": step_rate,
            "dynamic": total * step_rate * MW_PER_PJ_HZ,
            "static": static_mw,
        },
    }


def _events(events: Events, costs: Costs) -> Iterator[_Priced]:
    """The events that a basis tells apart.

    Where it prices active neurons, all are taken as active, which bounds the energy from above: no
    source says when a neuron is inactive.
    """
    if costs.neuron_active is not None:
        yield _Priced("neurons", "neuron_active", events.neurons)
    else:
        yield _Priced("neurons", "neuron_access", events.neurons)
        yield _Priced("neurons", "neuron_update", events.neurons)
        yield _Priced("neurons", "neuron_spike", events.spikes)
    if costs.synapse is not None:
        yield _Priced("synapses", "synapse", events.dense + events.conv)
    else:
        yield _Priced("synapses", "synapse_dense", events.dense)
        yield _Priced("synapses", "synapse_conv", events.conv)
    yield _Priced("messages", "message_out", events.sent)
    yield _Priced("messages", "message_in", events.received)
    mesh = events.on_mesh
    yield _Priced("mesh", "hop_east_west", np.array([mesh.hops_east_west]))
    yield _Priced("mesh", "hop_north_south", np.array([mesh.hops_north_south]))
    yield _Priced("mesh", "within_tile", np.array([mesh.within_tile]))


def _way_ns(events: Events, costs: Costs) -> float:
    """Time of the message that goes farthest."""
    ways = zip(events.on_mesh.farthest, (costs.hop_east_west, costs.hop_north_south), strict=True)
    return sum(float(n) * (0.0 if c is None else c.ns or 0.0) for n, c in ways)


def _barrier_ns(tiles: int, costs: Costs) -> float:
    """The barrier that ends a step, between and beyond the published numbers of tiles linearly
    interpolated and held constant."""
    known = {n: cost.ns for n, cost in sorted(costs.barrier.items()) if cost.ns is not None}
    return float(np.interp(tiles, list(known), list(known.values()))) if known else 0.0
