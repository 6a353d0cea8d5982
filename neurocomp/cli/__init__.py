"""The command line: one file per command; each parses, calls `neurocomp.flow` and prints."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from neurocomp import __version__
from neurocomp.cli import (
    compare,
    dashboard,
    doctor,
    experiment,
    export,
    listings,
    map,
    parity,
    report,
    search,
    simulate,
    train,
)
from neurocomp.errors import InputError

app = typer.Typer(
    name="neurocomp",
    help="Search, train, map and exactly execute spiking networks for Loihi-style chips.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    search.search,
    experiment.experiment,
    dashboard.dashboard,
    train.train,
    map.map_command,
    simulate.simulate,
    parity.parity,
    export.export,
    report.report,
    compare.compare,
    listings.targets,
    listings.recipes,
    listings.data,
    doctor.doctor,
):
    app.command(name=command.__name__.removesuffix("_command"))(command)


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        typer.echo(__version__)
        raise typer.Exit


def main() -> None:
    """Entry point of the ``neurocomp`` command."""
    # OpenMP threads that spin while they wait make torch several times slower on a busy machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        app()
    except SystemExit as end:
        gone = end.__context__
        if not isinstance(gone, BrokenPipeError):
            raise
        # The reader of --help, or of a message on wrong usage, went away: `| head`.
        raise SystemExit(0 if gone.__context__ is None else InputError.exit_code) from None
