"""The training-free search of a recipe: its candidates drawn, priced and scored."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurocomp.data import Dataset
from neurocomp.errors import InputError
from neurocomp.flow.options import Options
from neurocomp.progress import Progress
from neurocomp.spec.recipe import space_of

if TYPE_CHECKING:
    from neurocomp.explore import SearchResult


def explored(options: Options, dataset: Dataset, folder: Path, progress: Progress) -> SearchResult:
    """Draw, price, reject and score the candidates of a recipe; the folder keeps the journal."""
    from neurocomp.arch import Task
    from neurocomp.explore import search as explore
    from neurocomp.score import score

    recipe, seed = options.recipe, options.seed
    task = Task(dataset.shape, dataset.bits, len(dataset.classes))
    spec = recipe.search
    rng = np.random.default_rng(seed)
    needed = spec.batch * spec.batches
    if needed > len(dataset.train_values):
        raise InputError(
            f"recipe {recipe.name}: search.batch × search.batches is {needed}, data set "
            f"{dataset.name} has {len(dataset.train_values)} training samples; lower them"
        )
    chosen = rng.choice(len(dataset.train_values), needed, replace=False)
    evaluate = partial(
        score,
        values=dataset.train_values[chosen],
        batches=spec.batches,
        kind=spec.score,
        seed=seed,
    )
    return explore(
        space_of(recipe),
        spec,
        options.target,
        task,
        evaluate,
        journal=folder / "journal.log",
        study=f"{spec.score}, {dataset.name}, {spec.batches} × {spec.batch}, seed {seed}",
        seed=seed,
        workers=options.workers,
        progress=progress,
    )
