"""Experiments: variants of a recipe, run one after the other and compared."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from neurocomp import shipped
from neurocomp.data import Dataset
from neurocomp.errors import InputError
from neurocomp.flow.experiment import _compared, _held_out, experiment
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.listing import experiment_rows
from neurocomp.flow.options import Options
from neurocomp.progress import quiet
from neurocomp.report.experiment import experiment_page, trade_off_chart
from neurocomp.spec.experiment import load_experiment, recipes_of
from neurocomp.spec.read import write_yaml

FEW = {"candidates": 3}
SMALL: dict[str, Any] = {
    "name": "mine",
    "summary": "two kernel sets",
    "source": "made for this test",
    "recipe": "spikernel-digits",
    "baseline": "first",
    "variants": {
        "first": {"narrow": {"kernel_sets": ["set1"], "channels": [16]}, "search": FEW},
        "second": {"narrow": {"kernel_sets": ["set2"], "channels": [16]}, "search": FEW},
    },
}  # fmt: skip


def written(tmp_path: Path, **changes: Any) -> str:
    path = tmp_path / "mine.yaml"
    write_yaml(path, SMALL | changes)
    return str(path)


@pytest.mark.parametrize("name", shipped.names("search/experiments"))
def test_every_shipped_experiment_has_its_variants(name: str) -> None:
    made = load_experiment(name)
    recipes = recipes_of(made)
    assert made.name == name
    assert list(recipes) == list(made.variants)
    assert len({recipe.model_dump_json() for recipe in recipes.values()}) == len(recipes)


def test_a_variant_changes_the_recipe_alone_where_it_says_so(tmp_path: Path) -> None:
    first, second = recipes_of(load_experiment(written(tmp_path))).values()
    assert first.narrow["kernel_sets"] == ["set1"]
    assert first.narrow["timesteps"] == [4, 6]  # the recipe's
    assert (first.search.candidates, first.search.batch) == (3, 32)
    assert second.narrow["kernel_sets"] == ["set2"]
    assert first.train == second.train


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"baseline": "third"}, r"baseline: is one of first, second, got 'third'"),
        ({"variants": {"a": {"search": {"candidate": 3}}}}, r"variants\.a\.search: .*unknown key"),
        ({"variants": {"a": {"narrow": {"kernel_sets": ["x"]}}}}, r"does not offer 'x'"),
        ({"variants": {"a": {"space": "nowhere"}}}, r"unknown space"),
        ({"variants": {}}, r"variants"),
    ],
)
def test_faults_are_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        load_experiment(written(tmp_path, **{"baseline": None} | changes))


def test_an_unknown_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown stage"):
        experiment(written(tmp_path), stop_after="dinner", out=tmp_path)


def test_variants_are_searched_and_compared(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    found = experiment(
        written(tmp_path), out=tmp_path / "runs", stop_after="search",
        on_variant=lambda *said: seen.append(said),
    )  # fmt: skip
    assert seen == [("first", 1, 2), ("second", 2, 2)]
    assert [row["variant"] for row in found["rows"]] == ["first", "second"]
    assert found["rows"][0]["search_speedup"] == 1.0
    assert found["chosen"] is None  # nothing was trained
    assert json.loads((tmp_path / "runs" / "mine.json").read_text()) == found
    assert "No network was trained" in Path(found["page"]).read_text()
    before = {row["run"]: Path(row["run"], "search", "journal.log").stat().st_mtime_ns
              for row in found["rows"]}  # fmt: skip
    again = experiment(written(tmp_path), out=tmp_path / "runs", stop_after="search")
    assert [row["run"] for row in again["rows"]] == list(before)
    assert all(Path(run, "search", "journal.log").stat().st_mtime_ns == at
               for run, at in before.items())  # fmt: skip


def row(variant: str, params: int, integer: float | None) -> dict[str, Any]:
    return {
        "variant": variant, "id": variant, "params": params, "stored_mb": params / 1e6, "cores": 3,
        "score": 1.0, "convolutions": 2, "candidates": 3, "distinct": 3, "search_s": 1.0,
        "search_speedup": None, "float": integer, "integer": integer, "lava": None, "run": "",
        "held_out": integer,
    }  # fmt: skip


def test_the_picture_marks_what_was_chosen() -> None:
    found = {
        "experiment": "e", "summary": "s", "source": "p", "max_params": 150.0, "baseline": "b",
        "chosen": "a", "rows": [row("a", 100, 0.9), row("b", 200, 0.95)],
    }  # fmt: skip
    page = experiment_page(found)
    assert page.count("<svg") == 1
    assert ">a<" in page
    for words in ("limit, 150 parameters", "baseline", "chosen", "stored mb"):
        assert f">{words}<" in page
    assert trade_off_chart({**found, "rows": [row("a", 100, None)]}) is None


def test_names_of_networks_in_one_place_stand_under_each_other() -> None:
    found = {
        "max_params": None, "baseline": None, "chosen": None,
        "rows": [row("a", 100, 0.9), row("b", 100, 0.9), row("c", 200, 0.95)],
    }  # fmt: skip
    chart = trade_off_chart(found)
    assert chart is not None
    texts = {text.text: text.get("transform", "") for text in chart.iter("text")}
    (ax, ay), (bx, by) = ([float(x) for x in re.findall(r"[\d.]+", texts[name])] for name in "ab")
    assert bx == pytest.approx(ax, abs=1)
    assert by - ay > 7  # their type is 7.5 pixels high
    assert not {"baseline", "chosen"} & texts.keys()


def test_the_choice_looks_at_held_out_samples_alone(tmp_path: Path) -> None:
    made = load_experiment(written(tmp_path))
    rows = [row("first", 100, 0.9) | {"held_out": 0.8}, row("second", 200, 0.7) | {"held_out": 0.9}]
    found = _compared(made, rows, tmp_path)
    assert found["chosen"] == "second"
    assert Path(found["picture"]).read_text().startswith("<?xml")
    untrained = [{**one, "integer": None, "held_out": None} for one in rows]
    assert _compared(made, untrained, tmp_path)["picture"] is None


def test_held_out_samples_are_not_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Dataset] = []

    def stub(graph: object, dataset: Dataset, *rest: object, **more: object) -> SimpleNamespace:
        seen.append(dataset)
        return SimpleNamespace(accuracy_integer=0.75)

    found = experiment(written(tmp_path), out=tmp_path / "runs", stop_after="search")
    monkeypatch.setattr("neurocomp.train.train", stub)
    run = RunFolder.existing(Path(found["rows"][0]["run"]))
    options = Options.of_run(run)
    with RunFolder.locked(run.path, options.identity()):
        with pytest.raises(InputError, match="another process works on this run"):
            _held_out(options, run.path, quiet)
    assert [_held_out(options, run.path, quiet) for _ in range(2)] == [0.75, 0.75]
    assert len(seen) == 1
    whole = options.dataset()
    shown = len(seen[0].train_values) + len(seen[0].test_values)
    assert shown == len(whole.train_values)
    share = options.recipe.search.short.holdout
    assert len(seen[0].test_values) == pytest.approx(share * shown, abs=len(whole.classes))


def test_all_are_listed() -> None:
    rows = experiment_rows()
    assert [made["name"] for made in rows] == shipped.names("search/experiments")
    assert rows[0] == {
        "name": "spikernel-step1",
        "variants": 4,
        "recipe": "spikernel-cifar10",
        "summary": "what kernel sizes do to accuracy, one size at a time",
    }


@pytest.mark.slow
def test_step_four_on_digits(tmp_path: Path) -> None:
    found = experiment("spikernel-step4-digits", out=tmp_path, epochs=3)
    assert len(found["rows"]) == 7
    assert all(row["integer"] > 0.8 for row in found["rows"])
    by_name = {row["variant"]: row for row in found["rows"]}
    small, large = by_name["1x1_3x3_100x"], by_name["5x5_7x7_100x"]
    assert large["params"] > 2 * small["params"]
    assert large["stored_mb"] > 2 * small["stored_mb"]
    chosen = by_name[found["chosen"]]
    within = [row for row in found["rows"] if row["params"] <= found["max_params"]]
    assert chosen["held_out"] == max(row["held_out"] for row in within)
    assert Path(found["page"]).read_text().count("<svg") == 1
