"""Writing netx files: what is read and written again is the same network."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from netx_files import conv, dense, layer, lif, sdnn, write

from neurocomp.errors import InputError
from neurocomp.formats.netx import read_netx, write_netx
from neurocomp.ir import (
    Conv,
    CubaLif,
    Delta,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    SigmaDelta,
    skip,
)

LIF = LoihiLif(vth=50, du=4095, dv=1024)


def again(file: Path) -> Path:
    """The file of the same name that we make of it, in another folder."""
    (file.parent / "again").mkdir(exist_ok=True)
    made = file.parent / "again" / file.name
    write_netx(read_netx(file), made)
    return made


def everything(folder: Path) -> dict[str, Path]:
    """Files with every kind of layer."""
    rng = np.random.default_rng(3)

    def even(*shape: int) -> Any:
        return rng.integers(-12, 13, shape) * 2

    return {
        "lif": write(
            folder / "lif.net",
            layer("input", (2, 6, 5), weight=[36], bias=[12], neuron=lif(40)),
            conv((4, 3, 5), even(4, 1, 3, 3), stride=[2, 1], padding=[1, 1], groups=2,
                 bias=even(4), neuron=lif(30, 300, 410)),
            conv((3, 3, 1), even(3, 4, 1, 3), dilation=[1, 2]),
            layer("flatten", (9, 1, 1)),
            dense(even(7, 9), delay=rng.integers(0, 5, (7, 9)), bias=even(7)),
            dense(even(4, 7), "dense_rec", weight_rec=even(4, 4), neuron=lif(60, 2048)),
            dense(even(2, 4), delay=3, neuron=None),
        ),
        "spikes": write(folder / "spikes.net", layer("input", (1, 2, 2)), conv((1, 1, 1),
                        [[[[2, 4], [-2, 6]]]])),
        "image": write(folder / "image.net", layer("input", (1, 2, 2)), layer("flatten", (4, 1, 1)),
                       dense(even(2, 4))),
        "flat": write(folder / "flat.net", layer("input", (4,), neuron=lif()), dense(even(2, 4))),
        "sdnn": write(
            folder / "sdnn.net",
            layer("input", (1, 4, 4), neuron=sdnn(3)),
            conv((2, 2, 2), even(2, 1, 3, 3), bias=[3, -1], neuron=sdnn(4)),
            layer("flatten", (8, 1, 1)),
            dense(even(3, 8), neuron=sdnn(5)),
            dense(even(1, 3), neuron=sdnn(sigma_output=True)),
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["lif", "spikes", "image", "flat", "sdnn"])
def test_read_write_read_is_the_identity(tmp_path: Path, name: str) -> None:
    file = everything(tmp_path)[name]
    assert read_netx(again(file)).digest() == read_netx(file).digest()


def test_skipped_layers_keep_their_messages(tmp_path: Path) -> None:
    graph = read_netx(everything(tmp_path)["sdnn"], skip_layers=1)
    write_netx(graph, tmp_path / "rest.net")
    rest = read_netx(tmp_path / "rest.net")
    assert rest.inputs[0].neuron == Input(bits=16, signed=True)
    assert [e.weight.tolist() for e in rest.projections] == [
        e.weight.tolist() for e in graph.projections
    ]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_dense_chain_is_kept(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    sizes = data.draw(st.lists(st.integers(1, 5), min_size=2, max_size=4))
    layers = []
    for n_in, n_out in pairwise(sizes):
        values = st.lists(st.integers(-128, 127), min_size=n_in * n_out, max_size=n_in * n_out)
        weight = np.array(data.draw(values)).reshape(n_out, n_in) * 2
        weight.flat[0] = data.draw(st.integers(1, 127)) * 2  # never all zero or negative
        delay = data.draw(st.one_of(st.none(), st.integers(0, 62)))
        neuron = lif(data.draw(st.integers(0, 131071)), data.draw(st.integers(0, 4096)))
        layers.append(dense(weight, delay=delay, neuron=neuron))
    file = write(tmp_path_factory.mktemp("chain") / "x.net", *layers)
    assert read_netx(again(file)).digest() == read_netx(file).digest()


def test_a_window_is_not_kept_but_the_layers_are(tmp_path: Path) -> None:
    """A graph whose projections act in the same step of its window is read as free running."""
    graph = chain(Dense(), np.array([[2, -4]]), (2, 1, 1), (1, 1, 1), delay=0, timesteps=4)
    write_netx(graph, tmp_path / "x.net")
    read = read_netx(tmp_path / "x.net")
    assert read.timesteps is None
    assert [(e.delay, e.weight.tolist()) for e in read.projections] == [(1, [[2, -4]])]


def test_fields_are_lava_dls(tmp_path: Path) -> None:
    with h5py.File(again(everything(tmp_path)["lif"])) as file:
        first, second = file["layer/0"], file["layer/1"]
        assert [file[f"layer/{i}/type"][0] for i in range(7)] == [
            b"input", b"conv", b"conv", b"flatten", b"dense", b"dense_rec", b"dense",
        ]  # fmt: skip
        assert (first["weight"][0], first["bias"][0]) == (36, 12)
        assert first["neuron/type"][()] == b"CUBA"
        assert second["neuron/iDecay"][()] == 300
        assert second["stride"][()].tolist() == [2, 1]
        assert file["layer/6/neuron/vThMant"][()] == 131071


def chain(
    op: Any, weight: Any, source: Any, target: Any, *, neuron: Any = LIF, **given: Any
) -> Graph:
    """One projection from the input to one population."""
    timesteps = given.pop("timesteps", None)
    e = Projection("e", "in", "out", op, weight=np.asarray(weight), **{"delay": 1, **given})
    populations = (Population("in", source, Input()), Population("out", target, neuron))
    return Graph("g", populations, (e,), "out", timesteps=timesteps, readout="spikes")


FLAT, ONE = (2, 1, 1), (1, 1, 1)
PAIR = chain(Dense(), [[2, -4]], FLAT, ONE)
RING = Projection("ring", "out", "out", Dense(), weight=np.array([[2]]), delay=1)
CONV = Conv((1, 1))


def more(graph: Graph, population: Population | None, *projections: Projection) -> Graph:
    """A graph with more in it."""
    added = () if population is None else (population,)
    return graph.with_parts(graph.populations + added, graph.projections + projections)


REFUSED: dict[str, tuple[Graph, str]] = {
    "float": (
        chain(Dense(), [[0.5, 1]], FLAT, ONE, neuron=CubaLif()),
        "an integer graph needs a LoihiLif neuron",
    ),
    "inputs": (
        more(PAIR, Population("in2", FLAT, Input()),
             Projection("e2", "in2", "out", Dense(), weight=np.array([[2, 2]]), delay=1)),
        "netx has one input, the graph 2",
    ),
    "branches": (
        more(PAIR, Population("b", ONE, LIF),
             Projection("e2", "in", "b", Dense(), weight=np.array([[2, 2]]), delay=1)),
        "population 'in': feeds out, b; a netx file is a sequence of layers; write it as NIR",
    ),
    "output": (
        more(PAIR, Population("b", ONE, LIF),
             Projection("e2", "out", "b", Dense(), weight=np.array([[2]]), delay=1)),
        "the output must be the last layer, 'b', is 'out'",
    ),
    "rings": (more(PAIR, None, RING, replace(RING, name="r2")), "population 'out': netx has one"),
    "conv behind a ring": (
        more(replace(PAIR, output="b"), Population("b", ONE, LIF), RING,
             Projection("e2", "out", "b", CONV, weight=np.array([[[[2]]]]), delay=1)),
        "population 'out': netx must hold it as a convolution, as 'b' can be nothing else",
    ),
    "wide and late": (
        chain(Dense(), [[1024, -256]], FLAT, ONE, delay=2),
        "population 'out': netx must hold it as a convolution, as 'out' can be nothing else, and "
        "its convolutions have no recurrent synapses and no delays; drop these, or use smaller",
    ),
    "late before wide": (
        more(replace(chain(Dense(), [[2, 4]], FLAT, ONE, delays=np.array([[0, 1]])), output="b"),
             Population("b", ONE, LIF),
             Projection("e2", "out", "b", Dense(), weight=np.array([[512]]), delay=1)),
        "population 'out': netx must hold it as a convolution, as 'b' can be nothing else",
    ),
    "wide graded": (
        chain(Dense(), [[1024, -1024]], FLAT, ONE, neuron=SigmaDelta(3)),
        "projection 'e': weights -1024 to 1024 lie outside −256 to 255",
    ),
    "late delta": (
        chain(Dense(), [[2, -4]], FLAT, ONE, neuron=Delta(3)),
        "population 'out': netx has delta encoders in the input layer only",
    ),
    "late conv delta": (
        chain(CONV, [[[[2]], [[4]]]], FLAT, ONE, neuron=Delta(3)),
        "population 'out': netx has delta encoders in the input layer only",
    ),
    "conv delay": (
        chain(CONV, [[[[2]], [[4]]]], FLAT, ONE, delay=2),
        "projection 'e': netx drops the delays of a convolution",
    ),
    "dense plane": (
        chain(Dense(), np.ones((2, 2), int), FLAT, (1, 1, 2)),
        r"population 'out': a dense layer of netx is flat, is \(1, 1, 2\)",
    ),
    "long delay": (chain(Dense(), [[2, 4]], FLAT, ONE, delay=64), "delays .* at most 62"),
    "unequal delays": (
        more(chain(Dense(), [[2, 4]], FLAT, ONE, delay=3), None, RING),
        "projection 'ring': the delays of a layer",
    ),
    "no step": (
        chain(Dense(), [[2, 4]], FLAT, ONE, delay=0),
        "projection 'e': a free-running network takes a step per projection",
    ),
    "scaling": (
        chain(Dense(), [[2, 4]], FLAT, ONE, neuron=SigmaDelta(3, spike_exp=0)),
        "population 'out': netx cannot hold its neuron",
    ),
    "conv bits": (
        chain(CONV, [[[[2]], [[1024]]]], FLAT, ONE),
        "projection 'e': weights 2 to 1024 in steps of 2 need 10 bits, a synapse has 8",
    ),
    "bits": (chain(Dense(), [[2, 1024]], FLAT, ONE), "2 to 1024 in steps of 2 need 10 bits"),
    "lost exponent": (
        more(chain(Dense(), [[2]], ONE, ONE, delay=2), None, replace(RING, delay=2)),
        "netx forgets the exponent of recurrent weights with delays; scale them up by 64",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_file_cannot_hold(tmp_path: Path, name: str) -> None:
    graph, message = REFUSED[name]
    with pytest.raises(InputError, match=message):
        write_netx(graph, tmp_path / "x.net")
    assert not list(tmp_path.iterdir())


def test_an_identity_with_memory_is_no_input_layer(tmp_path: Path) -> None:
    """netx drives input neurons past their current, so one with memory is a convolution."""
    kernel = np.full((1, 1, 1, 1), 2)
    graph = chain(skip(1), kernel, (1, 2, 2), (1, 2, 2), neuron=replace(LIF, du=99))
    write_netx(graph, tmp_path / "x.net")
    assert [p.name for p in read_netx(tmp_path / "x.net").populations] == ["in", "conv0"]
    graph = chain(skip(1), kernel, (1, 2, 2), (1, 2, 2))
    write_netx(graph, tmp_path / "x.net")
    assert [p.name for p in read_netx(tmp_path / "x.net").populations] == ["in", "input0"]
