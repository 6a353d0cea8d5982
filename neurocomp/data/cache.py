"""Decoded samples on disk, in the user's cache folder, so that a tree is decoded once.

An entry is two files: ``KEY.npy``, the values of all samples, which is mapped into memory and
never read as a whole, and ``KEY.npz``, labels and names. KEY tells the path of the tree and what
lies in it, so that a changed tree has another one. The ``.npz`` is written last.
"""

from __future__ import annotations

import glob
import hashlib
import os
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.lib.format as _npy

from neurocomp.atomic import writing
from neurocomp.data.dataset import Images
from neurocomp.errors import InputWarning

FORMAT = 2  # of what is kept; another one makes all entries new
npy: Any = _npy  # its functions carry no types
_DAMAGE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile)


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/neurocomp``, or ``~/.cache/neurocomp``."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "neurocomp"


def decoded(
    root: Path, files: Sequence[Path], make: Callable[[], Images], what: str = ""
) -> Images:
    """What ``make`` decodes from the files of a tree, from the cache where it is there.

    Earlier states of the tree are dropped when a new one is kept.

    Args:
        files: all that ``make`` looks at; their paths, times and sizes make the key.
        what: everything else that decides the result.
    """
    listing = hashlib.sha256(f"{FORMAT}\0{what}\n".encode())
    for file in files:
        stat = file.stat()
        listing.update(f"{file}\0{stat.st_mtime_ns}\0{stat.st_size}\n".encode())
    tree = hashlib.sha256(f"{root}\0{what}".encode()).hexdigest()[:12]
    stem = f"{root.name}-{tree}"
    entry = cache_folder() / f"{stem}-{listing.hexdigest()[:16]}"
    return _kept(entry, make, stem)


def derived(images: Images, what: str, make: Callable[[], Images]) -> Images:
    """What ``make`` computes from images, beside them in the cache if they are in it."""
    return make() if images.kept is None else _kept(Path(f"{images.kept}-{what}"), make)


def _kept(entry: Path, make: Callable[[], Images], stem: str | None = None) -> Images:
    found = _read(entry)
    if found is None:
        made = make()
        found = (_read(entry) if _write(entry, made, stem) else None) or made
    return found


def _read(entry: Path) -> Images | None:
    """An entry with its values mapped into memory, or None where there is none to be read.

    Pages are private: who writes to the values changes no file.
    """
    try:
        values = np.asarray(np.load(f"{entry}.npy", mmap_mode="c", allow_pickle=False))
        with np.load(f"{entry}.npz", allow_pickle=False) as arrays:
            n_train, peak = int(arrays["n_train"]), int(arrays["peak"])
            classes = tuple(str(name) for name in arrays["classes"])
            labels = arrays["labels"]
    except _DAMAGE:
        return None
    return Images.of(classes, values, labels, n_train, peak=peak, kept=entry)


def _write(entry: Path, images: Images, stem: str | None) -> bool:
    """Whether the images are kept now.

    A cache that cannot be written costs time, not the result: it ends with a warning.
    """
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with writing(Path(f"{entry}.npy")) as file:
            _write_values(file, images)
        with writing(Path(f"{entry}.npz")) as file:
            np.savez(
                file,
                labels=np.concatenate([images.train_labels, images.test_labels]),
                n_train=len(images.train_labels),
                classes=np.array(images.classes),
                peak=images.peak,
            )
        for stale in entry.parent.glob(f"{glob.escape(stem)}-*") if stem else ():
            if not stale.name.startswith(entry.name):
                stale.unlink(missing_ok=True)
    except OSError as fault:
        warnings.warn(
            f"{entry}: the decoded samples cannot be kept ({fault.strerror}); they will be decoded "
            "again next time; make room there or set XDG_CACHE_HOME to a folder that has it",
            InputWarning,
            stacklevel=2,
        )
        return False
    return True


def _write_values(file: BinaryIO, images: Images) -> None:
    """The training samples and then those of the test as one array (.npy)."""
    parts = images.train_values, images.test_values
    shape = (sum(map(len, parts)), *parts[0].shape[1:])
    head = {"descr": "|u1", "fortran_order": False, "shape": shape}
    npy.write_array_header_1_0(file, head)
    for part in parts:
        file.write(np.ascontiguousarray(part).data)
