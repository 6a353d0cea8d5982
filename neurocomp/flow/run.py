"""The main job: every stage in order, as far as asked, going on where a run stopped."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurocomp.atomic import write_json
from neurocomp.errors import InputError
from neurocomp.flow.context import CANDIDATES, HISTORY, MAPPING, NETWORK, RASTER, Context
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.options import Options, make_options
from neurocomp.flow.stages import STAGES, stages_of
from neurocomp.ir import Array
from neurocomp.ir.store import load
from neurocomp.progress import Progress, quiet
from neurocomp.shipped import DEFAULT_RECIPE, DEFAULT_TARGET

SUMMARY, REPORT = "summary.json", "report.html"


def search(
    hw: str = DEFAULT_TARGET,
    recipe: str = DEFAULT_RECIPE,
    *,
    out: Path | None = None,
    stop_after: str | None = None,
    progress: Progress = quiet,
    **changes: Any,
) -> dict[str, Any]:
    """The main job: what ``neurocomp search --json`` prints.

    Args:
        out: run folder; by default one that is named after the options, so that the same call
            goes on with what it began.
        changes: options of `make_options`: data, candidates, max_params, max_cores, epochs, ….
    """
    options = make_options(hw, recipe, **changes)
    folder = out or options.default_folder()
    return run_search(folder, options, stop_after=stop_after, progress=progress)


def run_search(
    folder: Path, options: Options, *, stop_after: str | None = None, progress: Progress = quiet
) -> dict[str, Any]:
    """Search, train, map, simulate and report, in a run folder.

    Args:
        stop_after: name of the last stage to do; None does all.

    Returns:
        The summary, as ``neurocomp search --json`` prints it and ``summary.json`` keeps it.

    Raises:
        InputError: an unknown stage, or a folder or data set that cannot be used.
    """
    names = stages_of(options.recipe)
    if stop_after is not None and stop_after not in names:
        raise InputError.unknown("stage", stop_after, names)
    wanted = names[: names.index(stop_after) + 1] if stop_after else names
    done = [name for name in wanted if RunFolder(folder).result(name) is not None]
    dataset = None if done == wanted else options.dataset(progress)  # before anything is written
    with RunFolder.locked(folder, options.identity()) as run:
        for name in wanted:
            if dataset is not None and run.result(name) is None:
                run.finish(name, STAGES[name](Context(run, options, dataset, progress)))
        summary = write_results(run)
    return summary


def write_results(run: RunFolder) -> dict[str, Any]:
    """Write the summary, the figures and the report of a run, as far as it came."""
    from neurocomp.report import RunResults, write_report

    summary = summarise(run)
    parts: dict[str, Any] = {"target": Options.of_run(run).target}
    if run.result("search"):
        parts["candidates"] = json.loads((run.path / "search" / CANDIDATES).read_text())
    if run.result("train"):
        parts["graph"] = load(run.path / "train" / NETWORK)
        parts["history"] = json.loads((run.path / "train" / HISTORY).read_text())
    mapped = run.result("map")
    if mapped:
        from neurocomp.mapping.store import load as load_mapping

        parts["mapping"] = load_mapping(run.path / "map" / MAPPING)
        parts["mappings"] = mapped["policies"]
    if run.result("simulate"):
        parts |= _raster(run.path / "simulate" / RASTER)
    write_report(RunResults(summary=summary, **parts), run.path)
    write_json(run.path / SUMMARY, summary)
    return summary


def summarise(run: RunFolder) -> dict[str, Any]:
    """The summary of a run: the results of its finished stages."""
    identity = run.identity()
    summary = {
        "run": str(run.path),
        "recipe": identity["recipe"]["name"],
        "data": identity["recipe"]["data"],
        "target": identity["target"]["name"],
        "seed": identity["seed"],
        "report": str(run.path / REPORT),
        **(run.result("search") or {}),
    }
    trained, simulated = run.result("train"), run.result("simulate")
    if trained:
        summary["accuracy"] = {**trained["accuracy"], "lava": None}
        summary["train"] = {k: trained[k] for k in ("epochs", "images_per_second", "regridded")}
    if mapped := run.result("map"):
        summary |= {key: mapped[key] for key in ("mapping", "figures", "limits") if key in mapped}
    if simulated:
        summary["simulate"] = simulated["simulate"]
        summary["accuracy"]["lava"] = simulated["simulate"]["accuracy"]
    summary |= run.result("compare") or {}
    return summary


def write_run_report(folder: Path) -> Path:
    """Write a run's report anew; returns its path."""
    write_results(RunFolder.existing(folder))
    return folder / REPORT


def write_reports(runs: Sequence[Path]) -> dict[str, Any]:
    """Write the reports of runs, finished or not.

    Returns:
        The row that ``neurocomp report --json`` prints: ``reports``, the pages' paths.

    Raises:
        InputError: a folder is not that of a run.
    """
    return {"reports": [str(write_run_report(run)) for run in runs]}


def _raster(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as arrays:
        spikes: dict[str, Array] = {
            key.removeprefix("spikes."): arrays[key] for key in arrays if key.startswith("spikes.")
        }
        return {
            "raster": spikes,
            "sample": arrays["sample"],
            "label": int(arrays["label"]),
            "prediction": int(arrays["prediction"]),
        }
