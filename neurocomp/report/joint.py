"""The section on a joint search: how it went, what it chose, the figures of the paper's tables."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from neurocomp.report.markup import Child, el
from neurocomp.report.paper import OWN, UNITS, limits_table, paper_table
from neurocomp.report.parts import facts, figure, missing, section, table, tag
from neurocomp.report.results import RunResults
from neurocomp.report.tables import Row, Table
from neurocomp.shown import shown


def joint_section(results: RunResults, pictures: dict[str, Element]) -> Element:
    """How the design was found, and what it is."""
    lead = "Ops, bit widths and timesteps are learnt together, with what they cost on the target."
    found, best = results.stage("search") or {}, results.stage("best") or {}
    caption = (
        "After each epoch the strongest choices are decoded, built, mapped and priced. The λ of a "
        "limit rises while the decoded network is above it; of the networks within every limit "
        "the most accurate is the one that is trained."
    )
    children: list[Child] = [
        el(
            "p",
            tag("estimated"),
            " The supernet's accuracy is not the trained network's; bit-SynOps of a decoded "
            "network are computed from the supernet's spike rates.",
        ),
        figure("joint", pictures, caption),
        el("div", facts(_search(found, best)), table(_design(best), "Cell"), class_="columns"),
        _limits(results),
        _figures(results),
    ]
    return section("search", "Joint search", lead, *children)


def _limits(results: RunResults) -> Element:
    made = limits_table(results.summary)
    if not made.rows:
        return missing("Limits are looked at again when the network is trained and mapped.")
    return table(made, "Limits, from measured spike rates")


def _figures(results: RunResults) -> Element:
    made = paper_table(results.summary)
    if not made.rows:
        return missing("Size, work and energy are known when the network is trained and mapped.")
    return table(made, "As in the paper's tables, per image", OWN)


def _search(found: dict[str, Any], best: dict[str, Any]) -> list[tuple[str, str]]:
    limits = ((f"limit: {UNITS[k]}", shown(v)) for k, v in found["limits"].items())
    return [
        ("epochs", shown(found["candidates"])),
        ("chosen after epoch", shown(found["epoch"]) + (" (early)" if found["early"] else "")),
        ("distinct designs", shown(found["distinct"])),
        ("within the limits", shown(found["feasible"])),
        ("seconds", shown(found["seconds"])),
        *limits,
        ("chosen", best["id"]),
        ("its weight bits after pruning", shown(best["model_bits"])),
        ("its timesteps", shown(best["timesteps"])),
    ]


def _design(best: dict[str, Any]) -> Table:
    """The chosen cell: a row per kept edge, with its bits in every cell."""
    cells = list(best["weight_bits"])
    edges = [(j, edge) for j, node in enumerate(best["nodes"]) for edge in node]
    rows: list[Row] = []
    for i, (node, edge) in enumerate(edges):
        state = edge["state"]
        source = ("two cells before", "cell before")[state] if state < 2 else f"node {state - 2}"
        trained = edge["op"].startswith("conv")
        bits = (best["weight_bits"][c][i] if trained else None for c in cells)
        rows.append((f"node {node}", source, edge["op"], *bits))
    return Table(("to", "from", "op", *(f"bits, {c}" for c in cells)), tuple(rows))
