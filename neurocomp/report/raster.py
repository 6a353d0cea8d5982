"""Spike raster of one sample beside its input image."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from neurocomp.ir import Array, Graph
from neurocomp.report.plotting import bare, drawn
from neurocomp.report.results import RunResults
from neurocomp.report.style import INK, LINE, MUTED, PAPER, population_color

MAX_ROWS: Final = 64  # of a block
MAX_SEPARATED: Final = 20  # steps that a line between them keeps apart


def raster_chart(results: RunResults) -> Element | None:
    """One block per population, neurons downwards, steps of the window to the right.

    None before the simulation. Every row is one neuron where a population has at most `MAX_ROWS`;
    else it is a group of neighbouring neurons, stronger in colour the more of them fire.
    """
    graph = results.graph
    if graph is None or not results.raster:
        return None
    shown = [p.name for p in graph.neurons if not _silent(graph, p.name)]
    blocks = {name: results.raster[name] for name in shown}
    image = results.sample
    if image is not None and image.ndim == 4:  # what is shown has steps of its own
        image = image.mean(axis=0)
    ranks = {p.name: i for i, p in enumerate(graph.neurons)}
    heights = [block_height(spikes) for spikes in blocks.values()]

    def draw(figure: Figure) -> None:
        grid = figure.add_gridspec(len(blocks), 2, width_ratios=(1, 2.4), height_ratios=heights)
        if image is not None:
            _show_input(figure.add_subplot(grid[:, 0]), image, _caption(results))
        for i, (name, spikes) in enumerate(blocks.items()):
            axes = figure.add_subplot(grid[i, 1])
            show_block(axes, name, spikes, population_color(ranks[name]))
            steps = np.linspace(0, len(spikes) - 1, min(len(spikes), 11)).astype(int)
            axes.set_xticks(steps if i == len(blocks) - 1 else [])
        axes.set_xlabel("step of the sample's window")

    return drawn((10.8, 0.8 + sum(heights)), "Spike raster of one sample", draw)


def binned(spikes: Array, max_rows: int) -> Array:
    """Share of firing neurons per row and step, (rows, T), from booleans (T, C, H, W).

    Neurons keep their order (channel, row, column) and are cut into at most ``max_rows`` runs
    whose lengths differ by one at most.
    """
    flat = spikes.reshape(len(spikes), -1)
    n_rows = min(flat.shape[1], max_rows)
    return np.stack([part.mean(axis=1) for part in np.array_split(flat, n_rows, axis=1)])


def _silent(graph: Graph, name: str) -> bool:
    """Is this the population that is read from its membrane and never fires?"""
    return name == graph.output and graph.readout == "membrane"


def block_height(spikes: Array) -> float:
    """Inches that a population's block takes."""
    n_rows = min(int(spikes[0].size), MAX_ROWS)
    return 0.34 + 0.42 * n_rows / MAX_ROWS


def show_block(axes: Axes, name: str, spikes: Array, color: str) -> None:
    """Put the spikes (T, C, H, W) of a population on an axes, steps to the right."""
    share = binned(spikes, MAX_ROWS)
    rgba = np.empty((*share.shape, 4))
    rgba[..., :3] = to_rgb(color)
    rgba[..., 3] = np.sqrt(share)  # few spikes stay visible
    axes.imshow(rgba, aspect="auto", interpolation="none")
    axes.grid(False)
    axes.set_yticks([])
    axes.set_ylabel(name, rotation=0, ha="right", va="center", color=INK, parse_math=False)
    axes.tick_params(axis="x", length=0)
    for step in range(1, len(spikes) if len(spikes) <= MAX_SEPARATED else 0):
        axes.axvline(step - 0.5, color=PAPER, linewidth=1.5)
    for spine in axes.spines.values():
        spine.set(visible=True, color=LINE)
    count, size = int(spikes.sum()), spikes[0].size
    note = f"{size:,} neurons\n{count:,} spikes · {count / spikes.size:.1%}"
    axes.annotate(note, (1.01, 0.5), xycoords="axes fraction", va="center", color=MUTED, size=8)


def _show_input(axes: Axes, image: Array, caption: str) -> None:
    if len(image) == 3:
        axes.imshow(np.moveaxis(image, 0, -1) / max(int(image.max()), 1), interpolation="none")
    else:
        axes.imshow(image.mean(axis=0), cmap="gray_r", vmin=0, interpolation="none")
    bare(axes)
    axes.set_anchor("N")
    axes.set_title(caption)


def _caption(results: RunResults) -> str:
    parts = ["input"]
    if results.label is not None:
        parts.append(f"label {results.label}")
    if results.prediction is not None:
        parts.append(f"read out as {results.prediction}")
    return parts[0] + "\n" + ", ".join(parts[1:])
