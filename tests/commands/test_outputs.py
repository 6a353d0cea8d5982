"""Results never destroy what they are made from, nor files of another kind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from mapping_networks import mlp
from test_export import classifier

from neurocomp.atomic import require_writable, writing
from neurocomp.errors import InputError, InputWarning
from neurocomp.flow import export_network, map_network, side_by_side, simulate
from neurocomp.ir.store import load, save
from neurocomp.mapping.store import load as load_mapping

OWN = """name: own
summary: fewest messages
partitioner: portfolio
placer: anneal
router: multicast
core_weight: 0.0
hop_weight: 0.0
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a network, a target, a policy, input values and a mapping."""
    monkeypatch.chdir(tmp_path)
    save(classifier(), Path("net.npz"))
    Path("chip.yaml").write_text("name: chip\nsummary: s\nextends: loihi2\n")
    Path("own.yaml").write_text(OWN)
    np.save("input.npy", np.zeros((1, 3, 1, 8, 8), np.int64))
    map_network("net.npz", "loihi2", out=Path("m.json"), routes=Path("r.json"))
    Path("link.json").symlink_to("net.npz")
    with h5py.File("data.net", "w") as file:
        file["labels"] = np.arange(3)
    Path("half.net").write_bytes(Path("data.net").read_bytes()[:300])
    Path("notes").mkdir()
    Path("notes/network.yaml").write_text("# our network: see below\nmy network: wlan0\n")
    return tmp_path


def mapped(**files: str | Path) -> None:
    map_network("net.npz", "chip.yaml", policy="own.yaml", **{k: Path(v) for k, v in files.items()})


READ = "is read by this command; name another file"
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "network": (lambda: mapped(out="net.npz"), f"net.npz: {READ}"),
    "linked": (lambda: mapped(out="link.json"), f"link.json: {READ}"),
    "target": (lambda: mapped(routes="./chip.yaml"), f"chip.yaml: {READ}"),
    "policy": (lambda: mapped(out="own.yaml"), f"own.yaml: {READ}"),
    "each other": (lambda: mapped(out="x.json", routes="./x.json"), "cannot be one file"),
    "another network": (
        lambda: map_network(mlp("m", 2, 2), "loihi2", out=Path("net.npz")),
        r"net.npz: is there and not a mapping \(JSON\); name another file",
    ),
    "other JSON": (
        lambda: mapped(routes="m.json"),
        r"m.json: is there and not routing tables \(JSON\)",
    ),
    "trace": (
        lambda: simulate("net.npz", backend="reference", trace="a", trace_out=Path("net.npz")),
        f"net.npz: {READ}",
    ),
    "trace on values": (
        lambda: simulate(
            "net.npz",
            backend="reference",
            trace="a",
            input_file="input.npy",
            trace_out=Path("input.npy"),
        ),
        f"input.npy: {READ}",
    ),
    "trace on another network": (
        lambda: simulate(classifier(), backend="reference", trace="a", trace_out=Path("net.npz")),
        r"net.npz: is there and not a trace \(.npz\)",
    ),
    "export": (
        lambda: export_network("net.npz", "netx", out=Path("net.npz")),
        f"net.npz: {READ}",
    ),
    "export on text": (
        lambda: export_network("net.npz", "netx", out=Path("m.json")),
        r"m.json: is there and not a netx network \(HDF5\)",
    ),
    "netx on other HDF5": (
        lambda: export_network("net.npz", "netx", out=Path("data.net")),
        r"data.net: is there and not a netx network \(HDF5\)",
    ),
    "NIR on other HDF5": (
        lambda: export_network("net.npz", "nir", out=Path("data.net")),
        r"data.net: is there and not a NIR network \(HDF5\)",
    ),
    "export on half a file": (
        lambda: export_network("net.npz", "netx", out=Path("half.net")),
        r"half.net: is there and not a netx network \(HDF5\)",
    ),
    "SANA-FE on other text": (
        lambda: export_network("net.npz", "sanafe", out=Path("notes")),
        r"network.yaml: is there and not a file of SANA-FE \(YAML\)",
    ),
    "page": (lambda: side_by_side([Path("m.json")] * 2, out=Path("m.json")), f"m.json: {READ}"),
    "page on a network": (
        lambda: side_by_side([Path("m.json"), Path("m.json")], out=Path("net.npz")),
        r"net.npz: is there and not a page \(HTML\)",
    ),
    "a number of the list": (
        lambda: mapped_list(routes=Path("p-1.json")),
        "p-1.json: may be a mapping of the Pareto list",
    ),
}


def mapped_list(**files: Path) -> dict[str, Any]:
    return map_network("net.npz", "loihi2", pareto=True, out=Path("p.json"), **files)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_is_destroyed(folder: Path, name: str) -> None:
    call, message = REFUSED[name]
    before = contents(folder)
    with pytest.raises(InputError, match=message):
        call()
    assert contents(folder) == before


def test_a_result_may_be_written_again(folder: Path) -> None:
    for _ in range(2):
        mapped(out="m.json", routes="r.json", picture="cores.svg")
        simulate("net.npz", backend="reference", trace="a", trace_out=Path("t.npz"))
        export_network("net.npz", "netx", out=Path("out.net"))
        export_network("net.npz", "nir", out=Path("out.nir"))
        export_network("net.npz", "sanafe", out=Path("out"))
        with pytest.warns(InputWarning, match="not known without their network"):
            side_by_side([Path("m.json"), Path("m.json")], out=Path("page.html"))
    assert load(Path("net.npz")).digest() == classifier().digest()


def test_numbered_files(folder: Path) -> None:
    """One that is no mapping is refused before any work; old ones beyond the list are told."""
    Path("p-1.json").write_text("{}")
    with pytest.raises(InputError, match=r"p-1.json: is there and not a mapping"):
        mapped_list()
    Path("p-1.json").unlink()
    Path("p-2.json").mkdir()
    with pytest.raises(InputError, match=r"p-2.json: is there and no regular file"):
        mapped_list()
    Path("p-2.json").rmdir()
    Path("p-99.json").write_bytes(Path("m.json").read_bytes())
    with pytest.warns(InputWarning, match=r"p-99.json are left of an earlier list"):
        row = mapped_list()
    assert load_mapping(Path("p-99.json")) == load_mapping(Path("m.json"))
    assert "p-99.json" not in row["files"]


def test_files_marked_read_only_stay(folder: Path) -> None:
    Path("m.json").chmod(0o444)
    with pytest.raises(InputError, match=r"m.json: is marked read-only"):
        mapped(out="m.json")


def test_a_run_keeps_what_its_stages_left(folder: Path) -> None:
    """A file of a stage is refused; what was put beside them may be written again."""
    run = Path("run")
    for stage in ("train", "map"):
        (run / stage).mkdir(parents=True)
        (run / stage / "result.json").write_text("{}")
    (run / "run.json").write_text("{}")
    saved = run / "map" / "mapping.json"
    for path in (saved, run / "own.json"):
        path.write_bytes(Path("m.json").read_bytes())
    page = Path("page.html")
    page.write_text("<!DOCTYPE html>")
    from neurocomp.flow.outputs import json_of, require_safe

    kind = json_of("a mapping", "neurocomp-mapping/1")
    require_safe([(run / "own.json", kind)], [run])
    with pytest.raises(InputError, match=READ):
        require_safe([(saved, kind)], [run])


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc here")
def test_a_folder_that_takes_no_files() -> None:
    """The attempt is made, since neither the folder's mode nor its owner tells."""
    with pytest.raises(InputError, match=r"/proc/x.json: no file can be written to /proc \("):
        require_writable(Path("/proc/x.json"))
    with pytest.raises(OSError, match=r"/proc/x.json"), writing(Path("/proc/x.json")):
        pass


def test_a_try_leaves_nothing(tmp_path: Path) -> None:
    require_writable(tmp_path / "x.json")
    (tmp_path / "y.json").write_text(json.dumps(1))
    require_writable(tmp_path / "y.json")
    assert os.listdir(tmp_path) == ["y.json"]
