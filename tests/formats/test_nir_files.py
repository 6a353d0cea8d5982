"""NIR files that are damaged or hostile: named, in bounded memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from damage import require_clear_errors
from nir_graphs import chain, conv, lif

from neurocomp.errors import InputError
from neurocomp.formats.nir import read_nir

pytestmark = pytest.mark.filterwarnings("ignore:.*snnTorch's default")


def written(path: Path) -> Path:
    """A good file."""
    nir.write(
        path, chain([1, 4, 4], conv(np.ones((2, 1, 3, 3)), input_shape=(4, 4)), lif((2, 2, 2)))
    )
    return path


class TestFiles:
    def test_missing_and_foreign(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"nothing\.nir: no such file"):
            read_nir(tmp_path / "nothing.nir")
        (tmp_path / "text.nir").write_text("no HDF5")
        with pytest.raises(InputError, match=r"text\.nir: holds text; expected a NIR network"):
            read_nir(tmp_path / "text.nir")
        with h5py.File(tmp_path / "empty.nir", "w"):
            pass
        with pytest.raises(InputError, match="holds an HDF5 file without NIR's group 'node'"):
            read_nir(tmp_path / "empty.nir")

    @pytest.mark.parametrize(
        ("place", "value", "message"),
        [
            ("node/type", "LIF", "node: must be a NIRGraph, is 'LIF'"),
            ("node/type", 5, "type: must be a short string"),
            ("node/nodes", 5, "'nodes' must be a group"),
            ("node/nodes/n0", 5, "'n0' must be a group"),
            ("node/nodes/n0/type", "Lstm", r"node 'n0': NIR node 'Lstm' is not supported \(known:"),
            ("node/nodes/n0/weight", "heavy", "node 'n0': weight: must be numbers, is 'heavy'"),
            (
                "node/nodes/n0/weight",
                np.full((2, 1, 3, 3), np.nan),
                "weight: 18 values are not fin",
            ),
            ("node/nodes/n1/tau", np.ones(3, complex), "tau: must be numbers, is complex128"),
            ("node/edges", np.ones((2, 2)), "edges: must be pairs of names, is float64"),
            ("node/edges", [["in", "n0", "x"]], r"edges: must be pairs .* of \(1, 3\)"),
            ("node/edges", [["in", "n" * 300]], "edges: names have at most 256 letters"),
            ("node/edges", np.array([[b"a" * 300] * 2], "S300"), "edges: must be pairs of names"),
            ("node/edges", [], "exactly one population must lead|no projection leads"),
        ],
    )
    def test_wrong_content(self, place: str, value: Any, message: str, tmp_path: Path) -> None:
        file = written(tmp_path / "x.nir")
        with h5py.File(file, "a") as opened:
            del opened[place]
            opened[place] = value
        with pytest.raises(InputError, match=message):
            read_nir(file)

    def test_a_missing_weight(self, tmp_path: Path) -> None:
        file = written(tmp_path / "x.nir")
        with h5py.File(file, "a") as opened:
            del opened["node/nodes/n0/weight"]
        with pytest.raises(InputError, match=r"x\.nir: node 'n0': 'weight' is missing"):
            read_nir(file)

    def test_every_truncation_and_many_flipped_bytes(self, tmp_path: Path) -> None:
        require_clear_errors(read_nir, written(tmp_path / "x.nir"))

    def test_declared_sizes_are_not_allocated(self, tmp_path: Path) -> None:
        """10^12 weights, and 10^9 edges, of which the file holds none."""
        file = written(tmp_path / "x.nir")
        with h5py.File(file, "a") as opened:
            del opened["node/nodes/n0/weight"]
            opened["node/nodes/n0"].create_dataset(
                "weight", (10**6, 10**6), "f4", chunks=(1000, 1000)
            )
        with pytest.raises(InputError, match="weight: at most 33,554,432 values are read"):
            read_nir(file)
        file = written(tmp_path / "x.nir")
        with h5py.File(file, "a") as opened:
            del opened["node/edges"]
            opened["node"].create_dataset("edges", (10**9, 2), h5py.string_dtype(), chunks=(10, 2))
        with pytest.raises(InputError, match="edges: at most 65,536 are read, has 1,000,000,000"):
            read_nir(file)

    def test_too_many_nodes(self, tmp_path: Path) -> None:
        file = written(tmp_path / "x.nir")
        with h5py.File(file, "a") as opened:
            for i in range(5000):
                opened["node/nodes"][f"x{i}"] = h5py.SoftLink("/node")
        with pytest.raises(InputError, match="at most 4,096 entries are read, has 5,004"):
            read_nir(file)

    def test_links_are_not_followed(self, tmp_path: Path) -> None:
        other, file = written(tmp_path / "other.nir"), written(tmp_path / "x.nir")
        for link in (
            h5py.ExternalLink(str(other), "node/nodes/n0"),
            h5py.SoftLink("/node/nodes/n1"),
        ):
            with h5py.File(file, "a") as opened:
                del opened["node/nodes/n0"]
                opened["node/nodes/n0"] = link
            with pytest.raises(InputError, match="'n0' is a link, which is not followed"):
                read_nir(file)

    def test_a_graph_that_holds_itself(self, tmp_path: Path) -> None:
        file = written(tmp_path / "x.nir")
        with h5py.File(file, "a") as opened:
            opened["node/nodes/self"] = opened["node"]
        with pytest.raises(InputError, match="at most 4,096 nodes are read, 16 subgraphs deep"):
            read_nir(file)

    def test_names_with_path_tricks(self, tmp_path: Path) -> None:
        file = written(tmp_path / "x.nir")
        with h5py.File(file, "a") as opened:
            opened.move("node/nodes/n0", "node/nodes/..n0")
        with pytest.raises(InputError, match=r"node name '\.\.n0' is not usable"):
            read_nir(file)

    def test_nothing_is_unpickled(self, tmp_path: Path) -> None:
        """A pickle is an opaque value in HDF5, not numbers."""
        file = written(tmp_path / "x.nir")
        with h5py.File(file, "a") as opened:
            del opened["node/nodes/n0/weight"]
            opened["node/nodes/n0/weight"] = np.void(b"cos\nsystem\n(S'false'\ntR.")
        with pytest.raises(InputError, match="weight: must be numbers, is"):
            read_nir(file)
