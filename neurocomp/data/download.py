"""The named sets that torchvision knows; nothing is fetched unless one of them is named."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurocomp.data.cache import decoded
from neurocomp.data.dataset import Images
from neurocomp.data.fetch import Remote, fetch
from neurocomp.data.spikes import Values
from neurocomp.data.unpack import unpack_file, unpack_folder
from neurocomp.errors import InputError
from neurocomp.progress import Progress


@dataclass(frozen=True, slots=True)
class Download:
    """A set that torchvision knows: its class there, and what it holds."""

    torchvision_name: str
    what: str
    shape: tuple[int, int, int]
    n_classes: int


DOWNLOADS = {
    "mnist": Download("MNIST", "handwritten digits", (1, 28, 28), 10),
    "fashion-mnist": Download("FashionMNIST", "clothes in grey", (1, 28, 28), 10),
    "cifar10": Download("CIFAR10", "photographs of ten things", (3, 32, 32), 10),
    "cifar100": Download("CIFAR100", "photographs of a hundred things", (3, 32, 32), 100),
}


def download(name: str, folder: Path, progress: Progress) -> Images:
    """A named set from a folder, downloaded into it where it is not there yet.

    Where the files lie, their addresses and checksums are torchvision's.

    Raises:
        InputError: it is not there and cannot be downloaded, or cannot be read.
    """
    import torchvision

    kind = getattr(torchvision.datasets, DOWNLOADS[name].torchvision_name)
    zipped = hasattr(kind, "mirrors")  # a .gz for each file, as of MNIST; else one .tar.gz
    root = folder / kind.__name__ / "raw" if zipped else folder / kind.base_folder
    if zipped:
        files = [root / Path(file).stem for file, _ in kind.resources]
    else:
        named = [file for file, _ in kind.train_list + kind.test_list]
        files = [root / file for file in [*named, kind.meta["filename"]]]
    if not all(file.is_file() for file in files):
        if zipped:
            _unzipped(name, kind, root, progress)
        else:
            archive = Remote(name, kind.filename, (kind.url,), kind.tgz_md5)
            unpack_folder(fetch(archive, folder, progress), root, kind.base_folder)
    return decoded(root, files, lambda: _read(name, kind, folder, root))


def _unzipped(name: str, kind: Any, root: Path, progress: Progress) -> None:
    for file, md5 in kind.resources:
        urls = tuple(f"{mirror}{file}" for mirror in kind.mirrors)
        path = fetch(Remote(name, file, urls, md5), root, progress)
        unpack_file(path, path.with_suffix(""))


def _read(name: str, kind: Any, folder: Path, root: Path) -> Images:
    try:
        with contextlib.redirect_stdout(sys.stderr):  # torchvision prints
            train, test = (kind(folder, train=part) for part in (True, False))
    except (OSError, RuntimeError, ValueError, AssertionError) as fault:
        raise InputError(
            f"{root}: files of data set '{name}' are damaged or cut short ({fault}); remove the "
            "folder to unpack or download them again"
        ) from fault
    return Images(
        classes=tuple(train.classes),
        train_values=_channels_first(train.data),
        train_labels=np.asarray(train.targets, dtype=np.int64),
        test_values=_channels_first(test.data),
        test_labels=np.asarray(test.targets, dtype=np.int64),
    )


def _channels_first(data: Any) -> Values:
    """(N, H, W) or (N, H, W, C) as (N, C, H, W)."""
    pixels = np.asarray(data, dtype=np.uint8)
    return pixels[:, None] if pixels.ndim == 3 else np.moveaxis(pixels, 3, 1)
