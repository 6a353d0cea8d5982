"""The architecture file: the board's mesh, and on the cores in use the units that are needed.

Tiles are numbered down the columns of the whole board, ``tile = x·rows + y``, as SANA-FE numbers
them, so that its hops are those of our mesh.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from neurocomp.formats.sanafe.groups import CONV, DENSE, GIVEN, INPUTS, LIF
from neurocomp.formats.sanafe.layout import Layout, Place
from neurocomp.formats.sanafe.units import DENDRITE, CoreUnits
from neurocomp.spec.target import Costs, EventCost, Target

BASIS = "sanafe"  # the cost table whose events are SANA-FE's own

LOIHI1_LINK_BUFFER = 16  # messages, in SANA-FE's arch/loihi.yaml
UNKNOWN_BUFFER = "  # not published for this chip; Loihi 1's"


def tile_number(target: Target, place: Place) -> int:
    """SANA-FE's number of a tile."""
    return place.x * target.board.rows.value * target.mesh.rows.value + place.y


def architecture_lines(target: Target, layout: Layout, cores: list[CoreUnits]) -> Iterator[str]:
    """The file, line by line. Events without a published cost cost nothing."""
    costs = target.costs.get(BASIS) or Costs(summary="no costs are published")
    width = target.board.columns.value * target.mesh.columns.value
    height = target.board.rows.value * target.mesh.rows.value
    yield f"# {json.dumps(target.name)}, costs: {json.dumps(costs.summary)}"
    yield "architecture:"
    yield "  name: board"
    yield "  attributes:"
    yield "    topology: mesh"
    yield f"    width: {width}"
    yield f"    height: {height}"
    buffer = target.mesh.link_buffer.value
    yield f"    link_buffer_size: {buffer or LOIHI1_LINK_BUFFER}{'' if buffer else UNKNOWN_BUFFER}"
    yield "    sync_model: table"
    yield "    latency_sync:"
    for tiles, cost in costs.barrier.items() or ((0, None),):
        yield f"      {tiles}: {_yaml(_seconds(cost))}"
    yield "  tile:"
    used = {
        (tile_number(target, place), place.core): core
        for place, core in zip(layout.places, cores, strict=True)
    }
    hops = _yaml(_hops(costs))
    for tile in range(width * height):
        yield f"    - name: tile[{tile}..{tile}]"
        yield f"      attributes: {hops}"
        yield "      core:"
        for number in range(target.mesh.cores_per_tile.value):
            units = used.get((tile, number), CoreUnits())
            yield f"        - {_yaml(_core(costs, number, units))}"


def _hops(costs: Costs) -> dict[str, float]:
    ways = {
        "east": costs.hop_east_west,
        "west": costs.hop_east_west,
        "north": costs.hop_north_south,
        "south": costs.hop_north_south,
    }
    return {
        f"{what}_{way}_hop": unit(cost)
        for way, cost in ways.items()
        for what, unit in (("energy", _joules), ("latency", _seconds))
    }


def _core(costs: Costs, number: int, core: CoreUnits) -> dict[str, Any]:
    neuron = {
        "access_neuron": costs.neuron_access,
        "update_neuron": costs.neuron_update,
        "spike_out": costs.neuron_spike,
    }
    outside: dict[str, EventCost | None] = dict.fromkeys(neuron)
    served = {CONV: costs.synapse_conv, DENSE: costs.synapse_dense} if core.neurons else {}
    return {
        "name": f"core[{number}..{number}]",
        "attributes": {
            "buffer_position": "dendrite",
            "buffer_inside_unit": True,
            "max_neurons_supported": core.neurons,
        },
        "axon_in": [_unit("loihi_in", {"message_in": costs.message_in})],
        "synapse": [
            _unit(name, {"process_spike": cost}, "current_based") for name, cost in served.items()
        ],
        "dendrite": _units(core, DENDRITE, {"update": None}, "accumulator_with_delay"),
        "soma": [
            *_units(core, LIF, neuron, "leaky_integrate_fire"),
            *_units(core, GIVEN, neuron, "input"),
            *_units(core, INPUTS, outside, "input"),
        ],
        "axon_out": [_unit("loihi_out", {"message_out": costs.message_out})],
    }


def _units(
    core: CoreUnits, kind: str, events: dict[str, EventCost | None], model: str
) -> list[dict[str, Any]]:
    n = core.units[kind]
    return [_unit(f"{kind}[0..{n - 1}]", events, model)] if n else []


def _unit(name: str, events: dict[str, EventCost | None], model: str = "") -> dict[str, Any]:
    attributes: dict[str, Any] = {"model": model} if model else {}
    for event, cost in events.items():
        attributes[f"energy_{event}"] = _joules(cost)
        attributes[f"latency_{event}"] = _seconds(cost)
    return {"name": name, "attributes": attributes}


def _yaml(value: Any) -> str:
    """JSON that YAML 1.1 reads alike: its numbers need a point before the exponent."""
    return re.sub(r"(?<![\d.])(\d+)e-", r"\1.0e-", json.dumps(value))


def _joules(cost: EventCost | None) -> float:
    return _scaled(None if cost is None else cost.pj, -12)


def _seconds(cost: EventCost | None) -> float:
    return _scaled(None if cost is None else cost.ns, -9)


def _scaled(value: float | None, exponent: int) -> float:
    """A published figure in SI units, to the digit; 0 where there is none."""
    return 0.0 if value is None else float(Decimal(str(value)).scaleb(exponent))
