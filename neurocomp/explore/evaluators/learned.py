"""A learned combination: what candidates of known value say about all others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neurocomp.arch import Candidate
from neurocomp.errors import InputError
from neurocomp.explore.outcome import FULL, Evaluator, Outcome
from neurocomp.explore.predict import Predictor
from neurocomp.spec.recipe import Model

VERSION = 1  # to be raised with every change after which the same candidate gets another value


@dataclass(frozen=True)
class Learned:
    """The place that a predictor expects a candidate to have among those it has learnt from.

    Attributes:
        predictor: fitted, see `learned`.
        scores: evaluators whose scores it combines with what can be read off a candidate.
        about: model, known values, scores, seed, version.
    """

    predictor: Predictor
    scores: tuple[Evaluator, ...]
    about: str

    def knows(self, candidate: Candidate) -> bool:
        """Every candidate, if all its scores do."""
        return all(score.knows(candidate) for score in self.scores)

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        """What is expected, with this share of the scores' effort; None where a score is none."""
        said = [score(candidate, share) for score in self.scores]
        row = _finite(said)
        if row is None:
            return Outcome(None)
        mean, _ = self.predictor.predict([candidate], np.array([row]))
        spikes = [one.spikes for one in said if one.spikes is not None]
        return Outcome(float(mean[0]), spikes[0] if spikes else None)


def learned(
    labels: Mapping[Candidate, float],
    model: Model,
    *,
    scores: Sequence[Evaluator] = (),
    seed: int = 0,
    source: str = "labels",
) -> Learned:
    """Learn from candidates whose value is known; where there are scores, these are taken first.

    Args:
        labels: values by candidate, greater is better.
        source: name of what the labels are from, for messages.

    Raises:
        InputError: the labels do not differ.
    """
    known = sorted(labels, key=lambda c: c.id)
    rows = {c: _finite([score(c, FULL) for score in scores]) for c in known}
    usable = {c: row for c, row in rows.items() if row is not None}
    values = [float(labels[c]) for c in usable]
    if len(set(values)) < 2:
        without = f" ({len(known) - len(usable)} more have no finite score)" if scores else ""
        raise InputError(
            f"{source}: {len(values)} networks with a value can be used{without}, "
            f"{len(set(values))} of them different; two are needed to learn from, and a hundred "
            "are good"
        )
    predictor = Predictor(model, seed=seed)
    predictor.fit(list(usable), values, np.array(list(usable.values())))
    digest = hashlib.sha256(repr([(c.id, labels[c]) for c in usable]).encode()).hexdigest()[:10]
    beside = "".join(f" and {score.about}" for score in scores)
    about = f"{model} {VERSION} of {len(usable)} values {digest}{beside}, seed {seed}"
    return Learned(predictor, tuple(scores), about)


def _finite(said: Sequence[Outcome]) -> list[float] | None:
    """The scores, if there are all of them."""
    found = [one.score for one in said if one.score is not None]
    return found if len(found) == len(said) else None
