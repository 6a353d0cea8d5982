"""Pictures of a search: how its front grew, and the cells on it."""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from neurocomp.report.markup import el, number, picture, text
from neurocomp.report.plotting import drawn
from neurocomp.report.results import RunResults
from neurocomp.report.style import ACCENT, INK, MUTED, PALETTE, PAPER

SHOWN: Final = 6  # cells, the best scores of the front
WIDTH, HEIGHT, GAP, RADIUS = 300.0, 150.0, 64.0, 13.0
COLORS: Final = {"conv": ACCENT, "avgpool3": PALETTE[1], "skip": MUTED}


def growth_chart(results: RunResults) -> Element | None:
    """Hypervolume of the front over evaluations; None where the search has none."""
    found = results.stage("search") or {}
    moments = found.get("hypervolume") or []
    if len(moments) < 2:
        return None

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.plot(*zip(*moments, strict=True), "-", color=ACCENT, drawstyle="steps-post")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set_xlabel("networks evaluated")
        axes.set_ylabel("dominated share of the box")
        axes.set_title(", ".join(found["objectives"]).replace("_", " "))

    return drawn((7.6, 2.8), "Hypervolume of the front as the search goes", draw)


def cells_picture(results: RunResults) -> Element | None:
    """The cells of the front's best scores; None where the run has no front."""
    forms = [
        (row["id"], cell)
        for row in results.summary.get("pareto") or []
        if "candidate" in row
        for cell in _cells(row["candidate"])[:1]
    ][:SHOWN]
    if not forms:
        return None
    columns = min(len(forms), 3)
    places = [(k % columns * WIDTH, k // columns * HEIGHT) for k in range(len(forms))]
    drawings = [
        el("g", *_cell(name, cell), transform=f"translate({number(x)} {number(y)})")
        for (name, cell), (x, y) in zip(forms, places, strict=True)
    ]
    rows = -(-len(forms) // columns)
    return picture(columns * WIDTH, rows * HEIGHT, "Cells on the front", *drawings)


def _cells(form: dict[str, Any]) -> list[dict[str, dict[str, Any]]]:
    """The genotypes of a candidate's file form, edges by name."""
    return [form["cell"]] if "cell" in form else list(form["cells"])


def _cell(name: str, cell: dict[str, dict[str, Any]]) -> list[Element]:
    """Nodes in a row, edges as arcs above them; what is fed back below."""
    ends = {key: (int(key[0]), int(key[2])) for key in cell}
    last = max((max(pair) for pair in ends.values()), default=1)
    middle = 0.62 * HEIGHT
    drawn_edges = [_edge(ends[key], op, middle) for key, op in cell.items()]
    nodes = []
    for node in range(last + 1):
        x = _x(node)
        style = f"fill:{PAPER};stroke:{INK};stroke-width:1.2"
        nodes.append(el("circle", cx=number(x), cy=number(middle), r=RADIUS, style=style))
        nodes.append(text(x, middle + 4, str(node), INK, 11, anchor="middle"))
    lines = [line for line, _ in drawn_edges]
    labels = [label for _, label in drawn_edges]
    return [text(10, 16, name, INK, 11, weight=600), *lines, *nodes, *labels]


def _edge(ends: tuple[int, int], op: dict[str, Any], middle: float) -> tuple[Element, Element]:
    start, end = _x(ends[0]), _x(ends[1])
    span, side = abs(ends[1] - ends[0]), 1 if ends[0] < ends[1] else -1
    top = middle - side * (RADIUS + 24.0 * span - 16.0)
    at = middle - side * RADIUS * (span > 1)
    kind = "conv" if op["op"].startswith("conv") else op["op"]
    size = 1.0 + 0.5 * int(op["op"].removeprefix("conv")) if kind == "conv" else 1.2
    path = f"M{number(start)} {number(at)}Q{number((start + end) / 2)} {number(top)} "
    path += f"{number(end)} {number(at)}"
    style = f"fill:none;stroke:{COLORS[kind]};stroke-width:{number(size)}"
    words = op["op"] + (f" {op['bits']}b" if "bits" in op else "")
    label = text(
        (start + end) / 2, (at + top) / 2 - side * 4, words, INK, 9, anchor="middle", halo=True
    )
    return el("path", d=path, style=style), label


def _x(node: int) -> float:
    return 30.0 + GAP * node
