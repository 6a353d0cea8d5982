"""``neurocomp train`` with its own options: engine and curves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_train_processes import RECIPE, candidate

from neurocomp.errors import InputError
from neurocomp.flow import train


@pytest.fixture
def files(tmp_path: Path) -> Path:
    candidate(tmp_path / "candidate.yaml")
    (tmp_path / "recipe.yaml").write_text(RECIPE.replace("distill: {weight: 0.3}, ", ""))
    return tmp_path


def test_engine_and_curves(files: Path) -> None:
    words = ("candidate.yaml", "--recipe", "recipe.yaml", "--engine", "slayer", "--epochs", "1")
    done = subprocess.run(
        [sys.executable, "-m", "neurocomp", "train", *words, "--tensorboard", "--out", "run",
         "--json"],
        cwd=files, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["epochs"] == 3
    assert set(row["accuracy"]) == {"float", "integer"}
    identity = json.loads((files / "run" / "run.json").read_text())
    assert identity["recipe"]["train"]["engine"] == "slayer"
    curves = files / "run" / "train" / "tensorboard"
    assert sorted(p.name for p in curves.iterdir()) == ["float", "qat"]


def test_unknown_engine(files: Path) -> None:
    with pytest.raises(InputError, match=r"engine: should be 'exact' or 'slayer', got 'lava'"):
        train(files / "candidate.yaml", recipe=str(files / "recipe.yaml"), engine="lava")
