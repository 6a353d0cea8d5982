"""``neurocomp simulate`` on network files: traces, pictures, kept batches, refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from backend_networks import chain, images, running
from test_export import classifier

from neurocomp.backend.kept import identity
from neurocomp.data import load
from neurocomp.errors import InputError, InputWarning
from neurocomp.flow import simulate
from neurocomp.flow.drawn import Drawn
from neurocomp.ir import Input, LoihiLif, Population
from neurocomp.ir.store import save
from neurocomp.quant import reference
from neurocomp.quant.reference import Watch


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network file without a window."""
    path = tmp_path / "running.npz"
    save(running(), path)
    return path


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """Three samples of eight steps."""
    path = tmp_path / "values.npy"
    np.save(path, images(running(), 3, steps=8))
    return path


@pytest.mark.parametrize("backend", ["lava", "reference"])
def test_a_trace_holds_spikes_and_states(
    tmp_path: Path, network: Path, shown: Path, backend: str
) -> None:
    file, picture = tmp_path / "t.npz", tmp_path / "t.svg"
    row = simulate(
        network,
        input_file=shown,
        backend=backend,
        batch=2,
        trace="b, a",
        trace_states=True,
        trace_out=file,
        picture=picture,
    )
    assert (row["trace"], row["picture"]) == (str(file), str(picture))
    expected = reference.run(running(), np.load(shown), Watch(("a", "b"), every_step=True))
    with np.load(file) as trace:
        assert set(trace) == {"spikes.a", "spikes.b", "u.a", "v.a", "u.b", "v.b"}
        assert (trace["spikes.b"] == expected.spikes["b"]).all()
        assert (trace["v.a"] == expected.states["a.v"]).all()
        assert (trace["u.b"] == expected.states["b.u"]).all()
    text = "".join(ElementTree.parse(picture).getroot().itertext())
    assert "share that sends" in text
    fired = int(expected.spikes["a"][0].sum())
    assert f"{fired} spikes" in text


def test_the_command_says_what_it_wrote(tmp_path: Path, network: Path, shown: Path) -> None:
    words = ["simulate", network, "--backend", "reference", "--input", shown, "--trace", "a"]
    done = subprocess.run(
        [sys.executable, "-m", "neurocomp", *words, "--picture", "t.svg"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "written: trace.npz, t.svg")
    assert {"trace.npz", "t.svg"} <= {path.name for path in tmp_path.iterdir()}


def test_spikes_alone(tmp_path: Path, network: Path, shown: Path) -> None:
    file = tmp_path / "t.npz"
    simulate(network, input_file=shown, backend="reference", trace="a", trace_out=file)
    with np.load(file) as trace:
        assert list(trace) == ["spikes.a"]
        assert trace["spikes.a"].shape == (3, 8, 10, 1, 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trace": "a,c"}, r"unknown population 'c' \(known: a, b\)"),
        ({"trace_states": True}, "say which populations to trace"),
        ({"picture": Path("x.svg")}, "say which populations to trace"),
        ({"trace": "a", "trace_out": Path("gone/t.npz")}, "gone does not exist; make it first"),
        ({"trace": "a", "trace_out": Path("/")}, "is there and no regular file"),
        ({"trace": "a", "picture": Path("gone/t.svg")}, "gone does not exist; make it first"),
        ({"trace": "a", "picture": Path("x.png")}, "x.png: a picture is an SVG; name a file"),
        (
            {"trace": "a", "trace_out": Path("x.svg"), "picture": Path("./x.svg")},
            "x.svg: two results cannot be one file; name another for each",
        ),
        ({"trace": "a, b,a"}, "named twice: a, b,a; name each once"),
        ({"trace": "a", "workers": 2}, "with --trace leave --workers and --out out"),
        ({"trace": "a", "out": Path("kept")}, "with --trace leave --workers and --out out"),
        ({"steps": 2}, "its shape says how many steps it has; leave --steps out"),
        ({"samples": 0}, "at least 1 sample is run, got 0"),
        ({"timeout_s": -1.0}, r"the time allowed must be positive, got -1.0 seconds"),
        (
            {"input_file": None, "samples": 10**19, "steps": 1},
            "1 to 2,147,483,647, got 10,",
        ),
        (
            {"input_file": "float.npy"},
            "float.npy: a chip's input is whole numbers, got float64 with",
        ),
        (
            {"input_file": "late.npy"},
            r"late.npy: holds 0 to 2, beyond the input's 0 to 1 .* first in sample 65$",
        ),
        ({"input_file": "laid.npy"}, r"laid.npy: shaped \(4, 2, 3\), expected \(steps, …\)"),
        ({"input_file": None, "steps": -3}, "must be 1 to .*, got 16 and -3"),
        ({"backend": "netx"}, "backend 'netx' runs a netx file"),
    ],
)
def test_what_does_not_go(
    network: Path,
    shown: Path,
    options: dict[str, Any],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(network.parent)
    np.save("float.npy", np.full((2, 3, 6), 0.5))
    np.save("laid.npy", np.zeros((4, 2, 3), np.int8))  # 6 values a step, in other axes
    late = np.zeros((66, 2, 6), np.int8)
    late[65, 0, 3] = 2
    np.save("late.npy", late)
    with pytest.raises(InputError, match=message):
        simulate(network, **{"backend": "reference", "input_file": shown, **options})


def test_a_folder_keeps_the_result(tmp_path: Path, network: Path, shown: Path) -> None:
    """And without comparison nothing is said about mismatches."""
    out = tmp_path / "kept"
    row = simulate(network, input_file=shown, out=out, batch=1, workers=2, block=3, compare=False)
    assert row["mismatches"] is None
    assert row["samples"] == 3
    assert json.loads((out / "result.json").read_text()) == row


def test_a_window_of_its_own(tmp_path: Path) -> None:
    """A graph in memory, shown still values, in steps of two."""
    graph = chain()
    path = tmp_path / "v.npy"
    np.save(path, np.repeat(images(graph, 2)[:, None], 4, axis=1))
    row = simulate(graph, input_file=path, block=2)
    assert row["mismatches"] == 0
    assert row["messages"] is not None


def test_fewer_samples_than_asked_for(network: Path, shown: Path) -> None:
    with pytest.warns(InputWarning, match="values.npy: holds 3 samples, fewer than the 99 asked"):
        row = simulate(network, input_file=str(shown), backend="reference", samples=99)
    assert row["samples"] == 3


def test_drawn_values_do_not_depend_on_the_slice() -> None:
    """And a thousand million samples take no memory; a tenth of the values, within 5 sigma."""
    drawn = Drawn.of(running(), 10**9, 50, seed=3)
    some = drawn[7:12]
    assert some.shape == (5, 50, *running().inputs[0].shape)
    assert (drawn[9:10] == some[2:3]).all()
    assert not (some[0] == some[1]).all()
    assert set(np.unique(some)) == {0, 1}
    n = some.size
    assert abs(some.sum() - 0.1 * n) < 5 * np.sqrt(0.09 * n)


def test_layers_that_never_fire(network: Path, tmp_path: Path) -> None:
    path = tmp_path / "dark.npy"
    np.save(path, np.zeros((1, 3, 6), np.uint8))
    with pytest.warns(InputWarning, match="running: nothing was ever sent by a, b; show other"):
        simulate(network, input_file=path, backend="reference")


def test_two_commands_at_once(network: Path, shown: Path) -> None:
    words = ["simulate", str(network), "--hw", "loihi2", "--input", str(shown), "--json"]
    command = [sys.executable, "-m", "neurocomp", *words]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        out, _ = process.communicate(timeout=120)
        assert (process.returncode, json.loads(out)["mismatches"]) == (0, 0)


def test_no_limit_of_time(network: Path, shown: Path) -> None:
    row = simulate(network, "loihi2", input_file=shown, timeout_s=float("inf"))
    assert row["mismatches"] == 0


def test_options_without_effect(network: Path, shown: Path) -> None:
    with pytest.warns(
        InputWarning, match="'reference' runs no mapping: --hw, --block has no effect"
    ):
        simulate(network, "loihi2", block=3, backend="reference", input_file=shown)


def test_drawn_values_are_known_without_drawing_them() -> None:
    values = [Drawn.of(running(), 10**9, 50, seed) for seed in (1, 1, 2)]
    first, again, other = (identity(running(), None, x) for x in values)
    assert first == again != other


@pytest.mark.parametrize("in_one_axis", [False, True])
def test_a_data_set_brings_labels(tmp_path: Path, in_one_axis: bool) -> None:
    """The digits at the input's 4 bits; the accuracy is that of the reference's readout."""
    graph = classifier()
    if in_one_axis:
        first = replace(graph.populations[0], shape=(64, 1, 1))
        graph = replace(graph, populations=(first, *graph.populations[1:]))
    save(graph, tmp_path / "net.npz")
    row = simulate(tmp_path / "net.npz", data="digits", samples=40, backend="reference")
    digits = load("digits", bits=4)
    some = np.arange(40) * len(digits.test_labels) // 40
    values = digits.test_values[some].reshape(40, *graph.populations[0].shape)
    readout = reference.run(graph, values).readout
    right = (readout.argmax(1) == digits.test_labels[some]).mean()
    assert row["samples"] == 40
    assert row["accuracy"] == pytest.approx(right)


def test_rate_coded_data_for_a_network_without_a_window(tmp_path: Path) -> None:
    """Spikes of 64 inputs in one axis, 5 steps a sample; they follow from seed and number."""
    graph = classifier()
    free = replace(
        graph,
        populations=(
            Population("in", (64, 1, 1), Input(1)),
            Population("a", (20, 1, 1), LoihiLif(2, dv=1024)),
            Population("out", (10, 1, 1), LoihiLif(40, dv=0)),
        ),
        projections=tuple(replace(e, delay=1) for e in graph.projections),
        timesteps=None,
        readout="spikes",
    )
    save(free, tmp_path / "net.npz")
    row = simulate(
        tmp_path / "net.npz", data="digits", coding="rate", steps=5, samples=30, backend="reference"
    )
    digits = load("digits", bits=1, coding="rate", steps=5)
    some = np.arange(30) * len(digits.test_labels) // 30
    readout = reference.run(free, digits.test_values[some].reshape(30, 5, 64, 1, 1)).readout
    assert (row["samples"], row["steps"]) == (30, 5)
    assert row["accuracy"] == pytest.approx(
        (readout.argmax(1) == digits.test_labels[some]).mean(), abs=1e-9
    )


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"data": "mnist-digits"}, "unknown data set 'mnist-digits'"),
        ({}, {"data": "digits", "input_file": "x.npy"}, "--input x.npy and --data digits: give"),
        ({}, {"data": "digits", "coding": "rate"}, "have 1 input bit, got 4"),
        ({}, {"coding": "rate"}, "say how --data is read; name a data set"),
        ({}, {"data_dir": Path("x")}, "say how --data is read; name a data set"),
        ({"shape": (1, 4, 16)}, {"data": "digits"}, r"samples of \(1, 8, 8\), the input of class"),
        ({"neuron": Input(4, signed=True)}, {"data": "digits"}, "its input takes signed values"),
    ],
)
def test_data_that_does_not_go(
    tmp_path: Path, change: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    graph = classifier()
    first = replace(graph.populations[0], **change)
    save(replace(graph, populations=(first, *graph.populations[1:])), tmp_path / "net.npz")
    with pytest.raises(InputError, match=message):
        simulate(tmp_path / "net.npz", backend="reference", **options)


def test_data_for_networks_of_other_classes_or_without_a_window(tmp_path: Path) -> None:
    graph = classifier()
    nine = replace(graph.projections[1], weight=graph.projections[1].weight[:9])
    out = replace(graph.populations[2], shape=(9, 1, 1))
    few = replace(
        graph, populations=(*graph.populations[:2], out), projections=(graph.projections[0], nine)
    )
    save(few, tmp_path / "nine.npz")
    with pytest.raises(InputError, match="'digits': 10 classes, classifier tells 9 apart"):
        simulate(tmp_path / "nine.npz", data="digits", backend="reference")
    delayed = tuple(replace(e, delay=1) for e in graph.projections)
    free = replace(graph, projections=delayed, timesteps=None, readout="spikes")
    save(free, tmp_path / "free.npz")
    with pytest.raises(InputError, match="no window of its own; say how many --steps to run"):
        simulate(tmp_path / "free.npz", data="digits", backend="reference")
    with pytest.raises(InputError, match="code them as spikes with --coding rate"):
        simulate(tmp_path / "free.npz", data="digits", steps=4, backend="reference")
