"""Whole test sets: counts, traffic, workers, results that are kept, traces."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from backend_faults import TIMEOUT_S
from backend_networks import chain, images, running, spread

from neurocomp import backend
from neurocomp.backend.room import at_once, sample_bytes
from neurocomp.backend.run import BACKENDS
from neurocomp.errors import InputError, RunError
from neurocomp.ir import Dense, Graph, Input, LoihiLif, Population, Projection
from neurocomp.quant import reference
from neurocomp.quant.reference import UNWATCHED, Watch

REFERENCE = BACKENDS["reference"]


def test_without_comparison() -> None:
    graph = chain()
    found = backend.simulate(graph, spread(graph), images(graph, 2), compare=False)
    assert found.mismatches is None
    assert found.as_row()["state_mismatches"] is None
    assert [x.mismatches for x in found.layers] == [None] * 3


def test_every_batch_is_shown(tmp_path: Path) -> None:
    graph, shown = chain(), []
    values = images(graph, 5)
    backend.simulate(graph, None, values, backend="reference", batch=2, on_batch=shown.append)
    assert [len(x.values) for x in shown] == [2, 2, 1]
    for bad in ({"workers": 2}, {"keep": tmp_path}):
        with pytest.raises(
            InputError, match="on_batch is for one worker, and for runs that keep nothing"
        ):
            backend.simulate(graph, None, values, backend="reference", on_batch=print, **bad)


def test_as_many_samples_as_there_is_room_for() -> None:
    """Two steps: 3 inputs, a byte each in three places; 5 spikes, a byte and twice a bit each."""
    populations = (
        Population("in", (3, 1, 1), Input()),
        Population("out", (5, 1, 1), LoihiLif(vth=9)),
    )
    e = Projection("e", "in", "out", Dense(), 8, np.ones((5, 3), np.int64))
    graph = Graph("room", populations, (e,), "out", timesteps=2, readout="spikes")
    assert sample_bytes(graph, 2, UNWATCHED) == 3 * 2 * 3 + 5 * 2 + 2 * 1 == 30
    watch = Watch(("out",), every_step=True)  # u and v: int64, and an int32 twice on its way
    assert sample_bytes(graph, 2, watch) == 30 + 2 * 5 * 2 * (8 + 2 * 4)
    assert at_once(graph, 2, UNWATCHED, room=119) == 3
    assert at_once(graph, 2, UNWATCHED, room=29) == 1
    assert at_once(graph, 2, UNWATCHED) == 64


def test_a_batch_is_chosen_and_compared_by_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room for two samples at once, and the reference runs them one by one."""
    graph, runs = running(), []
    values = images(graph, 5, steps=4)
    each = sample_bytes(graph, 4, UNWATCHED)
    chosen = partial(at_once, room=2 * each)
    monkeypatch.setattr("neurocomp.backend.simulation.at_once", chosen)
    monkeypatch.setattr("neurocomp.backend.counts.COMPARED_ROOM", each)
    real = reference.run

    def wrong(graph: Graph, values: np.ndarray, watch: Watch = UNWATCHED) -> reference.Trace:
        runs.append(len(values))
        trace = real(graph, values, watch)
        trace.spikes["a"][:, 0, :3] ^= True
        return trace

    monkeypatch.setattr(reference, "run", wrong)
    found = backend.simulate(graph, spread(graph, (1, 1, 1)), values, timeout_s=TIMEOUT_S)
    assert (found.batch, runs) == (2, [1] * 5)
    assert [x.mismatches for x in found.layers] == [15, 0]
    assert found.mismatches == 15


@pytest.mark.parametrize(("given", "found"), [(1, "fewer"), (3, "more")])
def test_a_backend_with_another_number_of_batches(
    given: int, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = chain()
    values = images(graph, 2)

    def other(graph: Graph, batches: Any, setting: Any) -> Any:
        return REFERENCE(graph, [values[:1]] * given, setting)

    monkeypatch.setitem(BACKENDS, "other", other)
    with pytest.raises(RunError, match=f"chain: backend 'other' gave {found} results"):
        backend.simulate(graph, None, values, backend="other", batch=1, compare=False)
