"""NIR files in the commands: mapped, simulated, and compared with the framework's own spikes."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from nir_graphs import chain, cuba, lif, linear

from neurocomp.errors import InputError
from neurocomp.flow import map_network, parity, simulate
from neurocomp.flow.loading import load_network
from neurocomp.formats.nir import read_nir, write_nir
from neurocomp.ir import CubaLif, Projection
from neurocomp.ir.store import save
from neurocomp.quant.discretize import discretize
from neurocomp.snn.stepping import run_float

pytestmark = pytest.mark.filterwarnings("ignore:.*snnTorch's default")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """v = v/2 + 0.6 per input spike: with a spike at every step it fires at 2, 5, 8, …"""
    path = tmp_path / "net.nir"
    nir.write(path, chain([1], linear([0.6]), lif()))
    return path


def recorded(folder: Path, values: Any, **spikes: Any) -> tuple[Path, Path]:
    """Files of the input and of the expected spikes."""
    np.save(folder / "x.npy", np.asarray(values))
    np.savez(folder / "spikes.npz", **{k: np.asarray(v) for k, v in spikes.items()})
    return folder / "x.npy", folder / "spikes.npz"


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """A neurocomp command, run to its end."""
    whole = [sys.executable, "-m", "neurocomp", *words]
    return subprocess.run(whole, capture_output=True, text=True, check=False)


class TestParity:
    def test_equal_spikes(self, file: Path, tmp_path: Path) -> None:
        fired = [[0], [0], [1], [0], [0], [1]]
        row = parity(file, *recorded(tmp_path, np.ones((6, 1)), n1=fired), bits=(8,))
        assert (row["samples"], row["steps"], row["rates"]) == (1, 6, {"n1": 1 / 3})
        same = {
            "populations": [{"name": "n1", "share": 0.0, "first_step": None}],
            "readout_agreement": 1.0,
        }
        assert row["rows"] == [
            {"network": "float", "against": {"expected": same}},
            {"network": 8, "against": {"expected": same, "float": same}},
        ]

    def test_where_they_differ(self, file: Path, tmp_path: Path) -> None:
        """Ours fires at 2 and 5, the other at 2 and 4: two of six neuron-steps, from step 4 on."""
        fired = [[0], [0], [1], [0], [1], [0]]
        row = parity(file, *recorded(tmp_path, np.ones((6, 1)), n1=fired), bits=())
        (found,) = row["rows"][0]["against"]["expected"]["populations"]
        assert found == {"name": "n1", "share": 2 / 6, "first_step": 4}

    def test_fewer_bits_differ(self, tmp_path: Path) -> None:
        """At 2 bits the levels are −2, −1, 0, 1: 1 and 0.6 in steps of 1 become 1 and 1.

        0.6 alone fires at steps 2 and 5. As 1 it fires where 1 + 1/2 > 1: at steps 1, 3 and 5,
        so steps 1, 2 and 3 differ.
        """
        file = tmp_path / "net.nir"
        nir.write(file, chain([2], linear([1.0, 0.6]), lif()))
        values = np.tile([0, 1], (6, 1))
        fired = [[0], [0], [1], [0], [0], [1]]
        row = parity(file, *recorded(tmp_path, values, n1=fired), bits=(2,))
        for other in ("expected", "float"):
            (found,) = row["rows"][1]["against"][other]["populations"]
            assert found == {"name": "n1", "share": 3 / 6, "first_step": 1}

    def test_readouts_that_agree(self, tmp_path: Path) -> None:
        """Two samples; the more active output is the second, the other says the first in one."""
        file = tmp_path / "net.nir"
        nir.write(file, chain([1], linear([0.6], [1.1]), lif(2)))
        ours = np.tile([[0, 1]], (2, 4, 1))
        theirs = ours.copy()
        theirs[1] = [[1, 0]] * 4
        row = parity(file, *recorded(tmp_path, np.ones((2, 4, 1)), n1=theirs), bits=())
        assert row["rows"][0]["against"]["expected"]["readout_agreement"] == 0.5

    def test_a_membrane_is_compared_with_the_readout(self, tmp_path: Path) -> None:
        """Memberships 1 : 2 of the membrane; no spikes are expected of it."""
        integrator = nir.I(r=np.ones(2))
        nir.write(tmp_path / "net.nir", chain([1], linear([1.0], [2.0]), integrator))
        files = recorded(tmp_path, np.ones((2, 3, 1)), readout=[[3.0, 6.0], [6.0, 3.0]])
        row = parity(tmp_path / "net.nir", *files, bits=())
        found = row["rows"][0]["against"]["expected"]
        assert found == {"populations": [], "readout_agreement": 0.5}

    def test_graded_input(self, tmp_path: Path) -> None:
        """Values up to 5 need 3 bits, and −1 a sign: v = −0.1, 0.45 > 0.4."""
        file = tmp_path / "net.nir"
        nir.write(file, chain([1], linear([0.1]), lif(threshold=0.4)))
        row = parity(file, *recorded(tmp_path, [[-1.0], [5.0]], n1=[[0], [1]]))
        assert row["rows"][0]["against"]["expected"]["populations"][0]["share"] == 0.0
        assert row["rows"][1]["against"]["expected"]["populations"][0]["share"] == 0.0

    def test_bits_at_which_nothing_is_left(self, tmp_path: Path) -> None:
        """A bias of 1 next to weights so small that the chip's grid has no place for them."""
        file = tmp_path / "net.nir"
        nir.write(file, chain([1], linear([1e-9]), lif(leak=2.0)))
        row = parity(file, *recorded(tmp_path, np.ones((3, 1)), n1=np.zeros((3, 1))), bits=(2,))
        assert "'n1': no projection leads to it" in row["rows"][1]["fault"]

    @pytest.mark.parametrize(
        ("arrays", "values", "message"),
        [
            ({"n9": np.zeros((6, 1))}, np.ones((6, 1)), r"unknown population 'n9' \(known: n1\)"),
            (
                {"n1": np.zeros((5, 1))},
                np.ones((6, 1)),
                r"'n1' is float64 of shape \(5, 1\)",
            ),
            (
                {"n1": np.full((6, 1), "x")},
                np.ones((6, 1)),
                "array 'n1': must hold numbers, is of type <U1",
            ),
            (
                {"readout": np.zeros((2, 2))},
                np.ones((6, 1)),
                r"'readout' must be numbers shaped \(1, ",
            ),
            ({"n1": np.full((6, 1), np.nan)}, np.ones((6, 1)), r"'n1' must hold spikes"),
            ({}, np.full((6, 1), 0.5), "input is whole numbers, got float64 with fractions; scale"),
            ({}, np.ones((6, 2)), r"shaped \(6, 2\), expected \(steps, …\)"),
        ],
    )
    def test_files_that_do_not_fit(
        self, arrays: dict[str, Any], values: Any, message: str, file: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(InputError, match=message):
            parity(file, *recorded(tmp_path, values, **arrays))

    def test_nothing_to_compare_with(self, file: Path, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"holds no array; save spikes .*\(n1\) or 'readout'"):
            parity(file, *recorded(tmp_path, np.ones((6, 1))))

    def test_unreadable_files(self, file: Path, tmp_path: Path) -> None:
        x, _ = recorded(tmp_path, np.ones((6, 1)))
        with pytest.raises(InputError, match=r"gone\.npz: no such file"):
            parity(file, x, tmp_path / "gone.npz")
        (tmp_path / "bad.npz").write_bytes(b"PK\x03\x04 cut short")
        with pytest.raises(InputError, match=r"bad\.npz: is damaged or cut short; expected spikes"):
            parity(file, x, tmp_path / "bad.npz")
        with pytest.raises(
            InputError, match=r"x\.npy: holds a NumPy array \(.npy\); expected spikes"
        ):
            parity(file, x, x)
        np.savez(tmp_path / "pickled.npz", n1=np.array([{}], object))
        with pytest.raises(
            InputError, match=r"pickled\.npz: array 'n1': must hold numbers, is of type obj"
        ):
            parity(file, x, tmp_path / "pickled.npz")

    def test_an_integer_network_has_nothing_to_lose(self, file: Path, tmp_path: Path) -> None:
        write_nir(discretize(replace(read_nir(file), timesteps=3)), tmp_path / "integer.nir")
        with pytest.raises(InputError, match="is no float network"):
            parity(tmp_path / "integer.nir", *recorded(tmp_path, np.ones((3, 1))))


class TestFloatRuns:
    def test_delays_of_synapses(self, file: Path) -> None:
        """Weight 2 from the first input at once, from the second two steps later."""
        graph = read_nir(chain([2], linear([2.0, 2.0]), lif()))
        (e,) = graph.projections
        graph = graph.with_parts(graph.populations, (replace(e, delays=np.array([[0, 2]])),))
        values = np.zeros((1, 5, 2, 1, 1), np.int64)
        values[0, 1] = 1
        assert np.flatnonzero(run_float(graph, values).spikes["n1"]).tolist() == [1, 3]

    def test_pruned_weights_do_nothing(self, file: Path) -> None:
        graph = read_nir(chain([1], linear([2.0]), lif()))
        e = replace(graph.projections[0], mask=np.array([[False]]))
        graph = graph.with_parts(graph.populations, (e,))
        assert not run_float(graph, np.ones((1, 3, 1, 1, 1), np.int64)).spikes["n1"].any()

    def test_other_neurons(self, file: Path) -> None:
        integer = discretize(replace(read_nir(file), timesteps=3))
        with pytest.raises(InputError, match="'n1': must have CubaLif neurons, got Loihi"):
            run_float(integer, np.ones((1, 3, 1, 1, 1), np.int64))


class TestCommands:
    def test_map(self, file: Path) -> None:
        row = map_network(file, "loihi2", weight_bits=4)
        assert [(layer["name"], layer["weight_bits"]) for layer in row["layers"]] == [("n1", 4)]

    @pytest.mark.parametrize("backend", ["reference", "lava"])
    def test_simulate_makes_a_float_network_integer(
        self, backend: str, file: Path, tmp_path: Path
    ) -> None:
        x, _ = recorded(tmp_path, np.ones((9, 1), np.uint8))
        row = simulate(file, backend=backend, input_file=x)
        assert [(layer["name"], layer["spikes"]) for layer in row["layers"]] == [("n1", 3)]
        assert row["mismatches"] == (None if backend == "reference" else 0)

    def test_simulate_a_constant_current_in_lava(self, tmp_path: Path) -> None:
        """The neuron that always fires stands before the inputs' first layer."""
        affine = nir.Affine(np.array([[0.5], [1.0]]), np.array([0.25, 0.5]))
        nir.write(tmp_path / "x.nir", chain([1], affine, cuba(2)))
        row = simulate(tmp_path / "x.nir", backend="lava", steps=12, samples=3)
        assert row["mismatches"] == 0
        assert {layer["name"]: layer["spikes"] for layer in row["layers"]}["n1.bias"] == 36

    def test_simulate_needs_a_window(self, file: Path) -> None:
        with pytest.raises(InputError, match="say how many --steps to run"):
            simulate(file, backend="reference")

    def test_dt(self, file: Path) -> None:
        assert load_network(file, dt=2e-4)[0].population("n1").neuron == CubaLif(1.0, 1.0, 1.0)

    def test_options_of_other_files(self, file: Path, tmp_path: Path) -> None:
        save(read_nir(file), tmp_path / "x.npz")
        for option in ({"weight_bits": 4}, {"dt": 1e-3}):
            with pytest.raises(InputError, match=r"only a NIR file \(.nir\) is read with weight"):
                load_network(tmp_path / "x.npz", **option)
        with pytest.raises(InputError, match=r"only a netx file \(.net\) has layers to skip"):
            load_network(file, skip_layers=1)

    def test_a_float_graph_file_with_weights_runs_too(self, file: Path, tmp_path: Path) -> None:
        save(read_nir(file), tmp_path / "x.npz")
        row = simulate(tmp_path / "x.npz", backend="reference", steps=4, samples=2)
        assert (row["samples"], row["steps"]) == (2, 4)

    def test_without_weights_it_must_be_trained(self, file: Path) -> None:
        graph = read_nir(file)
        e: Projection = replace(graph.projections[0], weight=None)
        untrained = graph.with_parts(graph.populations, (e,))
        with pytest.raises(InputError, match="has no weights; train the network first"):
            simulate(untrained, backend="reference", steps=4)

    def test_the_command_prints_json_and_a_table(self, file: Path, tmp_path: Path) -> None:
        fired = [[0], [0], [1], [0], [0], [1]]
        x, spikes = recorded(tmp_path, np.ones((6, 1)), n1=fired)
        words = ("parity", str(file), "--input", str(x), "--expected", str(spikes))
        done = command(*words, "--bits", "8", "--bits", "3", "--json")
        assert done.returncode == 0, done.stderr
        assert [r["network"] for r in json.loads(done.stdout)["rows"]] == ["float", 8, 3]
        assert "reset_mechanism='subtract'" in done.stderr
        done = command(*words)
        assert "2 bits" in done.stdout
        assert "0.0000%" in done.stdout

    @pytest.mark.parametrize("words", [["map"], ["simulate", "--backend", "reference"]])
    def test_a_damaged_file_ends_with_code_2(self, words: list[str], tmp_path: Path) -> None:
        (tmp_path / "x.nir").write_bytes(b"\x89HDF\r\n\x1a\n cut short")
        done = command(*words, str(tmp_path / "x.nir"))
        assert done.returncode == 2
        assert "x.nir: is damaged or cut short; expected a NIR network (.nir, HDF5)" in done.stderr
        assert done.stdout == ""
