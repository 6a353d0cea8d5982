"""Mapping files: everything is kept, what is none is refused, the same bytes in a fresh process."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mapping_networks import CHIPS, cell, mlp, pooled, target

from neurocomp.errors import InputError
from neurocomp.mapping import (
    map_graph,
)
from neurocomp.mapping.store import load, save


def test_files_keep_everything(tmp_path: Path) -> None:
    mapping = map_graph(cell(), CHIPS, "balanced")
    path = tmp_path / "mapping.json"
    save(mapping, path)
    assert load(path) == mapping
    assert [p.name for p in tmp_path.iterdir()] == ["mapping.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "no such file"),
        ("{", "no JSON; expected a mapping file"),
        ("[]", "JSON, but no object; expected a mapping file"),
        ("{}", "format is not 'neurocomp-mapping/1'"),
        ('{"format": "neurocomp-mapping/1"}', "a damaged mapping file"),
    ],
)
def test_files_that_are_no_mapping(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "m.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        load(path)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0"},
        {"network": 3},
        {"placement": {"addresses": [[0]]}},
        {"placement": {"addresses": [[0, 1.0]]}},
        {"partition": {"cores": [[{"population": "l1", "start": [0, 0], "stop": [1, 1]}]]}},
        {"routes": [{"population": "in", "source": None}]},
    ],
)
def test_files_with_wrong_types(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "m.json"
    save(map_graph(mlp("m", 3, 2), target(), "balanced"), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match="a damaged mapping file"):
        load(path)


def test_same_bytes_in_a_fresh_process(tmp_path: Path) -> None:
    """Hash seeds differ between the two processes, so no set order can have leaked."""
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from mapping_networks import CHIPS, cell\n"
        "from neurocomp.mapping import map_graph; from neurocomp.mapping.store import save\n"
        "save(map_graph(cell(), CHIPS, 'balanced', seed=5), Path(sys.argv[2]))\n"
    )
    digests = set()
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.json"
        subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parents[1]), str(path)],
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": "", "OMP_NUM_THREADS": "1"},
        )
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_weights_do_not_matter() -> None:
    """Only shapes, operations and bits do: a trained network is mapped as the untrained one."""
    graph = pooled(4, 8)
    edge = replace(graph.projections[0], weight=np.full((4, 1, 2, 2), 0.25))
    trained = replace(graph, projections=(edge,))
    one, other = (map_graph(g, target(), "balanced") for g in (graph, trained))
    assert one.partition == other.partition
    assert one.graph_digest != other.graph_digest
