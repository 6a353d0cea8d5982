"""``neurocomp targets``, ``recipes``, ``data``: what is shipped, and from which sources."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neurocomp.cli.console import Console, JsonOption, console

NameArgument = Annotated[str | None, typer.Argument(help="Show this one in full.")]


def targets(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """The chips: limits, mesh and sources of every figure."""
    with console(as_json) as out:
        from neurocomp.flow import targets as listed

        sheet = listed(name)
        out.result(sheet)
        if name is None:
            _list(out, "targets", sheet["targets"])
            return
        out.line(f"{sheet['name']}: {sheet['summary']}")
        like = sheet["costs_like"]
        if like is not None:
            out.line(
                f"nobody published what an event costs; `map` quotes {like}'s prices "
                f"and calls them {like} equivalent"
            )
        headers = ("figure", "value", "unit", "confidence", "inferred", "source")
        out.table("", headers, [[row[h] for h in headers] for row in sheet["figures"]])


def recipes(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """The experiments: what each searches, trains and maps, after which paper."""
    with console(as_json) as out:
        from neurocomp.flow import recipes as listed

        recipe = listed(name)
        out.result(recipe)
        if name is None:
            _list(out, "recipes", recipe["recipes"])
            return
        out.table(recipe["summary"], ("key", "value"), list(_flat(recipe)))


def data(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """The data sets: what each holds, and whether it is embedded, downloaded or a folder."""
    with console(as_json) as out:
        from neurocomp.flow import data_sets

        row = data_sets(name)
        out.result(row)
        if name is None:
            _list(out, "data sets", [_in_words(found) for found in row["data_sets"]])
            return
        out.table(name, ("key", "value"), list(_in_words(row).items()))


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "coding": " or ".join(row["coding"])}


def _list(out: Console, title: str, rows: list[dict[str, Any]]) -> None:
    headers = list(rows[0])
    out.table(title, headers, [[row[h] for h in headers] for row in rows])


def _flat(value: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, item in value.items():
        if isinstance(item, dict) and item:
            rows += _flat(item, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", "–" if item is None else str(item)))
    return rows
