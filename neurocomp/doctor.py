"""What is wrong with an installation, and how to mend it.

Looks without importing: versions come from the packages' metadata, so that a package that would
crash on import can still be named.
"""

from __future__ import annotations

import importlib.metadata
import multiprocessing
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

Version = tuple[int, ...]

PYTHON: Version = (3, 10)


class Bound(NamedTuple):
    """The versions of a package that work: ``lowest ≤ version < above``."""

    package: str
    lowest: str
    above: str
    because: str
    optional: bool = False

    @property
    def requirement(self) -> str:
        """The bound as pip writes it."""
        return f"{self.package}>={self.lowest},<{self.above}"


BOUNDS = (
    Bound("lava-nc", "0.10.0", "0.10.1", "the simulator is checked against this release only"),
    Bound("lava-dl", "0.6.0", "0.6.1", "training is checked against this release only"),
    Bound("torch", "2.3", "2.4", "lava-dl 0.6.0 needs it"),
    Bound("torchvision", "0.18", "0.19", "torch 2.3 needs it"),
    Bound("torchaudio", "2.3", "2.4", "torch 2.3 needs it", optional=True),
    Bound("numpy", "1.26", "2", "lava-nc 0.10.0 and torch 2.3 are built for numpy 1"),
    Bound("networkx", "2", "2.8.8", "lava-nc 0.10.0 needs it"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong, and what mends it."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to look at; tests put one together by hand."""

    python: Version
    versions: dict[str, str | None]
    """Version of every package in `BOUNDS`; None: not installed."""
    shm_free_bytes: int | None
    """Free bytes in /dev/shm; None: there is none."""
    start_methods: tuple[str, ...]
    """Ways to start a process, by the names of `multiprocessing`."""
    cores: int
    """Cores that this process may use."""
    folder: str
    """Where run folders would go."""
    folder_writable: bool
    cuda_device: bool
    """Is a CUDA device visible? For information: everything runs without."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The machine looked at, and what is wrong with it."""

    machine: Machine
    problems: list[Problem]

    @property
    def versions(self) -> dict[str, str | None]:
        """Version of every package in `BOUNDS`; None: not installed."""
        return self.machine.versions

    @property
    def ok(self) -> bool:
        """Is nothing wrong?"""
        return not self.problems


def this_machine() -> Machine:
    """The machine that runs this."""
    shm = Path("/dev/shm")
    return Machine(
        python=sys.version_info[:3],
        versions={bound.package: _installed(bound.package) for bound in BOUNDS},
        shm_free_bytes=shutil.disk_usage(shm).free if shm.is_dir() else None,
        start_methods=tuple(multiprocessing.get_all_start_methods()),
        cores=len(os.sched_getaffinity(0)),
        folder=os.getcwd(),
        folder_writable=os.access(".", os.W_OK | os.X_OK),
        cuda_device=Path("/dev/nvidia0").exists(),
    )


def diagnose(machine: Machine | None = None) -> Diagnosis:
    """Every problem of a machine; without an argument of this one."""
    machine = machine or this_machine()
    problems = [
        *_python_problems(machine.python),
        *_package_problems(machine.versions),
        *_process_problems(machine),
    ]
    if not machine.folder_writable:
        problems.append(
            Problem(
                f"the folder {machine.folder} cannot be written to, so no run folder can be made",
                "change to a folder of your own, or name one with --out",
            )
        )
    return Diagnosis(machine, problems)


def check_installation() -> dict[str, Any]:
    """What ``neurocomp doctor --json`` prints: ``ok``, ``versions``, ``problems`` with remedies."""
    found = diagnose()
    return {
        "ok": found.ok,
        "versions": found.versions,
        "problems": [asdict(problem) for problem in found.problems],
    }


def _python_problems(python: Version) -> list[Problem]:
    if python[:2] == PYTHON:
        return []
    found = ".".join(map(str, python))
    return [
        Problem(
            f"Python {found} runs this, Lava installs on 3.10 only",
            "make the environment with Python 3.10 (in a checkout: make setup)",
        )
    ]


def _package_problems(versions: dict[str, str | None]) -> list[Problem]:
    problems = []
    for bound in BOUNDS:
        found = versions.get(bound.package)
        remedy = f"pip install '{bound.requirement}'"
        if found is None:
            if not bound.optional:
                problems.append(Problem(f"{bound.package} is not installed", remedy))
        elif not _numbers(bound.lowest) <= _numbers(found) < _numbers(bound.above):
            allowed = f"at least {bound.lowest} and below {bound.above}"
            problems.append(
                Problem(
                    f"{bound.package} {found} is installed, it must be {allowed}: {bound.because}",
                    remedy,
                )
            )
    return problems


def _process_problems(machine: Machine) -> list[Problem]:
    """What would stop Lava, whose processes are forked and share semaphores in /dev/shm."""
    problems = []
    free = machine.shm_free_bytes
    if free is None:
        problems.append(
            Problem(
                "there is no /dev/shm, where the semaphores of Lava's processes live",
                "run on Linux with a tmpfs mounted at /dev/shm",
            )
        )
    if "fork" not in machine.start_methods:
        problems.append(
            Problem(
                "processes cannot be forked here, which Lava's simulator needs",
                "run on Linux (on Windows: inside WSL 2)",
            )
        )
    return problems


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> Version:
    """The release numbers of a version: ``2.3.1+cu121`` and ``2.3.1rc1`` are (2, 3, 1)."""
    numbers = []
    for part in version.split("+")[0].split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)
