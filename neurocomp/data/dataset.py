"""What a data set is once it is loaded: integer values with labels, split in two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from neurocomp.data.spikes import Labels, Spikes, Values
from neurocomp.errors import InputError


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Samples as unsigned integers of few bits, with labels, split in two.

    Attributes:
        classes: class names; label k means ``classes[k]``.
        shape: (channels, height, width) of what is shown at a step.
        bits: all values lie in 0 … 2^bits − 1; spikes have one bit.
        train_values, test_values: (N, C, H, W), shown at every step of the window, or, with
            ``steps``, (N, steps, C, H, W). They may be mapped from a file, or be drawn when they
            are looked at; a slice or an array of numbers gives an array of either.
        train_labels, test_labels: (N,).
        steps: length of the window that the samples were made for; None fits any window.
    """

    name: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    bits: int
    train_values: Values | Spikes
    train_labels: Labels
    test_values: Values | Spikes
    test_labels: Labels
    steps: int | None = None

    def held_out(self, share: float, seed: int) -> Dataset:
        """The training samples alone, in two parts; the second stands for the test set.

        What is chosen or tuned by it never looks at a test sample.

        Raises:
            InputError: as `split`.
        """
        learn, judge = split(self.train_labels, share, seed)
        return replace(
            self,
            train_values=some_of(self.train_values, learn),
            train_labels=self.train_labels[learn],
            test_values=some_of(self.train_values, judge),
            test_labels=self.train_labels[judge],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Samples as they were decoded, before coding.

    Attributes:
        train_values, test_values: 0 … peak, (N, C, H, W); of event data (N, T, C, H, W).
        kept: where the cache keeps them, None where it does not.
    """

    classes: tuple[str, ...]
    train_values: Values
    train_labels: Labels
    test_values: Values
    test_labels: Labels
    peak: int = 255
    kept: Path | None = None

    @classmethod
    def of(
        cls,
        classes: tuple[str, ...],
        values: Values,
        labels: Labels,
        n_train: int,
        *,
        peak: int = 255,
        kept: Path | None = None,
    ) -> Images:
        """All samples in one array, those for training first."""
        return cls(
            classes=classes,
            train_values=values[:n_train],
            train_labels=labels[:n_train],
            test_values=values[n_train:],
            test_labels=labels[n_train:],
            peak=peak,
            kept=kept,
        )


def some_of(values: Values | Spikes, some: slice | Labels) -> Values | Spikes:
    """Some of the samples; of spikes that are drawn, none is drawn yet."""
    return values.of(some) if isinstance(values, Spikes) else values[some]


def spread(n_all: int, n: int | None) -> slice | Labels:
    """Which n of so many samples, evenly spread; None = all.

    Folders are read class by class, so that the first ones would be of one class.
    """
    return slice(None) if n is None or n >= n_all else np.arange(n) * n_all // n


def flat(values: Values | Spikes) -> Values | Spikes:
    """The samples with channels, rows and columns in one axis: (…, C·H·W, 1, 1)."""
    if isinstance(values, Spikes):
        return replace(values, values=values.values.reshape(len(values.values), -1, 1, 1))
    return values.reshape(*values.shape[:-3], -1, 1, 1)


def split(labels: Labels, share: float, seed: int) -> tuple[Labels, Labels]:
    """Sample numbers in two parts, drawn by a seed, with all classes in about equal proportion.

    The samples are shuffled, sorted by class, and every 1/share-th is taken: a class of n samples
    gives ⌊share·n⌋ or ⌈share·n⌉ of them, give or take one.

    Args:
        share: of the second part, which has ``round(share · N)`` samples.

    Returns:
        Numbers of the first and of the second part, ascending.

    Raises:
        InputError: one of the parts would be empty.
    """
    n_all = len(labels)
    n_taken = round(share * n_all)
    if not 0 < n_taken < n_all:
        raise InputError(
            f"a share of {share:g} of {n_all} samples is {n_taken}; both parts need one at least"
        )
    order = np.random.default_rng(seed).permutation(n_all)
    order = order[np.argsort(labels[order], kind="stable")]
    taken = (2 * np.arange(n_taken) + 1) * n_all // (2 * n_taken)
    return np.sort(np.delete(order, taken)), np.sort(order[taken])
