"""The page of an experiment: accuracy against memory as in SpiKernel's Fig. 3(c), and a table."""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from neurocomp import __version__
from neurocomp.report.charts import pareto
from neurocomp.report.markup import document, el, svg_file
from neurocomp.report.parts import figure, table
from neurocomp.report.plotting import drawn
from neurocomp.report.style import ACCENT, INK, MUTED, WARN, sheet
from neurocomp.report.tables import Table, words

COLUMNS: Final = (
    "variant", "params", "stored_mb", "cores", "score", "convolutions", "distinct", "search_s",
    "search_speedup", "held_out", "float", "integer", "lava", "id",
)  # fmt: skip
MEMORY: Final = {
    "params": "parameters (Eq. 2)",
    "stored_mb": "synapse memory on the target, one layer per core (MB)",
}


def trade_off_chart(found: dict[str, Any]) -> Element | None:
    """Integer accuracy of the trained networks against memory; None where none was trained."""
    rows = [row for row in found["rows"] if row["integer"] is not None]
    if not rows:
        return None

    def draw(figure: Figure) -> None:
        grid = figure.subplots(1, 2, sharey=True)
        for axes, (key, label) in zip(grid, MEMORY.items(), strict=True):
            front = pareto([(row[key], row["integer"]) for row in rows])
            axes.plot(*zip(*front, strict=True), "-", color=INK, linewidth=1.1,
                      drawstyle="steps-post", label="no other beats these")  # fmt: skip
            _marks(axes, rows, key, found)
            axes.margins(x=0.1, y=0.16)
            axes.set_xlabel(label)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        grid[0].xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        if found["max_params"] is not None:
            grid[0].axvline(found["max_params"], color=INK, linestyle="--", linewidth=1,
                            label=f"limit, {found['max_params']:,.0f} parameters")  # fmt: skip
        grid[0].set_ylabel("test accuracy, integer network")
        figure.legend(handles=grid[0].get_legend_handles_labels()[0], loc="outside upper left",
                      ncols=5)  # fmt: skip

    return drawn((11.4, 4.4), "Accuracy against memory of the trained networks", draw)


def trade_off_picture(found: dict[str, Any]) -> str | None:
    """`trade_off_chart` as the text of an SVG file."""
    chart = trade_off_chart(found)
    return None if chart is None else svg_file(chart)


def _marks(axes: Axes, rows: list[dict[str, Any]], key: str, found: dict[str, Any]) -> None:
    """The networks with their names, above and below in turn; one label for each place."""
    shown: dict[str, list[tuple[float, float]]] = {"trained": [], "baseline": [], "chosen": []}
    named: dict[tuple[float, float], list[str]] = {}
    for row in rows:
        place = row[key], row["integer"]
        named.setdefault(place, []).append(row["variant"])
        shown["baseline" if row["variant"] == found["baseline"] else "trained"].append(place)
        if row["variant"] == found["chosen"]:
            shown["chosen"].append(place)
    styles = {"trained": (ACCENT, ACCENT, 6), "baseline": (WARN, WARN, 6),
              "chosen": ("none", INK, 13)}  # fmt: skip
    for kind, (face, edge, size) in styles.items():
        if shown[kind]:
            axes.plot(*zip(*shown[kind], strict=True), "o", color=face, markeredgecolor=edge,
                      markersize=size, label=kind)  # fmt: skip
    for number, (place, names) in enumerate(sorted(named.items())):
        axes.annotate(
            "\n".join(names), place, xytext=(0, -9 if number % 2 else 9), ha="center",
            va="top" if number % 2 else "bottom", textcoords="offset points", fontsize=7.5,
            color=MUTED,
        )  # fmt: skip


def experiment_page(found: dict[str, Any]) -> str:
    """An experiment as one HTML text that loads nothing from anywhere.

    Args:
        found: as ``neurocomp experiment --json`` prints it.
    """
    chart = trade_off_chart(found)
    pictures = {} if chart is None else {"trade-off": chart}
    caption = (
        "Test accuracy of the integer networks against their memory. What is chosen is the one "
        "within the limit that is most accurate on training samples held out from its training; "
        "the test accuracy was not looked at."
    )
    cells = tuple(tuple(row[key] for key in COLUMNS) for row in found["rows"])
    data = Table(tuple(map(words, COLUMNS)), cells)
    none = el("p", "No network was trained: the runs stopped after the search.")
    head = el(
        "head", el("meta", charset="utf-8"), el("title", found["experiment"]), el("style", sheet())
    )
    main = el(
        "main",
        el("h1", found["experiment"]),
        el("p", found["summary"]),
        figure("trade-off", pictures, caption) or none,
        table(data, "Variants", found["chosen"]),
        el("p", found["source"]),
        el("footer", f"Written by neurocomp {__version__}."),
    )
    return document(el("html", head, el("body", main), lang="en"))
