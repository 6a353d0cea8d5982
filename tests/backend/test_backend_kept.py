"""A simulation's folder: kept batches, a second call, other people's files, sudden ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from backend_faults import LIMIT_S
from backend_networks import chain, dag, images, spread

from neurocomp import backend
from neurocomp.backend import kept as kept_module
from neurocomp.backend.counts import Counts
from neurocomp.backend.kept import Kept
from neurocomp.errors import InputError


class Stopped(Exception):
    """Stands for Ctrl-C."""


def test_a_second_call_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped after two of four batches, the second call runs two, and the sums are the same."""
    graph, labels = dag(), np.arange(7) % 5
    values = images(graph, 7, seed=1)
    keep = tmp_path / "kept"

    def run(**more: Any) -> backend.Simulation:
        return backend.simulate(
            graph, None, values, labels, backend="reference", batch=2, keep=keep, **more
        )

    def stop(stage: str, done: int, total: int, note: str = "") -> None:
        if done == 4:
            raise Stopped

    with pytest.raises(Stopped):
        run(on_progress=stop)
    files = sorted(p.name for p in keep.iterdir())
    assert files == ["batch-000000.npz", "batch-000001.npz", "run.lock", "simulation.json"]
    ran: list[int] = []
    real = Kept.save
    monkeypatch.setattr(
        Kept, "save", lambda self, n, counts: (ran.append(n), real(self, n, counts))[1]
    )
    found = run()
    assert ran == [2, 3]
    whole = backend.simulate(graph, None, values, labels, backend="reference", batch=2)
    rows = [{**x.as_row(), "cpu_ms_per_step": 0} for x in (found, whole)]
    assert rows[0] == rows[1]
    files = sorted(p.name for p in keep.iterdir())
    assert files == ["result.json", "run.lock", "simulation.json", "total.npz"]
    assert json.loads((keep / "result.json").read_text()) == found.as_row()
    (keep / "result.json").unlink()  # as if killed before it was written
    (keep / "batch-000001.npz").touch()
    notes: list[str] = []
    again = run(on_progress=lambda s, n, of, note="": notes.append(note))
    assert again.as_row() == found.as_row()
    assert ran == [2, 3]
    assert notes[-1] == f"nothing ran, {keep} holds the result"
    assert json.loads((keep / "result.json").read_text()) == found.as_row()
    assert not list(keep.glob("batch-*.npz"))


def test_a_folder_of_another_simulation(tmp_path: Path) -> None:
    graph = chain()
    values = images(graph, 2)
    about = kept_module.identity(graph, None, values, batch=1)
    with Kept.locked(tmp_path, about):
        pass
    with Kept.locked(tmp_path, about):
        with pytest.raises(InputError, match="another process works on this simulation"):
            with Kept.locked(tmp_path, about):
                pass
    other = kept_module.identity(graph, spread(graph), values, batch=1)
    with pytest.raises(InputError, match="holds batches of another simulation"):
        with Kept.locked(tmp_path, other):
            pass


def test_files_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    movie = tmp_path / "sub" / "movie.mkv.part"
    movie.parent.mkdir()
    movie.touch()
    with pytest.raises(InputError, match="is not empty and not a simulation folder; name another"):
        with Kept.locked(tmp_path, {"about": 1}):
            pass
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [movie]


def test_of_a_simulations_folder_what_it_made_itself_is_removed(tmp_path: Path) -> None:
    with Kept.locked(tmp_path, {"about": 1}) as kept:
        kept.save(0, Counts(predictions=np.arange(3)))
    half = tmp_path / "batch-000001.npz.123.part"
    others = [tmp_path / name for name in ("movie.mkv.part", "x.1.part.txt", "batch-mine.npz")]
    for path in (half, *others):
        path.touch()
    (tmp_path / "x.7.part").mkdir()
    with Kept.locked(tmp_path, {"about": 1}) as kept:
        kept.finish(Counts(predictions=np.arange(3)), {}, batches=2)
    own = {"result.json", "run.lock", "simulation.json", "total.npz"}
    assert {p.name for p in tmp_path.iterdir()} == own | {"x.7.part"} | {p.name for p in others}


def test_damaged_files_and_a_file_in_the_way(tmp_path: Path) -> None:
    path = tmp_path / "batch-000003.npz"
    with Kept.locked(tmp_path, {"about": 1}) as kept:
        kept.save(3, Counts(predictions=np.arange(999)))
        whole = path.read_bytes()
        at = len(whole) // 2
        for found, content in (
            ("is empty", b""),
            ("holds text", b"no zip"),
            ("is damaged or cut short", whole[:at]),
            ("is damaged or cut short", whole[:at] + b"????" + whole[at + 4 :]),
        ):
            path.write_bytes(content)
            with pytest.raises(InputError, match=rf"{path.name}: {found}.*; delete it, and the"):
                kept.load(3)
        np.savez(path.open("wb"), other=np.zeros(3))
        with pytest.raises(InputError, match=r"holds arrays, but no counts; .*; delete it"):
            kept.load(3)
    (tmp_path / "simulation.json").write_text('{"abo')
    with pytest.raises(InputError, match=r"simulation.json: is damaged or cut short: no JSON; .*"):
        with Kept.locked(tmp_path, {"about": 1}):
            pass
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(InputError, match=r"file: cannot be written \(File exists\)"):
        with Kept.locked(file, {}):
            pass


SCRIPT = """
    import sys
    sys.path.insert(0, {tests!r})
    from pathlib import Path
    from backend_networks import chain, images, spread
    from neurocomp import backend
    graph = chain()
    backend.simulate(graph, spread(graph), images(graph, 4000), batch=2, workers=2,
        keep=Path({keep!r}), on_progress=lambda *a, **k: print(a[1], flush=True))
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_an_end_in_the_midst_leaves_batches_and_no_process(
    tmp_path: Path, ending: signal.Signals
) -> None:
    source = textwrap.dedent(SCRIPT).format(
        tests=str(Path(__file__).parents[1]), keep=str(tmp_path)
    )
    with subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 12:
            pass
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(ending)
        process.wait(timeout=LIMIT_S)
        _, alive = psutil.wait_procs(family, timeout=LIMIT_S)
        assert [p for p in alive if p.is_running() and p.status() != "zombie"] == []
    assert len(list(tmp_path.glob("batch-*.npz"))) >= 5  # all but the one that was being written
