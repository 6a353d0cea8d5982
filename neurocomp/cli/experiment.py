"""``neurocomp experiment``: a paper's experiment, every variant searched and trained."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from neurocomp.cli.console import (
    DataDirOption,
    HardwareOption,
    JsonOption,
    SeedOption,
    console,
)
from neurocomp.shipped import DEFAULT_TARGET

COLUMNS = ("variant", "params", "stored_mb", "cores", "score", "search_s", "float", "integer")


def experiment(
    name: Annotated[
        str | None, typer.Argument(help="Its name, or a YAML file; without one all are listed.")
    ] = None,
    hw: HardwareOption = DEFAULT_TARGET,
    data: Annotated[
        str | None, typer.Option(help="Data set instead of the recipe's: a name or folder:PATH.")
    ] = None,
    data_dir: DataDirOption = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of float training.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that evaluate; default one per usable core."),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    stop_after: Annotated[
        str, typer.Option(help="Last stage of each run: search, train, map or simulate.")
    ] = "train",
    seed: SeedOption = 0,
    out: Annotated[Path, typer.Option(help="Folder of the runs, the page and the table.")] = Path(
        "runs"
    ),
    as_json: JsonOption = False,
) -> None:
    """Search and train every variant of an experiment, and draw accuracy against memory."""
    with console(as_json) as out_console:
        from neurocomp.flow.experiment import experiment as run
        from neurocomp.flow.listing import experiment_rows

        if name is None:
            known = experiment_rows()
            out_console.result({"experiments": known})
            headers = list(known[0])
            out_console.table("experiments", headers, [list(row.values()) for row in known])
            return
        with out_console.progress() as progress:
            found = run(
                name,
                hw,
                data=data,
                data_dir=data_dir,
                epochs=epochs,
                workers=workers or len(os.sched_getaffinity(0)),
                device=device,
                stop_after=stop_after,
                seed=seed,
                out=out,
                on_variant=lambda v, k, n: out_console.say(f"{v} ({k} of {n})"),
                progress=progress,
            )
        rows = [[row[key] for key in COLUMNS] for row in found["rows"]]
        out_console.table(found["summary"], COLUMNS, rows)
        out_console.line(f"chosen: {found['chosen']}; picture and table: {found['page']}")
        out_console.result(found)
