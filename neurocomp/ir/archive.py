"""Arrays of files that somebody else wrote: `.npz` archives in bounds, `.npy` as memory maps.

What a file declares is checked before anything is read or allocated, and nothing is ever unpickled.
"""

from __future__ import annotations

import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.lib.format as _npy

from neurocomp.errors import InputError
from neurocomp.ir.graph import Array
from neurocomp.readable import NPY, FileKind

MAX_BYTES = 2**32  # of an unpacked archive; a larger one is a bomb, not a network or its spikes
MAX_ARRAYS = 2**16
ENCRYPTED = 1  # of an entry's flags
ARRAY = FileKind("an array (.npy)", NPY, "save one array of numbers with numpy.save")
npy: Any = _npy  # its functions carry no types

_DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,  # an unknown compression, or a header nested too deeply
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,  # of the Python literal that is an array's header
)


class Declared(NamedTuple):
    """What an array's header says."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool


class Archive:
    """An open `.npz` archive.

    Attributes:
        declared: what each array says it is; all of it is there.
    """

    def __init__(self, path: Path, kind: FileKind, archive: zipfile.ZipFile) -> None:
        self._path, self._kind, self._archive = path, kind, archive
        entries = archive.infolist()
        size = sum(entry.file_size for entry in entries)
        if size > MAX_BYTES or len(entries) > MAX_ARRAYS:
            raise InputError(
                f"{path}: unpacks to {size:,} bytes in {len(entries):,} arrays; at most "
                f"{MAX_BYTES:,} in {MAX_ARRAYS:,} are read"
            )
        self._entries = {entry.filename.removesuffix(".npy"): entry for entry in entries}
        self.declared = {name: self._declared(name) for name in self._entries}

    def read(self, name: str) -> Array:
        """One array."""
        try:
            with self._archive.open(self._entries[name]) as file:
                return np.asarray(npy.read_array(file, allow_pickle=False))
        except _DAMAGE as fault:
            raise self._kind.unreadable(self._path, f"array '{name}'") from fault

    def read_all(self) -> dict[str, Array]:
        """Every array under its name."""
        return {name: self.read(name) for name in self.declared}

    def _declared(self, name: str) -> Declared:
        entry = self._entries[name]
        if entry.flag_bits & ENCRYPTED:
            raise InputError(f"{self._path}: array '{name}' is encrypted; save it without")
        try:
            with self._archive.open(entry) as file:
                return _header(file, f"{self._path}: array '{name}'", entry.file_size)
        except _DAMAGE as fault:
            raise self._kind.unreadable(self._path, f"array '{name}'") from fault


@contextmanager
def archived(path: Path, kind: FileKind) -> Iterator[Archive]:
    """A `.npz` archive, closed afterwards.

    Args:
        kind: what the file should be, for messages.

    Raises:
        InputError: missing, damaged or no archive; more than `MAX_BYTES` when unpacked; or an array
            that declares more than the archive holds, or other things than numbers.
    """
    kind.require(path)
    try:
        file = zipfile.ZipFile(path)
    except _DAMAGE as fault:
        raise kind.unreadable(path) from fault
    with file:
        yield Archive(path, kind, file)


def mapped_array(path: Path) -> Array:
    """The array of a `.npy` file as a read-only memory map: nothing is read before it is used.

    Raises:
        InputError: missing, damaged or no array; no numbers; or it declares more than it holds.
    """
    ARRAY.require(path)
    try:
        with path.open("rb") as file:
            declared = _header(file, str(path), path.stat().st_size)
            start = file.tell()
        if not math.prod(declared.shape):
            raise InputError(f"{path}: holds no value, is shaped {declared.shape}")
        order = "F" if declared.fortran else "C"
        return np.memmap(path, declared.dtype, "r", start, declared.shape, order)  # type: ignore[call-overload,no-any-return]
    except _DAMAGE as fault:
        raise ARRAY.unreadable(path) from fault


def _header(file: IO[bytes], where: str, size: int) -> Declared:
    """What an array declares, which must be numbers and in the file.

    Args:
        size: bytes of the file, with its header.
    """
    if npy.read_magic(file) != (1, 0):
        raise ValueError("a header that no array of numbers has")
    shape, fortran, dtype = npy.read_array_header_1_0(file)
    if dtype.kind not in "buif":
        raise InputError(f"{where}: must hold numbers, is of type {dtype}; save it as numbers")
    if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize > size - file.tell():
        raise InputError(
            f"{where}: declares the shape {shape} and holds less; it is damaged or cut short, "
            "save it again"
        )
    return Declared(shape, dtype, fortran)
