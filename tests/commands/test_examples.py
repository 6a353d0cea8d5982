"""The trained network that comes with the repository: it runs, and it knows digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurocomp.flow import simulate
from neurocomp.ir import LoihiLif
from neurocomp.ir.store import load
from neurocomp.quant.check import check

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NETWORK, DIGITS = EXAMPLES / "mnist.npz", EXAMPLES / "digits"


def test_it_is_an_integer_graph_of_less_than_a_megabyte() -> None:
    graph = load(NETWORK)
    assert NETWORK.stat().st_size < 2**20
    assert all(isinstance(p.neuron, LoihiLif) for p in graph.neurons)
    assert all(np.issubdtype(e.weight.dtype, np.integer) for e in graph.projections)
    check(graph)


def test_it_reads_digits_that_nobody_trained_it_on() -> None:
    row = simulate(NETWORK, data=f"folder:{DIGITS}")
    assert row["samples"] == 20
    assert row["mismatches"] == 0
    assert row["accuracy"] >= 0.9  # of chance's 0.1; strokes are not MNIST's hand


def test_it_runs_on_random_values_in_lava() -> None:
    row = simulate(NETWORK, samples=3)
    assert row["mismatches"] == 0
    assert row["spikes"] > 0
