"""Train one candidate: a YAML file, or the chosen one of a searched run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from neurocomp.errors import InputError
from neurocomp.flow.context import NETWORK, UNTRAINED
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.options import Options, adapted, make_options
from neurocomp.flow.stages import train_graph
from neurocomp.ir.store import load
from neurocomp.progress import Progress, quiet
from neurocomp.shipped import DEFAULT_RECIPE


def train(
    candidate: Path | str,
    *,
    recipe: str | None = None,
    data: str | None = None,
    data_dir: Path | None = None,
    epochs: int | None = None,
    device: str = "auto",
    seed: int | None = None,
    out: Path | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Train one candidate: a YAML file, or the chosen one of a searched run.

    Args:
        recipe: for a YAML file; a run brings its own, its data, target and seed.

    Returns:
        The row that ``neurocomp train --json`` prints; ``network`` is the integer graph's file.
    """
    from neurocomp.arch import Task, build, load_candidate

    path = Path(candidate)
    if path.is_dir():
        found = RunFolder.existing(path)
        found.require("search")
        if recipe is not None:
            raise InputError(f"{path}: a run brings its own recipe; leave --recipe away")
        base = Options.of_run(found)
        options = replace(
            base,
            recipe=adapted(base.recipe, data, epochs),
            data_dir=data_dir or base.data_dir,
            device=device,
            seed=base.seed if seed is None else seed,
        )
        graph, dataset = load(path / "search" / UNTRAINED), options.dataset(progress)
    else:
        options = make_options(
            recipe=recipe or DEFAULT_RECIPE,
            data=data,
            data_dir=data_dir,
            epochs=epochs,
            device=device,
            seed=seed or 0,
        )
        chosen, dataset = load_candidate(path), options.dataset(progress)
        graph = build(chosen, Task(dataset.shape, dataset.bits, len(dataset.classes)))
    folder = out or Path("runs") / f"train-{graph.name}-seed{options.seed}"
    with RunFolder.locked(folder, {**options.identity(), "network": graph.digest()}) as run:
        result = run.result("train")
        if result is None:
            result = train_graph(graph, dataset, options, run, progress)
            run.finish("train", result)
    return {**result, "network": str(folder / "train" / NETWORK)}
