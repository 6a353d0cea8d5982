"""A recipe with a joint search through the main job, its report, its options and baselines."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from joint_networks import space
from typer.testing import CliRunner

from neurocomp.cli import app
from neurocomp.cost.size import is_fixed
from neurocomp.errors import FitError, InputError
from neurocomp.flow.compare import compare
from neurocomp.flow.context import Context
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.joint import job_of
from neurocomp.flow.options import make_options
from neurocomp.flow.run import run_search, write_run_report
from neurocomp.ir.store import load
from neurocomp.progress import quiet
from neurocomp.report import paper_table
from neurocomp.spec.read import write_yaml
from neurocomp.spec.recipe import load_recipe

BASELINES = ("sequential", "uniform4", "spikedhs", "spikernel")


def recipe_file(folder: Path, **joint: Any) -> Path:
    """The digits recipe cut down to seconds, with a space of two cells."""
    shipped = load_recipe("litesnn-digits")
    assert shipped.joint is not None
    given = shipped.model_dump(mode="json")
    tiny = space(ops=("skip", "conv3"), timesteps=(1, 2))
    write_yaml(folder / "space.yaml", tiny.model_dump(mode="json"))
    given["joint"] |= {
        "space": str(folder / "space.yaml"),
        "channels": 4,
        "search_channels": 2,
        "epochs": 1,
        "batch": 256,
        "budgets": {},
        **joint,
    }
    given["train"] |= {"epochs": 1, "qat_epochs": 1, "epoch_images": 128}
    given["search"] |= {"candidates": 3, "batch": 8}
    given["narrow"] |= {"cell_bits": [1], "macro_bits": [2], "hidden": [32], "final_pool": [4]}
    write_yaml(folder / "tiny.yaml", given)
    return folder / "tiny.yaml"


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("flow")
    path = recipe_file(folder, baselines=list(BASELINES))
    options = make_options("loihi2", str(path), samples=2, device="cpu")
    return run_search(folder / "run", options)


class TestRun:
    def test_every_stage_and_lava_exactly(self, summary: dict[str, Any]) -> None:
        assert summary["search"]["strategy"] == "joint"
        assert summary["simulate"]["mismatches"] == 0
        assert summary["best"]["timesteps"] in (1, 2)
        assert set(summary["accuracy"]) == {"float", "integer", "lava"}

    def test_the_network_has_the_designs_bits_and_learnt_masks(
        self, summary: dict[str, Any]
    ) -> None:
        graph = load(Path(summary["run"]) / "train" / "network.npz")
        untrained = load(Path(summary["run"]) / "search" / "untrained.npz")
        bits = {e.name: e.weight_bits for e in untrained.projections}
        for e in graph.projections:
            assert e.weight_bits == bits[e.name]
            if not is_fixed(graph, e):
                assert e.mask is not None
                assert e.mask.sum() == e.mask.size - round(0.5 * e.mask.size)

    def test_figures_of_the_papers_tables(self, summary: dict[str, Any]) -> None:
        row = summary["figures"]
        assert set(row) == {
            "size_mb", "bit_synops", "stored_bit_synops", "additions", "multiplications",
            "energy_mj", "stored_bytes", "weight_bits", "timesteps", "design_hours",
        }  # fmt: skip
        stem = 0.5 * 9 * 1 * 8 * 8 * 8  # half of 9·1·(2·4 channels) on 8×8 pixels, per step
        assert row["multiplications"] == row["timesteps"] * stem
        assert row["stored_bytes"] % 8 == 0
        assert row["energy_mj"] == pytest.approx(
            (0.9 * row["additions"] + 3.7 * row["multiplications"]) * 1e-9
        )

    def test_baselines(self, summary: dict[str, Any]) -> None:
        rows = {row["name"]: row for row in summary["baselines"]}
        assert tuple(rows) == BASELINES
        assert rows["uniform4"]["weight_bits"] == [4, 8]  # the classifier keeps its 8 bits,
        assert rows["spikedhs"]["weight_bits"] == [4, 8]  # the stem its 4
        assert rows["spikedhs"]["timesteps"] == 2
        for row in rows.values():
            assert row["fault"] is None or row["name"] in ("sequential", "spikernel")

    def test_limits_are_looked_at_again(self, summary: dict[str, Any]) -> None:
        """The shipped chip's 128 cores are a limit always; every baseline is held against it."""
        own = summary["limits"]["cores"]
        assert own == {
            "limit": 128,
            "judged": summary["search"]["judged"]["cores"],
            "final": summary["mapping"]["n_cores"],
            "kept": True,
        }
        for row in summary["baselines"]:
            assert row["fault"] or row["limits"]["cores"]["final"] == row["cores"]
        assert summary["search"]["epoch"] == 1
        assert not summary["search"]["early"]  # there is no later one

    def test_sequential_gets_no_more_bits_than_the_joint_design(
        self, summary: dict[str, Any]
    ) -> None:
        row = next(r for r in summary["baselines"] if r["name"] == "sequential")
        most = summary["best"]["model_bits"]
        if row["fault"]:  # one epoch cannot adapt much
            assert f"{most:,.0f} allowed" in row["fault"]
        else:
            assert 8e6 * row["size_mb"] <= most

    def test_a_limit_that_training_breaks_ends_with_exit_code_3(
        self, summary: dict[str, Any], tmp_path: Path
    ) -> None:
        """A copy of the run whose trained network took 200 cores."""
        run = Path(summary["run"])
        shutil.copytree(run, tmp_path / "run")
        result = tmp_path / "run" / "map" / "result.json"
        mapped = json.loads(result.read_text())
        mapped["limits"]["cores"] |= {"final": 200, "kept": False}
        result.write_text(json.dumps(mapped))
        recipe = str(run.parent / "tiny.yaml")
        given = ["--recipe", recipe, "--samples", "2", "--device", "cpu"]
        made = CliRunner().invoke(app, ["search", *given, "--out", str(tmp_path / "run")])
        assert made.exit_code == 3
        assert "cores: 200 after training, 128 allowed, 56.2% more" in " ".join(made.output.split())
        assert (tmp_path / "run" / "summary.json").is_file()

    def test_a_baseline_without_room_keeps_its_accuracy(
        self, summary: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*args: object, **more: object) -> None:
            raise FitError("spikedhs: needs 500 cores")

        run = Path(summary["run"])
        shutil.copytree(run, tmp_path / "run")
        (tmp_path / "run" / "compare" / "spikedhs" / "result.json").unlink()
        monkeypatch.setattr("neurocomp.mapping.map_graph", full)
        given = make_options("loihi2", str(run.parent / "tiny.yaml"), samples=2, device="cpu")
        folder = RunFolder.existing(tmp_path / "run")
        made = compare(Context(folder, given, given.dataset(), quiet))["baselines"]
        before = {row["name"]: row for row in summary["baselines"]}["spikedhs"]
        assert {row["name"]: row for row in made}["spikedhs"] == {
            "name": "spikedhs",
            "fault": "spikedhs: needs 500 cores",
            "accuracy": before["accuracy"],
        }

    def test_the_report_shows_it(self, summary: dict[str, Any]) -> None:
        html = Path(summary["report"]).read_text()
        assert "Joint search" in html
        assert "As in the paper" in html
        assert summary["best"]["id"] in html
        table = paper_table(summary)
        assert [str(row[0]).split(":")[0] for row in table.rows][:4] == [
            "this network", "sequential", "uniform4", "spikedhs",
        ]  # fmt: skip
        assert all(len(row) == len(table.headers) for row in table.rows)

    def test_a_finished_run_is_not_done_again(self, summary: dict[str, Any]) -> None:
        folder = Path(summary["run"])
        before = {p: p.stat().st_mtime_ns for p in folder.rglob("result.json")}
        options = make_options("loihi2", str(folder.parent / "tiny.yaml"), samples=2, device="cpu")
        again = run_search(folder, options)
        assert again == json.loads((folder / "summary.json").read_text()) == summary
        assert {p: p.stat().st_mtime_ns for p in folder.rglob("result.json")} == before
        write_run_report(folder)

    def test_nothing_to_compare_with_is_said(self, summary: dict[str, Any]) -> None:
        row = {"name": "spikernel", "fault": "the smallest has more"}
        made = paper_table({**summary, "baselines": [row]})
        assert made.rows[1][0] == "spikernel: none within the limits"
        assert paper_table({}).rows == ()


class TestOptions:
    def test_limits_and_baselines(self) -> None:
        options = make_options(
            "loihi2", "litesnn-digits", max_bits=9, max_bit_synops=8, max_cores=7, baselines=True
        )
        assert options.recipe.joint is not None
        assert options.recipe.joint.baselines == BASELINES
        job = job_of(options)
        assert job.limits == {"cores": 7, "bits": 9.0, "bit_synops": 8.0}
        without = make_options("loihi2", "litesnn-digits", baselines=False)
        assert without.recipe.joint is not None
        assert without.recipe.joint.baselines == ()

    def test_no_more_cores_than_there_are(self) -> None:
        options = make_options("loihi2", "litesnn-digits", max_cores=10_000)
        assert job_of(options).limits["cores"] == 128
        cut = replace(options, recipe=options.recipe.model_copy(update={"joint": None}))
        with pytest.raises(InputError, match="has no section 'joint'"):
            job_of(cut)

    def test_a_recipe_without_a_joint_search(self) -> None:
        with pytest.raises(InputError, match=r"--max-bit-synops.*recipes with a joint search"):
            make_options("loihi2", "spikernel-digits", max_bit_synops=5)
        assert make_options("loihi2", "spikernel-digits", max_bits=5).recipe.search.max_bits == 5


@pytest.mark.slow
def test_litesnn_digits(tmp_path: Path) -> None:
    """The shipped recipe: within its limits, exact in Lava, and it has learnt."""
    options = make_options("loihi2", "litesnn-digits", samples=100)
    made = run_search(tmp_path / "run", options)
    joint = options.recipe.joint
    assert joint is not None
    assert made["best"]["model_bits"] <= joint.budgets["bits"]
    assert made["best"]["bit_synops"] <= joint.budgets["bit_synops"]
    assert made["accuracy"]["integer"] > 0.9
    assert made["simulate"]["mismatches"] == 0
