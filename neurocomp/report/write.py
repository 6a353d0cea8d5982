"""From the results of a run to its files: figures and the page."""

from __future__ import annotations

from pathlib import Path

from neurocomp.atomic import write_text
from neurocomp.ir import Array, Graph
from neurocomp.mapping.model import Mapping
from neurocomp.report.coremap import draw_cores
from neurocomp.report.markup import svg_file
from neurocomp.report.page import page
from neurocomp.report.results import RunResults
from neurocomp.spec.target import Target


def write_report(results: RunResults, folder: Path) -> Path:
    """Write ``figures/*.svg`` and ``report.html`` into a folder and return the page's path.

    The folder is made where it does not exist. Every file appears whole or not at all, and the
    same results give the same bytes. Figures whose data the run has not made are left out; the
    page says so.

    Raises:
        OSError: the folder cannot be made or written.
    """
    from neurocomp.report.figures import FIGURES  # loads matplotlib

    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    made = ((name, draw(results)) for name, draw in FIGURES.items())
    pictures = {name: svg for name, svg in made if svg is not None}
    for name, svg in pictures.items():
        write_text(figures / f"{name}.svg", svg_file(svg))
    path = folder / "report.html"
    write_text(path, page(results, pictures))
    return path


def write_core_map(graph: Graph, mapping: Mapping, target: Target, path: Path) -> None:
    """Draw which cores hold what as an SVG file, as in the report."""
    write_text(path, svg_file(draw_cores(graph, mapping, target)))


def write_trace_chart(spikes: dict[str, Array], path: Path) -> None:
    """Draw raster and rates of one traced sample, (T, C, H, W) by population, as an SVG file."""
    from neurocomp.report.tracing import trace_chart  # loads matplotlib

    write_text(path, svg_file(trace_chart(spikes)))
