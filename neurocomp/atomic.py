"""Files that appear whole or not at all, and folders that one process at a time works in."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from neurocomp.errors import InputError

PARTIAL = ".part"  # how the names end that files are written under before they are renamed
LOCK = "run.lock"
_OURS = re.compile(r"\.\d+" + re.escape(PARTIAL) + "$")  # see `_partial`


def require_writable(path: Path) -> None:
    """Refuse a path that no file can be written to, before work is done for it.

    Raises:
        InputError: its folder is not there or cannot be written to, or something stands there that
            is no file, such as a folder, a device or a pipe.
    """
    partial = _partial(path)
    try:
        partial.open("wb").close()
        partial.unlink()
    except OSError as fault:
        why = f"no file can be written to {path.parent} ({fault.strerror})"
        raise InputError(f"{path}: {why}; name another place") from fault


def _partial(path: Path) -> Path:
    """The name under which a file is written at first."""
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first")
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is there and no regular file; name another file to write")
    return path.with_name(f"{path.name}.{os.getpid()}{PARTIAL}")


@contextmanager
def locked(folder: Path, work: str, mark: str) -> Iterator[None]:
    """Make a folder if it is not there, and keep other processes out of it meanwhile.

    Files that a process that was killed has left half written are removed.

    Args:
        work: what is done there, "run".
        mark: name of the file that says so; a folder that holds others only is left as it is.

    Raises:
        InputError: the folder cannot be written, is in use, or holds something else.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if _is_foreign(folder, mark):
            raise InputError(
                f"{folder}: is not empty and not a {work} folder; name another with --out"
            )
        lock = (folder / LOCK).open("ab")
    except OSError as fault:
        raise InputError(f"{folder}: cannot be written ({fault.strerror})") from fault
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another process works on this {work}") from None
        for partial in folder.rglob(f"*{PARTIAL}"):
            if _OURS.search(partial.name) and partial.is_file() and not partial.is_symlink():
                partial.unlink()
        yield


def _is_foreign(folder: Path, mark: str) -> bool:
    """Whether a folder holds something, but no work begun or killed in its first moment."""
    names = {p.name for p in folder.iterdir() if not _OURS.search(p.name)} - {LOCK}
    return bool(names) and mark not in names


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """A binary file that becomes ``path`` when the block ends well and vanishes when it fails.

    Raises:
        InputError: its folder is not there, or something stands there that is no file.
        OSError: it cannot be written.
    """
    partial = _partial(path)
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        if partial.is_file():
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8."""
    with writing(path) as file:
        file.write(text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON; NaN is refused with a ValueError."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")
