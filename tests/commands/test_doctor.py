"""Each problem that the doctor knows, on machines put together by hand."""

from __future__ import annotations

import importlib.metadata
import re
from dataclasses import replace
from pathlib import Path

import pytest

from neurocomp import doctor
from neurocomp.doctor import Machine, diagnose, this_machine

ROOT = Path(__file__).resolve().parents[2]

HEALTHY = Machine(
    python=(3, 10, 13),
    versions={
        "lava-nc": "0.10.0",
        "lava-dl": "0.6.0",
        "torch": "2.3.1+cu121",
        "torchvision": "0.18.1",
        "torchaudio": None,
        "numpy": "1.26.4",
        "networkx": "2.8.7",
    },
    shm_free_bytes=2**30,
    start_methods=("fork", "spawn"),
    cores=1,
    folder="here",
    folder_writable=True,
    cuda_device=False,
)


def with_version(package: str, version: str | None) -> Machine:
    return replace(HEALTHY, versions={**HEALTHY.versions, package: version})


def test_a_healthy_machine_has_no_problem() -> None:
    found = diagnose(HEALTHY)
    assert found.ok
    assert found.problems == []
    assert found.versions == HEALTHY.versions


@pytest.mark.parametrize(
    ("machine", "what", "remedy"),
    [
        (replace(HEALTHY, python=(3, 11, 7)), "Python 3.11.7 runs this", "Python 3.10"),
        (replace(HEALTHY, python=(3, 9, 18)), "Python 3.9.18 runs this", "make setup"),
        (with_version("lava-nc", None), "lava-nc is not installed", "lava-nc>=0.10.0,<0.10.1"),
        (with_version("lava-nc", "0.9.0"), "lava-nc 0.9.0 is installed", "lava-nc>=0.10.0"),
        (with_version("lava-dl", None), "lava-dl is not installed", "lava-dl>=0.6.0,<0.6.1"),
        (with_version("torch", "2.4.0"), "torch 2.4.0 .* lava-dl 0.6.0 needs", "torch>=2.3,<2.4"),
        (with_version("torch", "2.2.2+cpu"), r"torch 2.2.2\+cpu is", "torch>=2.3,<2.4"),
        (with_version("torchvision", "0.19.0"), "torchvision 0.19.0 .* torch 2.3", "<0.19'"),
        (with_version("torchaudio", "2.4.0"), "torchaudio 2.4.0 is", "torchaudio>=2.3,<2.4"),
        (with_version("numpy", "2.0.0"), "numpy 2.0.0 is .* below 2:", "numpy>=1.26,<2'"),
        (with_version("numpy", "2.1.0rc1"), "numpy 2.1.0rc1 is", "numpy>=1.26,<2'"),
        (with_version("networkx", "2.8.8"), "networkx 2.8.8 is", "networkx>=2,<2.8.8"),
        (with_version("networkx", "3.4.2"), "networkx 3.4.2 is", "networkx>=2,<2.8.8"),
        (replace(HEALTHY, shm_free_bytes=None), "no /dev/shm", "tmpfs"),
        (replace(HEALTHY, start_methods=("spawn",)), "cannot be forked", "Linux"),
        (replace(HEALTHY, folder_writable=False), "folder here cannot be written", "--out"),
    ],
)
def test_each_problem_is_named_with_its_remedy(machine: Machine, what: str, remedy: str) -> None:
    found = diagnose(machine)
    assert not found.ok
    (problem,) = found.problems
    assert re.search(what, problem.what)
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("package", "version"), [("networkx", "2.8.7"), ("torch", "2.3"), ("torchaudio", "2.3.1")]
)
def test_the_edge_of_a_bound_is_within(package: str, version: str) -> None:
    assert diagnose(with_version(package, version)).ok


def test_all_problems_come_at_once() -> None:
    machine = replace(with_version("numpy", "2.0.0"), python=(3, 12, 1), shm_free_bytes=None)
    assert len(diagnose(machine).problems) == 3


def test_this_machine_is_looked_at_without_importing_what_is_looked_for() -> None:
    machine = this_machine()
    assert machine.versions["numpy"] == importlib.metadata.version("numpy")
    assert machine.versions.keys() == {bound.package for bound in doctor.BOUNDS}
    assert machine.cores >= 1
    assert machine.folder_writable


def test_a_package_that_is_missing_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = doctor.Bound("no-such-package-anywhere", "1", "2", "a test needs it")
    monkeypatch.setattr(doctor, "BOUNDS", (missing,))
    (problem,) = diagnose().problems
    assert problem.what == "no-such-package-anywhere is not installed"


@pytest.mark.parametrize("bound", [b for b in doctor.BOUNDS if not b.optional])
def test_the_bounds_agree_with_what_is_declared(bound: doctor.Bound) -> None:
    """Every bound of the doctor stands, in pip's words, in pyproject.toml or is its equal."""
    declared = re.search(rf'"{bound.package}([<>=][^"]*)"', (ROOT / "pyproject.toml").read_text())
    assert declared is not None
    equal = {
        "lava-nc": "==0.10.0",
        "lava-dl": "==0.6.0",
        "networkx": "<=2.8.7",
    }
    assert declared[1] == equal.get(bound.package, f">={bound.lowest},<{bound.above}")
