"""``neurocomp compare``: what is put side by side, and which is better."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from mapping_networks import cell, mlp
from test_export import classifier
from typer.testing import CliRunner

from neurocomp.cli import app
from neurocomp.errors import InputError, InputWarning
from neurocomp.flow import export_network, make_options, map_network, side_by_side, simulate
from neurocomp.flow.folder import RunFolder
from neurocomp.ir.store import save


def mapped(n_cores: int, messages: float, rates: str = "assumed") -> dict[str, Any]:
    """A row as ``map --json`` prints it, as far as it is compared."""
    return {
        "network": "m",
        "target": "loihi2",
        "policy": "balanced",
        "n_cores": n_cores,
        "n_chips": 1,
        "traffic": {
            "messages_per_step": messages,
            "spike_hops_per_step": 2 * messages,
            "max_link_per_step": messages / 2,
            "chip_crossings_per_step": 0.0,
            "rates": rates,
        },
    }


def file(folder: Path, name: str, value: Any) -> Path:
    path = folder / name
    path.write_text(json.dumps(value))
    return path


def rows(found: dict[str, Any]) -> dict[str, tuple[list[Any], list[int] | None]]:
    return {row["metric"]: (row["values"], row["better"]) for row in found["rows"]}


def test_two_mappings(tmp_path: Path) -> None:
    a, b = file(tmp_path, "a.json", mapped(3, 10.0)), file(tmp_path, "b.json", mapped(4, 8.0))
    found = side_by_side([a, b])
    assert found["items"] == [str(a), str(b)]
    assert rows(found) == {
        "network": (["m", "m"], None),
        "target": (["loihi2", "loihi2"], None),
        "policy": (["balanced", "balanced"], None),
        "rates": (["assumed", "assumed"], None),
        "cores": ([3, 4], [0]),
        "chips": ([1, 1], []),
        "messages per step": ([10.0, 8.0], [1]),
        "hops per step": ([20.0, 16.0], [1]),
        "busiest link per step": ([5.0, 4.0], [1]),
        "crossings per step": ([0.0, 0.0], []),
    }


def test_measured_and_assumed_rates_are_not_compared(tmp_path: Path) -> None:
    a = file(tmp_path, "a.json", mapped(3, 10.0, "measured"))
    b = file(tmp_path, "b.json", mapped(4, 8.0, "assumed"))
    found = rows(side_by_side([a, b]))
    assert found["messages per step"] == ([10.0, 8.0], None)
    assert found["cores"] == ([3, 4], [0])


def test_a_simulation_a_summary_and_a_mapping(tmp_path: Path) -> None:
    """9000 SynOps of 3 samples are 3000 each; what one item does not have is null."""
    run = {
        "recipe": "r",
        "target": "loihi2",
        "data": "digits",
        "best": {"params": 500},
        "accuracy": {"float": 0.9, "integer": 0.88, "lava": 0.87},
        "mapping": mapped(5, 12.0),
        "figures": {"energy_mj": 0.25},
        "simulate": {"synops": 8000, "samples": 2, "latency_steps": 6},
    }
    simulation = {
        "backend": "lava", "samples": 3, "synops": 9000, "latency_steps": 4, "accuracy": 0.91,
    }  # fmt: skip
    paths = [
        file(tmp_path, "run.json", run),
        file(tmp_path, "sim.json", simulation),
        file(tmp_path, "map.json", mapped(5, 12.0)),
    ]
    found = rows(side_by_side(paths))
    assert found["accuracy"] == ([0.87, 0.91, None], [1])
    assert found["accuracy, integer"] == ([0.88, None, None], None)
    assert found["SynOps per sample"] == ([4000.0, 3000.0, None], [1])
    assert found["latency, steps"] == ([6, 4, None], [1])
    assert found["45 nm energy per sample, mJ"] == ([0.25, None, None], None)
    assert found["weights"] == ([500, None, None], None)
    assert found["cores"] == ([5, None, 5], [])
    assert found["data"] == (["digits", None, None], None)


def test_a_run_that_has_come_as_far_as_its_mapping(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for stage in ("train", "map"):
        (run / stage).mkdir(parents=True)
    file(run, "run.json", {"recipe": {"data": "digits"}})
    file(run / "train", "result.json", {"accuracy": {"float": 0.9, "integer": 0.8}})
    file(run / "map", "result.json", {"mapping": mapped(2, 4.0), "policies": {}})
    found = rows(side_by_side([run, file(tmp_path, "a.json", mapped(3, 4.0))]))
    assert found["data"] == (["digits", None], None)
    assert found["accuracy, integer"] == ([0.8, None], None)
    assert "accuracy" not in found
    assert found["cores"] == ([2, 3], [0])
    assert found["messages per step"] == ([4.0, 4.0], [])


def test_saved_mappings_alone_and_with_their_network(tmp_path: Path) -> None:
    """Alone a mapping says its cores; with the network what ``map`` printed of it."""
    network = tmp_path / "net.npz"
    save(mlp("m", 20, 400, 300), network)
    paths, printed = [], []
    for policy in ("balanced", "compiler"):
        paths.append(tmp_path / f"{policy}.json")
        printed.append(map_network(network, "loihi1", policy=policy, out=paths[-1]))
    cores = [row["n_cores"] for row in printed]
    with pytest.warns(InputWarning, match="not known without their network; name it with --netw"):
        alone = rows(side_by_side(paths))
    assert alone["cores"][0] == cores
    assert alone["policy"][0] == ["balanced", "compiler"]
    assert "messages per step" not in alone
    found = rows(side_by_side(paths, network=network))
    assert found["cores"][0] == cores
    assert found["messages per step"][0] == [row["traffic"]["messages_per_step"] for row in printed]
    assert found["rates"][0] == ["assumed", "assumed"]
    sanafe = [row["costs"]["energy"]["sanafe"] for row in printed]
    assert found["of it messages and mesh, loihi1 sanafe, pJ"][0] == [
        cost["energy_pj"]["messages"] + cost["energy_pj"]["mesh"] for cost in sanafe
    ]
    assert found["busiest core, loihi1 sanafe, ns"][0] == [cost["makespan_ns"] for cost in sanafe]


def test_targets_priced_alike_stand_side_by_side(tmp_path: Path) -> None:
    """Loihi 2 has no published prices and is quoted at Loihi 1's, so both share the rows."""
    network = tmp_path / "net.npz"
    save(mlp("m", 20, 400, 300), network)
    printed = [map_network(network, hw) for hw in ("loihi1", "loihi2")]
    items = [file(tmp_path, f"{k}.json", row) for k, row in enumerate(printed)]
    own, like = (
        printed[k]["costs"][name]["sanafe"]["energy_pj"]["total"]
        for k, name in enumerate(("energy", "loihi1_equivalent_energy"))
    )
    assert rows(side_by_side(items))["energy per step, loihi1 sanafe, pJ"][0] == [own, like]


def test_saved_mappings_with_the_run_that_measured(tmp_path: Path) -> None:
    """The rates of a run named as the network are those that its own mapping was made with."""
    run = tmp_path / "run"
    options = make_options(hw="loihi1")
    with RunFolder.locked(run, options.identity()) as made:
        save(classifier(), made.stage("train") / "network.npz")
        made.finish("train", {})
    path = tmp_path / "m.json"
    printed = map_network(run, out=path)
    assert printed["traffic"]["rates"] == "measured"
    assert printed["traffic"]["assumed_rates"] == {}
    found = rows(side_by_side([path, path], network=run))
    assert found["rates"][0] == ["measured", "measured"]
    assert found["messages per step"][0] == [printed["traffic"]["messages_per_step"]] * 2


def test_saved_mappings_of_a_file_read_without_its_first_layers(tmp_path: Path) -> None:
    network, path = tmp_path / "net.net", tmp_path / "m.json"
    export_network(classifier(), "netx", out=network)
    printed = map_network(network, skip_layers=2, out=path)
    found = rows(side_by_side([path, path], network=network, skip_layers=2))
    assert found["cores"][0] == [printed["n_cores"]] * 2
    with pytest.raises(InputError, match="is a mapping of another network than --network"):
        side_by_side([path, path], network=network)


def test_runs_of_another_version(tmp_path: Path) -> None:
    """A key that is gone or new is named, with the run and what to do; nothing else breaks."""
    run = tmp_path / "run"
    identity = make_options(hw="loihi1").identity()
    identity["target"]["core"]["gone"] = 3
    del identity["seed"]
    with RunFolder.locked(run, identity) as made:
        save(classifier(), made.stage("train") / "network.npz")
        made.finish("train", {})
    message = r"run: is a run of another version .*; run the search again (.|\n)*seed: is missing"
    for command in (map_network, simulate):
        with pytest.raises(InputError, match=message) as raised:
            command(run)
        assert "target.core.gone: unknown key" in str(raised.value)
    file(run, "run.json", {"recipe": {}})
    with pytest.raises(InputError, match=r"run: recipe.data is missing .* of another version"):
        side_by_side([run, run])


def test_a_saved_mapping_of_another_network(tmp_path: Path) -> None:
    networks = [tmp_path / "a.npz", tmp_path / "b.npz"]
    for path, graph in zip(networks, (cell(), mlp("m", 3, 3)), strict=True):
        save(graph, path)
    mapping = tmp_path / "map.json"
    map_network(networks[0], "loihi1", out=mapping)
    with pytest.raises(
        InputError, match="another network than --network 'm' as read; --skip-layers"
    ):
        side_by_side([mapping, mapping], network=networks[1])


def test_the_page_marks_the_better_values(tmp_path: Path) -> None:
    paths = [
        file(tmp_path, "a<b>.json", mapped(3, 1234.5)),
        file(tmp_path, "b.json", mapped(4000, 1234.5)),
    ]
    found = side_by_side(paths, out=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert found["page"] == str(tmp_path / "page.html")
    assert "<td><b>3</b></td><td>4,000</td>" in page
    assert "<td>1,234.5</td><td>1,234.5</td>" in page
    assert "a&lt;b&gt;.json" in page


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], "holds JSON, but no object; expected a mapping or what --json printed"),
        ({"n_cores": 3}, "neither a mapping nor a result"),
        (mapped(3, 1.0) | {"n_cores": "3"}, "cores: must be a number, got '3'"),
        ({"backend": "lava", "samples": 0, "synops": 3}, "SynOps per sample: ZeroDivisionError"),
        ({"format": "neurocomp-mapping/1", "partition": {}}, "a damaged mapping file"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, value: Any, message: str) -> None:
    good, bad = file(tmp_path, "a.json", mapped(3, 1.0)), file(tmp_path, "b.json", value)
    with pytest.raises(InputError, match=message):
        side_by_side([good, bad])


def test_paths_that_cannot_be_used(tmp_path: Path) -> None:
    good = file(tmp_path, "a.json", mapped(3, 1.0))
    text = tmp_path / "text"
    text.write_text("{")
    with pytest.raises(InputError, match="needs two runs, mappings or results at least"):
        side_by_side([good])
    with pytest.raises(InputError, match="no such file or run folder"):
        side_by_side([good, tmp_path / "none.json"])
    with pytest.raises(InputError, match=": no JSON; expected a mapping or what --json printed"):
        side_by_side([good, text])
    with pytest.raises(InputError, match="not a run folder"):
        side_by_side([good, tmp_path])
    with pytest.raises(InputError, match="does not exist; make it first"):
        side_by_side([good, good], out=tmp_path / "none" / "page.html")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file(tmp_path, "a.json", mapped(3, 10.0))
    file(tmp_path, "b.json", mapped(4, 10.0))
    assert CliRunner().invoke(app, ["compare", "a.json"]).exit_code == 2
    assert CliRunner().invoke(app, ["compare", "a.json", "b.json"]).exit_code == 0
    assert (tmp_path / "compare.html").is_file()


def test_the_command_prints_a_table_or_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    file(tmp_path, "a.json", mapped(3, 10.0))
    file(tmp_path, "b.json", mapped(4, 10.0))
    app(["compare", "a.json", "b.json"], standalone_mode=False)
    lines = capfd.readouterr().out.splitlines()
    words = {line.split("│")[1].strip(): line.split("│")[2:-1] for line in lines if "│" in line}
    assert [cell.strip() for cell in words["cores"]] == ["3", "4", "a.json"]
    assert words["chips"][-1].strip() == "equal"
    assert words["policy"][-1].strip() == ""
    app(["compare", "a.json", "b.json", "--json", "--out", "page.html"], standalone_mode=False)
    found = json.loads(capfd.readouterr().out)
    assert found["page"] == "page.html"
    assert found["items"] == ["a.json", "b.json"]
