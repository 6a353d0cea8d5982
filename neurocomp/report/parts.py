"""The page's building blocks: tables, figures, tags, tiles and sections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element

from neurocomp.report.markup import Child, add, el, svg_inline
from neurocomp.report.style import theme
from neurocomp.report.tables import BITS_PER_KIB, Cell, Table
from neurocomp.shown import shown

TAGS: Final = {
    "exact": "counted from the artefacts, or proven equal spike for spike",
    "measured": "observed in this run, on its own data",
    "inferred": "rests on chip figures read from tools' printed output, not from documentation",
    "assumed": "rests on an assumed constant where no measurement was made",
    "estimated": "a proxy or a formula, no execution behind it",
    "none": "left out, for the reason given beside it",
}


class Tile(NamedTuple):
    """A headline number: what it is, its value, what stands behind it, and on which basis."""

    name: str
    value: str
    note: str
    tag: str


def kib(bits: float) -> str:
    """Bits as KiB."""
    return f"{bits / BITS_PER_KIB:,.1f} KiB"


def tag(kind: str) -> Element:
    """A small label that says on what basis a number stands."""
    return el("span", kind, class_=f"tag {kind}", title=TAGS[kind])


def tiles(items: Iterable[Tile]) -> Element:
    """The headline numbers, side by side."""
    cards = [
        el(
            "div",
            el("span", el("span", item.name), tag(item.tag), class_="name"),
            el("span", item.value, class_="value"),
            el("span", item.note, class_="note"),
            class_="tile",
        )
        for item in items
    ]
    return el("div", *cards, class_="tiles")


def table(data: Table, caption: str | None = None, chosen: Cell = None) -> Element:
    """A table; columns of numbers stand to the right, the row that ``chosen`` begins is marked."""
    numeric = [
        bool(data.rows) and all(isinstance(row[i], int | float | None) for row in data.rows)
        for i in range(len(data.headers))
    ]
    side = ["right" if flag else None for flag in numeric]
    head = el(
        "tr", *(el("th", h, class_=s, scope="col") for h, s in zip(data.headers, side, strict=True))
    )
    body = el("tbody")
    for row in data.rows:
        first, *rest = row
        cells = (el("td", shown(c), class_=s) for c, s in zip(rest, side[1:], strict=True))
        line = el("tr", el("th", shown(first), class_=side[0], scope="row"), *cells)
        if chosen is not None and first == chosen:
            line.set("class", "chosen")
        body.append(line)
    return scroll(el("table", _caption(caption), el("thead", head), body))


def scroll(wide: Element) -> Element:
    """A frame that lets a wide element scroll on a narrow screen."""
    return el("div", wide, class_="scroll")


def figure(
    name: str, pictures: dict[str, Element], caption: str, natural: bool = False
) -> Element | None:
    """A picture with its caption, None where the run has no such picture.

    Args:
        natural: keep the picture's own size and scroll, where shrinking would make it unreadable.
    """
    if name not in pictures:
        return None
    svg = svg_inline(pictures[name], name, theme())
    svg.set("aria-label", caption)
    if natural:
        svg.set("class", "natural")
    return el("figure", el("div", svg), el("figcaption", caption))


def section(name: str, title: str, lead: str, *children: Child) -> Element:
    """A section with its anchor, heading and one-sentence introduction."""
    return el("section", el("h2", title), el("p", lead, class_="lead"), *children, id=name)


def missing(what: str) -> Element:
    """Says that the run has not made something, and how to make it."""
    words = f"{what} Run the same command again on this run folder to go on from there."
    return el("p", words, class_="missing")


def facts(rows: Iterable[tuple[str, str]]) -> Element:
    """A two-column list of names and values."""
    lines = (el("tr", el("th", k, scope="row"), el("td", v)) for k, v in rows)
    return scroll(el("table", el("tbody", *lines)))


def folded(title: str, *children: Child) -> Element:
    """Details behind a line that opens them."""
    return add(el("details", el("summary", title)), *children)


def _caption(words: str | None) -> Element | None:
    return None if words is None else el("caption", words)
