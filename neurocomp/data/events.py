"""Recordings of event cameras as spikes: a frame for each equal part of a recording.

A recording is its events' columns x, y, p (polarity, 0 or 1) and t, any unit of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from neurocomp.data.cache import decoded
from neurocomp.data.dataset import Images
from neurocomp.data.folder import labels_of, listed
from neurocomp.data.spikes import Values
from neurocomp.errors import InputError
from neurocomp.ir import Array
from neurocomp.ir.archive import archived
from neurocomp.progress import Progress, quiet
from neurocomp.readable import NPY, ZIP, FileKind

SUFFIXES = frozenset({".npy", ".npz"})
COLUMNS = ("x", "y", "p", "t")
_WORDS = "events, as arrays x, y, p and t of one length"
NPZ_FILE = FileKind(f"an archive (.npz) of {_WORDS}", ZIP, "save it with numpy.savez, or remove it")
NPY_FILE = FileKind(
    f"an array (.npy) with fields of {_WORDS}", NPY, "save it with numpy.save, or remove it"
)
MAX_SIDE = 1280  # pixels of the largest sensors; more is damage
POLARITIES = 2
TOLD = 1000  # recordings between two reports of how far it is

Size: TypeAlias = tuple[int, int]  # height and width


class Recording(NamedTuple):
    """Events, one per entry of each array.

    Attributes:
        x, y: pixel, from 0; p: polarity, 0 or 1; t: time, integers or floats, in any order.
    """

    x: Array
    y: Array
    p: Array
    t: Array


def event_folder(root: Path, steps: int, progress: Progress = quiet) -> Images:
    """The recordings of a tree by class as spikes, decoded once and kept in the user's cache.

    The sensor is as large as the largest x and y of any recording say.

    Raises:
        InputError: as `neurocomp.data.folder.listed` and `read_events`; the file is named.
    """
    root = root.absolute()
    splits, classes = listed(root, SUFFIXES, "recordings")
    files = [*splits["train"], *splits["test"]]

    def make() -> Images:
        corners = [[int(e.y.max()), int(e.x.max())] for e in map(read_events, files)]
        height, width = (np.max(corners, axis=0) + 1).tolist()
        values = frames(map(read_events, files), len(files), (height, width), steps, progress)
        labels = labels_of(files, classes)
        return Images.of(classes, values, labels, len(splits["train"]), peak=1)

    return decoded(root, files, make, f"{steps} steps")


def frames(
    recordings: Iterator[Recording],
    n_recordings: int,
    size: Size,
    steps: int,
    progress: Progress,
    *,
    pooled: int = 1,
) -> Values:
    """Spikes (N, steps, 2, H, W): 1 where a pixel has any event of a polarity in a step.

    A recording from its first event's time a to its last one's b is cut into equal steps: an event
    at t is in step ⌊(t − a)·steps/(b − a)⌋, that at b in the last one.

    Args:
        size: of the sensor; pooled: pixels along a side that become one.
    """
    rows, columns = (-(-side // pooled) for side in size)
    values = np.zeros((n_recordings, steps, POLARITIES, rows, columns), np.uint8)
    for i, (frame, events) in enumerate(zip(values, recordings, strict=True)):
        since = events.t - events.t.min()
        step = (since * steps // (since.max() or 1)).astype(np.int64)
        frame[np.minimum(step, steps - 1), events.p, events.y // pooled, events.x // pooled] = 1
        if i % TOLD == 0:
            progress("decode", i, n_recordings, "recordings")
    return values


def read_events(path: Path) -> Recording:
    """The events of a file.

    Raises:
        InputError: unreadable, a missing column, columns of several lengths or without events, or
            coordinates, polarities or times that no camera gives.
    """
    is_archive = path.suffix.lower() == ".npz"
    return checked(_from_archive(path) if is_archive else _from_array(path), str(path))


def checked(columns: Mapping[str, Array], where: str) -> Recording:
    """Columns as a recording; raises as `read_events`, naming where they are from."""
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise InputError(f"{where}: has no '{missing[0]}'; expected {_WORDS}")
    x, y, p, t = (np.asarray(columns[name]) for name in COLUMNS)
    lengths = {array.shape for array in (x, y, p, t)}
    if len(lengths) > 1 or x.ndim != 1 or not x.size:
        found = ", ".join(map(str, sorted(lengths)))
        raise InputError(f"{where}: its columns are shaped {found}; expected {_WORDS}, not empty")
    for name, array, top in (("x", x, MAX_SIDE), ("y", y, MAX_SIDE), ("p", p, POLARITIES)):
        if array.dtype.kind not in "bui" or array.min() < 0 or array.max() >= top:
            raise InputError(
                f"{where}: '{name}' must be integers of 0 to {top - 1}, is {array.dtype} from "
                f"{array.min()} to {array.max()}"
            )
    if t.dtype.kind not in "uif" or not np.isfinite(t).all():
        raise InputError(f"{where}: 't' must be finite numbers, is {t.dtype}")
    whole = np.float64 if t.dtype.kind == "f" else np.int64
    return Recording(
        x=x.astype(np.int64), y=y.astype(np.int64), p=p.astype(np.int64), t=t.astype(whole)
    )


def _from_archive(path: Path) -> dict[str, Array]:
    with archived(path, NPZ_FILE) as archive:
        return {name: archive.read(name) for name in COLUMNS if name in archive.declared}


def _from_array(path: Path) -> dict[str, Array]:
    NPY_FILE.require(path)
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as fault:
        raise NPY_FILE.unreadable(path) from fault
    return fields_of(array)


def fields_of(array: Array) -> dict[str, Array]:
    """The fields of a structured array; none of another."""
    return {name: array[name] for name in array.dtype.names or ()}
