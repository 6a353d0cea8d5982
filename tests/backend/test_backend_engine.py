"""The engine on mapped networks, without Lava: exact against the integer reference."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backend_networks import (
    READOUT,
    chain,
    dag,
    images,
    mapped,
    pair,
    run_engines,
    running,
    spread,
    tiles,
)

from neurocomp.backend.emit import emit
from neurocomp.ir import Slice, whole
from neurocomp.mapping.model import CoreAddress, Placement, Route
from neurocomp.quant import reference

BATCHES = {"chain": chain, "dag": dag, "running": running}


@pytest.mark.parametrize("name", BATCHES)
@pytest.mark.parametrize(("cuts", "chips"), [((1, 1, 1), 1), ((2, 2, 1), 1), ((3, 2, 2), 3)])
def test_mapped_networks_equal_the_reference(
    name: str, cuts: tuple[int, int, int], chips: int
) -> None:
    """Several windows back to back, the last batch smaller: no spike and no readout differs."""
    graph = BATCHES[name]()
    steps = None if graph.timesteps else 9
    batches = [images(graph, n, seed=n, steps=steps) for n in (4, 4, 1)]
    program = emit(graph, spread(graph, cuts, chips))
    assert len(program.chips) == min(chips, sum(len(tiles(p, cuts)) for p in graph.neurons))
    for values, trace in zip(batches, run_engines(graph, program, batches), strict=True):
        expected = reference.run(graph, values)
        assert not any(trace.mismatches(expected).values())
        for p in graph.neurons:
            if p.neuron != READOUT:
                assert 0.02 < expected.spikes[p.name].mean() < 0.6, p.name


BOTH = np.ones((1, 2, 1, 1), np.uint8)


def test_by_hand() -> None:
    """Both neurons fire in both steps: the membrane ends at 2·(3 + 5)·64."""
    graph, mapping = pair()
    trace = run_engines(graph, emit(graph, mapping), [BOTH])[0]
    assert trace.spikes["a"].all()
    assert trace.readout.tolist() == [[2 * 8 * 64]]


def test_what_no_route_brings_does_not_arrive() -> None:
    """Without the route of the second neuron the readout sums 3 only, chip crossing or not."""
    graph, mapping = pair()
    kept = tuple(r for r in mapping.routes if (r.population, r.source) != ("a", 1))
    for addresses in (mapping.placement.addresses, tuple(CoreAddress(0, i) for i in range(3))):
        lossy = replace(mapping, routes=kept, placement=Placement(addresses))
        trace = run_engines(graph, emit(graph, lossy), [BOTH])[0]
        assert trace.spikes["a"].all()
        assert trace.readout.tolist() == [[2 * 3 * 64]]


def test_routes_count_per_core_not_per_chip() -> None:
    """A core does not overhear what the routes bring to its neighbour on the same chip."""
    graph, _ = pair()
    wide = replace(graph.populations[2], shape=(2, 1, 1))
    both = replace(graph.projections[1], weight=np.array([[3, 5], [3, 5]]))
    graph = graph.with_parts((*graph.populations[:2], wide), (graph.projections[0], both))
    cores = [(s,) for p in graph.neurons for s in tiles(p, (2, 1, 1))]
    mapping = mapped(graph, cores, [0] * 4)
    assert Route("a", 1, (2, 3)) in mapping.routes
    routes = tuple(replace(r, targets=(2,)) if r.source == 1 else r for r in mapping.routes)
    trace = run_engines(graph, emit(graph, replace(mapping, routes=routes)), [BOTH])[0]
    assert trace.readout.tolist() == [[2 * 8 * 64, 2 * 3 * 64]]


def test_a_neuron_on_no_core_stays_silent() -> None:
    graph, _ = pair()
    cores = [(Slice("a", (1, 0, 0), (2, 1, 1)),), (whole(graph.population("out")),)]
    trace = run_engines(graph, emit(graph, mapped(graph, cores, [0, 0])), [BOTH])[0]
    assert trace.spikes["a"][0, :, :, 0, 0].tolist() == [[False, True], [False, True]]
    assert trace.readout.tolist() == [[2 * 5 * 64]]
