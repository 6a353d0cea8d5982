"""The named sets of event cameras, whose files the optional package tonic reads."""

from __future__ import annotations

import contextlib
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from neurocomp.data.cache import decoded
from neurocomp.data.dataset import Images, split
from neurocomp.data.events import checked, fields_of, frames
from neurocomp.data.fetch import Remote, fetch
from neurocomp.data.spikes import Labels
from neurocomp.errors import InputError
from neurocomp.progress import Progress

TEST_SHARE = 0.1  # of a set without a split of its own, drawn with a fixed seed
SEED = 0


@dataclass(frozen=True, slots=True)
class EventSet:
    """A set that tonic knows: its class there, and what it holds.

    Attributes:
        pooled: pixels of the sensor along a side that become one.
    """

    tonic_name: str
    what: str
    shape: tuple[int, int, int]
    n_classes: int
    pooled: int
    split: bool = True


EVENT_SETS = {
    "n-mnist": EventSet("NMNIST", "MNIST before a moving event camera", (2, 34, 34), 10, 1),
    "dvs-gesture": EventSet("DVSGesture", "hand gestures as events", (2, 32, 32), 11, 4),
    "cifar10-dvs": EventSet("CIFAR10DVS", "CIFAR-10 as events", (2, 32, 32), 10, 4, split=False),
}


class _Part(NamedTuple):
    """Recordings of one part of a set: tonic's object and the numbers in it."""

    held: Any
    numbers: Labels

    def files(self) -> list[Path]:
        return [Path(self.held.data[i]) for i in self.numbers]

    def labels(self) -> Labels:
        return np.array(self.held.targets, np.int64)[self.numbers]


def event_set(name: str, folder: Path, steps: int, progress: Progress) -> Images:
    """A named set as spikes, from a folder, downloaded into it where it is not there yet.

    Where the files lie, their addresses and checksums are tonic's.

    Raises:
        InputError: tonic is not installed, or the set is not there and cannot be downloaded.
    """
    row = EVENT_SETS[name]
    kind = _tonic(row.tonic_name, name)
    parts = train, test = _parts(name, kind, folder, progress)

    def make() -> Images:
        width, height, _ = kind.sensor_size
        count = len(train.numbers) + len(test.numbers)
        recordings = (
            checked(fields_of(part.held[i][0]), part.held.data[i])
            for part in parts
            for i in part.numbers
        )
        values = frames(recordings, count, (height, width), steps, progress, pooled=row.pooled)
        return Images(
            classes=tuple(kind.classes),
            train_values=values[: len(train.numbers)],
            train_labels=train.labels(),
            test_values=values[len(train.numbers) :],
            test_labels=test.labels(),
            peak=1,
        )

    files = [*train.files(), *test.files()]
    return decoded(folder / kind.__name__, files, make, f"{steps} steps")


def _tonic(tonic_name: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module("tonic.datasets"), tonic_name)
    except ImportError as fault:
        raise InputError(
            f"data set '{name}' is read by the optional package tonic, which cannot be imported "
            f"({fault}); install it with: pip install 'neurocomp[events]'"
        ) from fault


def _parts(name: str, kind: Any, folder: Path, progress: Progress) -> tuple[_Part, _Part]:
    """Training and test recordings, in the order of their files' names."""
    if not EVENT_SETS[name].split:
        whole = _opened(name, kind, folder, ("url", "filename", "file_md5"), progress)
        ordered = _ordered(whole)
        learn, judge = split(np.array(whole.targets)[ordered], TEST_SHARE, SEED)
        return _Part(whole, ordered[learn]), _Part(whole, ordered[judge])
    train, test = (
        _opened(name, kind, folder, keys, progress, train=part == "train")
        for part in ("train", "test")
        for keys in [(f"{part}_url", f"{part}_filename", f"{part}_md5")]
    )
    return _Part(train, _ordered(train)), _Part(test, _ordered(test))


def _ordered(held: Any) -> Labels:
    return np.array(sorted(range(len(held.data)), key=lambda i: str(held.data[i])), np.int64)


def _opened(
    name: str, kind: Any, folder: Path, keys: tuple[str, str, str], progress: Progress, **part: bool
) -> Any:
    url, file, md5 = (getattr(kind, key) for key in keys)
    place = folder / kind.__name__
    if not (place / file).exists():
        fetch(Remote(name, file, (url,), md5), place, progress)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # tonic prints
            return kind(save_to=str(folder), **part)
    except (OSError, RuntimeError, ValueError) as fault:
        raise InputError(
            f"{place}: files of data set '{name}' cannot be read ({fault}); remove the folder to "
            "unpack or download them again"
        ) from fault
