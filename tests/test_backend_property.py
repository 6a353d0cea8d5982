"""Any network on any cores fires the same messages in the engine, in Lava and in the reference."""

from __future__ import annotations

import numpy as np
import pytest
from backend_networks import run_engines
from drawn_networks import LIF, MIXED, SIGMA_DELTA, mappings, networks, shown
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from neurocomp import backend
from neurocomp.backend.emit import emit
from neurocomp.errors import InputError
from neurocomp.ir import GRADED, Array, Conv, Graph
from neurocomp.mapping.model import Mapping
from neurocomp.quant import reference
from neurocomp.quant.reference import Trace, Watch

TIMEOUT_S = 60.0
FAMILIES = pytest.mark.parametrize("family", [LIF, SIGMA_DELTA, MIXED])


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


def lava_holds(graph: Graph, values: Array, expected: Trace) -> bool:
    """Whether every sum of a convolution fits 32 bits; beyond, Lava's own Conv casts a float that
    no integer holds, and what comes out is undefined."""
    sent = {**expected.spikes, graph.inputs[0].name: values}
    return all(
        int(np.abs(sent[e.source].astype(np.int64)).max())
        * int(np.abs(e.weight).reshape(len(e.weight), -1).sum(axis=1).max())
        < 2**31
        for e in graph.projections
        if isinstance(e.op, Conv) and e.weight is not None
    )


def agree_in_lava(graph: Graph, mapping: Mapping) -> None:
    """Mapped and as Lava's own processes, every message and state of every step."""
    graded = any(isinstance(p.neuron, GRADED) for p in graph.neurons)  # a Lava start per sample
    values, watch = shown(graph, 1 if graded else 2, 3), watched(graph)
    expected = reference.run(graph, values, watch)
    for name in ("lava", "stock") if lava_holds(graph, values, expected) else ("lava",):
        try:
            trace = backend.run(
                graph, mapping, values, backend=name, watch=watch, timeout_s=TIMEOUT_S
            )
        except InputError as fault:
            known = ("no route brings", "Lava's Conv wraps")
            assert any(text in str(fault) for text in known)  # noqa: PT017
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
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_lava_equals_the_reference_often(family: str, data: st.DataObject) -> None:
    graph = data.draw(networks(family))
    agree_in_lava(graph, data.draw(mappings(graph)))
