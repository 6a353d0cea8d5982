"""The core map: every tile and core of each used chip, and which populations stand where."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final
from xml.etree.ElementTree import Element

from neurocomp.ir import Graph, Slice
from neurocomp.mapping.model import CoreAddress, Mapping
from neurocomp.report.cores import contents, filled, fullest
from neurocomp.report.floor import Grid, grid_of
from neurocomp.report.markup import el, number, picture, text
from neurocomp.report.results import RunResults
from neurocomp.report.style import INK, LINE, MUTED, PAPER, WARN, population_color
from neurocomp.report.tables import Binding
from neurocomp.spec.target import Target

CHIPS_PER_ROW: Final = 3
LEGEND: Final = 230.0
LABELLED_CORE: Final = 17.0  # smaller cores carry no numbers
MOST_NUMBERS: Final = 2
TITLE, GAP, LINE_HEIGHT = 26.0, 28.0, 24.0


def core_map(results: RunResults) -> Element | None:
    """The map of a run's mapping; None without a mapping, its graph and its target."""
    mapping, target, graph = results.mapping, results.target, results.graph
    if mapping is None or target is None or graph is None:
        return None
    return draw_cores(graph, mapping, target)


def draw_cores(graph: Graph, mapping: Mapping, target: Target) -> Element:
    """Colour = population, height of the colour = share of the fullest resource of the core."""
    ranks = {p.name: i for i, p in enumerate(graph.neurons)}
    fills = fullest(graph, mapping, target)
    grid = grid_of(target)
    width, height = grid.size
    columns = min(len(mapping.chips), CHIPS_PER_ROW)
    chips = [
        el(
            "g",
            *_chip(graph, mapping, grid, chip, fills),
            transform=f"translate({number(i % columns * (width + GAP))},"
            f"{number(i // columns * (height + TITLE + GAP))})",
        )
        for i, chip in enumerate(mapping.chips)
    ]
    lines = math.ceil(len(mapping.chips) / columns)
    left = columns * (width + GAP)
    legend = _legend(mapping, ranks)
    body = max(lines * (height + TITLE + GAP) - GAP, LINE_HEIGHT * (len(ranks) + 2) + TITLE)
    frame = el("g", *legend, transform=f"translate({number(left)},{number(TITLE)})")
    title = f"Cores of {mapping.network} on {mapping.target}"
    return picture(left + LEGEND, body, title, _hatch(), *chips, frame)


def _chip(
    graph: Graph, mapping: Mapping, grid: Grid, chip: int, fills: list[Binding | None]
) -> list[Element]:
    ranks = {p.name: i for i, p in enumerate(graph.neurons)}
    used = {a: i for i, a in enumerate(mapping.placement.addresses) if a.chip == chip}
    dead = {d.core for d in grid.target.dead_cores if d.chip == chip}
    title = f"chip {chip}: {len(used)} of {grid.target.cores_per_chip - len(dead)} cores"
    nodes = [text(0, 14, title, INK, 13, weight=600)]
    for core in range(grid.target.cores_per_chip):
        logical = used.get(CoreAddress(chip, core))
        left, top = grid.at(core)
        name = f"chip {chip}, core {core}"
        if logical is None:
            parts = _idle(grid.pitch, core in dead)
            title = f"{name}: {'dead' if core in dead else 'free'}"
        else:
            slices = mapping.partition.cores[logical]
            fill = fills[logical]
            parts = _used(grid.pitch, slices, ranks, fill)
            held = ", ".join(contents(graph, s) for s in slices)
            title = f"{name}: {held}; fullest: {filled(fill)}"
        move = f"translate({number(left)},{number(top + TITLE)})"
        nodes.append(el("g", el("title", title), *parts, transform=move))
    return nodes


def _idle(pitch: float, dead: bool) -> list[Element]:
    side = number(pitch * 0.9)
    fill = "url(#dead)" if dead else "none"
    style = f"fill:{fill};stroke:{WARN if dead else LINE};stroke-width:1"
    return [el("rect", width=side, height=side, rx=3, style=style)]


def _used(
    pitch: float, slices: tuple[Slice, ...], ranks: dict[str, int], fill: Binding | None
) -> list[Element]:
    side = pitch * 0.9
    share = 1.0 if fill is None else min(fill.share, 1.0)
    populations = sorted({s.population for s in slices}, key=ranks.__getitem__)
    stripe = side / len(populations)
    nodes = []
    for i, name in enumerate(populations):
        color = population_color(ranks[name])
        for height, opacity in ((side, 0.2), (side * share, 0.6)):
            nodes.append(
                el("rect", x=number(i * stripe), y=number(side - height), width=number(stripe),
                   height=number(height), style=f"fill:{color};fill-opacity:{opacity}")
            )  # fmt: skip
    color = population_color(ranks[populations[0]])
    nodes.append(el("rect", width=number(side), height=number(side), rx=3,
                    style=f"fill:none;stroke:{color};stroke-width:1.3"))  # fmt: skip
    if pitch >= LABELLED_CORE:
        label = ",".join(str(ranks[name] + 1) for name in populations[:MOST_NUMBERS])
        label += "…" if len(populations) > MOST_NUMBERS else ""
        middle = side / 2
        nodes.append(text(middle, middle + 4, label, INK, 12 if len(label) < 4 else 9,
                          anchor="middle", weight=600))  # fmt: skip
    return nodes


def _legend(mapping: Mapping, ranks: dict[str, int]) -> list[Element]:
    cores = Counter(
        name for slices in mapping.partition.cores for name in {s.population for s in slices}
    )
    rows = [
        (f"fill:{population_color(rank)};fill-opacity:0.6", str(rank + 1), name, cores[name])
        for name, rank in ranks.items()
    ]
    nodes = []
    for i, (style, mark, name, count) in enumerate(rows):
        nodes += [
            el("rect", y=24 * i, width=22, height=18, rx=3, style=style),
            text(11, 24 * i + 13, mark, INK, 11, anchor="middle", weight=600),
            text(30, 24 * i + 13, name, INK, 12),
            text(LEGEND - 14, 24 * i + 13, f"{count} core{'s' * (count != 1)}", MUTED, 12,
                 anchor="end"),
        ]  # fmt: skip
    plain = {"free": f"fill:none;stroke:{LINE}", "dead": f"fill:url(#dead);stroke:{WARN}"}
    for i, (name, style) in enumerate(plain.items(), len(rows)):
        nodes += [
            el("rect", y=24 * i + 6, width=22, height=18, rx=3, style=style),
            text(30, 24 * i + 19, name, MUTED, 12),
        ]
    return nodes


def _hatch() -> Element:
    lines = el("path", d="M0 6L6 0", style=f"stroke:{WARN};stroke-width:1")
    ground = el("rect", width=6, height=6, style=f"fill:{PAPER}")
    return el("defs", el("pattern", ground, lines, id="dead", width=6, height=6,
                         patternUnits="userSpaceOnUse"))  # fmt: skip
