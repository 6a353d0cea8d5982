"""``neurocomp export``: files of other tools, from a network file and from a run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import backend_networks
import networks
import numpy as np
import pytest
import sanafe_model

from neurocomp.errors import FitError, InputError
from neurocomp.flow import export_network, make_options
from neurocomp.flow.folder import RunFolder
from neurocomp.formats.netx import read_netx
from neurocomp.formats.nir import read_nir
from neurocomp.ir import CubaLif, Dense, Graph, Input, LoihiLif, Population, Projection
from neurocomp.ir.store import save
from neurocomp.mapping import map_graph
from neurocomp.mapping.store import load as load_mapping
from neurocomp.mapping.store import save as save_mapping
from neurocomp.quant.fixed import MAX_VTH


def classifier() -> Graph:
    """An 8×8 image of 4 bits, dense, dense; T = 3: a network for the digits."""
    rng = np.random.default_rng(0)
    populations = (
        Population("in", (1, 8, 8), Input(4)),
        Population("a", (20, 1, 1), LoihiLif(300, dv=1024)),
        Population("out", (10, 1, 1), LoihiLif(MAX_VTH, dv=0)),
    )
    projections = (
        Projection("e", "in", "a", Dense(), 4, rng.integers(-8, 8, (20, 64))),
        Projection("f", "a", "out", Dense(), 8, rng.integers(-100, 100, (10, 20)) << 4, 4),
    )
    return Graph("classifier", populations, projections, "out", timesteps=3)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run that was trained and mapped."""
    folder, graph, options = tmp_path / "run", classifier(), make_options(hw="loihi1")
    with RunFolder.locked(folder, options.identity()) as made:
        save(graph, made.stage("train") / "network.npz")
        made.finish("train", {})
        mapping = map_graph(graph, options.target, "compiler")
        save_mapping(mapping, made.stage("map") / "mapping.json")
        made.finish("map", {})
    return folder


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network file, in the current folder."""
    monkeypatch.chdir(tmp_path)
    save(classifier(), tmp_path / "net.npz")
    return Path("net.npz")


def test_netx(file: Path) -> None:
    """Weights of 1600 need a convolution; the file is named after the network's file."""
    assert export_network(file, "netx") == {
        "format": "netx", "network": "classifier", "paths": ["net.net"],
    }  # fmt: skip
    read = read_netx(Path("net.net"))
    assert [p.shape for p in read.populations] == [(1, 8, 8), (20, 1, 1), (10, 1, 1)]


def test_nir_with_the_cores_that_are_asked_for(file: Path) -> None:
    assert export_network(file, "nir")["cores"] is None
    row = export_network(file, "nir", "loihi1", policy="compiler", out=Path("x.nir"))
    assert row["paths"] == ["x.nir"]
    mapping = map_graph(classifier(), make_options(hw="loihi1").target, "compiler")
    places = {s.population: [a.core] for c, a in zip(mapping.partition.cores,
              mapping.placement.addresses, strict=True) for s in c}  # fmt: skip
    assert row["cores"] == places
    assert read_nir(Path("x.nir")).digest() == read_nir(Path("net.nir")).digest()


def test_sanafe_with_a_sample(file: Path) -> None:
    row = export_network(file, "sanafe", "loihi1", seed=3)
    assert row == {
        "format": "sanafe", "network": "classifier",
        "paths": ["net-sanafe/architecture.yaml", "net-sanafe/network.yaml"],
        "target": "loihi1", "policy": "balanced", "n_cores": row["n_cores"],
        "steps": 3 + 2, "synapses": 4 * 64 * 20 + 20 * 10, "given": {}, "costs": "sanafe",
    }  # fmt: skip
    assert sanafe_model.run(Path("net-sanafe"), row["steps"]).packets > 0
    first = Path("net-sanafe/network.yaml").read_bytes()
    export_network(file, "sanafe", "loihi1", seed=3)
    assert Path("net-sanafe/network.yaml").read_bytes() == first
    export_network(file, "sanafe", "loihi1", seed=4)
    assert Path("net-sanafe/network.yaml").read_bytes() != first


def test_a_run_brings_its_mapping_and_its_first_test_sample(run: Path) -> None:
    row = export_network(run, "sanafe")
    assert row["paths"] == [str(run / "export" / "network-sanafe" / f"{name}.yaml")
                            for name in ("architecture", "network")]  # fmt: skip
    assert (row["target"], row["policy"]) == ("loihi1", "compiler")
    options = make_options(hw="loihi1")
    groups, _ = sanafe_model.load(run / "export" / "network-sanafe")
    mapping = load_mapping(run / "map" / "mapping.json")
    for population, group in (("a", "p1_a"), ("out", "p2_out")):
        seats = {(n.tile, n.core) for n in groups[group]}
        assert seats == {
            divmod(a.core, 4)
            for slices, a in zip(mapping.partition.cores, mapping.placement.addresses, strict=True)
            if any(s.population == population for s in slices)
        }
    image = options.dataset().test_values[0].reshape(-1)
    trains = [n.soma["spikes"] for n in groups["p0_in"]][: 4 * 64]  # one core, four bits
    shown = sum(np.array([t[0] for t in trains[64 * b : 64 * (b + 1)]]) << b for b in range(4))
    assert np.array_equal(shown, image)
    assert export_network(run, "nir")["cores"].keys() == {"a", "out"}
    assert export_network(run, "netx")["paths"] == [str(run / "export" / "network.net")]


def test_a_float_network_is_made_integer_but_for_nir(tmp_path: Path) -> None:
    weight = np.array([[0.5, 1.0], [-0.25, 0.75]])
    populations = (
        Population("in", (2, 1, 1), Input()),
        Population("x", (2, 1, 1), CubaLif(1.0)),
    )
    e = Projection("e", "in", "x", Dense(), 4, weight)
    graph = Graph("float", populations, (e,), "x", readout="spikes")
    export_network(graph, "nir", out=tmp_path / "x.nir")
    read = read_nir(tmp_path / "x.nir")
    assert np.array_equal(read.projections[0].weight, weight)  # type: ignore[arg-type]
    for to, name in (("netx", "y.net"), ("sanafe", "y")):
        with pytest.raises(InputError, match="float has no window of its own; say how many --ste"):
            export_network(graph, to, out=tmp_path / name)
    with pytest.raises(InputError, match=r"y: call it y.nir, by which it is known again"):
        export_network(graph, "nir", out=tmp_path / "y")
    export_network(graph, "netx", steps=4, out=tmp_path / "x.net")
    levels = read_netx(tmp_path / "x.net").projections[0].weight
    assert levels is not None
    assert np.array_equal(levels.reshape(2, 2) * 0.25, weight * levels.flat[0] * 0.5)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "format": ({"to": "onnx"}, r"unknown format 'onnx' \(known: netx, nir, sanafe\)"),
    "folder": ({"out": Path("no/where.net")}, "where.net: the folder no does not exist; make it"),
    "itself": ({"out": Path("net.npz")}, "net.npz: is read by this command; name another file"),
    "layers": ({"skip_layers": 1}, "only a netx file"),
    "policy": ({"to": "sanafe", "policy": "best"}, "unknown policy 'best'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(file: Path, name: str) -> None:
    changes, message = REFUSED[name]
    before = sorted(Path().iterdir())
    with pytest.raises(InputError, match=message):
        export_network(file, **{"to": "netx", **changes})
    assert sorted(Path().iterdir()) == before


def test_what_netx_cannot_hold_is_named(tmp_path: Path) -> None:
    graph = backend_networks.dag()
    with pytest.raises(InputError, match=r"'stem': feeds .*a netx file is a sequence .*as NIR"):
        export_network(graph, "netx", out=tmp_path / "x.net")
    with pytest.raises(InputError, match="has no weights; train the network first"):
        export_network(networks.dag(), "netx", out=tmp_path / "x.net")
    assert not list(tmp_path.iterdir())


def test_what_does_not_fit_is_not_written(tmp_path: Path) -> None:
    wide = classifier()
    many = replace(wide.populations[1], shape=(9000, 1, 1))
    e = replace(wide.projections[0], weight=np.ones((9000, 64), np.int64))
    f = replace(wide.projections[1], weight=np.ones((10, 9000), np.int64), exponent=0)
    graph = wide.with_parts((wide.populations[0], many, wide.populations[2]), (e, f))
    with pytest.raises(FitError):
        export_network(graph, "sanafe", "loihi1", out=tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_the_command_prints_paths_or_one_json_object(file: Path) -> None:
    command = [sys.executable, "-m", "neurocomp", "export", str(file), "--format"]
    plain = subprocess.run([*command, "sanafe"], capture_output=True, text=True, check=True)
    assert plain.stdout.splitlines()[:2] == [
        "net-sanafe/architecture.yaml",
        "net-sanafe/network.yaml",
    ]
    assert "simulate 5 steps" in plain.stdout
    assert "nobody published costs of loihi2: SANA-FE counts, energy will be 0" in plain.stdout
    done = subprocess.run([*command, "netx", "--json"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["paths"] == ["net.net"]
    wrong = subprocess.run([*command, "onnx"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "unknown format 'onnx'" in wrong.stderr
