"""Image files as arrays of bytes: what is read of each kind, and what is refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

import numpy as np

from neurocomp.data.spikes import Values
from neurocomp.errors import InputError
from neurocomp.progress import Progress
from neurocomp.readable import IMAGE, FileKind

if TYPE_CHECKING:
    from PIL.Image import Image

IMAGE_FILE = FileKind("an image", IMAGE, "remove or mend it")
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")  # Pillow's names
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm"}
)
MAX_PIXELS = 2**20  # a larger image is a bomb, or no input of a chip
GREY_MODES = frozenset({"1", "L", "LA", "La"})
SIXTEEN_BITS = frozenset({"PNG", "PPM"})  # formats whose mode I holds no more than that
DAMAGE = (  # what Pillow stumbles over
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    TypeError,
    struct.error,
    zlib.error,
)
TOLD = 1000  # pictures between two reports of how far it is

FileT = TypeVar("FileT", Path, str)


def decode(files: Sequence[FileT], read: Callable[[FileT], Values], progress: Progress) -> Values:
    """All pictures as (N, C, H, W): grey (C = 1) where every one of them is, else RGB.

    Args:
        read: gives one picture as (1 or 3, height, width).

    Raises:
        InputError: pictures of several sizes, and as ``read``.
    """
    channels, rows, columns = read(files[0]).shape
    values = np.empty((len(files), channels, rows, columns), np.uint8)
    for i, file in enumerate(files):  # threads were slower: small images, one lock
        pixels = read(file)
        if pixels.shape[1:] != (rows, columns):
            raise InputError(
                f"{file}: is {pixels.shape[2]} × {pixels.shape[1]} pixels, {files[0]} is "
                f"{columns} × {rows}; bring all images to one size"
            )
        if len(pixels) > values.shape[1]:  # all until here were grey
            values = np.repeat(values, len(pixels), axis=1)
        values[i] = pixels
        if i % TOLD == 0:
            progress("decode", i, len(files), "images")
    return values


def picture_file(file: Path) -> Values:
    """One image file as (1 or 3, height, width).

    Raises:
        InputError: unreadable, and as `picture`.
    """
    IMAGE_FILE.require(file)
    try:
        with file.open("rb") as stream:
            return picture(stream, str(file))
    except DAMAGE as fault:
        raise IMAGE_FILE.unreadable(file) from fault


def picture(stream: BinaryIO, name: str) -> Values:
    """One image as (1 or 3, height, width) of bytes.

    Palettes are resolved, what is transparent lies on black, of 16 bits the upper 8 are taken, of
    several frames the first.

    Args:
        name: for messages.

    Raises:
        InputError: more than `MAX_PIXELS` pixels, or samples of 32 bits.
        DAMAGE: not readable as an image.
    """
    import PIL.Image

    try:
        image = PIL.Image.open(stream, formats=FORMATS)
    except PIL.Image.DecompressionBombError:
        raise _too_large(name, "far more") from None
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise _too_large(name, f"{image.width:,} × {image.height:,}")
        return _bytes_of(image, name)


def _too_large(name: str, found: str) -> InputError:
    return InputError(
        f"{name}: has {found} pixels; images of at most {MAX_PIXELS:,} are read, make all smaller"
    )


def _bytes_of(image: Image, name: str) -> Values:
    grey = image.mode in GREY_MODES
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format in SIXTEEN_BITS):
        pixels = np.asarray(image) >> 8
    elif image.mode in ("I", "F"):
        raise InputError(f"{name}: has samples of 32 bits; save it with 8 or 16")
    elif image.has_transparency_data:
        layers = np.asarray(image.convert("LA" if grey else "RGBA")).astype(np.uint32)
        pixels = (layers[..., :-1] * layers[..., -1:] + 127) // 255
    else:
        pixels = np.asarray(image.convert("L" if grey else "RGB"))
    rows = pixels.astype(np.uint8).reshape(image.height, image.width, -1)
    return rows.transpose(2, 0, 1)
