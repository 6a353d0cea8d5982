"""The pictures of a search's front."""

from neurocomp.report import RunResults
from neurocomp.report.front import cells_picture, growth_chart

CELL = {"0-1": {"op": "conv3", "bits": 8}, "1-3": {"op": "skip"}, "0-3": {"op": "avgpool3"}}
MANY = [{"0-1": {"op": "conv5", "bits": 2}, "1-2": {"op": "conv1", "bits": 4}}, CELL]


def results(*forms: dict, moments: list | None = None) -> RunResults:
    front = [{"id": f"net{k}", "candidate": form} for k, form in enumerate(forms)]
    search = {"hypervolume": moments or [], "objectives": ["score", "stored_mb"]}
    return RunResults(summary={"search": search, "pareto": front})


def words(found: RunResults) -> list[str]:
    drawn = cells_picture(found)
    assert drawn is not None
    return ["".join(t.itertext()) for t in drawn.iter("text")]


def test_a_cell_shows_its_nodes_and_operations() -> None:
    said = words(results({"cell": CELL}))
    assert said == ["net0", "0", "1", "2", "3", "conv3 8b", "skip", "avgpool3"]
    drawn = cells_picture(results({"cell": CELL}))
    assert drawn is not None
    assert sum(1 for _ in drawn.iter("path")) == 3


def test_of_networks_with_several_cells_the_first_is_shown_and_six_networks_at_most() -> None:
    assert words(results({"cells": MANY}))[-2:] == ["conv5 2b", "conv1 4b"]
    assert sum(w.startswith("net") for w in words(results(*[{"cell": CELL}] * 9))) == 6


def test_without_a_front_there_is_no_picture() -> None:
    assert cells_picture(results()) is None
    assert cells_picture(RunResults(summary={"pareto": [{"id": "joint"}]})) is None
    assert growth_chart(results(moments=[[1, 0.5]])) is None
    assert growth_chart(results(moments=[[1, 0.2], [5, 0.4]])) is not None
