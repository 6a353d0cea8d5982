"""A tree of files by class, ``train/<class>/*`` and ``test/<class>/*``, as `torchvision` has it."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from neurocomp.data.cache import decoded
from neurocomp.data.dataset import Images
from neurocomp.data.pictures import SUFFIXES, decode, picture_file
from neurocomp.data.spikes import Labels
from neurocomp.errors import InputError
from neurocomp.progress import Progress, quiet

Splits: TypeAlias = dict[str, list[Path]]
Held: TypeAlias = Literal["images", "sound", "events"]


def holds(root: Path) -> Held:
    """What the first files of a known kind below a folder are; images where there are none."""
    kinds: dict[str, Held] = dict.fromkeys(SUFFIXES, "images")
    kinds |= {".wav": "sound", ".npy": "events", ".npz": "events"}
    for _, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if kind := kinds.get(os.path.splitext(name)[1].lower()):
                return kind
    return "images"


def folder(root: Path, progress: Progress = quiet) -> Images:
    """All images of a tree, decoded once and kept in the user's cache.

    The images must be of one size. They are grey where every one of them is, else RGB.

    Raises:
        InputError: no ``train/`` or ``test/``, no images, a class without any or that only
            ``test/`` has, an unreadable image, or one of another size; the file is named.
    """
    root = root.absolute()
    splits, classes = listed(root, SUFFIXES, "images")
    files = [*splits["train"], *splits["test"]]

    def make() -> Images:
        values = decode(files, picture_file, progress)
        return Images.of(classes, values, labels_of(files, classes), len(splits["train"]))

    return decoded(root, files, make)


def listed(root: Path, suffixes: Collection[str], what: str) -> tuple[Splits, tuple[str, ...]]:
    """Files of a tree by part, sorted by class and name, and the classes of its training part.

    Files of other suffixes and whatever begins with a dot are passed over.

    Args:
        what: the files are, for messages.
    """
    splits = {part: _part(root, part, suffixes, what) for part in ("train", "test")}
    classes = tuple(sorted({file.parent.name for file in splits["train"]}))
    for file in splits["test"]:
        if file.parent.name not in classes:
            raise InputError(
                f"{file.parent}: class '{file.parent.name}' has no {what} in {root / 'train'}"
            )
    return splits, classes


def labels_of(files: list[Path], classes: tuple[str, ...]) -> Labels:
    """The number of each file's class, which is its folder."""
    number = {name: k for k, name in enumerate(classes)}
    return np.array([number[file.parent.name] for file in files], dtype=np.int64)


def _part(root: Path, part: str, suffixes: Collection[str], what: str) -> list[Path]:
    folder = root / part
    if not root.is_dir():
        raise InputError(f"{root}: no such folder; name the one that holds {part}/<class>/<{what}>")
    if not folder.is_dir():
        raise InputError(
            f"{root}: has no folder '{part}/'; a tree of {what} is {part}/<class>/<{what}>"
        )
    files: list[Path] = []
    try:
        for group in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir()):
            if group.startswith("."):
                continue
            names = sorted(name for name in os.listdir(folder / group) if not name.startswith("."))
            found = [n for n in names if os.path.splitext(n)[1].lower() in suffixes]
            if not found:
                raise InputError(
                    f"{folder / group}: class without {what}; put some there or remove the folder"
                )
            files += [folder / group / name for name in found]
    except OSError as fault:
        raise InputError(
            f"{fault.filename}: cannot be listed ({fault.strerror}); mend that"
        ) from fault
    if not files:
        raise InputError(f"{folder}: no {what} in folders of classes ({part}/<class>/<{what}>)")
    return files
