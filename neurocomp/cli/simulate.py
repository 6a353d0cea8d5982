"""``neurocomp simulate``: run a network in Lava and compare it with the reference."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from neurocomp.cli.console import DataDirOption, JsonOption, SeedOption, console
from neurocomp.cli.map import (
    DtOption,
    NetworkArgument,
    PolicyOption,
    SkipLayersOption,
    TargetOption,
    WeightBitsOption,
)
from neurocomp.cli.views import require_exact, show_simulation


def simulate(
    network: NetworkArgument,
    hw: TargetOption = None,
    policy: PolicyOption = None,
    backend: Annotated[
        str,
        typer.Option(
            help="lava = mapped, stock = plain Lava processes, netx = lava-dl's loader of a .net "
            "file, reference = numpy."
        ),
    ] = "lava",
    samples: Annotated[
        int | None,
        typer.Option(
            min=1, help="Samples to run: evenly spread ones of a data set, the first of --input."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps per sample of a network without a window.")
    ] = None,
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input",
            help="Array (.npy): (steps, …) is one sample, (samples, steps, …) several. Without it "
            "and --data: a run's own test set, random values to other networks.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Data set whose test samples are shown, e.g. mnist or folder:PATH."),
    ] = None,
    data_dir: DataDirOption = None,
    coding: Annotated[
        Literal["direct", "rate", "event"],
        typer.Option(help="How samples of --data become values."),
    ] = "direct",
    timeout: Annotated[
        float,
        typer.Option(
            min=1.0, help="Seconds that a start or a batch (stock, netx: sample) may take."
        ),
    ] = 600.0,
    batch: Annotated[
        int | None,
        typer.Option(
            min=1, help="Samples at once; default 64 or what memory allows; stock, netx 1."
        ),
    ] = None,
    block: Annotated[
        int | None,
        typer.Option(min=1, help="Network steps in one Lava step; default what is fastest."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that run batches side by side.")
    ] = 1,
    compare: Annotated[
        bool, typer.Option("--compare/--no-compare", help="Hold every spike against the reference.")
    ] = True,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps batches and result; the same call then goes on."),
    ] = None,
    trace: Annotated[
        str | None, typer.Option(help="Populations whose spikes are written out: NAME,NAME.")
    ] = None,
    trace_states: Annotated[
        bool, typer.Option("--trace-states", help="Write their u and v of every step as well.")
    ] = False,
    trace_out: Annotated[Path, typer.Option(help="File of the trace, .npz.")] = Path("trace.npz"),
    picture: Annotated[
        Path | None, typer.Option(help="Draw the trace's first sample: raster and rates, .svg.")
    ] = None,
    skip_layers: SkipLayersOption = 0,
    weight_bits: WeightBitsOption = None,
    dt: DtOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Execute a network spike for spike, and count where it differs from the reference."""
    with console(as_json) as out_console:
        from neurocomp.flow import simulate as simulate_network

        with out_console.progress() as progress:
            row = simulate_network(
                network,
                hw,
                policy=policy,
                backend=backend,
                samples=samples,
                steps=steps,
                input_file=input_file,
                data=data,
                data_dir=data_dir,
                coding=coding,
                skip_layers=skip_layers,
                weight_bits=weight_bits,
                dt=dt,
                batch=batch,
                block=block,
                workers=workers,
                compare=compare,
                out=out,
                trace=trace,
                trace_states=trace_states,
                trace_out=trace_out,
                picture=picture,
                timeout_s=timeout,
                seed=seed,
                progress=progress,
            )
        show_simulation(out_console, row)
        out_console.result(row)
        require_exact(row, str(network))
