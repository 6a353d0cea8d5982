"""``neurocomp doctor``: versions, wrong combinations, what is missing and how to mend it."""

from __future__ import annotations

import typer

from neurocomp.cli.console import JsonOption, console


def doctor(as_json: JsonOption = False) -> None:
    """Check the installation; exit code 2 if something is wrong."""
    with console(as_json) as out:
        from neurocomp.doctor import check_installation
        from neurocomp.errors import InputError

        row = check_installation()
        out.result(row)
        out.table("versions", ("what", "version"), list(row["versions"].items()))
        for problem in row["problems"]:
            out.line(f"✗ {problem['what']}: {problem['remedy']}")
        if not row["ok"]:
            raise typer.Exit(InputError.exit_code)
        out.line("everything that neurocomp needs is there")
