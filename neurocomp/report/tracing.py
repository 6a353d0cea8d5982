"""Raster and rate of a traced sample."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np
from matplotlib.figure import Figure

from neurocomp.ir import Array
from neurocomp.report.plotting import drawn
from neurocomp.report.raster import block_height, show_block
from neurocomp.report.style import population_color


def trace_chart(spikes: dict[str, Array]) -> Element:
    """A raster block per population, and below them the share that sends in each step.

    Args:
        spikes: of one sample, (T, C, H, W) by population; messages count where they are not zero.
    """
    fired = {name: sent != 0 for name, sent in spikes.items()}
    heights = [block_height(sent) for sent in fired.values()]

    def draw(figure: Figure) -> None:
        grid = figure.add_gridspec(len(fired) + 1, 1, height_ratios=[*heights, 1.2])
        below = figure.add_subplot(grid[-1, 0])
        for i, (name, sent) in enumerate(fired.items()):
            axes = figure.add_subplot(grid[i, 0])
            show_block(axes, name, sent, population_color(i))
            axes.set_xticks([])
            share = sent.reshape(len(sent), -1).mean(axis=1)
            below.plot(np.arange(len(sent)), share, color=population_color(i), label=name)
        steps = len(next(iter(fired.values())))
        below.set(xlim=(-0.5, steps - 0.5), ylim=(0, None), xlabel="step")
        below.set_ylabel("share that sends")
        below.legend()

    return drawn((8.6, 2.2 + sum(heights)), "Spikes of a sample", draw)
