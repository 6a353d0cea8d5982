"""Run one network, mapped or not, and compare its spikes with the reference."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from neurocomp.data.coding import Kind
from neurocomp.errors import InputError, InputWarning
from neurocomp.flow.loading import integers_of, load_network, mapping_of
from neurocomp.flow.outputs import PICTURE, TRACED, require_safe
from neurocomp.flow.simulate_values import Shown
from neurocomp.flow.traced import Traced
from neurocomp.interrupt import not_lost
from neurocomp.ir import Graph
from neurocomp.progress import Progress, quiet
from neurocomp.quant.reference import UNWATCHED

TRACE = Path("trace.npz")


def simulate(
    network: Graph | Path | str,
    hw: str | None = None,
    *,
    policy: str | None = None,
    backend: str = "lava",
    samples: int | None = None,
    steps: int | None = None,
    input_file: Path | str | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
    coding: Kind = "direct",
    skip_layers: int = 0,
    weight_bits: int | None = None,
    dt: float | None = None,
    batch: int | None = None,
    block: int | None = None,
    workers: int = 1,
    compare: bool = True,
    out: Path | None = None,
    trace: str | None = None,
    trace_states: bool = False,
    trace_out: Path = TRACE,
    picture: Path | None = None,
    timeout_s: float = 600.0,
    seed: int = 0,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Run a network and compare it with the reference.

    Args:
        network: a graph or network file, or a run folder. A float one is made integer.
        hw, policy: of a run, by default, its own; then the mapping that it made is executed.
        backend: only "lava" needs a mapping.
        steps: per sample, for a network without a window of its own.
        input_file, data, data_dir, coding: what is shown, see `Shown`; by default a run's own test
            set, seeded random values to all else.
        weight_bits, dt: how a NIR file is read.
        batch: samples at once; block: network steps in a Lava step of "lava"; None chooses.
        workers: processes that run batches side by side.
        out: folder that keeps batches as they come and at last the row (result.json): the same
            call goes on with them, and runs nothing when all is done.
        trace: names of populations, "a,b", whose spikes go to ``trace_out`` (.npz); with
            ``trace_states`` their u and v as well. ``picture``: raster and rates of the first
            sample, an SVG.

    Returns:
        The row that ``neurocomp simulate --json`` prints, with ``mismatches``; where something was
        traced, with the files as ``trace`` and ``picture``.
    """
    with not_lost():
        from neurocomp.backend import BACKENDS
        from neurocomp.backend import simulate as execute

    if backend not in BACKENDS:
        raise InputError.unknown("backend", backend, list(BACKENDS))
    _warn_of_no_effect(backend, {"--hw": hw, "--policy": policy, "--block": block})
    graph, run = load_network(network, skip_layers=skip_layers, weight_bits=weight_bits, dt=dt)
    if steps is not None and graph.timesteps is not None:
        raise InputError(
            f"{network}: has a window of {graph.timesteps} steps, --steps is for networks without"
        )
    if trace is not None and (workers > 1 or out is not None):
        raise InputError(
            "a trace is made of a run from its start to its end in one process: with --trace leave "
            "--workers and --out out"
        )
    shown = Shown(input_file, data, data_dir, coding, samples, steps, seed)
    values, labels = shown.of(graph, run, progress)
    graph = integers_of(graph, values.shape[1])
    traced = _traced(graph, trace, trace_states, picture)
    if traced is not None:
        results = [(trace_out, TRACED)] + ([] if picture is None else [(picture, PICTURE)])
        require_safe(results, (network, hw, policy, input_file))
    mapping = mapping_of(graph, run, hw, policy, seed)[0] if backend == "lava" else None
    found = execute(
        graph,
        mapping,
        values,
        labels,
        backend=backend,
        batch=batch,
        block=block,
        workers=workers,
        compare=compare,
        keep=out,
        on_batch=None if traced is None else traced.add,
        watch=UNWATCHED if traced is None else traced.watch,
        file=_netx_file(network),
        skip_layers=skip_layers,
        timeout_s=timeout_s,
        on_progress=progress,
    )
    _warn_of_silence(graph, {layer.name: layer.spikes for layer in found.layers})
    row = found.as_row()
    if traced is not None:
        _write_trace(traced, trace_out, picture)
        row |= {"trace": str(trace_out), "picture": None if picture is None else str(picture)}
    return row


def _warn_of_no_effect(backend: str, given: dict[str, object]) -> None:
    named = [name for name, value in given.items() if value is not None]
    if backend != "lava" and named:
        warnings.warn(
            InputWarning(f"backend '{backend}' runs no mapping: {', '.join(named)} has no effect"),
            stacklevel=3,
        )


def _warn_of_silence(graph: Graph, sent: dict[str, int]) -> None:
    """Where a layer never fires, that nothing differs in it says nothing."""
    quiet_one = graph.output if graph.readout == "membrane" else None
    silent = [name for name, n in sent.items() if not n and name != quiet_one]
    if silent:
        warnings.warn(
            InputWarning(
                f"{graph.name}: nothing was ever sent by {', '.join(silent)}; show other values "
                "(--input) for a comparison that says something"
            ),
            stacklevel=3,
        )


def _netx_file(network: Graph | Path | str) -> Path | None:
    """The file that backend "netx" loads; None for any other network."""
    return None if isinstance(network, Graph) or Path(network).suffix != ".net" else Path(network)


def _traced(graph: Graph, names: str | None, states: bool, picture: Path | None) -> Traced | None:
    if names is None:
        if states or picture is not None:
            raise InputError("say which populations to trace, with --trace NAME,NAME")
        return None
    if picture is not None and picture.suffix != ".svg":
        raise InputError(f"{picture}: a picture is an SVG; name a file that ends with .svg")
    return Traced.of(graph, names, states=states)


def _write_trace(traced: Traced, file: Path, picture: Path | None) -> None:
    traced.write(file)
    if picture is not None:
        from neurocomp.report import write_trace_chart

        arrays = traced.arrays()
        spikes = {name: arrays[f"spikes.{name}"][0] for name in traced.populations}
        write_trace_chart(spikes, picture)
