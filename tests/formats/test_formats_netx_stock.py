"""Against lava-dl's own loader: what is read, and what is written, fires the same messages."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from netx_files import conv, dense, layer, lif, sdnn, write

from neurocomp.formats.netx import read_netx, write_netx
from neurocomp.formats.netx.read import REFUSED
from neurocomp.formats.netx.weights import grid, refusal
from neurocomp.quant import reference
from neurocomp.quant.check import check

pytestmark = pytest.mark.slow  # importing lava-dl alone takes seconds

STEPS = 24


def stock(path: Path, values: np.ndarray, skip: int = 0, *, encoder: bool = False) -> list[Any]:
    """Messages (steps, …) of every layer for values (steps, …) in netx's own axes."""
    import torch

    torch.set_num_threads(1)
    with redirect_stdout(StringIO()):
        from lava.lib.dl.netx.hdf5 import Network
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer as Source

    network = Network(net_config=str(path), skip_layers=skip)
    source = Source(data=np.moveaxis(values, 0, -1).astype(np.int32))
    source.s_out.connect(network.in_layer.neuron.a_in if encoder else network.inp)
    sinks = []
    for each in network.layers:
        sinks.append(Sink(shape=each.out.shape, buffer=len(values)))
        each.out.connect(sinks[-1].a_in)
    try:
        network.run(RunSteps(len(values)), Loihi2SimCfg(select_tag="fixed_pt"))
        return [np.moveaxis(sink.data.get(), -1, 0).astype(np.int64) for sink in sinks]
    finally:
        network.stop()


def ours(path: Path, values: np.ndarray, skip: int = 0) -> list[Any]:
    """The reference's messages of every layer, in netx's axes, for values (steps, C, H, W)."""
    graph = check(read_netx(path, skip_layers=skip))
    shape = (1, len(values), *graph.inputs[0].shape)
    trace = reference.run(graph, values.reshape(shape))
    return [trace.spikes[p.name][0].astype(np.int64) for p in graph.neurons]


def require_equal(theirs: list[Any], mine: list[Any]) -> None:
    """Equal messages in every layer, and some of them."""
    assert len(theirs) == len(mine)
    for a, b in zip(theirs, mine, strict=True):
        b = b.transpose(0, 3, 2, 1) if a.ndim == 4 else b.reshape(a.shape)
        assert np.array_equal(a, b)
        assert a.any()


def rng_even(seed: int) -> Callable[..., Any]:
    rng = np.random.default_rng(seed)
    return lambda *shape: rng.integers(-20, 21, shape) * 2


def spikes(seed: int, *shape: int) -> np.ndarray:
    return (np.random.default_rng(seed).random((STEPS, *shape)) < 0.4).astype(np.int64)


def convolutions(path: Path) -> Path:
    even = rng_even(1)
    return write(
        path,
        layer("input", (2, 6, 5)),
        conv((4, 3, 5), even(4, 1, 3, 3), stride=[2, 1], padding=[1, 1], groups=2,
             bias=[2, -4, 8, 1], neuron=lif(30, 300, 410)),
        conv((3, 3, 1), even(3, 4, 1, 3), dilation=[1, 2], neuron=lif(40)),
        layer("flatten", (9, 1, 1)),
        dense(even(7, 9), delay=np.arange(63).reshape(7, 9) % 6, bias=even(7), neuron=lif(20)),
        dense(even(4, 7), "dense_rec", weight_rec=even(4, 4), neuron=lif(30, 2048)),
        dense(np.abs(even(3, 4)) + 1, neuron=lif(20)),
    )  # fmt: skip


def delayed_ring(path: Path) -> Path:
    even = rng_even(2)
    delay = np.array([[0, 3, 1], [2, 2, 0], [1, 0, 4]])
    rings = {"weight_rec": even(3, 3), "delay": delay, "neuron": lif(300, 1000, 500)}
    return write(path, dense(even(3, 3) // 4 * 2, "dense_rec", **rings))


@pytest.mark.parametrize(
    ("make", "shape"), [(convolutions, (2, 6, 5)), (delayed_ring, (3,))]
)  # fmt: skip
def test_spiking_networks(tmp_path: Path, make: Callable[[Path], Path], shape: Any) -> None:
    values = spikes(0, *shape)
    file = make(tmp_path / "x.net")
    shown = values.transpose(0, 3, 2, 1) if values.ndim == 4 else values
    theirs = stock(file, shown)
    require_equal(theirs, ours(file, values))
    if make is convolutions:  # a file forgets the exponent of the other's recurrent weights
        write_netx(read_netx(file), tmp_path / "again.net")
        for a, b in zip(theirs, stock(tmp_path / "again.net", shown), strict=True):
            assert np.array_equal(a, b)


def test_sigma_delta_networks(tmp_path: Path) -> None:
    """Values come in one step later than at netx's own encoder, and weighted by 64."""
    even = rng_even(4)
    file = write(
        tmp_path / "x.net",
        layer("input", (1, 4, 4), neuron=sdnn(6)),
        conv((2, 2, 2), even(2, 1, 3, 3), bias=[3, -1], neuron=sdnn(4)),
        layer("flatten", (8, 1, 1)),
        dense(even(3, 8), bias=[9, 1, 2], neuron=sdnn(5)),
        dense(even(1, 3), neuron=sdnn(sigma_output=True)),
    )
    values = np.random.default_rng(5).integers(0, 4, (STEPS, 1, 4, 4))
    late = np.concatenate([np.zeros_like(values[:1]), values[:-1]])
    theirs = stock(file, 64 * late.transpose(0, 3, 2, 1), encoder=True)
    require_equal(theirs, ours(file, values))
    messages = np.random.default_rng(6).integers(-900, 900, (STEPS, 1, 4, 4))
    require_equal(stock(file, messages.transpose(0, 3, 2, 1), skip=1), ours(file, messages, skip=1))
    write_netx(read_netx(file), tmp_path / "again.net")
    again = stock(tmp_path / "again.net", 64 * late.transpose(0, 3, 2, 1), encoder=True)
    for a, b in zip(theirs, again, strict=True):
        assert np.array_equal(a, b)


PLANE = (2, 6, 5)


def one_conv(
    path: Path, *, graded: bool = False, groups: int = 1, bias: Any = None, **how: Any
) -> Path:
    """One convolution of a 2 × 6 × 5 input with a 3 × 2 kernel."""
    given = {"stride": [1, 1], "padding": [0, 0], "dilation": [1, 1]} | how
    pairs = zip(PLANE[1:], (3, 2), *given.values(), strict=True)
    sides = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in pairs]
    neuron = sdnn(4) if graded else lif(30)
    first = layer("input", PLANE, **({"neuron": sdnn(3)} if graded else {}))
    how |= {"groups": groups, "bias": bias, "neuron": neuron}
    return write(path, first, conv((4, *sides), rng_even(11)(4, 2 // groups, 3, 2), **how))


def one_dense(path: Path, *first: dict[str, Any], **how: Any) -> Path:
    """One dense layer of five neurons on six values and one behind it."""
    even = rng_even(12)
    how = {"neuron": lif(20)} | how
    return write(path, *first, dense(even(5, 6), **how), dense(even(3, 5), neuron=how["neuron"]))


def ring(path: Path, neuron: Any, *first: dict[str, Any], **how: Any) -> Path:
    """A recurrent layer behind a dense one, which makes graded messages if the neurons do."""
    even = rng_even(13)
    again = dense(even(4, 4), "dense_rec", weight_rec=even(4, 4) // 8 * 2, neuron=neuron, **how)
    return write(path, *first, dense(even(4, 6), neuron=neuron), again)


ENCODER = layer("input", (6,), neuron=sdnn(3))


def flattened(path: Path) -> Path:
    """A 1×1 convolution, flattened for a dense layer."""
    even = rng_even(14)
    return write(
        path,
        layer("input", PLANE),
        conv(PLANE, even(2, 2, 1, 1), neuron=lif(20)),
        layer("flatten", (60, 1, 1)),
        dense(even(5, 60), neuron=lif(60)),
    )


ASYMMETRIC = {"stride": [2, 1], "padding": [1, 2], "dilation": [1, 2]}
ALONE: dict[str, tuple[Callable[[Path], Path], tuple[int, ...]]] = {
    "stride": (lambda f: one_conv(f, stride=[2, 1]), PLANE),
    "padding": (lambda f: one_conv(f, padding=[1, 2]), PLANE),
    "dilation": (lambda f: one_conv(f, dilation=[2, 1]), PLANE),
    "groups": (lambda f: one_conv(f, groups=2), PLANE),
    "conv bias": (lambda f: one_conv(f, bias=[3, -2, 7, 0]), PLANE),
    "all of a conv": (lambda f: one_conv(f, groups=2, bias=[3, -2, 7, 0], **ASYMMETRIC), PLANE),
    "graded conv": (
        lambda f: one_conv(f, graded=True, groups=2, bias=[3, -2, 7, 0], **ASYMMETRIC),
        PLANE,
    ),
    "flatten": (flattened, PLANE),
    "dense": (one_dense, (6,)),
    "dense bias": (lambda f: one_dense(f, bias=[9, -3, 0, 5, 1]), (6,)),
    "decays": (lambda f: one_dense(f, neuron=lif(20, 300, 410)), (6,)),
    "one delay": (lambda f: one_dense(f, delay=3), (6,)),
    "delays of targets": (lambda f: one_dense(f, delay=np.arange(5)), (6,)),
    "delays of sources": (lambda f: one_dense(f, delay=np.arange(6)), (6,)),
    "delays of synapses": (lambda f: one_dense(f, delay=np.arange(30).reshape(5, 6) % 7), (6,)),
    "dense_rec": (lambda f: ring(f, lif(20, 300, 410)), (6,)),
    "dense_rec bias": (lambda f: ring(f, lif(20), bias=[1, 2, -3, 4]), (6,)),
    "graded dense": (lambda f: one_dense(f, ENCODER, neuron=sdnn(5), bias=[9, -3, 0, 5, 1]), (6,)),
    "graded dense_rec": (lambda f: ring(f, sdnn(5), ENCODER), (6,)),
}


@pytest.mark.parametrize("name", ALONE)
def test_each_field_alone(tmp_path: Path, name: str) -> None:
    """Stock netx fires the same messages of the file, of our file of it, and so does ours."""
    make, shape = ALONE[name]
    file = make(tmp_path / "x.net")
    graph = read_netx(file)
    write_netx(graph, tmp_path / "again.net")
    encoder = graph.neurons[0].name == "input0"
    values = spikes(8, *shape) * (3 if encoder else 1)
    shown = values.transpose(0, 3, 2, 1) if values.ndim == 4 else values
    if encoder:  # whose values come one step later, weighted by 64
        shown = 64 * np.concatenate([np.zeros_like(shown[:1]), shown[:-1]])
    theirs = stock(file, shown, encoder=encoder)
    require_equal(theirs, ours(file, values))
    again = stock(tmp_path / "again.net", shown, encoder=encoder)
    assert len(again) == len(theirs)
    for a, b in zip(theirs, again, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("kind", REFUSED)
def test_what_we_refuse_netx_cannot_load(tmp_path: Path, kind: str) -> None:
    with redirect_stdout(StringIO()):
        from lava.lib.dl.netx.hdf5 import Network
    file = write(tmp_path / "x.net", dense([[2, -4]]), layer(kind, (1,)))
    missing = "no attribute 'create_complex_dense'" if kind == "dense_comp" else "not implemented"
    with pytest.raises((NotImplementedError, AttributeError), match=missing):
        Network(net_config=str(file))


def test_bits_are_netx_s_own() -> None:
    """For thousands of weight sets that a synapse holds, the bits are those netx finds."""
    with redirect_stdout(StringIO()):
        from lava.lib.dl.netx.utils import optimize_weight_bits
    rng = np.random.default_rng(7)
    compared = 0
    for _ in range(4000):
        low, high = np.sort(rng.integers(-256, 255, 2))
        weight = rng.integers(low, high + 1, 4).astype(np.int32) >> 3 << rng.integers(0, 4)
        if not weight.any() or refusal(weight, dense=True):
            continue
        with np.errstate(divide="ignore"), redirect_stdout(StringIO()):
            found = optimize_weight_bits(weight)
        assert grid(weight).bits == found[1], weight
        compared += 1
    assert compared > 1000
