"""Two processes of torchrun train one network: nothing is written twice, and the numbers agree."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from neurocomp.arch import Candidate
from neurocomp.arch.cell import EdgeOp
from neurocomp.errors import InputError
from neurocomp.flow import train
from neurocomp.spec.read import write_yaml
from neurocomp.train.samples import Shuffled

RECIPE = """
name: tiny
summary: training of several processes in small
source: a test
space: spikernel
narrow: {channels: [8], final_pool: [4], hidden: [32], cell_bits: [4], macro_bits: [8],
         timesteps: [3], neurons: [leaky]}
data: digits
search: {candidates: 3, batch: 16}
train: {epochs: 3, qat_epochs: 2, epoch_images: 768, batch: 32, learning_rate: 0.01,
        qat_learning_rate: 0.002, ema: 0.9, gradient_clip: 5.0,
        distill: {weight: 0.3}, augment: {shift: 1}}
"""
SCRIPT = """
import json, os, sys
from pathlib import Path
import torch
from neurocomp.flow import train
torch.set_num_threads(1)
folder = Path(sys.argv[1])
row = train(folder / "candidate.yaml", recipe=str(folder / "recipe.yaml"), out=folder / "run")
(folder / ("rank%s.json" % os.environ["RANK"])).write_text(json.dumps(row))
"""


def together(monkeypatch: pytest.MonkeyPatch, rank: int, world: int) -> None:
    for name, value in (("TORCHELASTIC_RUN_ID", "test"), ("RANK", rank), ("WORLD_SIZE", world)):
        monkeypatch.setenv(name, str(value))


class TestBatches:
    def test_shares_make_up_the_batches_of_one_process(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alone = list(Shuffled(20, None, 6, 3, 0))
        shares = []
        for rank in range(3):
            together(monkeypatch, rank, 3)
            shares.append(list(Shuffled(20, None, 6, 3, 0)))
        for whole, *parts in zip(alone, *shares, strict=True):
            assert [len(part) for part in parts] == [2, 2, 2]
            assert torch.equal(torch.cat(parts), whole)

    def test_unequal_shares(self, monkeypatch: pytest.MonkeyPatch) -> None:
        together(monkeypatch, 0, 4)
        with pytest.raises(InputError, match=r"4 processes cannot share batches of 6 equally; set"):
            Shuffled(20, None, 6, 3, 0)


def candidate(path: Path) -> None:
    ops = [EdgeOp("zeroize")] * 6
    ops[0], ops[2], ops[5] = EdgeOp("conv", 3, 4), EdgeOp("skip"), EdgeOp("skip")
    write_yaml(path, Candidate(tuple(ops), 8, 2, 32, 8, 3, 1.0, 0.5).as_dict())


def test_two_processes(tmp_path: Path) -> None:
    """All features that keep a state of their own are on."""
    candidate(tmp_path / "candidate.yaml")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    started = subprocess.run(
        [*command, "--master-port", str(free_port()), "script.py", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert started.returncode == 0, started.stderr
    first, second = (json.loads((tmp_path / f"rank{n}.json").read_text()) for n in (0, 1))
    for row in (first, second):
        del row["images_per_second"]  # each process has its own clock
    assert first == second
    history = json.loads((tmp_path / "run" / "train" / "history.json").read_text())
    assert [row["images"] for row in history] == [768] * 5
    alone = train(
        tmp_path / "candidate.yaml", recipe=str(tmp_path / "recipe.yaml"), out=tmp_path / "alone"
    )
    assert first["accuracy"]["integer"] > 0.4  # of ten classes, after 120 steps
    assert abs(first["accuracy"]["integer"] - alone["accuracy"]["integer"]) < 0.1
    names = {p.name for p in (tmp_path / "run" / "train").iterdir()}
    assert names == {p.name for p in (tmp_path / "alone" / "train").iterdir()}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port: int = probe.getsockname()[1]
    return port
