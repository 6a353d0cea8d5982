"""An experiment: one run for each variant, then what came out of them side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from neurocomp.atomic import write_json, write_text
from neurocomp.cost.litesnn import BITS_PER_MB
from neurocomp.errors import InputError
from neurocomp.flow.context import UNTRAINED
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.options import Options, make_options
from neurocomp.flow.run import run_search
from neurocomp.progress import Progress, quiet
from neurocomp.shipped import DEFAULT_TARGET
from neurocomp.spec.experiment import Experiment, load_experiment, recipes_of
from neurocomp.spec.recipe import Recipe

LAST_STAGES = ("search", "train", "map", "simulate")
HELD_OUT = "held_out"  # folder, in a run, of the training that is judged by held-out samples


def experiment(
    name: str,
    hw: str = DEFAULT_TARGET,
    *,
    data: str | None = None,
    out: Path = Path("runs"),
    stop_after: str = "train",
    on_variant: Callable[[str, int, int], None] = lambda *_: None,
    progress: Progress = quiet,
    **changes: Any,
) -> dict[str, Any]:
    """What ``neurocomp experiment --json`` prints: every variant trained, accuracy against memory.

    Every variant has a run folder in ``out`` named after its options, so that an experiment goes
    on where it stopped, and experiments with variants in common share them.

    Args:
        name: of a shipped experiment, or the path of a YAML file.
        data: data set in place of the recipe's.
        stop_after: the last stage of every run.
        on_variant: is told a variant's name, its number from 1 and how many there are.
        changes: ``data_dir``, ``workers``, ``device``, ``seed``, ``epochs`` of `make_options`.

    Returns:
        ``experiment``, ``rows`` (one per variant), ``chosen`` (the name of the one within the
        limit that is most accurate on training samples it did not learn from, None where none
        is), ``page`` and ``picture`` (paths of an HTML page and of its picture alone, an SVG file;
        None where nothing was trained). The other accuracies are those of the test set.

    Raises:
        InputError: an unknown name or stage, or a file with faults.
    """
    if stop_after not in LAST_STAGES:
        raise InputError.unknown("stage", stop_after, list(LAST_STAGES))
    made = load_experiment(name)
    rows = []
    for number, (variant, recipe) in enumerate(recipes_of(made).items(), 1):
        on_variant(variant, number, len(made.variants))
        options = _options(recipe, hw, data, changes)
        folder = out / options.default_folder().name
        summary = run_search(folder, options, stop_after=stop_after, progress=progress)
        judged = None if stop_after == "search" else _held_out(options, folder, progress)
        rows.append(_row(variant, summary) | {"held_out": judged})
    return _compared(made, rows, out)


def _options(recipe: Recipe, hw: str, data: str | None, changes: dict[str, Any]) -> Options:
    """Options of a run whose recipe is no file."""
    epochs = changes.get("epochs")
    train = recipe.train if epochs is None else recipe.train.model_copy(update={"epochs": epochs})
    update = {"train": train, "data": data or recipe.data}
    plain = make_options(hw, **{k: v for k, v in changes.items() if k != "epochs"})
    return replace(plain, recipe=recipe.model_copy(update=update))


def _held_out(options: Options, folder: Path, progress: Progress) -> float:
    """Integer accuracy on held-out training samples, of the same training on the others.

    What is chosen by it has seen no test sample, so the test accuracy is no outcome of the choice.
    It is kept in the run's folder, beside the training.

    Raises:
        InputError: as `RunFolder.locked`.
    """
    from neurocomp.ir.store import load
    from neurocomp.train import train

    with RunFolder.locked(folder, options.identity()) as run:
        known = run.result(HELD_OUT)
        if known is not None:
            return float(known["accuracy_integer"])
        share = options.recipe.search.short.holdout

        def judging(stage: str, done: int, total: int, note: str = "") -> None:
            progress("held out", done, total, note)

        trained = train(
            load(folder / "search" / UNTRAINED),
            options.dataset(progress).held_out(share, options.seed),
            options.recipe.train,
            run.stage(HELD_OUT),
            seed=options.seed,
            device=options.device,
            progress=judging,
        )
        run.finish(HELD_OUT, {"accuracy_integer": trained.accuracy_integer})
    return trained.accuracy_integer


def _row(variant: str, summary: dict[str, Any]) -> dict[str, Any]:
    best, search = summary["best"], summary["search"]
    accuracy = summary.get("accuracy", {})
    return {
        "variant": variant,
        "id": best["id"],
        "params": best["params"],
        "stored_mb": best["stored_bits"] / BITS_PER_MB,
        "cores": best["cores"],
        "score": best["score"],
        "convolutions": best["convolutions"],
        "candidates": search["candidates"],
        "distinct": search["distinct"],
        "search_s": search["seconds"],
        **{kind: accuracy.get(kind) for kind in ("float", "integer", "lava")},
        "run": summary["run"],
    }


def _compared(made: Experiment, rows: list[dict[str, Any]], out: Path) -> dict[str, Any]:
    from neurocomp.report.experiment import experiment_page, trade_off_picture

    limit = made.max_params or float("inf")
    within = [row for row in rows if row["params"] <= limit and row["held_out"] is not None]
    best = max(within, key=lambda row: (row["held_out"], -row["params"]), default=None)
    base = next((row for row in rows if row["variant"] == made.baseline), None)
    for row in rows:
        row["search_speedup"] = None if base is None else base["search_s"] / row["search_s"]
    found: dict[str, Any] = {
        "experiment": made.name,
        "summary": made.summary,
        "source": made.source,
        "max_params": made.max_params,
        "baseline": made.baseline,
        "chosen": None if best is None else best["variant"],
        "rows": rows,
        "page": str(out / f"{made.name}.html"),
    }
    picture, path = trade_off_picture(found), out / f"{made.name}.svg"
    found["picture"] = None if picture is None else str(path)
    if picture is not None:
        write_text(path, picture)
    write_text(out / f"{made.name}.html", experiment_page(found))
    write_json(out / f"{made.name}.json", found)
    return found
