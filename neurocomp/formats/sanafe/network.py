"""The network file: groups, edges with weights, and the core and units of every neuron."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from neurocomp.formats.sanafe.architecture import tile_number
from neurocomp.formats.sanafe.groups import Description, Edges, Group
from neurocomp.formats.sanafe.layout import Layout
from neurocomp.formats.sanafe.units import Seat
from neurocomp.spec.target import Target


def network_lines(
    described: Description, seats: list[Seat], target: Target, layout: Layout
) -> Iterator[str]:
    """The file, line by line: YAML with one JSON value per neuron, edge and seat."""
    yield f"# simulate {described.steps} steps"
    for population, why in described.given.items():
        yield f"# {json.dumps(population)} fires the spikes it is given: {why}"
    yield "network:"
    yield f"  name: {json.dumps(described.name)}"
    yield "  groups:"
    for group in described.groups:
        yield from _group_lines(group)
    yield "  edges:"
    for edge in described.edges:
        yield f"    - {_json(_edge(edge))}"
    yield "mappings:"
    for seat in seats:
        place = layout.places[seat.core]
        value = {
            "core": f"{tile_number(target, place)}.{place.core}",
            "synapse": seat.synapse,
            "dendrite": seat.dendrite,
            "soma": seat.soma,
        }
        yield f"  - {_json({f'{seat.group}.{seat.first}..{seat.last}': value})}"


def _group_lines(group: Group) -> Iterator[str]:
    yield f"    - name: {group.name}"
    yield f"      attributes: {_json({'log_spikes': True, 'soma': group.attributes})}"
    yield "      neurons:"
    for key, attributes in _neurons(group):
        yield f"        - {_json({key: {'soma': attributes}})}"


def _neurons(group: Group) -> Iterator[tuple[str, dict[str, Any]]]:
    """Neurons, or runs of equal ones, and what sets them apart."""
    n = len(group.cores)
    if group.trains is not None:
        for i in range(n):
            yield f"{i}", {"spikes": group.trains[:, i].astype(int).tolist()}
        return
    biases = np.zeros(n, np.int64) if group.biases is None else group.biases
    edges = [0, *(np.flatnonzero(np.diff(biases)) + 1).tolist(), n]
    for first, stop in pairwise(edges):
        yield f"{first}..{stop - 1}", {"bias": int(biases[first])} if biases[first] else {}


def _edge(edge: Edges) -> dict[str, Any]:
    source, target, weight, delay = edge.synapses
    value: dict[str, Any] = {
        "type": "sparse",
        "source_target_pairs": np.stack([source, target], axis=1).tolist(),
        "weight": weight.tolist(),
    }
    if delay.any():
        value["delay"] = delay.tolist()
    return {f"{edge.source} -> {edge.target}": value}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(", ", ": "))
