"""Candidates whose value is known: rows of a table, or what an earlier search has evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

from optuna.trial import TrialState

from neurocomp.arch import Candidate
from neurocomp.arch.draw import kind_of
from neurocomp.arch.files import from_dict
from neurocomp.errors import InputError
from neurocomp.explore.evaluators.table import Table
from neurocomp.explore.outcome import FULL
from neurocomp.explore.storage import opened
from neurocomp.explore.strategies.listed import SMALL, small_space
from neurocomp.spec.space import Space

Labels: TypeAlias = Mapping[Candidate, float]


def labels_of_table(table: Table, space: Space) -> Labels:
    """The candidates of a space that a table knows, with their values.

    Raises:
        InputError: the space has too many networks to find out which ones the table means.
    """
    listed = small_space(space)
    if listed is None:
        raise InputError(
            f"{table.name}: knows networks by their ids; which those are can be told in spaces of "
            f"fewer than {SMALL:,} networks alone; narrow space '{space.name}', or learn from the "
            "folder of a run"
        )
    scores = {c: table(c, FULL).score for c in listed if table.knows(c)}
    return {c: score for c, score in scores.items() if score is not None}


def labels_of_journal(path: Path, space: Space) -> Labels:
    """The candidates that a search has evaluated in full, with their scores.

    Raises:
        InputError: the journal cannot be read, holds the scores of several evaluators, or is
            about networks that the space cannot have.
    """
    storage = opened(path, to_write=False)
    found: dict[str, dict[Candidate, float]] = {}
    for study in storage.get_all_studies():
        trials = storage.get_all_trials(study._study_id, states=(TrialState.COMPLETE,))
        rows = [_row(path, trial.user_attrs, trial.values[0]) for trial in trials]
        labels = {candidate: score for candidate, score in rows if candidate is not None}
        if labels:
            found[study.study_name] = labels
    if len(found) > 1:
        raise InputError(
            f"{path}: holds the scores of several evaluators, which cannot be compared: "
            f"{'; '.join(found)}; learn from a run that has one"
        )
    (labels,) = found.values() or ({},)
    strange = next((c for c in labels if not _of(c, space)), None)
    if strange is not None:
        raise InputError(
            f"{path}: candidate {strange.id}: has other cells or stages than the networks of "
            f"space '{space.name}'; learn from a search of such a space"
        )
    return labels


def _row(path: Path, said: dict[str, Any], score: float) -> tuple[Candidate | None, float]:
    """A trial's candidate and score; no candidate where it was not given the full effort."""
    candidate = from_dict(said["candidate"], path)
    return (candidate if candidate.id == said["id"] else None), score


def _of(candidate: Candidate, space: Space) -> bool:
    same = candidate.kind == kind_of(space) and candidate.macro == space.macro
    return same and len(candidate.cells) == space.n_cells
