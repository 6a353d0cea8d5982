"""Decoded images on disk, in the user's cache folder, so that a tree is decoded once."""

from __future__ import annotations

import hashlib
import os
import warnings
import zipfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from neurocomp.atomic import writing
from neurocomp.data.dataset import Images
from neurocomp.errors import InputWarning


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/neurocomp``, or ``~/.cache/neurocomp``."""
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "neurocomp"


def cache_file(root: Path, files: list[Path]) -> Path:
    """Where the decoded images of a tree lie: named after the path, times and sizes of its files.

    A changed, added or removed file gives another name.
    """
    listing = hashlib.sha256()
    for file in files:
        stat = file.stat()
        listing.update(f"{file}\0{stat.st_mtime_ns}\0{stat.st_size}\n".encode())
    return cache_folder() / f"{_stem(root)}-{listing.hexdigest()[:16]}.npz"


def read_cache(path: Path) -> Images | None:
    """Decoded images from a cache file, or None where there is none that can be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            fields = dict(arrays.items())
            return Images(
                classes=tuple(str(c) for c in fields.pop("classes")),
                peak=int(fields.pop("peak")),
                **fields,
            )
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None


def write_cache(path: Path, root: Path, images: Images) -> None:
    """Keep decoded images and drop those of the tree's earlier states.

    A cache that cannot be written costs time, not the result: it ends with a warning.
    """
    arrays = {**asdict(images), "classes": np.array(images.classes)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(path) as file:
            np.savez(file, **arrays)
        for stale in path.parent.glob(f"{_stem(root)}-*.npz"):
            if stale != path:
                stale.unlink(missing_ok=True)
    except OSError as fault:
        warnings.warn(
            f"{path}: the decoded images cannot be kept ({fault.strerror}); they will be decoded "
            "again next time; set XDG_CACHE_HOME to a folder that can be written",
            InputWarning,
            stacklevel=2,
        )


def _stem(root: Path) -> str:
    return f"{root.name}-{hashlib.sha256(str(root).encode()).hexdigest()[:12]}"
