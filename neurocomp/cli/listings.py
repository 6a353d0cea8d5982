"""``neurocomp targets``, ``recipes``, ``data``: what is shipped, and from which sources."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from neurocomp.cli.console import Console, JsonOption, console

NameArgument = Annotated[str | None, typer.Argument(help="Show this one in full.")]


def targets(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """The chips: limits, mesh and sources of every figure."""
    with console(as_json) as out:
        from neurocomp.flow import target_rows, target_sheet

        if name is None:
            _list(out, "targets", target_rows())
            return
        sheet = target_sheet(name)
        out.result(sheet)
        out.line(f"{sheet['name']}: {sheet['summary']}")
        headers = ("figure", "value", "unit", "confidence", "inferred", "source")
        out.table("", headers, [[row[h] for h in headers] for row in sheet["figures"]])


def recipes(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """The experiments: what each searches, trains and maps, after which paper."""
    with console(as_json) as out:
        from neurocomp.flow import recipe_rows
        from neurocomp.spec.recipe import load_recipe

        if name is None:
            _list(out, "recipes", recipe_rows())
            return
        recipe = load_recipe(name).model_dump(mode="json")
        out.result(recipe)
        out.table(recipe["summary"], ("key", "value"), list(_flat(recipe)))


def data(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """The data sets: what each holds, and whether it is embedded, downloaded or a folder."""
    with console(as_json) as out:
        from neurocomp.errors import InputError
        from neurocomp.flow import data_rows

        rows = data_rows()
        if name is None:
            _list(out, "data sets", rows)
            return
        found = [row for row in rows if row["name"] == name]
        if not found:
            raise InputError.unknown("data set", name, [row["name"] for row in rows])
        out.result(found[0])
        out.table(name, ("key", "value"), list(found[0].items()))


def _list(out: Console, title: str, rows: list[dict[str, Any]]) -> None:
    out.result({title.replace(" ", "_"): rows})
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
