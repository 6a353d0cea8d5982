"""The chart of a joint search."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from neurocomp.report.paper import UNITS
from neurocomp.report.plotting import drawn
from neurocomp.report.results import RunResults
from neurocomp.report.style import ACCENT, INK, MUTED, PALETTE


def joint_chart(results: RunResults) -> Element | None:
    """Accuracy and decoded costs of every epoch of a joint search; None for any other."""
    found = results.stage("search") or {}
    history = found.get("history")
    if not history:
        return None
    limits: dict[str, float] = found["limits"]

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in history]
        left.plot(epochs, [row["accuracy"] for row in history], ".-", color=ACCENT)
        left.yaxis.set_major_formatter(PercentFormatter(1.0))
        left.set_title("decoded network, samples that decide on choices")
        for color, (term, limit) in zip(PALETTE, limits.items(), strict=False):
            known = [row for row in history if row["decoded"][term] is not None]
            shares = [row["decoded"][term] / limit for row in known]
            right.plot(
                [row["epoch"] for row in known], shares, ".-", color=color, label=UNITS[term]
            )
        right.axhline(1.0, color=INK, linewidth=1.1, linestyle="--", label="limit")
        right.set_title("decoded network, share of the limit")
        right.legend()
        for axes in (left, right):
            axes.set_xlabel("epoch of the search")
            axes.tick_params(labelcolor=MUTED)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    return drawn((11.4, 3.4), "Joint search: accuracy and costs by epoch", draw)
