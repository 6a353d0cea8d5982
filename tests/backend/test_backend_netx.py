"""Backend "netx": lava-dl's own loader in our runtime, every layer, every step, u and v."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from backend_networks import running, spread
from netx_files import conv, dense, layer, lif, sdnn, write

from neurocomp import backend
from neurocomp.errors import InputError
from neurocomp.formats.netx import read_netx
from neurocomp.quant import reference
from neurocomp.quant.reference import Watch
from neurocomp.quant.sums import words_of

TIMEOUT_S = 60.0


def test_netx_needs_a_file() -> None:
    with pytest.raises(InputError, match="running: backend 'netx' runs a netx file"):
        backend.stream(running(), None, [], backend="netx")


def compare(file: Path, shown: np.ndarray) -> None:
    """All backends against the reference."""
    graph = read_netx(file)
    watch = Watch(tuple(p.name for p in graph.neurons), every_step=True)
    expected = reference.run(graph, shown, watch)
    assert all(spikes.any() for spikes in expected.spikes.values())
    for name in ("netx", "lava", "stock"):
        trace = backend.run(
            graph,
            spread(graph) if name == "lava" else None,
            shown,
            backend=name,
            file=file,
            watch=watch,
            timeout_s=TIMEOUT_S,
        )
        assert not any(trace.mismatches(expected).values()), name


@pytest.mark.slow  # importing lava-dl alone takes seconds
def test_spiking(tmp_path: Path) -> None:
    """An input layer with neurons and a bias, a convolution, a recurrent dense layer."""
    rng = np.random.default_rng(3)

    def even(*shape: int) -> np.ndarray:
        return rng.integers(-20, 21, shape) * 2

    file = write(
        tmp_path / "x.net",
        layer("input", (2, 4, 4), neuron=lif(90), weight=8, bias=11),
        conv((3, 2, 2), even(3, 2, 3, 3), neuron=lif(20, 900, 300)),
        layer("flatten", (12, 1, 1)),
        dense(even(5, 12), "dense_rec", weight_rec=even(5, 5), neuron=lif(15)),
    )
    compare(file, rng.integers(0, 20, (2, 12, 2, 4, 4)))


@pytest.mark.slow
def test_sigma_delta(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    file = write(
        tmp_path / "x.net",
        layer("input", (1, 4, 4), neuron=sdnn(6), bias=5),
        conv((2, 2, 2), rng.integers(-9, 10, (2, 1, 3, 3)) * 2, bias=[3, -1], neuron=sdnn(4)),
        layer("flatten", (8, 1, 1)),
        dense(rng.integers(-9, 10, (3, 8)) * 2, neuron=sdnn(sigma_output=True)),
    )
    compare(file, rng.integers(0, 9, (2, 12, 1, 4, 4)))


@pytest.mark.slow
def test_sums_beyond_all_words(tmp_path: Path) -> None:
    """Convolutions that wrap at 24 bits and dense layers that wrap before they shift down."""
    rng = np.random.default_rng(4)
    file = write(
        tmp_path / "x.net",
        layer("input", (1, 4, 4), neuron=sdnn(6), bias=5),
        conv((2, 2, 2), rng.integers(-127, 128, (2, 1, 3, 3)) * 2, neuron=sdnn(4)),
        layer("flatten", (8, 1, 1)),
        dense(rng.integers(-127, 128, (200, 8)) * 2, neuron=sdnn(4)),
        dense(rng.integers(1, 4, (3, 200)), neuron=sdnn(sigma_output=True)),
    )
    shown = rng.integers(0, 256, (2, 8, 1, 4, 4))
    graph = read_netx(file)
    spikes = reference.run(graph, shown).spikes
    conv1, _, dense3 = graph.projections[1:]
    for e in (conv1, dense3):
        sent = spikes[e.source].reshape(-1, *graph.population(e.source).shape)
        total = reference.synaptic_sum(e, sent, graph.population(e.target).shape)
        assert np.abs(total).max() >= 2 ** (words_of(graph, e) - 1)
    compare(file, shown)


@pytest.mark.slow
def test_delays_of_great_messages(tmp_path: Path) -> None:
    """Two bits of a weight of 1 leave 25 of the sum; a DelayDense wraps products instead."""
    file = write(
        tmp_path / "x.net",
        layer("input", (2, 1, 1), neuron=sdnn(6)),
        layer("flatten", (2, 1, 1)),
        dense([[1, -1]], delay=np.array([[0, 3]]), neuron=sdnn(4)),
    )
    shown = np.zeros((1, 2, 2, 1, 1), np.uint8)
    with pytest.raises(InputError, match="layer 'dense1': sums that Lava's words do not hold"):
        backend.run(read_netx(file), None, shown, backend="netx", file=file)


@pytest.mark.slow
def test_an_input_layer_with_current(tmp_path: Path) -> None:
    file = write(
        tmp_path / "x.net",
        layer("input", (1, 2, 2), neuron=lif(6, i_decay=100)),
        conv((1, 2, 2), np.full((1, 1, 1, 1), 2)),
    )
    graph = read_netx(file)
    shown = np.zeros((1, 2, 1, 2, 2), np.uint8)
    with pytest.raises(InputError, match="input layer: with iDecay other than 4096"):
        backend.run(graph, None, shown, backend="netx", file=file)
