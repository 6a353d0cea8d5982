"""The command line's contract: rows on stdout, JSON and nothing else, exit codes, resuming.

Every test runs the installed command in a process of its own, as users do.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import yaml
from PIL import Image

COMMAND = (sys.executable, "-m", "neurocomp")
RECIPE = {
    "name": "tiny",
    "summary": "the whole pipeline in seconds",
    "source": "made for this test",
    "space": "spikernel",
    "narrow": {
        "channels": [8],
        "final_pool": [2],
        "hidden": [32],
        "cell_bits": [2, 4],
        "macro_bits": [8],
        "timesteps": [4],
        "neurons": ["leaky"],
        "kernel_sets": ["set1", "set3"],
    },
    "data": "digits",
    "search": {"candidates": 6, "batch": 16},
    "train": {
        "epochs": 2,
        "qat_epochs": 1,
        "batch": 64,
        "learning_rate": 0.003,
        "qat_learning_rate": 0.001,
    },
}


def run(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command and return what it printed."""
    return subprocess.run(
        [*COMMAND, *map(str, words)], capture_output=True, text=True, timeout=300, cwd=cwd
    )


def run_json(*words: str | Path) -> dict[str, Any]:
    """Run the command with --json; its stdout must be one JSON object."""
    done = run(*words, "--json")
    assert done.returncode == 0, done.stderr
    value = json.loads(done.stdout)
    assert isinstance(value, dict)
    return value


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    path.write_text(yaml.safe_dump(RECIPE))
    return path


@pytest.fixture(scope="session")
def finished(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A finished run of the main job, as --json printed it."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    return run_json("search", "--recipe", recipe, "--out", out, "--samples", "50")


class TestSearch:
    def test_contract(self, finished: dict[str, Any]) -> None:
        assert finished["recipe"] == "tiny"
        assert finished["target"] == "loihi2"
        found = finished["search"]
        assert found["candidates"] == 6
        assert 1 <= found["feasible"] <= found["distinct"] <= 6
        assert {"seconds", "candidates_per_second"} <= found.keys()
        assert {"id", "params", "weight_bits", "timesteps", "score", "cores"} <= (
            finished["best"].keys()
        )
        assert any(row["id"] == finished["best"]["id"] for row in finished["pareto"])
        assert finished["mapping"]["n_cores"] >= finished["mapping"]["lower_bound_cores"] >= 1
        assert finished["mapping"]["traffic"]["rates"] == "measured"

    def test_lava_is_exact(self, finished: dict[str, Any]) -> None:
        simulated = finished["simulate"]
        assert simulated["samples"] == 50
        assert simulated["mismatches"] == 0
        assert all(layer["mismatches"] == 0 for layer in simulated["layers"])
        assert sum(layer["spikes"] for layer in simulated["layers"]) == simulated["spikes"] > 0

    def test_run_folder_holds_every_artefact(self, finished: dict[str, Any]) -> None:
        folder = Path(finished["run"])
        assert json.loads((folder / "summary.json").read_text()) == finished
        for name in (
            "search/candidate.yaml",
            "search/untrained.npz",
            "train/float.npz",
            "train/network.npz",
            "map/mapping.json",
            "simulate/raster.npz",
            "report.html",
        ):
            assert (folder / name).is_file(), name
        assert not list(folder.rglob("*.part"))

    def test_second_run_does_nothing_again(self, finished: dict[str, Any], recipe: Path) -> None:
        folder = Path(finished["run"])
        before = (folder / "train" / "network.npz").stat().st_mtime_ns
        again = run_json("search", "--recipe", recipe, "--out", folder, "--samples", "50")
        assert again == finished
        assert (folder / "train" / "network.npz").stat().st_mtime_ns == before

    def test_folder_of_another_run_is_refused(self, finished: dict[str, Any], recipe: Path) -> None:
        done = run("search", "--recipe", recipe, "--out", finished["run"], "--seed", "7")
        assert done.returncode == 2
        assert "seed: it was started with 0, now 7" in done.stderr

    def test_stop_after(self, recipe: Path, tmp_path: Path) -> None:
        row = run_json(
            "search",
            "--recipe",
            recipe,
            "--out",
            tmp_path / "run",
            "--stop-after",
            "search",
            "--workers",
            "1",
        )
        assert "accuracy" not in row
        assert not (tmp_path / "run" / "train").exists()
        assert (tmp_path / "run" / "report.html").is_file()

    @pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
    def test_interrupted_run_goes_on(
        self, kill: signal.Signals, finished: dict[str, Any], recipe: Path, tmp_path: Path
    ) -> None:
        out = tmp_path / "run"
        words = ("search", "--recipe", recipe, "--out", out, "--samples", "50", "--workers", "1")
        process = subprocess.Popen(
            [*COMMAND, *map(str, words)], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        while not (out / "train").exists():  # in the middle of training, the search is done
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        time.sleep(1.0)
        process.send_signal(kill)
        stdout, stderr = process.communicate(timeout=60)
        if kill is signal.SIGINT:
            assert process.returncode == 5
            assert "interrupted" in stderr
        assert stdout == ""
        resumed = run_json(*words)
        for key in ("best", "pareto", "accuracy"):
            assert resumed[key] == finished[key], key
        assert {**resumed["mapping"], "seconds": 0} == {**finished["mapping"], "seconds": 0}
        assert resumed["simulate"]["layers"] == finished["simulate"]["layers"]

    def test_spikes_that_differ_end_with_code_4(
        self, finished: dict[str, Any], recipe: Path, tmp_path: Path
    ) -> None:
        """A mapping that loses one route loses spikes: the run says so and still reports."""
        out = tmp_path / "run"
        shutil.copytree(finished["run"], out)
        shutil.rmtree(out / "simulate")
        path = out / "map" / "mapping.json"
        mapping = json.loads(path.read_text())
        lost = next(r for r in mapping["routes"] if r["population"] == "stem")
        mapping["routes"].remove(lost)
        path.write_text(json.dumps(mapping))
        done = run("search", "--recipe", recipe, "--out", out, "--samples", "50", "--json")
        assert done.returncode == 4
        assert "differ from the reference (layers: cell1" in done.stderr
        row = json.loads(done.stdout)
        assert row["simulate"]["mismatches"] > 0
        assert next(x for x in row["simulate"]["layers"] if x["name"] == "stem")["mismatches"] == 0
        assert (out / "report.html").is_file()

    def test_two_processes_on_one_run(self, recipe: Path, tmp_path: Path) -> None:
        out = tmp_path / "run"
        words = (
            "search",
            "--recipe",
            recipe,
            "--out",
            out,
            "--stop-after",
            "train",
            "--workers",
            "1",
        )
        first = subprocess.Popen(
            [*COMMAND, *map(str, words)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        while not (out / "run.json").exists():
            time.sleep(0.05)
        time.sleep(0.2)
        second = run(*words)
        first.send_signal(signal.SIGKILL)
        first.wait()
        assert second.returncode == 2
        assert "another process works on this run" in second.stderr


class TestBadInput:
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("search", "--hw", "loihi3"), "unknown target 'loihi3'; did you mean 'loihi2'"),
            (("search", "--recipe", "spikernel-digit"), "did you mean 'spikernel-digits'"),
            (("search", "--data", "digit"), "unknown data set 'digit'; did you mean 'digits'"),
            (("search", "--stop-after", "lunch"), "unknown stage 'lunch'"),
            (("search", "--device", "tpu"), "unknown device 'tpu'"),
            (("search", "--candidates", "0"), "--candidates"),
            (("search", "--hw", "gone.yaml"), "target file gone.yaml: no such file"),
            (("map", "gone.npz"), "gone.npz: no such file"),
            (("simulate", "gone.npz", "--backend", "loihi"), "unknown backend 'loihi'"),
            (("simulate", "gone.npz"), "gone.npz: no such file"),
            (("report", "gone"), "gone: not a run folder"),
            (("train", "gone.yaml"), "gone.yaml: no such file"),
            (("targets", "loihi3"), "unknown target"),
            (("recipes", "none"), "unknown recipe"),
            (("data", "none"), "unknown data set"),
            (("fly",), "No such command"),
            (("map", "x.npz", "--out", "gone/m.json"), "the folder gone does not exist"),
        ],
    )
    def test_exit_code_and_message(
        self, words: tuple[str, ...], message: str, tmp_path: Path
    ) -> None:
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert message in done.stderr
        assert done.stdout == ""
        assert not (tmp_path / "runs").exists()

    def test_all_faults_of_a_recipe_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.yaml"
        bad = {**RECIPE, "colour": "blue", "search": {"candidates": "many", "batch": 16}}
        path.write_text(yaml.safe_dump(bad))
        done = run("search", "--recipe", path)
        assert done.returncode == 2
        assert f"{path}: 2 faults" in done.stderr
        assert "colour: unknown key" in done.stderr
        assert "search.candidates: " in done.stderr
        assert "got 'many'" in done.stderr

    def test_malformed_yaml_names_the_line(self, tmp_path: Path) -> None:
        path = tmp_path / "bad.yaml"
        path.write_text("name: [unclosed\nsummary: x\n")
        done = run("search", "--recipe", path)
        assert done.returncode == 2
        assert "not valid YAML" in done.stderr
        assert "line 2" in done.stderr

    def test_folder_without_images(self, tmp_path: Path) -> None:
        for part in ("train", "test"):
            (tmp_path / "images" / part / "cat").mkdir(parents=True)
        done = run("search", "--data", f"folder:{tmp_path / 'images'}", "--out", tmp_path / "run")
        assert done.returncode == 2
        assert "cat: class without images" in done.stderr

    def test_network_that_does_not_fit(self, finished: dict[str, Any], tmp_path: Path) -> None:
        target = tmp_path / "small.yaml"
        one_core = "core: {synapse_words: 64}\nmesh: {columns: 1, rows: 1}\n"
        target.write_text(f"name: small\nsummary: x\nextends: loihi2\n{one_core}")
        done = run("map", finished["run"], "--hw", target)
        assert done.returncode == 3
        found = re.search(
            r"synapse words alone need (\d+) cores \(most of them '(\w+)'\)", done.stderr
        )
        assert found, done.stderr
        assert int(found[1]) > 1
        assert found[2] in {layer["name"] for layer in finished["simulate"]["layers"]}
        assert "small has 1" in done.stderr

    def test_no_candidate_fits(self, recipe: Path, tmp_path: Path) -> None:
        done = run("search", "--recipe", recipe, "--max-params", "10", "--out", tmp_path / "run")
        assert done.returncode == 3
        assert "--max-params" in done.stderr

    def test_no_candidate_is_within_one_core(self, recipe: Path, tmp_path: Path) -> None:
        """A core of 128 synapse words holds no whole candidate, but a neuron of each."""
        target = tmp_path / "small.yaml"
        core = "core: {synapse_words: 128}\n"
        target.write_text(f"name: small\nsummary: x\nextends: loihi2\n{core}")
        limit = ("--hw", target, "--max-cores", "1")
        done = run("search", "--recipe", recipe, *limit, "--out", tmp_path / "run")
        assert done.returncode == 3
        assert "--max-cores" in done.stderr

    def test_unreadable_input_array(self, finished: dict[str, Any], tmp_path: Path) -> None:
        path = tmp_path / "x.npy"
        np.save(path, np.zeros((3, 7, 7), np.uint8))
        done = run("simulate", finished["run"], "--input", path)
        assert done.returncode == 2
        assert "shaped (3, 7, 7), expected (steps, …)" in done.stderr


class TestOtherCommands:
    def test_help_is_quick(self) -> None:
        start = time.perf_counter()
        done = run("--help")
        assert done.returncode == 0
        assert time.perf_counter() - start < 3.0  # 0.3 s on an idle machine
        for command in ("search", "train", "map", "simulate", "report", "targets", "doctor"):
            assert command in done.stdout

    def test_map(self, finished: dict[str, Any], tmp_path: Path) -> None:
        out = tmp_path / "mapping.json"
        picture = tmp_path / "cores.svg"
        files = ("--out", out, "--picture", picture)
        row = run_json("map", finished["run"], "--policy", "compiler", *files)
        assert row["policy"] == "compiler"
        assert sum(layer["n_cores"] for layer in row["layers"]) == row["n_cores"]
        for layer in row["layers"]:
            for used, limit in layer["used"].values():
                assert limit is None or used <= limit
        assert out.is_file()
        assert ElementTree.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"

    def test_map_prints_a_layer_table(self, finished: dict[str, Any]) -> None:
        done = run("map", finished["run"])
        assert done.returncode == 0
        assert "stem" in done.stdout
        assert "cores" in done.stdout

    @pytest.mark.parametrize("backend", ["lava", "stock", "reference"])
    def test_simulate(self, backend: str, finished: dict[str, Any]) -> None:
        row = run_json("simulate", finished["run"], "--backend", backend, "--samples", "3")
        assert row["backend"] == backend
        assert row["samples"] == 3
        assert row["mismatches"] == (None if backend == "reference" else 0)
        assert 0.0 <= row["accuracy"] <= 1.0

    def test_simulate_a_network_file_with_input(
        self, finished: dict[str, Any], tmp_path: Path
    ) -> None:
        network = Path(finished["run"]) / "train" / "network.npz"
        values = tmp_path / "x.npy"
        np.save(values, np.random.default_rng(0).integers(0, 16, (2, 4, 1, 8, 8)))
        row = run_json("simulate", network, "--input", values, "--backend", "reference")
        assert row["samples"] == 2
        assert row["accuracy"] is None

    def test_train_a_candidate(
        self, finished: dict[str, Any], recipe: Path, tmp_path: Path
    ) -> None:
        candidate = Path(finished["run"]) / "search" / "candidate.yaml"
        row = run_json(
            "train", candidate, "--recipe", recipe, "--epochs", "1", "--out", tmp_path / "t"
        )
        assert row["epochs"] == 2  # one in float, one quantisation-aware
        assert Path(row["network"]).is_file()
        assert 0.0 <= row["accuracy"]["integer"] <= 1.0

    def test_train_the_chosen_one_of_a_run_again(
        self, finished: dict[str, Any], tmp_path: Path
    ) -> None:
        """With the run's own recipe, which no shipped recipe has the name of: the same numbers."""
        row = run_json("train", finished["run"], "--out", tmp_path / "t")
        assert row["accuracy"] == {k: finished["accuracy"][k] for k in ("float", "integer")}

    def test_untrained_network_cannot_run(self, finished: dict[str, Any]) -> None:
        done = run("simulate", Path(finished["run"]) / "search" / "untrained.npz")
        assert done.returncode == 2
        assert "train the network first" in done.stderr

    def test_report(self, finished: dict[str, Any]) -> None:
        row = run_json("report", finished["run"])
        page = Path(row["reports"][0]).read_text()
        assert finished["best"]["id"] in page

    def test_listings(self) -> None:
        assert "loihi2" in [row["name"] for row in run_json("targets")["targets"]]
        assert all(row["source"] for row in run_json("targets", "loihi2")["figures"])
        assert "spikernel-digits" in [row["name"] for row in run_json("recipes")["recipes"]]
        assert run_json("recipes", "spikernel-digits")["data"] == "digits"
        assert "digits" in [row["name"] for row in run_json("data")["data_sets"]]
        assert run_json("data", "digits")["n_classes"] == 10

    def test_doctor(self) -> None:
        row = run_json("doctor")
        assert row["ok"]
        assert row["problems"] == []
        assert row["versions"]["lava-nc"]


@pytest.mark.slow
def test_image_folder_end_to_end(recipe: Path, tmp_path: Path) -> None:
    """RGB images of two classes from a folder, through the whole pipeline."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 40), ("test", 10)):
        for label, colour in (("dark", 60), ("light", 190)):
            folder = tmp_path / "images" / part / label
            folder.mkdir(parents=True)
            for i in range(count):
                noise = rng.integers(-40, 40, (16, 16, 3)) + colour
                Image.fromarray(noise.astype(np.uint8)).save(folder / f"{i}.png")
    row = run_json(
        "search", "--recipe", recipe, "--data", f"folder:{tmp_path / 'images'}",
        "--out", tmp_path / "run",
    )  # fmt: skip
    assert row["simulate"]["mismatches"] == 0
    assert row["accuracy"]["lava"] == row["accuracy"]["integer"] > 0.9
