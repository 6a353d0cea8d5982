"""What commands say where: warnings on stderr and in the JSON, and readers that go away early."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nir
import pytest
import typer
from netx_files import dense, write
from nir_graphs import chain, lif, linear
from rich.progress import Progress

from neurocomp.cli import console as module
from neurocomp.cli.console import Console, StageProgress, console
from neurocomp.errors import InputWarning

COMMAND = (sys.executable, "-m", "neurocomp")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """A command, run to its end."""
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)


def gone_reader(*words: str) -> tuple[int, str]:
    """Exit code and stderr of a command whose reader closes the pipe before anything comes."""
    process = subprocess.Popen(
        [*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    told = process.stderr.read()
    return process.wait(), told


@pytest.fixture
def network(tmp_path: Path) -> Path:
    nir.write(tmp_path / "net.nir", chain([1], linear([0.6]), lif()))
    return tmp_path / "net.nir"


class TestReadersThatGoAway:
    @pytest.mark.parametrize(
        "words",
        [
            ("--help",),
            ("map", "--help"),
            ("--version",),
            ("targets", "loihi2", "--json"),
            ("data",),
        ],
    )
    def test_without_a_traceback(self, words: tuple[str, ...]) -> None:
        assert gone_reader(*words) == (0, "")

    def test_a_mapping(self, network: Path) -> None:
        code, told = gone_reader("map", str(network), "--json")
        assert code == 0
        assert told.startswith("warning: ")
        assert told.count("\n") == 1

    def test_errors_keep_their_code(self) -> None:
        code, told = gone_reader("map", "gone.net")
        assert (code, told.startswith("error: gone.net: no such file")) == (2, True)

    def test_wrong_usage_that_nobody_reads(self) -> None:
        process = subprocess.Popen([*COMMAND, "fly"], stderr=subprocess.PIPE)
        assert process.stderr is not None
        process.stderr.close()
        assert process.wait() == 2

    def test_another_process_that_went_away(self, capfd: pytest.CaptureFixture[str]) -> None:
        """A broken pipe that is not the reader's is a failed run, and says so."""
        with pytest.raises(typer.Exit) as end, console(as_json=False):
            raise BrokenPipeError
        assert end.value.exit_code == 5
        assert "a process that neurocomp had started ended early" in capfd.readouterr().err


class TestWarnings:
    def test_of_a_file(self, network: Path) -> None:
        """NIR's reset by subtraction: as the console says things, and in the object."""
        done = run("map", str(network), "--json")
        (told,) = json.loads(done.stdout)["warnings"]
        assert told.startswith(f"{network}: a spike resets n1 to v_reset, as NIR says. snnTorch's")
        assert done.stderr == f"warning: {told}\n"

    def test_of_a_table(self, network: Path) -> None:
        done = run("map", str(network))
        assert done.stderr.startswith("warning: ")
        assert "UserWarning" not in done.stderr
        assert "warning" not in done.stdout

    def test_nothing_to_warn_of(self, tmp_path: Path) -> None:
        file = write(tmp_path / "x.net", dense([[2, -4]]))
        done = run("map", str(file), "--json")
        assert "warnings" not in json.loads(done.stdout)
        assert done.stderr == ""

    def test_others_are_left_alone(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A library's warning is shown as Python shows it, ours each time it is given."""
        others: list[Any] = []
        monkeypatch.setattr(module.warnings, "showwarning", lambda *told: others.append(told))
        with console(as_json=False):
            warnings.simplefilter("always")
            for _ in range(2):
                warnings.warn("mind the gap", InputWarning, stacklevel=1)
            warnings.warn("old", UserWarning, stacklevel=1)
        assert capfd.readouterr().err == "warning: mind the gap\n" * 2
        assert [str(told[0]) for told in others] == ["old"]


@pytest.mark.slow  # imports lava-dl
def test_backend_netx_says_nothing_of_others(tmp_path: Path) -> None:
    """lava-dl prints notices when it is imported; of them nothing reaches the user."""
    file = write(tmp_path / "x.net", dense([[20, -4]]), dense([[30]]))
    words = ("--backend", "netx", "--steps", "4", "--samples", "1", "--json")
    done = run("simulate", str(file), *words)
    assert done.returncode == 0
    assert json.loads(done.stdout)["mismatches"] == 0
    progress, warning = done.stderr.split("warning: ")
    assert progress == "simulate: 0/1\nsimulate: 1/1\n"
    assert warning.startswith("x: nothing was ever sent by dense0, dense1; show other values")


def test_results_keep_their_order(capfd: pytest.CaptureFixture[str]) -> None:
    with console(as_json=False) as out:
        assert isinstance(out, Console)
        out.line("first")
        out.table("second", ("name",), [("third",)])
    lines = capfd.readouterr().out.splitlines()
    assert [line.strip() for line in lines[:2]] == ["first", "second"]
    assert "third" in "".join(lines)


def test_a_log_tells_how_long_it_takes(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines at the start, at 10 %, 30 s later and at the end, by the pace since the line before."""
    now = [0.0]
    monkeypatch.setattr("neurocomp.cli.console.time", SimpleNamespace(monotonic=lambda: now[0]))
    with console(as_json=True) as out:
        with out.progress() as progress:
            for done, when in ((0, 0), (5, 1), (10, 10), (12, 39), (13, 40), (14, 41), (100, 50)):
                now[0] = when
                progress("simulate", done, 100)
    assert capfd.readouterr().err.splitlines() == [
        "simulate: 0/100",
        "simulate: 10/100, about 90 s left",
        "simulate: 13/100, about 14 min left",
        "simulate: 100/100",
    ]


def test_a_stage_that_comes_again_starts_anew(capfd: pytest.CaptureFixture[str]) -> None:
    with console(as_json=True) as out, out.progress() as progress:
        for done in (1, 2, 2, 1, 2):
            progress("train", done, 2, "other" if done == 1 else "")
    assert capfd.readouterr().err.splitlines() == [
        "train: 1/2 other",
        "train: 2/2",
        "train: 1/2 other",
        "train: 2/2",
    ]


def test_a_bar_of_a_stage_that_comes_again_starts_anew() -> None:
    now = [0.0]
    bars = Progress(disable=True, get_time=lambda: now[0])
    progress = StageProgress(bars, terminal=True)
    for done, when in ((0, 0.0), (9, 10.0), (1, 25.0)):
        now[0] = when
        progress("train", done, 9)
    (task,) = bars.tasks
    assert task.completed == 1
    assert task.start_time == 25.0
