"""``neurocomp search``: the main job, from a space of networks to spikes in Lava."""

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
from neurocomp.cli.views import require_exact, show_summary
from neurocomp.errors import InputError
from neurocomp.shipped import DEFAULT_RECIPE, DEFAULT_TARGET


def search(
    hw: HardwareOption = DEFAULT_TARGET,
    recipe: Annotated[
        str, typer.Option(help="Experiment: a name (see `recipes`) or a YAML file.")
    ] = DEFAULT_RECIPE,
    data: Annotated[
        str | None, typer.Option(help="Data set instead of the recipe's: a name or folder:PATH.")
    ] = None,
    data_dir: DataDirOption = None,
    strategy: Annotated[
        str | None,
        typer.Option(help="random, exhaustive, evolution, nsga2, tpe or surrogate."),
    ] = None,
    evaluator: Annotated[
        str | None,
        typer.Option(help="score, train (short training) or table:PATH (a CSV of accuracies)."),
    ] = None,
    candidates: Annotated[
        int | None, typer.Option(min=1, help="Candidates that the strategy may propose.")
    ] = None,
    evaluations: Annotated[
        int | None, typer.Option(min=1, help="Candidates to evaluate at most.")
    ] = None,
    objective: Annotated[
        list[str] | None,
        typer.Option(help="score, then stored_mb, cores (estimated), synops, …; once for each."),
    ] = None,
    budget: Annotated[
        list[str] | None,
        typer.Option(help="NAME=MOST of an objective: choose the best network within it."),
    ] = None,
    max_params: Annotated[
        int | None, typer.Option(min=1, help="Reject candidates with more parameters (Eq. 2).")
    ] = None,
    max_cores: Annotated[
        int | None, typer.Option(min=1, help="Cores of the mapped network at most.")
    ] = None,
    max_bits: Annotated[
        int | None,
        typer.Option(min=1, help="Reject candidates with more weight bits, pruned ones left out."),
    ] = None,
    max_bit_synops: Annotated[
        int | None, typer.Option(min=1, help="Joint search: bit-SynOps per image at most.")
    ] = None,
    baselines: Annotated[
        bool | None, typer.Option(help="Joint search: design other networks too and compare.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Epochs of float training.")] = None,
    samples: Annotated[
        int | None, typer.Option(min=1, help="Test samples to execute in Lava; default all.")
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that evaluate; default one per usable core."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Database of the evaluations, e.g. postgresql+psycopg://…; many machines."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Only go on with a run that was begun.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    stop_after: Annotated[
        str | None, typer.Option(help="search, train, map or simulate: leave the rest undone.")
    ] = None,
    seed: SeedOption = 0,
    out: Annotated[
        Path | None, typer.Option(help="Run folder; an unfinished run there goes on.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Search a network for a chip, train it, map it, run it exactly in Lava, and report."""
    with console(as_json) as out_console:
        from neurocomp.flow import make_options, run_search
        from neurocomp.flow.folder import RunFolder
        from neurocomp.flow.limits import require_kept

        options = make_options(
            hw,
            recipe,
            data=data,
            data_dir=data_dir,
            strategy=strategy,
            evaluator=evaluator,
            candidates=candidates,
            evaluations=evaluations,
            objectives=objective,
            budgets=None if budget is None else dict(map(parsed_budget, budget)),
            max_params=max_params,
            max_cores=max_cores,
            max_bits=max_bits,
            max_bit_synops=max_bit_synops,
            baselines=baselines,
            epochs=epochs,
            samples=samples,
            workers=workers or len(os.sched_getaffinity(0)),
            device=device,
            storage=storage,
            seed=seed,
        )
        folder = out or options.default_folder()
        if resume:
            RunFolder.existing(folder)
        out_console.say(
            f"{options.recipe.name} on {options.target.name}, data {options.recipe.data}, "
            f"run folder {folder}"
        )
        with out_console.progress() as progress:
            summary = run_search(folder, options, stop_after=stop_after, progress=progress)
        show_summary(out_console, summary)
        out_console.result(summary)
        require_exact(summary.get("simulate", {}), str(folder))
        require_kept(summary.get("limits", {}), str(folder))


def parsed_budget(text: str) -> tuple[str, float]:
    """Objective and number of ``cores=20``.

    Raises:
        InputError: it is something else.
    """
    name, _, most = text.partition("=")
    try:
        return name, float(most)
    except ValueError:
        raise InputError(f"--budget: NAME=MOST is expected, such as cores=20, got {text}") from None
