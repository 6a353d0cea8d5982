"""``neurocomp dashboard``: the evaluations of a search in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neurocomp.cli.console import console


def dashboard(
    run: Annotated[
        Path | None, typer.Argument(help="Folder of a run whose search keeps a journal.")
    ] = None,
    storage: Annotated[
        str | None, typer.Option(help="The database instead, as it was given to `search`.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "localhost",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen at.")] = 8080,
) -> None:
    """Show a search's trials in a browser, also while it runs (needs optuna-dashboard)."""
    with console(as_json=False) as out_console:
        from neurocomp.explore.dashboard import serve
        from neurocomp.flow.explored import storage_of

        place = storage_of(run, storage)
        out_console.say(f"{place} at http://{host}:{port}/, until Ctrl-C")
        serve(place, host, port)
