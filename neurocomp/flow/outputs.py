"""Results never destroy what they are made from, nor files of another kind.

Every command names what it is going to write and what it reads before it does any work.
"""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from neurocomp.atomic import require_writable
from neurocomp.errors import InputError
from neurocomp.flow.folder import RunFolder
from neurocomp.ir import Graph
from neurocomp.readable import HDF5, FileKind

WRITABLE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
HEAD = 512  # bytes that tell one text from another


@dataclass(frozen=True, slots=True)
class ResultKind:
    """What a command writes.

    Attributes:
        words: for messages, "a mapping".
        is_one: whether a file is one already, so that a new one may take its place.
    """

    words: str
    is_one: Callable[[Path], bool]


def json_of(words: str, form: str) -> ResultKind:
    """JSON files that say what they are under "format"."""

    def is_one(path: Path) -> bool:
        try:
            value = json.loads(path.read_bytes())
        except (ValueError, RecursionError):
            return False
        return isinstance(value, dict) and value.get("format") == form

    return ResultKind(words, is_one)


def _holds(*marks: bytes) -> Callable[[Path], bool]:
    """Whether one of the marks stands at a file's beginning."""

    def is_one(path: Path) -> bool:
        with path.open("rb") as file:
            head = file.read(HEAD).lower()
        return any(mark in head for mark in marks)

    return is_one


def _is_sanafe(path: Path) -> bool:
    """Text in which a line near the beginning starts with one of SANA-FE's keys."""
    with path.open("rb") as file:
        lines = file.read(HEAD).splitlines()
    return any(line.startswith((b"architecture:", b"network:")) for line in lines)


def _hdf5(words: str, group: str) -> ResultKind:
    """HDF5 files with a group of that name, which tells one format from another."""

    def is_one(path: Path) -> bool:
        from neurocomp.formats.hdf5 import opened

        try:
            with opened(path, FileKind(words, HDF5, "name another file")) as root:
                return root.is_group(group)
        except InputError:  # no HDF5 file, or a damaged one, or no such group
            return False

    return ResultKind(words, is_one)


def _is_trace(path: Path) -> bool:
    """Arrays by population, and no header, which networks have."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return False
    return bool(names) and all(name.count(".") > 1 for name in names)


PICTURE = ResultKind("a picture (SVG)", _holds(b"<svg"))
PAGE = ResultKind("a page (HTML)", _holds(b"<!doctype html"))
NETX = _hdf5("a netx network (HDF5)", "layer")
NIR = _hdf5("a NIR network (HDF5)", "node")
SANAFE = ResultKind("a file of SANA-FE (YAML)", _is_sanafe)
TRACED = ResultKind("a trace (.npz)", _is_trace)


def require_safe(
    results: Sequence[tuple[Path, ResultKind]], inputs: Iterable[Graph | Path | str | None]
) -> None:
    """Refuse results that would destroy something, before any work.

    Args:
        results: the files that are going to be written; each may replace one of its own kind.
        inputs: what the command reads: files, run folders, or what is no file (a target's name).

    Raises:
        InputError: a result is an input, another result, a file of another kind or one that is
            marked read-only, or cannot be written.
    """
    for (one, _), (other, _) in combinations(results, 2):
        if _same(one, other):
            raise InputError(f"{one}: two results cannot be one file; name another for each")
    paths = [Path(given) for given in inputs if isinstance(given, Path | str)]
    read = [file for path in paths for file in _files(path)]
    for path, kind in results:
        if any(_same(path, file) for file in read):
            raise InputError(f"{path}: is read by this command; name another file to write")
        if path.is_file():
            if not path.stat().st_mode & WRITABLE:
                raise InputError(f"{path}: is marked read-only; name another file to write")
            if path.stat().st_size and not kind.is_one(path):
                raise InputError(
                    f"{path}: is there and not {kind.words}; name another file, or delete it first"
                )
        require_writable(path)


def _files(path: Path) -> list[Path]:
    """A file, or what the stages of a run have left in its folder."""
    if path.is_dir():
        return RunFolder(path).files()
    return [path] if path.is_file() else []


def _same(a: Path, b: Path) -> bool:
    """Whether two names are one file, through links as well."""
    if a.exists() and b.exists():
        return a.samefile(b)
    return a.resolve() == b.resolve()
