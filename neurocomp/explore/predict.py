"""Predictors that learn from candidates whose value is known (scikit-learn)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from scipy.stats import norm, rankdata

from neurocomp.arch import Candidate
from neurocomp.arch.features import drive, features
from neurocomp.errors import InputError
from neurocomp.spec.recipe import Model

Values: TypeAlias = npt.NDArray[np.float64]
TREES = 200


class Predictor:
    """A learned combination of what can be read off a candidate, and of other predictors.

    It learns the order of values, not their size: they are replaced by the normal scores of their
    ranks, so that a few failed networks do not decide.
    """

    def __init__(self, model: Model, seed: int = 0) -> None:
        """Choose a model.

        Raises:
            InputError: there is no such model.
        """
        if model not in get_args(Model):
            raise InputError.unknown("model", model, list(get_args(Model)))
        self._name, self._seed = model, seed

    def fit(
        self, candidates: Sequence[Candidate], values: Sequence[float], extra: Values | None = None
    ) -> None:
        """Learn from candidates and their values.

        Args:
            extra: (candidates, predictors): further numbers about each, such as a score.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.feature_extraction import DictVectorizer
        from sklearn.preprocessing import StandardScaler

        self._vectors = DictVectorizer(sparse=False)
        rows = _beside(self._vectors.fit_transform([_row(c) for c in candidates]), extra)
        varied = np.ptp(rows, axis=0) > 0  # what all have in common teaches nothing
        self._varied = varied if varied.any() else ~varied
        self._scaler = StandardScaler()
        scaled = self._scaler.fit_transform(rows[:, self._varied])
        targets = norm.ppf((rankdata(values) - 0.5) / len(values))
        self._model = _model(self._name, self._seed)
        with warnings.catch_warnings():  # that a bound is the best length or noise is no fault
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._model.fit(scaled, targets)

    def predict(
        self, candidates: Sequence[Candidate], extra: Values | None = None
    ) -> tuple[Values, Values]:
        """Expected order (greater is better) and its standard deviation (0 for ridge)."""
        rows = _beside(self._vectors.transform([_row(c) for c in candidates]), extra)
        scaled = self._scaler.transform(rows[:, self._varied])
        if self._name == "gp":
            mean, deviation = self._model.predict(scaled, return_std=True)
            return mean, deviation
        if self._name == "forest":
            single = scaled.astype(np.float32)  # as trees have it; then nothing is to be checked
            trees = np.stack(
                [tree.predict(single, check_input=False) for tree in self._model.estimators_]
            )
            return trees.mean(axis=0), trees.std(axis=0)
        mean = self._model.predict(scaled)
        return mean, np.zeros_like(mean)


@lru_cache(maxsize=1 << 15)  # a search asks for those of its whole pool after every batch
def _row(candidate: Candidate) -> dict[str, float | str]:
    same = candidate.canonical()  # networks are alike whatever their nodes are called
    return features(same) | {"drive": drive(same)}


def _beside(rows: Values, extra: Values | None) -> Values:
    return rows if extra is None else np.hstack([rows, extra])


def _model(name: Model, seed: int) -> Any:
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
    from sklearn.linear_model import RidgeCV

    if name == "ridge":
        return RidgeCV(np.logspace(0, 3, 9))
    if name == "forest":
        return RandomForestRegressor(TREES, min_samples_leaf=2, max_features=0.4, random_state=seed)
    kernel = ConstantKernel(1.0) * RBF(5.0, (1e-1, 1e3)) + WhiteKernel(1.0, (1e-3, 1e2))
    return GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)
