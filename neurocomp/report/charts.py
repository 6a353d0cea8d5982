"""Charts of the search, the training and the accuracies."""

from __future__ import annotations

from typing import Any, Final
from xml.etree.ElementTree import Element

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from neurocomp.report.plotting import drawn
from neurocomp.report.results import RunResults
from neurocomp.report.style import ACCENT, INK, LINE, MUTED, PALETTE, PAPER, WARN
from neurocomp.report.tables import BITS_PER_KIB

STEPS: Final = {
    "float": "float, trained",
    "integer": "integer reference",
    "lava": "Lava, mapped",
}
_PHASES: Final = {"float": "float", "qat": "quantisation-aware"}
COSTS: Final = {
    "stored_bits": ("synapse memory, one layer per core (KiB)", BITS_PER_KIB),
    "cores": ("cores, estimated", 1),
    "convolutions": ("live convolutions (baseline)", 1),
}


def accuracy_chart(results: RunResults) -> Element | None:
    """Test accuracy along the way: float → integer → Lava; None before training."""
    accuracy = results.stage("accuracy")
    if accuracy is None:
        return None
    known = [(STEPS[k], accuracy[k]) for k in STEPS if accuracy.get(k) is not None]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        names = [name for name, _ in known]
        colors = [MUTED, PALETTE[0], ACCENT]
        bars = axes.barh(names, [v for _, v in known], height=0.6, color=colors[: len(known)])
        labels = [f"{value:.2%}" for _, value in known]
        axes.bar_label(bars, labels, padding=4, color=INK, fontweight="bold")
        axes.set_xlim(0, 1.12)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.invert_yaxis()
        axes.grid(False, axis="y")
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.set_xlabel("test samples classified right")

    return drawn((7.6, 0.75 + 0.42 * len(known)), "Accuracy: float, integer, Lava", draw)


def training_chart(results: RunResults) -> Element | None:
    """Loss and accuracy on the training samples, epoch by epoch; None before training."""
    history = results.history
    if not history:
        return None

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        _curve(left, history, "loss", "loss on training samples")
        _curve(right, history, "accuracy", "accuracy on training samples")
        right.yaxis.set_major_formatter(PercentFormatter(1.0))
        figure.legend(*right.get_legend_handles_labels(), loc="outside upper left", ncols=2)

    return drawn((11.4, 3.2), "Training curve", draw)


def _curve(axes: Axes, history: list[dict[str, Any]], key: str, title: str) -> None:
    phases = dict.fromkeys(row["phase"] for row in history)
    for color, phase in zip((MUTED, ACCENT), phases, strict=False):
        points = [(i, row[key]) for i, row in enumerate(history, 1) if row["phase"] == phase]
        x, y = zip(*points, strict=True)
        axes.plot(x, y, ".-", color=color, markersize=5, label=_PHASES[phase])
        if x[0] > 1:
            axes.axvline(x[0] - 0.5, color=LINE, linestyle="--", linewidth=1)
    axes.set_title(title)
    axes.set_xlabel("epoch, both phases counted on")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def candidates_chart(results: RunResults) -> Element | None:
    """Score against stored memory, cores and live convolutions; None without candidates.

    The picture of SpiKernel, Fig. 3(c), with the score in place of the accuracy that only training
    would tell. Rejected candidates have no score; they stand as ticks on the axis.
    """
    rows = results.candidates
    if not rows:
        return None
    chosen = results.stage("best") or {}

    def draw(figure: Figure) -> None:
        grid = figure.subplots(1, 3, sharey=True, width_ratios=(1.7, 1, 1))
        for axes, (key, (label, unit)) in zip(grid, COSTS.items(), strict=True):
            points = [(c[key] / unit, c["score"], c["id"]) for c in rows if c[key] is not None]
            _scatter(axes, points, chosen.get("id"))
            axes.set_xlabel(label)
            if key != "convolutions":
                _front(axes, [(cost, s) for cost, s, _ in points if s is not None])
        free = results.judged_by is None
        grid[0].set_ylabel("training-free score (Eq. 1)" if free else "score of the evaluator")
        for axes in grid[1:]:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        marks = {m.get_label(): m for axes in grid for m in axes.get_lines()}
        figure.legend(handles=list(marks.values()), loc="outside upper left", ncols=4)

    return drawn((11.4, 3.8), "Candidates: score against memory, cores and convolutions", draw)


def _scatter(axes: Axes, points: list[tuple[float, float | None, str]], chosen: str | None) -> None:
    """Candidates as (cost, score or None, id)."""
    scored = [(cost, score) for cost, score, _ in points if score is not None]
    rejected = [cost for cost, score, _ in points if score is None]
    best = [(cost, score) for cost, score, name in points if name == chosen]
    if scored:
        axes.plot(*zip(*scored, strict=True), "o", color=ACCENT, markersize=4.5, alpha=0.4,
                  markeredgewidth=0, label="within the limits")  # fmt: skip
    if rejected:
        axes.plot(rejected, [0.0] * len(rejected), "|", color=WARN, markersize=9, alpha=0.6,
                  transform=axes.get_xaxis_transform(), clip_on=False,
                  label="rejected before scoring")  # fmt: skip
    axes.plot(*zip(*best, strict=True), "*", color=INK, markersize=14, markeredgecolor=PAPER,
              zorder=4, label="chosen")  # fmt: skip


def _front(axes: Axes, points: list[tuple[float, float]]) -> None:
    front = pareto(points)
    axes.plot(*zip(*front, strict=True), "-", color=INK, linewidth=1.1, drawstyle="steps-post",
              label="Pareto front")  # fmt: skip


def pareto(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The (cost, score) points that no other point beats, by rising cost and score."""
    front: list[tuple[float, float]] = []
    for cost, score in sorted(points, key=lambda p: (p[0], -p[1])):
        if not front or score > front[-1][1]:
            front.append((cost, score))
    return front
