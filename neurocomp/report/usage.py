"""The layer table with bars: used and limit of every resource on a layer's fullest core."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from neurocomp.report.markup import el
from neurocomp.report.parts import scroll
from neurocomp.report.tables import binding, count, limits, words
from neurocomp.shown import shown


def layer_bars(map_row: dict[str, Any]) -> Element:
    """A map row's layers, a bar per resource with a known limit; the one that binds is marked."""
    known = limits(map_row)
    titles = ("layer", "cores", "bits", *map(words, known))
    sides = (None, "right", "right", *(None for _ in known))
    head = el(
        "tr", *(el("th", t, class_=s, scope="col") for t, s in zip(titles, sides, strict=True))
    )
    body = el("tbody")
    for layer in map_row["layers"]:
        found = binding(layer)
        binds = None if found is None else found.resource
        cells = (_cell(layer, k, limit, k == binds) for k, limit in known.items())
        body.append(
            el(
                "tr",
                el("th", layer["name"], scope="row"),
                el("td", shown(layer["n_cores"]), class_="right"),
                el("td", shown(layer["weight_bits"]), class_="right"),
                *cells,
            )
        )
    return scroll(el("table", el("thead", head), body))


def _cell(layer: dict[str, Any], key: str, limit: int, binds: bool) -> Element:
    used = layer["used"][key][0]
    share = min(used / limit, 1.0)
    return el(
        "td",
        el("span", shown(count(layer, key)), el("small", f" / {limit:,}"), class_="pair"),
        el("span", el("i", style=f"width:{share:.1%}"), class_="bar"),
        class_="binds" if binds else None,
        title=f"{used / limit:.1%}" + (" – binds this layer" if binds else ""),
    )
