"""Any network on any cores fires the same messages in the engine, in Lava and in the reference."""

from __future__ import annotations

import pytest
from backend_networks import run_engines
from drawn_networks import LIF, LOUD, MIXED, SIGMA_DELTA, mappings, networks, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurocomp import backend
from neurocomp.backend.emit import emit
from neurocomp.errors import InputError
from neurocomp.ir import GRADED, Graph
from neurocomp.mapping.model import Mapping
from neurocomp.quant import reference
from neurocomp.quant.reference import Watch

TIMEOUT_S = 60.0
FAMILIES = pytest.mark.parametrize("family", [LIF, SIGMA_DELTA, MIXED, LOUD])


def watched(graph: Graph) -> Watch:
    """All states of every step."""
    return Watch(tuple(p.name for p in graph.neurons), every_step=True)


@FAMILIES
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_engine_equals_the_reference(family: str, data: st.DataObject) -> None:
    """In blocks of any length, two windows back to back."""
    graph = data.draw(networks(family))
    try:
        program = emit(graph, data.draw(mappings(graph)))
    except InputError as fault:  # every weight that reads the input may be pruned
        assert "no route brings" in str(fault)  # noqa: PT017
        return
    block = data.draw(st.sampled_from([1, 2, None]))
    batches = [shown(graph, 2, seed) for seed in (1, 2)]
    traces = run_engines(graph, program, batches, block=block, watch=watched(graph))
    for values, trace in zip(batches, traces, strict=True):
        expected = reference.run(graph, values, watched(graph))
        assert not any(trace.mismatches(expected).values())


def agree_in_lava(graph: Graph, mapping: Mapping) -> None:
    """Mapped and as Lava's own processes, every message and state of every step."""
    graded = any(isinstance(p.neuron, GRADED) for p in graph.neurons)  # a Lava start per sample
    values, watch = shown(graph, 1 if graded else 2, 3), watched(graph)
    expected = reference.run(graph, values, watch)
    for name in ("lava", "stock"):
        try:
            trace = backend.run(
                graph, mapping, values, backend=name, watch=watch, timeout_s=TIMEOUT_S
            )
        except InputError as fault:
            assert "no route brings" in str(fault)  # noqa: PT017
        else:
            differing = trace.mismatches(expected)
            assert not any(differing.values()), (name, differing)


@FAMILIES
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_lava_equals_the_reference(family: str, data: st.DataObject) -> None:
    graph = data.draw(networks(family))
    agree_in_lava(graph, data.draw(mappings(graph)))


@pytest.mark.slow
@FAMILIES
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_lava_equals_the_reference_often(family: str, data: st.DataObject) -> None:
    graph = data.draw(networks(family))
    agree_in_lava(graph, data.draw(mappings(graph)))
