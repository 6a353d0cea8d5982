"""Lava in a notebook: the kernel's own threads, loops and signal handlers are in the way there."""

from __future__ import annotations

import textwrap
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FIRST = """
    import sys
    sys.path.insert(0, {tests!r})
    from backend_networks import chain, images, spread
    from neurocomp import backend
    graph = chain()
    print(backend.run(graph, spread(graph), images(graph, 2)).readout.shape)
"""
SECOND = "print(backend.run(graph, spread(graph), images(graph, 3)).readout.shape)"


def test_two_runs_in_two_cells(tmp_path: Path) -> None:
    first = textwrap.dedent(FIRST).format(tests=str(Path(__file__).parents[1]))
    cells = [nbformat.v4.new_code_cell(source) for source in (first, SECOND)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [cell.outputs[0].text for cell in notebook.cells] == ["(2, 5)\n", "(3, 5)\n"]
