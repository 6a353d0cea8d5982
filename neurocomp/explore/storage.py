"""A study's storage: a journal file, or a database that machines share."""

from __future__ import annotations

import fcntl
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import BinaryIO, ParamSpec, TypeVar

import sqlalchemy.exc
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from sqlalchemy.engine import make_url

from neurocomp.errors import InputError, RunError

PATIENCE_S = 60.0  # for how long a database that does not answer is asked again
LONGEST_PAUSE_S = 5.0
AWAY = (StorageInternalError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.InterfaceError)
_FIRST = b'{"op_code":'  # how Optuna's lines begin
_P = ParamSpec("_P")
_T = TypeVar("_T")


class Line:
    """The way to a storage: what fails there because it is away for a while is tried again.

    Attributes:
        place: of the storage, without passwords.
        back: when it answered again after having been away, by this process's monotonic clock.
    """

    def __init__(self, place: Path | str) -> None:
        self.place = shown(place)
        self.back = float("-inf")
        self._closed = threading.Event()

    def __call__(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """What a call of the storage returns.

        Such a call may have been done without our hearing of it, and is then done twice.

        Raises:
            RunError: the storage did not answer for `PATIENCE_S`, or not once after `close`.
        """
        start = time.monotonic()
        for attempt in count():
            try:
                found = work(*args, **kwargs)
            except AWAY as fault:
                away = time.monotonic() - start
                if away > PATIENCE_S or self._closed.wait(min(2.0**attempt / 4, LONGEST_PAUSE_S)):
                    raise RunError(
                        f"{self.place}: the database has not answered for {away:.0f} s "
                        f"({_reason(fault)}); what was evaluated is kept there: when it is back, "
                        "go on with the same command and --resume"
                    ) from fault
                continue
            if attempt:
                self.back = time.monotonic()
            return found
        raise AssertionError("count() has no end")

    def close(self) -> None:
        """Ask only once from now on, and end the waiting of other threads."""
        self._closed.set()


def shown(storage: Path | str) -> str:
    """A storage's place as messages show it: a path, or a URL without password and query."""
    if not is_url(storage):
        return str(storage)
    try:
        return make_url(str(storage)).set(query={}).render_as_string(hide_password=True)
    except (sqlalchemy.exc.ArgumentError, ValueError):  # the second: a port that is no number
        return f"{str(storage).partition('://')[0]}://…"


def is_url(storage: Path | str) -> bool:
    """Whether a storage is a database rather than a file."""
    return "://" in str(storage)


def opened(storage: Path | str, *, to_write: bool = True) -> BaseStorage:
    """A journal file or a database as Optuna's storage.

    Args:
        to_write: a journal that is only read is left as it is, half a line at its end included.

    Raises:
        InputError: it cannot be reached or written, or is something else.
    """
    if is_url(storage):
        return _database(str(storage))
    path = Path(storage)
    lock = _KernelLock(str(path))
    try:
        if to_write:
            lock.acquire()
            try:
                _cut_half_line(path)
            finally:
                lock.release()
        else:
            _require_journal(path.read_bytes())
        return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))
    except OSError as fault:
        raise InputError(f"{path}: cannot be used as a journal ({fault.strerror})") from fault
    except (ValueError, KeyError, json.JSONDecodeError) as fault:
        raise InputError(
            f"{path}: not a readable search journal ({fault}); move it away to start anew"
        ) from fault


def _database(url: str) -> BaseStorage:
    try:
        with _reachable(url):
            # This one reads trials that are finished once only.
            return get_storage(RDBStorage(url, engine_kwargs={"pool_pre_ping": True}))
    except ImportError as fault:
        raise InputError(
            f"{shown(url)}: its driver is not installed ({fault}); for PostgreSQL run "
            "`pip install neurocomp[postgres]` and write postgresql+psycopg://…"
        ) from fault


@contextmanager
def _reachable(url: str) -> Iterator[None]:
    """Faults of a database as messages.

    Raises:
        InputError: it cannot be reached or does not understand.
    """
    try:
        yield
    except (*AWAY, sqlalchemy.exc.ArgumentError, ValueError) as fault:
        raise InputError(f"{shown(url)}: the database cannot be used ({_reason(fault)})") from fault


def _reason(fault: BaseException) -> str:
    """The first line of what the driver said."""
    said = fault.__cause__ if isinstance(fault, StorageInternalError) else fault
    return str(getattr(said, "orig", None) or said).strip().splitlines()[0]


def _cut_half_line(path: Path) -> None:
    """Drop what follows the last line end: Optuna would glue its next line to it.

    Raises:
        ValueError: the file is something else than a journal; it is left as it is.
    """
    with path.open("ab+") as file:
        file.seek(0)
        text = file.read()
        _require_journal(text)
        file.truncate(text.rfind(b"\n") + 1)


def _require_journal(text: bytes) -> None:
    if text[: len(_FIRST)] != _FIRST[: len(text)]:
        raise ValueError("it begins with something else")


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
