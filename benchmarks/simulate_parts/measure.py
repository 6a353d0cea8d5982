"""CPU time per network step, and memory of all processes."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from typing import Any

import psutil

from neurocomp import backend
from neurocomp.ir import Array, Graph
from neurocomp.mapping.model import Mapping
from neurocomp.quant import reference
from neurocomp.quant.reference import Trace, Watch

CPU_S = 2.0  # at least, of the runs behind a figure
RUNS = 2  # at least
MISSED: list[str] = []  # what was asked for and does not hold


def measured(
    graph: Graph, values: Array, name: str, mapping: Mapping | None = None, **settings: Any
) -> tuple[float, int]:
    """Mean CPU ms per step of equal runs, and what differs from the reference in any.

    As many runs as take two seconds of CPU time, all of which count, so that it does not matter to
    which of them the work of processes counts that run ahead. No state is watched meanwhile, only
    messages, which are compared; u and v (or the sigma-delta states) at the end are compared in a
    run of their own.
    """
    expected = reference.run(graph, values, _watch(graph))
    messages = Trace(expected.spikes, expected.readout)
    require(f"{graph.name}: every layer fires", all(x.any() for x in expected.spikes.values()))
    (checked,) = executed(graph, [values], name, mapping, watch=_watch(graph), **settings)
    differing = sum(checked.trace.mismatches(expected).values())
    given, cpu_s, steps = 0, 0.0, 0

    def batches() -> Iterator[Array]:
        nonlocal given
        while given < RUNS or cpu_s < CPU_S:
            given += 1
            yield values

    for run in executed(graph, batches(), name, mapping, **settings):
        differing += sum(run.trace.mismatches(messages).values())
        cpu_s, steps = cpu_s + run.cpu_s, steps + run.steps
    return 1e3 * cpu_s / steps, differing


def executed(
    graph: Graph, given: Iterable[Array], name: str, mapping: Mapping | None, **settings: Any
) -> Iterator[backend.Executed]:
    """Batches through a backend, which is ended with the last one."""
    with closing(backend.stream(graph, mapping, given, backend=name, **settings)) as runs:
        yield from runs


def _watch(graph: Graph) -> Watch:
    return Watch(tuple(p.name for p in graph.neurons))


def require(what: str, holds: bool) -> None:
    """Note what does not hold; the benchmark then fails at its end."""
    if not holds:
        MISSED.append(what)
        print(f"missed: {what}", flush=True)


def show(
    what: str,
    ms: float,
    differing: int | None,
    against: float | None = None,
    least: float | None = None,
) -> None:
    """One row; the ratio to a peer's CPU ms per step must reach the least, if one is given."""
    ratio = "" if against is None else f"   × {against / ms:6.1f}"
    found = "" if differing is None else f"{differing} differ"
    print(f"{what:48} {ms:9.3f} cpu-ms/step   {found}{ratio}", flush=True)
    require(f"{what}: nothing differs", not differing)
    if against is not None and least is not None:
        require(f"{what}: × {least:g}", against / ms >= least)


def show_ours(
    graph: Graph,
    values: Array,
    mapping: Mapping,
    theirs: float,
    what: str = "lava",
    least: tuple[float | None, float | None] = (None, None),
) -> None:
    """Rows of backend "lava", in blocks and step by step, against a peer's CPU ms per step."""
    for how, block, ratio in zip(("in blocks", "step by step"), (None, 1), least, strict=True):
        ms, differing = measured(graph, values, "lava", mapping, block=block)
        show(f"{what}, {how}", ms, differing, theirs, ratio)


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
