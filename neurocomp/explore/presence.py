"""Which processes are at work on a study, as far as can be told over its storage."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psutil  # type: ignore[import-untyped]
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage
from sqlalchemy.exc import SQLAlchemyError

from neurocomp.errors import RunError
from neurocomp.explore.storage import Line

BEAT_S = 20.0  # how often a process says that it is there
FAULTS = (RunError, OSError, SQLAlchemyError, StorageInternalError)  # of a storage
SILENCE_S = 90.0  # after which a process on another machine counts as gone
_NAME = "owner:"  # how the names of processes begin among a study's attributes


class Owner(NamedTuple):
    """A process that evaluates.

    Attributes:
        host: see `host_name`.
        started: of the process, seconds since the epoch; tells it from a later one of its number.
    """

    host: str
    process: int
    started: float

    @classmethod
    def me(cls) -> Owner:
        """This process."""
        return cls(host_name(), os.getpid(), psutil.Process().create_time())

    def gone(self, silent: float) -> bool:
        """Whether the process has ended, or has not been heard of for too many seconds."""
        if self.host != host_name():
            return silent > SILENCE_S
        try:
            found = psutil.Process(self.process)
            alive = abs(found.create_time() - self.started) < 1.0
            return not alive or found.status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True


@cache
def host_name() -> str:
    """What processes share that see each other's numbers: host, boot and, on Linux, PID namespace.

    Two containers may have one name, and processes with equal numbers.
    """
    parts = [socket.gethostname()]
    for read in (_boot, _namespace):
        with contextlib.suppress(OSError):  # where there is no /proc the name has to do
            parts.append(read())
    return " ".join(parts)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _namespace() -> str:
    return os.readlink("/proc/self/ns/pid")


class Presence:
    """Says that this process is there, and hears which others are.

    Attributes:
        me: name of this process.
    """

    def __init__(self, ask: Line, storage: BaseStorage, study: int) -> None:
        self.me = uuid.uuid4().hex[:12]
        self._ask, self._storage, self._study = ask, storage, study
        self._heard: dict[str, tuple[float, float]] = {}  # beat by name, and when it was new here
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def start(self) -> None:
        """Say that this process is there, now and from now on."""
        self._say_hello()
        self._heart.start()

    def stop(self) -> None:
        """Say it no more."""
        self._stop.set()
        self._heart.join()

    def there(self) -> set[str]:
        """Names of the processes that are at work.

        A process elsewhere is silent from when this one first read its last sign of life, for
        the clocks of two machines differ. While the storage was away nobody could be heard.
        """
        attributes = self._ask(self._storage.get_study_user_attrs, self._study)
        now, found = time.monotonic(), {self.me}
        for name, value in attributes.items():
            if not name.startswith(_NAME):
                continue
            beat, since = self._heard.get(name, (None, now))
            if beat != value["beat"]:
                self._heard[name], since = (value["beat"], now), now
            if not Owner(*value["owner"]).gone(now - max(since, self._ask.back)):
                found.add(name.removeprefix(_NAME))
        return found

    def _say_hello(self) -> None:
        value = {"owner": list(Owner.me()), "beat": time.time()}
        self._ask(self._storage.set_study_user_attr, self._study, f"{_NAME}{self.me}", value)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S):
            with contextlib.suppress(*FAULTS):  # the search itself says that the storage is away
                self._say_hello()
