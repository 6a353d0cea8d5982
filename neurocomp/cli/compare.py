"""``neurocomp compare``: runs, mappings and results side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neurocomp.cli.console import JsonOption, console
from neurocomp.cli.map import DtOption, SkipLayersOption, WeightBitsOption


def compare(
    items: Annotated[
        list[Path],
        typer.Argument(help="Run folders, saved mappings, or what --json printed, two or more."),
    ],
    network: Annotated[
        Path | None,
        typer.Option(
            help="Network of the saved mappings, to count their messages; a run's folder brings "
            "its measured spike rates."
        ),
    ] = None,
    hw: Annotated[
        str | None, typer.Option("--hw", help="Target of the saved mappings, a YAML file.")
    ] = None,
    skip_layers: SkipLayersOption = 0,
    weight_bits: WeightBitsOption = None,
    dt: DtOption = None,
    out: Annotated[Path, typer.Option(help="Write the page to this file.")] = Path("compare.html"),
    as_json: JsonOption = False,
) -> None:
    """Compare cores, messages, hops, energy, accuracy and latency, and say which is better."""
    with console(as_json) as out_console:
        from neurocomp.flow import side_by_side

        found = side_by_side(
            items,
            network=network,
            hw=hw,
            skip_layers=skip_layers,
            weight_bits=weight_bits,
            dt=dt,
            out=out,
        )
        rows = [[row["metric"], *row["values"], _words(found, row)] for row in found["rows"]]
        out_console.table("", ("", *found["items"], "better"), rows)
        out_console.line(found["page"])
        out_console.result(found)


def _words(found: dict[str, Any], row: dict[str, Any]) -> str:
    """Who is better, in words."""
    if row["better"] is None:
        return ""
    return ", ".join(found["items"][i] for i in row["better"]) or "equal"
