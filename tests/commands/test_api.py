"""The package's functions: one per command, returning what the command prints with --json."""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurocomp
from neurocomp.cli import app
from neurocomp.ir import Dense, Graph, Input, LoihiLif, Population, Projection
from neurocomp.ir.store import save

FUNCTIONS = {
    "search": "search",
    "experiment": "experiment",
    "train": "train_network",
    "map": "map_network",
    "simulate": "simulate",
    "parity": "parity",
    "export": "export_network",
    "report": "write_reports",
    "compare": "compare",
    "targets": "targets",
    "recipes": "recipes",
    "data": "data_sets",
    "doctor": "check_installation",
}


def test_every_command_has_its_function() -> None:
    commands = {command.name for command in app.registered_commands}
    assert commands - {"dashboard"} == FUNCTIONS.keys()  # which serves pages until it is stopped
    assert {*FUNCTIONS.values(), "__version__"} == set(neurocomp.__all__)


@pytest.mark.parametrize("name", FUNCTIONS.values())
def test_functions_are_typed_and_described(name: str) -> None:
    function = getattr(neurocomp, name)
    signature = inspect.signature(function)
    assert signature.return_annotation == "dict[str, Any]"
    assert all(p.annotation is not p.empty for p in signature.parameters.values())
    assert f"neurocomp {command_of(name)}" in inspect.getdoc(function)


def command_of(name: str) -> str:
    """The command whose function it is."""
    return next(command for command, function in FUNCTIONS.items() if function == name)


def test_packages_do_not_shadow_functions() -> None:
    """After ``import neurocomp.train`` that name is the package; no function may be called so."""
    for name in FUNCTIONS.values():
        spec = importlib.util.find_spec(f"neurocomp.{name}")
        assert spec is None, name


def test_other_names() -> None:
    with pytest.raises(AttributeError, match="module 'neurocomp' has no attribute 'fly'"):
        neurocomp.fly  # noqa: B018


def test_importing_is_light() -> None:
    code = (
        "import neurocomp, sys; print([m for m in ('numpy', 'torch', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """One neuron behind one input."""
    graph = Graph(
        "one",
        (Population("in", (1, 1, 1), Input()), Population("out", (1, 1, 1), LoihiLif(vth=3))),
        (Projection("e", "in", "out", Dense(), weight=np.array([[4]]), delay=1),),
        "out",
        readout="spikes",
    )
    save(graph, tmp_path / "one.npz")
    return tmp_path / "one.npz"


def test_they_return_what_the_commands_print(network: Path) -> None:
    """All that does not take a search or minutes."""
    other = network.with_name("other.npz")
    rows: dict[tuple[str, ...], dict[str, Any]] = {
        ("map", str(network)): neurocomp.map_network(network),
        ("simulate", str(network), "--backend", "reference", "--steps", "5"): neurocomp.simulate(
            network, backend="reference", steps=5
        ),
        ("export", str(network), "--format", "netx", "--out", str(other.with_suffix(".net"))): (
            neurocomp.export_network(network, "netx", out=other.with_suffix(".net"))
        ),
        ("targets",): neurocomp.targets(),
        ("targets", "loihi1"): neurocomp.targets("loihi1"),
        ("recipes", "spikernel-digits"): neurocomp.recipes("spikernel-digits"),
        ("data",): neurocomp.data_sets(),
        ("data", "digits"): neurocomp.data_sets("digits"),
    }
    for words, row in rows.items():
        whole = [sys.executable, "-m", "neurocomp", *words, "--json"]
        printed = json.loads(subprocess.run(whole, capture_output=True, check=True).stdout)
        assert timeless(printed) == timeless(json.loads(json.dumps(row))), words


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the times that its making took."""
    return {k: v for k, v in row.items() if k not in ("seconds", "cpu_ms_per_step", "cpu_s")}
