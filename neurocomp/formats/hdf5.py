"""Careful access to an HDF5 file that somebody else wrote.

Sizes are checked before anything is read, links out of the file are not followed, and whatever
h5py finds wrong becomes an `InputError` that names the place. Nothing is ever unpickled.
"""

from __future__ import annotations

import resource
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
import numpy.typing as npt
import psutil  # type: ignore[import-untyped]

from neurocomp.errors import InputError, InputWarning
from neurocomp.readable import FileKind

MAX_VALUES = 2**25  # weights and delays of a file; a file that declares more is damaged
MAX_INTEGER = 2**31 - 1
MAX_TEXT = 64
HEADERS = 2**26  # bytes that looking for something in a file may take
MAX_NAME = 256

T = TypeVar("T")


class Node:
    """A group of the file.

    Attributes:
        where: its place, for messages.
    """

    def __init__(self, group: h5py.Group, file: str, inside: str, left: list[int]) -> None:
        self._group, self._file, self._inside, self._left = group, file, inside, left
        self.where = f"{file}: {inside}" if inside else file

    def fault(self, text: str) -> InputError:
        """An error about this group."""
        return InputError(f"{self.where}: {text}")

    def __contains__(self, key: str) -> bool:
        return self._guard(key, lambda: self._group.get(key, getlink=True) is not None)

    def __len__(self) -> int:
        return self._guard("", lambda: len(self._group))

    def child(self, key: str) -> Node:
        """The group of that name."""
        found = self._get(key)
        if not isinstance(found, h5py.Group):
            raise self.fault(f"'{key}' must be a group")
        inside = f"{self._inside}/{key}" if self._inside else key
        return Node(found, self._file, inside, self._left)

    def names(self, most: int) -> tuple[str, ...]:
        """Names of all that the group holds, in the file's order."""
        if len(self) > most:
            raise self.fault(f"at most {most:,} entries are read, has {len(self):,}")
        return self._guard("", lambda: tuple(self._group))

    def text(self, key: str) -> str:
        """A string, alone or as the first of an array."""
        data = self._data(key)
        if not _is_text(data) or not 1 <= data.size <= MAX_TEXT or data.dtype.itemsize > MAX_TEXT:
            raise self.fault(f"{key}: must be a short string, is {data.dtype} of {data.shape}")
        value = self._guard(key, lambda: data[()])
        return _decoded(np.asarray(value, dtype=object).reshape(-1)[0])

    def is_text(self, key: str) -> bool:
        """Whether a key that is there holds strings."""
        return _is_text(self._data(key))

    def pairs(self, key: str, most: int) -> tuple[tuple[str, str], ...]:
        """Pairs of short strings, shape (n, 2); read one by one, so that no name can be huge."""
        data = self._data(key)
        if data.size == 0:
            return ()
        if not _is_text(data) or data.shape[1:] != (2,) or data.dtype.itemsize > MAX_NAME:
            raise self.fault(f"{key}: must be pairs of names, is {data.dtype} of {data.shape}")
        if len(data) > most:
            raise self.fault(f"{key}: at most {most:,} are read, has {len(data):,}")
        rows = []
        for i in range(len(data)):
            row = self._guard(key, partial(data.__getitem__, i))
            first, second = (_decoded(v) for v in row)
            if max(len(first), len(second)) > MAX_NAME:
                raise self.fault(f"{key}: names have at most {MAX_NAME} letters")
            rows.append((first, second))
        return tuple(rows)

    def flag(self, key: str) -> bool:
        """Whether a key is there; netx does not look at its value."""
        return key in self

    def integer(self, key: str) -> int:
        """One number; a fraction is cut off, as netx does."""
        values = self.integers(key)
        if len(values) != 1:
            raise self.fault(f"{key}: must be one number, got {len(values)}")
        return values[0]

    def integers(self, key: str, most: int = 8) -> tuple[int, ...]:
        """A short list of numbers; a single number is a list of one."""
        data = self._data(key)
        if data.size > most:
            raise self.fault(f"{key}: must be at most {most} numbers, is of shape {data.shape}")
        values = self._numbers(key, data).reshape(-1)
        return tuple(int(v) for v in self._bounded(key, values))

    def is_group(self, key: str) -> bool:
        """Whether a key that is there holds a group."""
        return isinstance(self._get(key), h5py.Group)

    def shape(self, key: str) -> tuple[int, ...]:
        """Shape of a data set; nothing is read."""
        return tuple(self._data(key).shape)

    def array(self, key: str) -> npt.NDArray[np.int32]:
        """An array of whole numbers; fractions are cut off with a warning, as netx does."""
        values = self._bounded(key, self.numbers(key))
        whole = values.astype(np.int32)
        if (whole != values).any():
            text = (
                f"{self.where}: {key}: fractions are cut off, as netx does; is it a float network?"
            )
            warnings.warn(text, InputWarning, stacklevel=4)
        return whole

    def numbers(self, key: str) -> npt.NDArray[Any]:
        """An array of finite numbers as the file holds them."""
        data = self._data(key)
        self._left[0] -= data.size
        if self._left[0] < 0:
            raise self.fault(
                f"{key}: at most {MAX_VALUES:,} values are read from a file, has {data.size:,}"
            )
        return self._numbers(key, data)

    def _bounded(self, key: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if values.size and (values.min() < -MAX_INTEGER or values.max() > MAX_INTEGER):
            raise self.fault(f"{key}: numbers must lie within ±{MAX_INTEGER:,}")
        return values

    def _numbers(self, key: str, data: h5py.Dataset) -> npt.NDArray[Any]:
        if data.dtype.kind not in "biuf":
            raise self.fault(f"{key}: must be numbers, is {data.dtype}")
        values = np.asarray(self._guard(key, lambda: data[()], HEADERS + 2 * data.nbytes))
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            bad = int((~np.isfinite(values)).sum())
            raise self.fault(f"{key}: {bad} values are not finite")
        return values

    def _data(self, key: str) -> h5py.Dataset:
        found = self._get(key)
        if not isinstance(found, h5py.Dataset) or self._guard(key, lambda: found.shape) is None:
            raise self.fault(f"'{key}' must be a data set")
        if self._guard(key, lambda: found.is_virtual or found.external):
            raise self.fault(f"'{key}' lies in another file, which is not followed")
        self._guard(key, lambda: found.dtype)  # a damaged type is none that numpy has
        return found

    def _get(self, key: str) -> Any:
        link = self._guard(key, lambda: self._group.get(key, getlink=True))
        if link is None:
            raise self.fault(f"'{key}' is missing")
        if not isinstance(link, h5py.HardLink):
            raise self.fault(f"'{key}' is a link, which is not followed")
        return self._guard(key, lambda: self._group[key])

    def _guard(self, key: str, access: Callable[[], T], memory: int = HEADERS) -> T:
        """What an access gives; h5py raises any of these for damaged content.

        Args:
            memory: bytes that it may take.
        """
        try:
            with _at_most(memory):
                return access()
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, UnicodeError) as fault:
            raise self.fault(
                f"'{key}' cannot be read, the file is damaged; write it again"
            ) from fault


@contextmanager
def _at_most(memory: int) -> Iterator[None]:
    """Let the process take no more than some bytes beyond what it has.

    libhdf5 follows headers that a damaged file joins to a circle, and takes memory at each turn,
    until there is none left on the machine.
    """
    before = resource.getrlimit(resource.RLIMIT_AS)
    limits = [psutil.Process().memory_info().vms + memory, *before]
    most = min(limit for limit in limits if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _is_text(data: h5py.Dataset) -> bool:
    return data.dtype.kind == "S" or h5py.check_string_dtype(data.dtype) is not None


def _decoded(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


@contextmanager
def opened(path: Path, kind: FileKind) -> Iterator[Node]:
    """The root of an HDF5 file, closed afterwards.

    Args:
        kind: what the file should be, for messages.

    Raises:
        InputError: the file is missing, or no HDF5 file, or cut short.
    """
    kind.require(path)
    try:
        file = h5py.File(path, "r")
    except (OSError, RuntimeError, ValueError) as fault:
        raise kind.unreadable(path) from fault
    with file:
        yield Node(file, str(path), "", [MAX_VALUES])
