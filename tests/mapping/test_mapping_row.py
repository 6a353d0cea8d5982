"""The row of `map`: what it says, and that no wrong count becomes a result."""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mapping_networks import CHIPS, cell, mlp, target

from neurocomp.errors import InputError, RunError
from neurocomp.flow import map_network
from neurocomp.mapping import (
    check,
    cores_without_rules,
    map_graph,
    summary,
)
from neurocomp.mapping.store import load
from neurocomp.spec.policy import policy_names
from neurocomp.spec.target import load_target

summaries = importlib.import_module("neurocomp.mapping.summary")


@pytest.mark.parametrize("policy", policy_names())
def test_summary_row(policy: str) -> None:
    graph = cell()
    mapping = map_graph(graph, CHIPS, policy)
    row = summary(graph, mapping, CHIPS)
    json.dumps(row, allow_nan=False)
    assert row["n_cores"] == mapping.n_cores >= row["lower_bound_cores"]
    assert row["n_chips"] == len(mapping.chips)
    assert [layer["name"] for layer in row["layers"]] == ["a", "b", "c", "out"]
    for layer in row["layers"]:
        holders = [
            c for c in mapping.partition.cores if any(s.population == layer["name"] for s in c)
        ]
        assert layer["n_cores"] == len(holders)
        assert {"neurons", "synapse_words", "in_axons", "axon_map", "total_words"} <= set(
            layer["used"]
        )
        assert all(limit is None or used <= limit for used, limit in layer["used"].values())
        assert layer["binding"] in layer["used"]
    assert [layer["weight_bits"] for layer in row["layers"]] == [8, 8, 2, 8]
    assert row["traffic"]["rates"] == "assumed"
    assert row["traffic"]["messages_per_step"] > 0


def test_measured_rates_are_told_from_assumed_ones() -> None:
    graph = cell()
    rates = {p.name: np.full(p.shape, 0.2) for p in graph.neurons}
    mapping = map_graph(graph, CHIPS, "balanced", rates=rates)
    partly = summary(graph, mapping, CHIPS, rates)["traffic"]
    measured = summary(graph, mapping, CHIPS, {**rates, "in": 0.3})["traffic"]
    assumed = summary(graph, mapping, CHIPS)["traffic"]
    assert (measured["rates"], measured["assumed_rates"]) == ("measured", {})
    assert (partly["rates"], partly["assumed_rates"]) == ("partly assumed", {"in": 1.0})
    assert assumed["rates"] == "assumed"
    assert assumed["assumed_rates"] == {**dict.fromkeys(("a", "b", "c", "out"), 0.1), "in": 1.0}
    assert measured["messages_per_step"] == pytest.approx(2 * assumed["messages_per_step"])


def test_without_the_rules_of_the_tool_chain() -> None:
    """One neuron group to a core: two layers stand on two cores, and would on one."""
    graph, chip = mlp("m", 3, 4, 4), target(neuron_groups=1)
    assert map_graph(graph, chip, "balanced").n_cores == 2
    assert cores_without_rules(graph, chip, "balanced") == 1


def test_the_row_of_a_command_with_everything(tmp_path: Path) -> None:
    """The Pareto list's mappings lie beside the policy's own, and its figures are theirs."""
    graph = cell()
    row = map_network(
        graph, "loihi2", effort="quality", pareto=True, without_rules=True, time_budget=60,
        out=tmp_path / "m.json",
    )  # fmt: skip
    json.dumps(row, allow_nan=False)
    assert row["without_rules"]["n_cores"] <= row["n_cores"]
    files = {f"m-{i}.json" for i in range(1, len(row["pareto"]) + 1)}
    assert {path.name for path in tmp_path.iterdir()} == {"m.json", *files}
    assert {Path(file).name for file in row["files"]} == {"m.json", *files}
    chip = load_target("loihi2")
    for i, figures in enumerate(row["pareto"], start=1):
        mapping = check(graph, load(tmp_path / f"m-{i}.json"), chip)
        sent = summary(graph, mapping, chip)["traffic"]
        assert figures == {
            "n_cores": mapping.n_cores,
            "n_chips": len(mapping.chips),
            "messages_per_step": sent["messages_per_step"],
            "spike_hops_per_step": sent["spike_hops_per_step"],
            "max_link_per_step": sent["max_link_per_step"],
        }


def test_the_row_of_a_command_without_anything() -> None:
    row = map_network(cell(), "loihi2")
    assert {"pareto", "without_rules"}.isdisjoint(row)
    assert row["traffic"]["lower_bound_hops_per_step"] <= row["traffic"]["spike_hops_per_step"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("hops_east_west", r"spike hops per step: the summary says"),
        ("messages", r"messages per step: the summary says"),
        ("max_link", r"max link per step: the summary says"),
    ],
)
def test_a_wrong_count_is_no_result(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever prints a mapping's counters has had them counted by the checker."""
    right = summaries.traffic

    def wrong(*args: Any) -> Any:
        found = right(*args)
        return replace(found, **{name: getattr(found, name) + 1.0})

    monkeypatch.setattr(summaries, "traffic", wrong)
    with pytest.raises(RunError, match=message):
        map_network(cell(), "loihi2")


def test_a_wrong_event_or_price_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    right_events, right_rows = summaries.events, summaries.cost_rows

    def one_more(*args: Any) -> Any:
        found = right_events(*args)
        return replace(found, conv=found.conv + 1.0)

    def cheaper(*args: Any) -> Any:
        found = right_rows(*args)
        for by_basis in found["costs"].values():
            by_basis["sanafe"]["energy_pj"]["mesh"] -= 1.0
        return found

    with monkeypatch.context() as patched:
        patched.setattr(summaries, "events", one_more)
        with pytest.raises(RunError, match="synops: the summary"):
            map_network(cell(), "loihi2")
    monkeypatch.setattr(summaries, "cost_rows", cheaper)
    with pytest.raises(RunError, match="sanafe: mesh: the summary says"):
        map_network(cell(), "loihi2")


def test_results_that_cannot_be_written(tmp_path: Path) -> None:
    same = tmp_path / "same.json"
    with pytest.raises(InputError, match="two results cannot be one file"):
        map_network(cell(), "loihi2", out=same, routes=same)
    with pytest.raises(InputError, match=r"the picture is an SVG file; name it cores\.svg"):
        map_network(cell(), "loihi2", picture=tmp_path / "cores.png")
    with pytest.raises(InputError, match="is there and no regular file"):
        map_network(cell(), "loihi2", out=tmp_path)
