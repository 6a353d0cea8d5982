"""``neurocomp export``: a network as other tools' files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neurocomp.cli.console import Console, JsonOption, SeedOption, console
from neurocomp.cli.map import (
    DtOption,
    NetworkArgument,
    PolicyOption,
    SkipLayersOption,
    TargetOption,
    WeightBitsOption,
)


def export(
    network: NetworkArgument,
    to: Annotated[
        str,
        typer.Option(
            "--format",
            help="netx = lava-dl's .net, a sequence of layers; nir = the Neuromorphic "
            "Intermediate Representation; "
            "sanafe = SANA-FE's architecture and network with the mapping and a sample.",
        ),
    ],
    hw: TargetOption = None,
    policy: PolicyOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write, for sanafe a folder; default the network's name in this folder, "
            "or in a run's export folder."
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Steps of a sample, for a network without a window."),
    ] = None,
    skip_layers: SkipLayersOption = 0,
    weight_bits: WeightBitsOption = None,
    dt: DtOption = None,
    seed: SeedOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Write a network as files of other tools, and print where they are."""
    with console(as_json) as out_console:
        from neurocomp.flow import export_network

        row = export_network(
            network,
            to,
            hw,
            policy=policy,
            steps=steps,
            skip_layers=skip_layers,
            weight_bits=weight_bits,
            dt=dt,
            seed=seed,
            out=out,
        )
        for path in row["paths"]:
            out_console.line(path)
        if to == "sanafe":
            _show_sample(out_console, row)
        out_console.result(row)


def _show_sample(out: Console, row: dict[str, Any]) -> None:
    """How SANA-FE is to be run, and what its numbers will not say."""
    from neurocomp.report.overview import counted

    out.line(
        f"{counted(row['n_cores'], 'core')} of {row['target']}, "
        f"{counted(row['synapses'], 'synapse')}; simulate {counted(row['steps'], 'step')}"
    )
    for name, why in row["given"].items():
        out.line(f"'{name}' fires the spikes it is given: {why}")
    if row["costs"] is None:
        out.line(f"nobody published costs of {row['target']}: SANA-FE counts, energy will be 0")
