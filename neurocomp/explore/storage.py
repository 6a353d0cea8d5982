"""A study's storage: a journal file, or a database that machines share."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import sqlalchemy.exc
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from neurocomp.errors import InputError

_FIRST = b'{"op_code":'  # how Optuna's lines begin


def is_url(storage: Path | str) -> bool:
    """Whether a storage is a database rather than a file."""
    return "://" in str(storage)


def opened(storage: Path | str) -> BaseStorage:
    """A journal file or a database as Optuna's storage.

    Raises:
        InputError: it cannot be reached or written, or is something else.
    """
    if is_url(storage):
        return _database(str(storage))
    path = Path(storage)
    lock = _KernelLock(str(path))
    try:
        lock.acquire()
        try:
            _cut_half_line(path)
        finally:
            lock.release()
        return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    except OSError as fault:
        raise InputError(f"{path}: cannot be used as a journal ({fault.strerror})") from fault
    except (ValueError, KeyError, json.JSONDecodeError) as fault:
        raise InputError(
            f"{path}: not a readable search journal ({fault}); move it away to start anew"
        ) from fault


def _database(url: str) -> BaseStorage:
    try:
        with reachable(url):
            return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    except ImportError as fault:
        raise InputError(
            f"{url}: its driver is not installed ({fault}); for PostgreSQL run "
            "`pip install neurocomp[postgres]` and write postgresql+psycopg://…"
        ) from fault


@contextmanager
def reachable(place: str) -> Iterator[None]:
    """Faults of a database as messages.

    Raises:
        InputError: it cannot be reached or does not understand.
    """
    try:
        yield
    except (sqlalchemy.exc.OperationalError, sqlalchemy.exc.ArgumentError) as fault:
        reason = str(getattr(fault, "orig", None) or fault).strip().splitlines()[0]
        raise InputError(f"{place}: the database cannot be used ({reason})") from fault


def _cut_half_line(path: Path) -> None:
    """Drop what follows the last line end: Optuna would glue its next line to it.

    Raises:
        ValueError: the file is something else than a journal; it is left as it is.
    """
    with path.open("ab+") as file:
        file.seek(0)
        text = file.read()
        if text[: len(_FIRST)] != _FIRST[: len(text)]:
            raise ValueError("it begins with something else")
        file.truncate(text.rfind(b"\n") + 1)


class _KernelLock(JournalFileOpenLock):
    """Optuna's lock as a kernel lock, which ends with the process that holds it.

    Optuna's own is a file whose mere existence locks; after a kill everybody waits half a minute.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self._path = f"{path}.lock"
        self._held: BinaryIO | None = None

    def acquire(self) -> bool:
        held = open(self._path, "ab")
        fcntl.flock(held, fcntl.LOCK_EX)
        self._held = held
        return True

    def release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
