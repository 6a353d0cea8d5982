"""Train one candidate: a YAML file, or the chosen one of a searched run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from neurocomp.data import Dataset
from neurocomp.errors import InputError
from neurocomp.flow.context import NETWORK, UNTRAINED
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.options import Options, adapted, make_options
from neurocomp.flow.stages import train_graph
from neurocomp.ir import Graph
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
    engine: str | None = None,
    device: str = "auto",
    seed: int | None = None,
    out: Path | None = None,
    tensorboard: bool = False,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Train one candidate: a YAML file, or the chosen one of a searched run.

    Several processes that torchrun started train together; the first one writes the folder, which
    all of them must see.

    Args:
        recipe: for a YAML file; a run brings its own, its data, target and seed.
        engine: "exact" or "slayer" instead of the recipe's.
        tensorboard: write curves into ``OUT/train/tensorboard``.

    Returns:
        The row that ``neurocomp train --json`` prints; ``network`` is the integer graph's file.
    """
    path = Path(candidate)
    changes: dict[str, Any] = {"data": data, "epochs": epochs, "engine": engine}
    if path.is_dir():
        options = _of_run(path, recipe, changes, data_dir, device, seed)
        dataset = options.dataset(progress)
        graph = load(path / "search" / UNTRAINED)
    else:
        base = make_options(
            recipe=recipe or DEFAULT_RECIPE, data_dir=data_dir, device=device, seed=seed or 0
        )
        options = replace(base, recipe=adapted(base.recipe, **changes))
        graph, dataset = _of_file(path, options, progress)
    folder = out or Path("runs") / f"train-{graph.name}-seed{options.seed}"
    with _folder(folder, {**options.identity(), "network": graph.digest()}) as run:
        result = run.result("train")
        if result is None:
            result = train_graph(graph, dataset, options, run, progress, tensorboard=tensorboard)
            _finish(run, result)
    return {**result, "network": str(folder / "train" / NETWORK)}


def _of_run(
    path: Path,
    recipe: str | None,
    changes: dict[str, Any],
    data_dir: Path | None,
    device: str,
    seed: int | None,
) -> Options:
    """What a searched run was asked to do, with what is changed about it."""
    found = RunFolder.existing(path)
    found.require("search")
    if recipe is not None:
        raise InputError(f"{path}: a run brings its own recipe; leave --recipe away")
    base = Options.of_run(found)
    return replace(
        base,
        recipe=adapted(base.recipe, **changes),
        data_dir=data_dir or base.data_dir,
        device=device,
        seed=base.seed if seed is None else seed,
    )


def _of_file(path: Path, options: Options, progress: Progress) -> tuple[Graph, Dataset]:
    """A candidate's untrained graph for the recipe's data, and these."""
    from neurocomp.arch import Task, build, load_candidate

    chosen, dataset = load_candidate(path), options.dataset(progress)
    return build(chosen, Task(dataset.shape, dataset.bits, len(dataset.classes))), dataset


def _finish(run: RunFolder, result: dict[str, Any]) -> None:
    """Mark the training as done; of several processes the first one does."""
    from neurocomp.train.ranks import rank

    if rank() == 0:
        run.finish("train", result)


@contextmanager
def _folder(path: Path, identity: dict[str, Any]) -> Iterator[RunFolder]:
    """The run's folder: the first of several processes keeps others out, the rest join it."""
    from neurocomp.train.ranks import rank

    if rank():
        yield RunFolder(path)
    else:
        with RunFolder.locked(path, identity) as run:
            yield run
