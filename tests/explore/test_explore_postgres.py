"""A study on a real PostgreSQL server, where one is installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from neurocomp.arch import Candidate, Task
from neurocomp.explore import Outcome, search
from neurocomp.explore.store import Store
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.space import load_space, narrowed
from neurocomp.spec.target import load_target

PROGRAMS = ("initdb", "pg_ctl", "psql")
USER = "neurocomp"
NARROW = {
    "channels": [8], "final_pool": [2], "hidden": [32], "cell_bits": [8], "macro_bits": [8],
    "timesteps": [4], "neurons": ["leaky"],
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """URL of an empty database; the server refuses root, so that it then runs as nobody."""
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed")
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"PostgreSQL is not installed: there is no {', '.join(missing)}")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # pytest's own is closed to others
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(*command: str) -> None:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, **account)
        assert done.returncode == 0, done.stderr

    data = str(folder / "data")
    call("initdb", "-D", data, "-U", USER, "-A", "trust", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    call("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://{USER}@127.0.0.1:{port}/postgres"
    finally:
        call("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)


@dataclass
class Deadly:
    """Kills its process at the first two candidates that nobody has marked."""

    marks: str
    about: str = "deadly"

    def knows(self, candidate: Candidate) -> bool:
        return True

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        mark = Path(self.marks) / candidate.id
        if not mark.exists() and len(list(Path(self.marks).iterdir())) < 2:
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Outcome(float(candidate.convolutions), 2.0)


def test_claims_and_outcomes(server: str) -> None:
    with Store(server, "claims") as one, Store(server, "claims") as two:
        assert one.claim("a", {"candidate": {"k": 1}})
        assert not two.claim("a", {})
        one.finish("a", Outcome(1.5, 2.0, 0.5))
        two.refresh()
        assert two.known("a") == Outcome(1.5, 2.0, 0.5)
        assert two.claim("b", {})
    with Store(server, "claims") as again:
        assert again.known("a") == Outcome(1.5, 2.0, 0.5)
        assert again.accounts() == {"scored": 1, "unscored": 0, "lost": 2, "running": 0}


def test_connections_that_the_server_ends_are_made_again(server: str) -> None:
    end = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
    with Store(server, "cut") as store:
        assert store.claim("a", {})
        subprocess.run(
            ["psql", server.replace("+psycopg", ""), "-c", end], check=True, capture_output=True
        )
        store.finish("a", Outcome(1.0))
        assert store.accounts() == {"scored": 1, "unscored": 0, "lost": 0, "running": 0}


@pytest.mark.slow  # six processes that import torch
def test_two_of_four_workers_are_killed(server: str, tmp_path: Path) -> None:
    space = narrowed(load_space("spikernel"), NARROW)
    spec = parse({"candidates": 16, "batch": 16}, SearchSpec, "spec")
    found = search(
        space, spec, load_target("loihi2"), Task((1, 8, 8), 4, 10), Deadly(str(tmp_path)),
        storage=server, workers=4,
    )  # fmt: skip
    assert len(list(tmp_path.iterdir())) == 2
    lost = {"scored": found.distinct, "unscored": 0, "lost": 2, "running": 0}
    assert found.accounts == lost
    assert len(found.ranking) == found.distinct
