"""Sections on the network, the search and the training; each says what is not there."""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element

from neurocomp.report.joint import joint_section
from neurocomp.report.markup import Child, el
from neurocomp.report.overview import counted
from neurocomp.report.parts import facts, figure, folded, missing, section, table, tag
from neurocomp.report.results import RunResults
from neurocomp.report.tables import Table, ranking_table, rejection_table, words
from neurocomp.report.wiring import projection_table
from neurocomp.shown import shown

CELLS: Final = (
    "Cells of the front, best score first: nodes 0 (the cell's input) to the last (its output), "
    "operations with designed weight bits on the edges; the thicker, the larger the kernel."
)
GROWTH: Final = (
    "Hypervolume: of the box between the best and the worst value of every objective, the share "
    "that the networks evaluated so far dominate."
)
RANKED: Final = 10  # candidates that the page lists


def network_section(results: RunResults, pictures: dict[str, Element]) -> Element:
    """The searched network as a graph."""
    lead = "Populations of neurons and the projections between them, the unit of every later stage."
    caption = (
        "Populations from the input (top) to the output, with shape (channels × rows × columns) "
        "and size. Arrows are projections with their operation and designed weight bits; those "
        "beside the boxes skip a stage and wait on the chip until the longer path has arrived. "
        "Several arrows into one box are summed in its membrane. Numbers and colours are those "
        "of the core map."
    )
    picture = figure("network", pictures, caption, natural=True)
    if results.graph is None or picture is None:
        gap = missing("The chosen network has not been trained and made integer.")
        return section("network", "Network", lead, gap)
    legend = (
        "Projections: designed weight bits, distinct weights, share that is not zero, and the "
        "steps that messages of a shorter path wait on the chip."
    )
    wiring = table(projection_table(results.graph), legend)
    return section("network", "Network", lead, el("div", picture, wiring, class_="columns"))


def search_section(results: RunResults, pictures: dict[str, Element]) -> Element:
    """Candidates, limits, scores."""
    lead = "Candidates are priced on the target first; only those within the limits are scored."
    found = results.stage("search")
    if found is None:
        return section("search", "Search", lead, missing("The search has not finished."))
    if found.get("strategy") == "joint":
        return joint_section(results, pictures)
    caption = (
        "Every distinct candidate that was scored; ticks on the axis are those that broke "
        "a limit. The score stands where the paper plots accuracy, because before training nothing "
        "else is known. The right panel is the baseline: how much of the score the mere number of "
        "live convolutions explains."
    )
    judge = "The training-free score (SpiKernel, Eq. 1) is a proxy for accuracy."
    if results.judged_by is not None:
        judge = f"Candidates were judged by: {results.judged_by}."
    best = results.stage("best") or {}
    ranking = ranking_table(results.candidates, RANKED)
    rejections = rejection_table(results.candidates)
    return section(
        "search",
        "Search",
        lead,
        el(
            "p",
            tag("estimated"),
            f" {judge} Parameters, stored bits and cores of a candidate are counted; its SynOps "
            "are computed from assumed activity until it has run.",
        ),
        figure("candidates", pictures, caption),
        figure("cells", pictures, CELLS),
        figure("growth", pictures, GROWTH),
        el(
            "div",
            facts(_throughput(found)),
            table(rejections, "Rejected before scoring") if rejections.rows else None,
            class_="columns",
        ),
        table(ranking, f"The {len(ranking.rows)} best scores", best.get("id")),
        _pareto(results.summary.get("pareto") or []),
    )


def training_section(results: RunResults, pictures: dict[str, Element]) -> Element:
    """Training curve and the accuracies from float to Lava."""
    lead = "Float training with batch-norm, then training of the folded network at its weight bits."
    accuracy = results.stage("accuracy")
    if accuracy is None:
        gap = missing("The chosen candidate has not been trained.")
        return section("training", "Training and accuracy", lead, gap)
    bars = (
        "Share of test samples classified right: by the float network, by the integer reference "
        "on the numbers the chip stores, and by the mapped network executed in Lava."
    )
    curve = (
        "Mean loss and accuracy of each epoch on the training samples; at the dashed line training "
        "goes on at the designed weight bits."
    )
    children: list[Child] = [figure("accuracy", pictures, bars)]
    children.append(figure("training", pictures, curve))
    if (results.stage("train") or {}).get("regridded"):
        outgrown = (
            "Weights outgrew the grids they were trained on; the integers stand on coarser ones."
        )
        children.append(el("p", tag("estimated"), " ", outgrown))
    if accuracy.get("lava") is None:
        children.append(missing("The accuracy in Lava is not known: nothing was executed there."))
    elif accuracy["lava"] == accuracy["integer"]:
        same = "Lava and the integer reference classify equally many samples right."
        children.append(el("p", tag("exact"), " ", same))
    else:
        part = "Lava's accuracy is that of the samples executed there, the others of all."
        children.append(el("p", part))
    return section("training", "Training and accuracy", lead, *children)


def _throughput(found: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("candidates drawn", shown(found["candidates"])),
        ("distinct networks", shown(found["distinct"])),
        ("within the limits", shown(found["feasible"])),
        ("seconds", shown(found["seconds"])),
        ("candidates per second", shown(found["candidates_per_second"])),
    ]
    if found.get("count_tau") is not None:
        rows.append(("Kendall τ, score with number of convolutions", shown(found["count_tau"])))
    return rows


def _pareto(rows: list[dict[str, Any]]) -> Element | None:
    if not rows:
        return None
    keys = [k for k, v in rows[0].items() if not isinstance(v, dict | list)]
    made = Table(tuple(map(words, keys)), tuple(tuple(r[k] for k in keys) for r in rows))
    return folded(f"Pareto list: {counted(len(rows), 'candidate')}", table(made))
