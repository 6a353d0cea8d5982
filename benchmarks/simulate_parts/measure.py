"""CPU time per network step, and memory of all processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import closing, suppress
from typing import Any

import psutil

from neurocomp import backend
from neurocomp.ir import Array, Graph
from neurocomp.mapping.model import Mapping
from neurocomp.quant import reference
from neurocomp.quant.reference import Trace, Watch

RUNS = 3  # that count, after the one that warms up


def measured(
    graph: Graph, values: Array, name: str, mapping: Mapping | None = None, **settings: Any
) -> tuple[float, int]:
    """Least CPU ms per step of some equal runs, and what differs from the reference in any.

    No state is watched while time is taken, only messages, which are compared; u and v (or the
    sigma-delta states) at the end are compared in a run of their own.
    """
    timed = _executed(graph, [values] * (1 + RUNS), name, mapping, **settings)
    watch = Watch(tuple(p.name for p in graph.neurons))
    (checked,) = _executed(graph, [values], name, mapping, watch=watch, **settings)
    expected = reference.run(graph, values, watch)
    messages = Trace(expected.spikes, expected.readout)
    differing = [x.trace.mismatches(messages) for x in timed]
    differing.append(checked.trace.mismatches(expected))
    return min(1e3 * x.cpu_s / x.steps for x in timed[1:]), sum(sum(d.values()) for d in differing)


def _executed(
    graph: Graph, given: list[Array], name: str, mapping: Mapping | None, **settings: Any
) -> list[backend.Executed]:
    with closing(backend.stream(graph, mapping, given, backend=name, **settings)) as runs:
        return list(runs)


def show(what: str, ms: float, differing: int | None, against: float | None = None) -> None:
    """One row."""
    ratio = "" if against is None else f"   × {against / ms:6.1f}"
    found = "" if differing is None else f"{differing} differ"
    print(f"{what:48} {ms:9.3f} cpu-ms/step   {found}{ratio}", flush=True)


def show_ours(
    graph: Graph, values: Array, mapping: Mapping, theirs: float, what: str = "lava"
) -> None:
    """Rows of backend "lava", in blocks and step by step, against a peer's CPU ms per step."""
    for how, block in (("in blocks", None), ("step by step", 1)):
        ms, differing = measured(graph, values, "lava", mapping, block=block)
        show(f"{what}, {how}", ms, differing, theirs)


def command_memory(*words: str) -> tuple[int, dict[str, Any]]:
    """Greatest memory of a command and all its processes in bytes, and the row that it printed.

    Shared pages count once (proportional set sizes), sampled twenty times a second.
    """
    command = [sys.executable, "-m", "neurocomp", *words, "--json"]
    most = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        parent = psutil.Process(process.pid)
        while process.poll() is None:
            with suppress(psutil.NoSuchProcess):
                family = [parent, *parent.children(recursive=True)]
                most = max(most, sum(p.memory_full_info().pss for p in family))
            time.sleep(0.05)
        assert process.stdout is not None
        row = json.load(process.stdout)
    return most, row
