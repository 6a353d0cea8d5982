"""Dense layers that netx's Dense cannot hold: written as convolutions, exactly the same."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.formats.netx import read_netx, write_netx
from neurocomp.ir import (
    Conv,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    average_pool,
    skip,
    verify,
)
from neurocomp.ir.schedule import depths
from neurocomp.quant import reference
from neurocomp.quant.check import check

WINDOW = 4


def sequence(*, bits: int = 4, first: int = 3, seed: int = 0) -> Graph:
    """4-bit image · conv with bias · skip · average pooling · three dense layers; T = 4.

    The middle dense layer's weights are ``level · 2^7``, up to 1024: wider than a Dense of netx.
    """
    rng = np.random.default_rng(seed)

    def levels(*shape: int, low: int = -8, high: int = 8) -> np.ndarray:
        return rng.integers(low, high, shape)

    cell, same = (4, 6, 5), Conv((3, 3), padding=(1, 1))
    populations = (
        Population("in", (2, 6, 5), Input(bits)),
        Population("a", cell, LoihiLif(150, dv=1024), levels(4) * 4),
        Population("b", cell, LoihiLif(60, dv=2048), levels(4)),
        Population("c", (4, 3, 2), LoihiLif(35, dv=2048)),
        Population("d", (7, 1, 1), LoihiLif(10, dv=1000), levels(7)),
        Population("e", (6, 1, 1), LoihiLif(200, dv=300), levels(6) * 64),
        Population("f", (5, 1, 1), LoihiLif(4, dv=0)),
    )
    projections = (
        Projection("in-a", "in", "a", same, 4, levels(4, 2, 3, 3)),
        Projection("a-b", "a", "b", skip(4), 8, np.full((4, 1, 1, 1), 64), exponent=6),
        Projection("b-c", "b", "c", average_pool(4, 2, 2), 8, np.full((4, 1, 2, 2), 16)),
        Projection("c-d", "c", "d", Dense(), 4, levels(7, 24)),
        Projection("d-e", "d", "e", Dense(), 4, levels(6, 7) << 7, exponent=7),
        Projection("e-f", "e", "f", Dense(), 8, levels(5, 6, low=-100, high=100)),
    )
    return check(Graph("sequence", populations, projections, "f", WINDOW, "spikes"))


def test_dense_layers_up_to_the_wide_one_become_convolutions(tmp_path: Path) -> None:
    graph = sequence()
    write_netx(graph, tmp_path / "x.net")
    with h5py.File(tmp_path / "x.net") as file:
        kinds = [file[f"layer/{i}/type"][0].decode() for i in range(len(file["layer"]))]
        assert kinds == ["input", "conv", "conv", "conv", "conv", "conv", "flatten", "dense"]
        first, second = file["layer/4"], file["layer/5"]
        assert first["kernelSize"][()].tolist() == [3, 2]  # all of population c
        assert first["shape"][()].tolist() == [7, 1, 1]
        assert first["bias"].shape == (7,)
        assert second["weight"].shape == (6, 7, 1, 1)
        (wide,) = (e for e in graph.projections if e.name == "d-e")
        assert np.array_equal(second["weight"][:, :, 0, 0], wide.weight)


def test_it_fires_the_same_spikes(tmp_path: Path) -> None:
    """A file runs freely, a step per projection: each layer's window starts at its depth."""
    graph = without_bias(sequence())
    write_netx(graph, tmp_path / "x.net")
    free = read_netx(tmp_path / "x.net")
    values = np.random.default_rng(1).integers(0, 16, (3, WINDOW, 2, 6, 5))
    later = np.zeros((3, 6, 2, 6, 5), np.int64)
    ran = reference.run(free, np.concatenate([values, later], axis=1)).spikes
    window = reference.run(graph, values).spikes
    for p, q in zip(graph.neurons, free.neurons, strict=True):
        start = depths(graph)[p.name]
        assert np.array_equal(ran[q.name][:, start : start + WINDOW], window[p.name])
        assert window[p.name].any()


def without_bias(graph: Graph) -> Graph:
    """The graph without biases, which would act before its window as well."""
    populations = tuple(Population(p.name, p.shape, p.neuron) for p in graph.populations)
    return graph.with_parts(populations, graph.projections)


def test_a_flat_input_gets_a_shape(tmp_path: Path) -> None:
    """A first dense layer that is a convolution needs channels, one per neuron before it."""
    populations = (Population("in", (3, 1, 1), Input()), Population("x", (2, 1, 1), LoihiLif(9)))
    weight = np.array([[512, 0, -1024], [256, 1536, 0]])
    e = Projection("e", "in", "x", Dense(), 4, weight, exponent=8, delay=1)
    graph = verify(Graph("flat", populations, (e,), "x", readout="spikes"), integer=True)
    write_netx(graph, tmp_path / "x.net")
    read = read_netx(tmp_path / "x.net")
    assert read.inputs[0].shape == (3, 1, 1)
    assert read.projections[0].op == Conv((1, 1))
    assert read.projections[0].weight is not None
    assert np.array_equal(read.projections[0].weight[:, :, 0, 0], weight)
    assert (read.projections[0].weight_bits, read.projections[0].exponent) == (4, 8)
    write_netx(read, tmp_path / "y.net")
    assert read_netx(tmp_path / "y.net").projections[0].op == Conv((1, 1))


@pytest.mark.parametrize(
    "weight",
    [
        [[0, 0]],  # netx cannot load a Dense of zeros
        [[-256, -4]],  # Lava's Dense would turn −256 into −255
        [[256, -256]],  # netx would clip 256 to 254
        [[1024, 512]],
    ],
)
def test_what_a_dense_would_change_a_convolution_keeps(tmp_path: Path, weight: Any) -> None:
    populations = (Population("in", (2, 1, 1), Input()), Population("x", (1, 1, 1), LoihiLif(9)))
    e = Projection("e", "in", "x", Dense(), weight=np.array(weight), delay=1)
    write_netx(Graph("one", populations, (e,), "x", readout="spikes"), tmp_path / "x.net")
    read = read_netx(tmp_path / "x.net").projections[0]
    assert read.weight is not None
    assert read.weight.reshape(1, 2).tolist() == weight


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_import_export_import_is_the_identity(
    tmp_path_factory: pytest.TempPathFactory, data: Any
) -> None:
    """Any sequence of convolutions and dense layers, wide or not, delayed or recurrent."""
    graph = drawn(data)
    folder = tmp_path_factory.mktemp("chain")
    write_netx(graph, folder / "x.net")
    once = read_netx(folder / "x.net")
    (folder / "again").mkdir()
    write_netx(once, folder / "again" / "x.net")
    assert read_netx(folder / "again" / "x.net").digest() == once.digest()
    values = np.random.default_rng(0).integers(0, 2, (1, 9, *graph.inputs[0].shape))
    ours, theirs = (reference.run(g, values).spikes for g in (graph, once))
    for a, b in zip(ours.values(), theirs.values(), strict=True):
        assert np.array_equal(a, b)


def drawn(data: Any) -> Graph:
    """A free-running sequence that a file can hold."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n_conv, n_dense = data.draw(st.integers(0, 2)), data.draw(st.integers(1, 3))
    wide = data.draw(st.integers(0, n_dense))  # layers up to here may be wide, later ones not
    shape = (2, 4, 3) if n_conv or data.draw(st.booleans()) else (5, 1, 1)
    populations = [Population("in", shape, Input())]
    projections = []
    for i in range(n_conv + n_dense):
        before, bits = populations[-1], int(rng.integers(2, 9))
        may_be_wide = i - n_conv < wide
        if i < n_conv:
            op: Any = Conv((2, 2), padding=(1, 0), groups=int(rng.integers(1, 3)))
            after = (4, before.shape[1] + 1, before.shape[2] - 1)
            size: tuple[int, ...] = (4, before.shape[0] // op.groups, 2, 2)
        else:
            op, after = Dense(), (int(rng.integers(1, 6)), 1, 1)
            size = (after[0], before.size)
        exponent = int(rng.integers(0, 9 if may_be_wide else 9 - bits + 1))
        weight = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), size)
        weight.flat[0] = 1  # never all of one sign and −256
        late = {} if i < n_conv + wide else {"delay": int(rng.integers(1, 9))}
        name = f"l{i}"
        made = {"exponent": exponent, "delay": 1, **late}
        projections.append(
            Projection(
                f"{before.name}-{name}", before.name, name, op, bits, weight << exponent, **made
            )
        )
        bias = rng.integers(-9, 10, after[0]) if rng.random() < 0.5 else None
        neuron = LoihiLif(int(rng.integers(0, 300)), dv=int(rng.integers(0, 4097)))
        populations.append(Population(name, after, neuron, bias))
    graph = Graph(
        "x", tuple(populations), tuple(projections), populations[-1].name, readout="spikes"
    )
    return verify(graph, integer=True)


@pytest.mark.slow  # importing lava-dl alone takes seconds
def test_stock_netx_fires_the_same_spikes_window_after_window(tmp_path: Path) -> None:
    """Graded images, biases, a skip, pooling and wide dense layers in lava-dl's own loader.

    Samples follow each other, with ``reset_interval`` the window and ``reset_offset`` 1.
    """
    import torch

    torch.set_num_threads(1)
    with redirect_stdout(StringIO()):
        from lava.lib.dl.netx.hdf5 import Network
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer as Source

    graph = sequence()
    write_netx(graph, tmp_path / "x.net")
    samples = 3
    values = np.random.default_rng(2).integers(0, 16, (samples, WINDOW, 2, 6, 5))
    expected = reference.run(graph, values).spikes
    shown = values.reshape(samples * WINDOW, 2, 6, 5).transpose(3, 2, 1, 0)  # W, H, C, time
    network = Network(
        str(tmp_path / "x.net"), reset_interval=WINDOW, reset_offset=1, input_message_bits=8
    )
    depth = depths(graph)
    steps = samples * WINDOW + max(depth.values())
    source = Source(data=np.pad(shown, ((0, 0),) * 3 + ((0, steps - shown.shape[3]),)))
    source.s_out.connect(network.inp)
    sinks = [Sink(shape=layer.out.shape, buffer=steps) for layer in network.layers]
    for layer, sink in zip(network.layers, sinks, strict=True):
        layer.out.connect(sink.a_in)
    try:
        network.run(RunSteps(steps), Loihi2SimCfg(select_tag="fixed_pt"))
        found = [sink.data.get() for sink in sinks]
    finally:
        network.stop()
    for p, data in zip(graph.neurons, found, strict=True):
        start = depth[p.name]
        fired = np.moveaxis(data, -1, 0)[start : start + samples * WINDOW].astype(bool)
        if fired.ndim == 4:
            fired = fired.transpose(0, 3, 2, 1)
        assert np.array_equal(fired.reshape(expected[p.name].shape), expected[p.name])
        assert expected[p.name].any()
