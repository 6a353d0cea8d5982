"""What is shipped, as rows: targets, recipes and data sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from neurocomp import shipped
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
    "board.columns": "chips",
    "board.rows": "chips",
}


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
    """One target in full: every figure with its value, unit, confidence and source."""
    target = load_target(name)
    whole = target.model_dump(mode="json")
    figures = [row for key in whole for row in _figures(key, whole[key])]
    return {"name": target.name, "summary": target.summary, "figures": figures}


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
    number, unit = (value["value"], _unit(key)) if "value" in value else _event(value)
    origin = {name: value[name] for name in ("confidence", "inferred", "source")}
    yield {"figure": key, "value": number, "unit": unit, **origin}


def _listed(number: int, item: Any) -> str:
    """What an item of a list is called: by its cores, where it is a kind of cores."""
    cores = item.get("cores", [number]) if isinstance(item, dict) else [number]
    return "-".join(map(str, cores))


def _unit(key: str) -> str:
    """The unit of a figure; counts of what the key itself names have none."""
    kind = key.startswith("core_kinds.")
    return UNITS.get(f"core.{key.rsplit('.', 1)[-1]}" if kind else key, "")


def _event(cost: dict[str, Any]) -> tuple[str, str]:
    known = {"pJ": cost["pj"], "ns": cost["ns"]}
    known = {unit: value for unit, value in known.items() if value is not None}
    return ", ".join(map(str, known.values())), ", ".join(known)
