"""The page of a comparison: one table, the better values marked."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from neurocomp import __version__
from neurocomp.report.markup import document, el
from neurocomp.report.style import sheet
from neurocomp.shown import shown


def comparison_page(found: dict[str, Any]) -> str:
    """Items side by side as one HTML text that loads nothing from anywhere.

    Args:
        found: as ``neurocomp compare --json`` prints it.
    """
    title = "Comparison"
    head = el("head", el("meta", charset="utf-8"), el("title", title), el("style", sheet()))
    names = el("tr", el("th"), *(el("th", name) for name in found["items"]))
    rows = [el("tr", el("th", row["metric"]), *_cells(row)) for row in found["rows"]]
    table = el("table", el("thead", names), el("tbody", *rows))
    words = "Bold is better. Nothing is bold where all are equal or cannot be compared."
    main = el(
        "main",
        el("h1", title),
        el("p", words),
        table,
        el("footer", f"Written by neurocomp {__version__}."),
    )
    return document(el("html", head, el("body", main), lang="en"))


def _cells(row: dict[str, Any]) -> list[Element]:
    better = row["better"] or []
    texts = map(shown, row["values"])
    return [el("td", el("b", text) if i in better else text) for i, text in enumerate(texts)]
