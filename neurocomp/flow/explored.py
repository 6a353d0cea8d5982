"""The search of a recipe: its candidates proposed, priced and evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurocomp.data import Dataset
from neurocomp.errors import InputError
from neurocomp.flow.options import Options
from neurocomp.progress import Progress
from neurocomp.spec.recipe import space_of

if TYPE_CHECKING:
    from neurocomp.arch import Task
    from neurocomp.explore import Evaluator, SearchResult
    from neurocomp.explore.labels import Labels
    from neurocomp.spec.space import Space

JOURNAL = "journal.log"
TABLE, LEARNED = "table:", "learned:"


def explored(options: Options, dataset: Dataset, folder: Path, progress: Progress) -> SearchResult:
    """Propose, price, reject and evaluate the candidates of a recipe.

    The evaluations are kept in the options' storage, else in a journal in the folder.
    """
    from neurocomp.arch import Task
    from neurocomp.explore import search as explore

    task = Task(dataset.shape, dataset.bits, len(dataset.classes))
    return explore(
        space_of(options.recipe),
        options.recipe.search,
        options.target,
        task,
        evaluator_of(options, dataset, task),
        storage=options.storage or folder / JOURNAL,
        seed=options.seed,
        workers=options.workers,
        policy=options.recipe.policy,
        progress=progress,
    )


def storage_of(run: Path | None, storage: str | None) -> Path | str:
    """Where a search keeps its evaluations: the URL, else the journal of a run.

    Raises:
        InputError: neither or both are given, or the run has no journal.
    """
    if (run is None) == (storage is None):
        raise InputError("give the folder of a run, or --storage with the URL of a database")
    if run is None:
        assert storage is not None
        return storage
    path = run / "search" / JOURNAL
    if not path.is_file():
        raise InputError(
            f"{run}: has no {path.relative_to(run)}: no search has begun there, or it kept its "
            "evaluations in a database, whose URL `neurocomp dashboard --storage` takes"
        )
    return path


def evaluator_of(options: Options, dataset: Dataset, task: Task) -> Evaluator:
    """What a recipe's search evaluates candidates with.

    Raises:
        InputError: the data set is too small for the scoring batches, or the table or the run that
            it names cannot be used.
    """
    from neurocomp.explore.evaluators import COUNTS, Counted, Trained, learned, read_table

    recipe, seed, spec = options.recipe, options.seed, options.recipe.search
    if spec.evaluator.startswith(TABLE):
        return read_table(Path(spec.evaluator.removeprefix(TABLE)), space_of(recipe))
    if spec.evaluator.startswith(LEARNED):
        path = Path(spec.evaluator.removeprefix(LEARNED))
        scores = [_scored(options, dataset, task, kind) for kind in spec.learned.scores]
        labels = _labels(path, space_of(recipe))
        return learned(labels, spec.learned.model, scores=scores, seed=seed, source=str(path))
    if spec.evaluator == "train":
        short = {"epochs": spec.short.epochs, "epoch_images": spec.short.epoch_images}
        train = recipe.train.model_copy(update=short)
        return Trained(dataset, train, spec.short.holdout, seed, options.device)
    if spec.score in COUNTS:
        return Counted(spec.score)
    return _scored(options, dataset, task, spec.score)


def _labels(path: Path, space: Space) -> Labels:
    """Candidates of known value: of the run in a folder, else of a table."""
    from neurocomp.explore import labels_of_journal, labels_of_table, read_table

    if path.is_dir():
        return labels_of_journal(Path(storage_of(path, None)), space)
    return labels_of_table(read_table(path, space), space)


def _scored(options: Options, dataset: Dataset, task: Task, kind: str) -> Evaluator:
    from typing import cast

    from neurocomp.explore.evaluators import Scored
    from neurocomp.score import Kind

    recipe, seed, spec = options.recipe, options.seed, options.recipe.search
    needed = spec.batch * spec.batches
    if needed > len(dataset.train_values):
        raise InputError(
            f"recipe {recipe.name}: search.batch × search.batches is {needed}, data set "
            f"{dataset.name} has {len(dataset.train_values)} training samples; lower them"
        )
    chosen = np.random.default_rng(seed).choice(len(dataset.train_values), needed, replace=False)
    return Scored(
        task,
        dataset.train_values[chosen],
        kind=cast("Kind", kind),
        batches=spec.batches,
        seed=seed,
        narrower=spec.proxy.narrower,
        smaller=spec.proxy.smaller,
        draws=spec.proxy.draws,
    )
