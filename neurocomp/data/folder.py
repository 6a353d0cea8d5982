"""A tree of images, ``train/<class>/*`` and ``test/<class>/*``, as `torchvision`'s ImageFolder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from neurocomp.data.cache import cache_file, read_cache, write_cache
from neurocomp.data.dataset import Images, Labels, Values
from neurocomp.errors import InputError
from neurocomp.readable import IMAGE, FileKind

IMAGE_FILE = FileKind("an image", IMAGE, "remove or mend it")
GREY_MODES = frozenset({"1", "L"})


def folder(root: Path) -> Images:
    """All images of a tree, decoded once and kept in the user's cache.

    The images must be of one size. They are grey where every one of them is, else RGB.

    Raises:
        InputError: no ``train/`` or ``test/``, no images, a class that only ``test/`` has, an
            unreadable image, or one of another size; the file is named.
    """
    root = root.absolute()
    splits = {part: _listing(root, part) for part in ("train", "test")}
    classes = tuple(sorted({file.parent.name for file in splits["train"]}))
    for file in splits["test"]:
        if file.parent.name not in classes:
            raise InputError(
                f"{file.parent}: class '{file.parent.name}' has no images in {root / 'train'}"
            )
    path = cache_file(root, [*splits["train"], *splits["test"]])
    images = read_cache(path)
    if images is None:
        images = _decode(splits, classes)
        write_cache(path, root, images)
    return images


def _listing(root: Path, part: str) -> list[Path]:
    """Image files of one part, sorted by class and name."""
    from PIL import Image

    folder = root / part
    if not folder.is_dir():
        raise InputError(
            f"{root}: has no folder '{part}/'; an image tree is {part}/<class>/<image files>"
        )
    suffixes = set(Image.registered_extensions())
    files = [
        folder / group / name
        for group in sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
        for name in sorted(os.listdir(folder / group))
        if os.path.splitext(name)[1].lower() in suffixes
    ]
    if not files:
        raise InputError(f"{folder}: no images in folders of classes ({part}/<class>/<images>)")
    return files


def _decode(splits: dict[str, list[Path]], classes: tuple[str, ...]) -> Images:
    files = [*splits["train"], *splits["test"]]
    pictures = [_picture(file) for file in files]  # threads were slower: small images, one lock
    height, width = pictures[0].shape[:2]
    for file, picture in zip(files, pictures, strict=True):
        if picture.shape[:2] != (height, width):
            raise InputError(
                f"{file}: is {picture.shape[1]} × {picture.shape[0]} pixels, {files[0]} is "
                f"{width} × {height}; bring all images to one size"
            )
    channels = max(picture.shape[2] for picture in pictures)
    values = np.empty((len(pictures), channels, height, width), np.uint8)
    for i, picture in enumerate(pictures):
        values[i] = picture.transpose(2, 0, 1)  # a grey one is spread over all channels
    n_train = len(splits["train"])
    return Images(
        classes=classes,
        train_values=values[:n_train],
        train_labels=_labels(splits["train"], classes),
        test_values=values[n_train:],
        test_labels=_labels(splits["test"], classes),
    )


def _picture(file: Path) -> Values:
    """One image as (height, width, 1 or 3)."""
    from PIL import Image

    IMAGE_FILE.require(file)
    try:
        with file.open("rb") as stream, Image.open(stream) as image:
            mode = "L" if image.mode in GREY_MODES else "RGB"
            pixels = np.asarray(image.convert(mode), dtype=np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as fault:
        raise IMAGE_FILE.unreadable(file) from fault
    return pixels.reshape(*pixels.shape[:2], -1)


def _labels(files: list[Path], classes: tuple[str, ...]) -> Labels:
    number = {name: k for k, name in enumerate(classes)}
    return np.array([number[file.parent.name] for file in files], dtype=np.int64)
