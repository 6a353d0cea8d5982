"""TinyImageNet: 200 classes of ImageNet at 64 × 64 pixels, read from its one archive."""

from __future__ import annotations

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from neurocomp.data.cache import decoded
from neurocomp.data.dataset import Images
from neurocomp.data.fetch import Remote, fetch
from neurocomp.data.pictures import decode, picture
from neurocomp.data.spikes import Values
from neurocomp.progress import Progress

ARCHIVE = Remote(
    "tiny-imagenet",
    "tiny-imagenet-200.zip",
    ("http://cs231n.stanford.edu/tiny-imagenet-200.zip",),
    "90528d7ca1a48142e341f4ef8d21d0de",
)
ROOT = "tiny-imagenet-200"


def tiny_imagenet(folder: Path, progress: Progress) -> Images:
    """The set from a folder, downloaded into it where it is not there yet.

    The labels of its test images were never published, so its validation images are the test.
    Classes are WordNet's numbers, as in ``wnids.txt``.

    Raises:
        InputError: it is not there and cannot be downloaded, or is another file.
    """
    path = folder / ARCHIVE.name
    if not path.exists():
        fetch(ARCHIVE, folder, progress)

    def make() -> Images:
        with ZipFile(fetch(ARCHIVE, folder, progress)) as archive:
            return _decode(archive, progress)

    return decoded(path, [path], make)


def _decode(archive: ZipFile, progress: Progress) -> Images:
    names = sorted(archive.namelist())
    train = [n for n in names if n.startswith(f"{ROOT}/train/") and n.endswith(".JPEG")]
    notes = archive.read(f"{ROOT}/val/val_annotations.txt").decode().splitlines()
    classes = tuple(sorted({_class_of(name) for name in train}))
    number = {name: k for k, name in enumerate(classes)}
    test = {f"{ROOT}/val/images/{row[0]}": row[1] for row in map(str.split, notes)}

    def read(member: str) -> Values:
        return picture(io.BytesIO(archive.read(member)), member)

    values = decode([*train, *test], read, progress)
    return Images(
        classes=classes,
        train_values=values[: len(train)],
        train_labels=np.array([number[_class_of(name)] for name in train], np.int64),
        test_values=values[len(train) :],
        test_labels=np.array([number[name] for name in test.values()], np.int64),
    )


def _class_of(member: str) -> str:
    """Of ``tiny-imagenet-200/train/n01443537/images/n01443537_0.JPEG``."""
    return member.split("/")[2]
