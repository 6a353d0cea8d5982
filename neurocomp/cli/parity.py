"""``neurocomp parity``: an imported network's spikes against its framework's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from neurocomp.cli.console import Console, JsonOption, console
from neurocomp.cli.map import DtOption


def parity(
    network: Annotated[
        Path, typer.Argument(help="A float network: a NIR file (.nir), or a graph file (.npz).")
    ],
    input_file: Annotated[
        Path,
        typer.Option(
            "--input",
            help="Whole numbers (.npy): (steps, …) is one sample, (samples, steps, …) several.",
        ),
    ],
    expected: Annotated[
        Path,
        typer.Option(
            help="The framework's spikes (.npz): an array per population, under its name (in NIR "
            "the node's), with the input's samples and steps; 'readout' for a membrane."
        ),
    ],
    bits: Annotated[
        list[int] | None,
        typer.Option(
            min=1, max=8, help="Weight bits of an integer version; may be repeated [8 6 4 2]."
        ),
    ] = None,
    dt: DtOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare a float network and its integer versions with spikes recorded elsewhere."""
    with console(as_json) as out_console:
        from neurocomp.flow.parity import BITS
        from neurocomp.flow.parity import parity as compare

        row = compare(network, input_file, expected, bits=bits or BITS, dt=dt)
        _show(out_console, row)
        out_console.result(row)


def _show(out: Console, row: dict[str, Any]) -> None:
    """A line per network and population: what differs from the framework, and from our float."""
    rows = []
    for network in row["rows"]:
        name = network["network"] if network["network"] == "float" else f"{network['network']} bits"
        if "fault" in network:
            out.say(f"{name}: {network['fault']}")
            continue
        expected, own = (network["against"].get(other) for other in ("expected", "float"))
        shares = {p["name"]: p for p in (expected or own)["populations"]}
        for p in (own or expected)["populations"]:
            rows.append((name, p["name"], *_cells(shares.get(p["name"])), *_cells(own and p)))
        rows.append((name, "readout's greatest", *_agreement(expected), *_agreement(own)))
    headers = ("differs from expected", "first step", "differs from float", "first step")
    title = f"{row['network']}: {row['samples']} samples of {row['steps']} steps"
    out.table(title, ("network", "population", *headers), rows)


def _cells(population: dict[str, Any] | None) -> tuple[str | None, int | None]:
    if population is None:
        return None, None
    return f"{population['share']:.4%}", population["first_step"]


def _agreement(difference: dict[str, Any] | None) -> tuple[str | None, None]:
    agreement = None if difference is None else difference["readout_agreement"]
    return None if agreement is None else f"{1 - agreement:.2%} of samples", None
