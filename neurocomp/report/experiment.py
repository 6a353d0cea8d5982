"""The page of an experiment: accuracy against memory as in SpiKernel's Fig. 3(c), and a table."""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from neurocomp import __version__
from neurocomp.report.charts import pareto
from neurocomp.report.markup import document, el
from neurocomp.report.parts import figure, table
from neurocomp.report.plotting import drawn
from neurocomp.report.style import ACCENT, INK, MUTED, WARN, sheet
from neurocomp.report.tables import Table

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
            for row in rows:
                color = WARN if row["variant"] == found["baseline"] else ACCENT
                chosen = row["variant"] == found["chosen"]
                mark, size = ("*", 13) if chosen else ("o", 6)
                axes.plot(row[key], row["integer"], mark, color=color, markersize=size)
                axes.annotate(
                    row["variant"], (row[key], row["integer"]), xytext=(5, 4),
                    textcoords="offset points", fontsize=7.5, color=MUTED,
                )  # fmt: skip
            front = pareto([(row[key], row["integer"]) for row in rows])
            axes.plot(*zip(*front, strict=True), "-", color=INK, linewidth=1.1,
                      drawstyle="steps-post")  # fmt: skip
            axes.set_xlabel(label)
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        if found["max_params"] is not None:
            grid[0].axvline(found["max_params"], color=INK, linestyle="--", linewidth=1)
        grid[0].set_ylabel("test accuracy, integer network")

    return drawn((11.4, 4.4), "Accuracy against memory of the trained networks", draw)


def experiment_page(found: dict[str, Any]) -> str:
    """An experiment as one HTML text that loads nothing from anywhere.

    Args:
        found: as ``neurocomp experiment --json`` prints it.
    """
    chart = trade_off_chart(found)
    pictures = {} if chart is None else {"trade-off": chart}
    caption = (
        "Test accuracy of the integer networks against their memory; the line joins those that no "
        "other beats. The star is the one within the limit (dashed) that is most accurate on "
        "training samples held out from its training; the other colour is the baseline."
    )
    data = Table(COLUMNS, tuple(tuple(row[key] for key in COLUMNS) for row in found["rows"]))
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
