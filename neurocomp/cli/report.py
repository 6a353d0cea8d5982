"""``neurocomp report``: the HTML report of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from neurocomp.cli.console import JsonOption, console


def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders.")],
    as_json: JsonOption = False,
) -> None:
    """Write report.html and the figures of each run, finished or not."""
    with console(as_json) as out:
        from neurocomp.flow import write_reports

        row = write_reports(runs)
        for path in row["reports"]:
            out.line(path)
        out.result(row)
