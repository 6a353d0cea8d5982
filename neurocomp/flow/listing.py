"""What is shipped, as rows: targets, recipes and data sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neurocomp import shipped
from neurocomp.errors import InputError
from neurocomp.spec.experiment import load_experiment
from neurocomp.spec.recipe import load_recipe
from neurocomp.spec.target import load_target

UNITS = {
    "core.weight_bits": "bits",
    "core.index_bits": "bits",
    "core.word_bits": "bits",
    "core.delay": "steps",
    "core.synapse_words": "words",
    "core.axon_map": "words",
    "core.axon_mem": "words",
    "core.total_words": "words",
    "mesh.columns": "tiles",
    "mesh.rows": "tiles",
    "mesh.cores_per_tile": "cores",
    "mesh.cores": "cores",
    "mesh.link_buffer": "messages",
    "board.columns": "chips",
    "board.rows": "chips",
}
EVENT_UNITS = {"pj": "pJ", "ns": "ns"}


def targets(name: str | None = None) -> dict[str, Any]:
    """What ``neurocomp targets --json`` prints: a row per target, or one target in full."""
    return {"targets": target_rows()} if name is None else target_sheet(name)


def recipes(name: str | None = None) -> dict[str, Any]:
    """What ``neurocomp recipes --json`` prints: a row per recipe, or one recipe in full."""
    if name is None:
        return {"recipes": recipe_rows()}
    return load_recipe(name).model_dump(mode="json")


def data_sets(name: str | None = None) -> dict[str, Any]:
    """What ``neurocomp data --json`` prints: a row per data set, or the row of one.

    Raises:
        InputError: an unknown name.
    """
    rows = {row["name"]: row for row in data_rows()}
    if name is None:
        return {"data_sets": list(rows.values())}
    if name not in rows:
        raise InputError.unknown("data set", name, list(rows))
    return rows[name]


def target_rows() -> list[dict[str, Any]]:
    """A row per shipped target."""
    rows = []
    for name in shipped.names("mappings/targets"):
        target = load_target(name)
        rows.append(
            {
                "name": name,
                "chips": target.n_chips,
                "cores_per_chip": target.cores_per_chip,
                "summary": target.summary,
            }
        )
    return rows


def recipe_rows() -> list[dict[str, Any]]:
    """A row per shipped recipe."""
    rows = []
    for name in shipped.names("search/recipes"):
        recipe = load_recipe(name)
        rows.append({"name": name, "data": recipe.data, "summary": recipe.summary})
    return rows


def experiment_rows() -> list[dict[str, Any]]:
    """A row per shipped experiment."""
    rows = []
    for name in shipped.names("search/experiments"):
        made = load_experiment(name)
        row = {"name": name, "variants": len(made.variants), "recipe": made.recipe}
        rows.append({**row, "summary": made.summary})
    return rows


def data_rows() -> list[dict[str, Any]]:
    """A row per data set that can be named."""
    from dataclasses import asdict

    from neurocomp.data import known

    return [asdict(row) for row in known()]


def target_sheet(name: str) -> dict[str, Any]:
    """One target in full: every figure with its value, unit, confidence and source.

    Energy and time of an event are two figures; ``basis`` names the table that they belong to.
    """
    target = load_target(name)
    whole = target.model_dump(mode="json")
    figures = [row for key in whole for row in _figures(key, whole[key])]
    like = None if target.costs else target.costs_like
    head = {"name": target.name, "summary": target.summary, "costs_like": like}
    return {**head, "figures": figures}


def _figures(key: str, value: Any) -> Iterator[dict[str, Any]]:
    """Rows of all figures below a key: what carries a source is a figure."""
    if isinstance(value, list):
        value = {_listed(i, item): item for i, item in enumerate(value)}
    if not isinstance(value, dict):
        return
    if "source" not in value:
        for inner, item in value.items():
            yield from _figures(f"{key}.{inner}", item)
        return
    origin = {name: value[name] for name in ("confidence", "inferred", "source")}
    if "value" in value:
        yield {"figure": key, "value": value["value"], "unit": _unit(key), "basis": None, **origin}
        return
    basis = key.split(".")[1]
    for name, unit in EVENT_UNITS.items():
        if value[name] is not None:
            row = {"figure": f"{key}.{name}", "value": value[name], "unit": unit, "basis": basis}
            yield {**row, **origin}


def _listed(number: int, item: Any) -> str:
    """What an item of a list is called: by its cores, where it is a kind of cores."""
    cores = item.get("cores", [number]) if isinstance(item, dict) else [number]
    return "-".join(map(str, cores))


def _unit(key: str) -> str:
    """The unit of a figure; counts of what the key itself names have none."""
    kind = key.startswith("core_kinds.")
    return UNITS.get(f"core.{key.rsplit('.', 1)[-1]}" if kind else key, "")
