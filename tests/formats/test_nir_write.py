"""Writing NIR files: what is written is read again, by us exactly, by others with equal spikes."""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import dag
from nir_graphs import DT, chain, conv, cuba, lif, linear, pool

from neurocomp.errors import InputError
from neurocomp.formats.nir import read_nir, write_nir
from neurocomp.ir import (
    Conv,
    CubaLif,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    Sigma,
    skip,
    verify,
)
from neurocomp.ir.shapes import endpoints, weight_shape
from neurocomp.quant import reference
from neurocomp.quant.discretize import discretize
from neurocomp.snn.stepping import run_float

NEURON = CubaLif(1.0, 1.0, 0.5)


def trained(graph: Graph, seed: int = 0) -> Graph:
    """The graph with weights and biases from a seed; pruned weights are zero."""
    rng = np.random.default_rng(seed)
    projections = []
    for e in graph.projections:
        weight = e.weight
        if weight is None:
            weight = rng.normal(size=weight_shape(e.op, *endpoints(graph, e))).astype(np.float32)
        mask = True if e.mask is None else e.mask
        projections.append(replace(e, weight=np.where(mask, weight, 0).astype(weight.dtype)))
    biased = ("stem", "fc", "out")
    populations = tuple(
        replace(p, bias=rng.normal(size=p.shape[0]).astype(np.float32)) if p.name in biased else p
        for p in graph.populations
    )
    return graph.with_parts(populations, tuple(projections))


def small(neuron: Any = NEURON, out: Any = NEURON, **more: Any) -> Graph:
    """Two inputs, three neurons, an output."""
    rng = np.random.default_rng(1)
    populations = (
        Population("in", (2, 1, 1), Input()),
        Population("a", (3, 1, 1), neuron),
        Population("out", (1, 1, 1), out),
    )
    projections = (
        Projection("in-a", "in", "a", Dense(), 4, rng.normal(size=(3, 2))),
        Projection("a-out", "a", "out", Dense(), 8, rng.normal(size=(1, 3))),
    )
    graph = Graph("small", populations, projections, "out", readout="spikes")
    return verify(replace(graph, **more))


@st.composite
def graphs(draw: Any) -> Graph:
    """A chain of convolutions and dense layers with skips, ways back, delays and readouts."""
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    integer = draw(st.booleans())
    shape = (int(rng.integers(1, 4)), int(rng.integers(3, 6)), int(rng.integers(3, 6)))
    populations = [Population("in", shape, Input(int(rng.integers(1, 9)), bool(rng.integers(2))))]
    projections: list[Projection] = []

    def connect(name: str, source: Population, target: Population, op: Any, delay: int = 0) -> None:
        shape = weight_shape(op, source.shape, target.shape)
        weight = rng.integers(-8, 8, shape) * 2 if integer else rng.normal(size=shape)
        weight = weight.astype(np.int32 if integer else rng.choice(["f4", "f8"]))
        mask = rng.random(shape) < 0.7 if rng.random() < 0.3 else None
        if mask is not None:
            weight = np.where(mask, weight, 0).astype(weight.dtype)
        bits, exponent = int(rng.integers(1, 9)), int(integer)
        projections.append(
            Projection(name, source.name, target.name, op, bits, weight, exponent, mask, delay)
        )

    def population(name: str, shape: tuple[int, int, int]) -> Population:
        current, voltage = (int(v) for v in rng.integers(1, 4097, 2))
        if rng.random() < 0.6:
            current = 4096
            voltage = int(rng.choice([0, voltage, 4096]))
        bias = rng.integers(1, 99, shape[0]).astype(np.int32) if rng.random() < 0.5 else None
        neuron: Any = LoihiLif(int(rng.integers(0, 2000)), current - 1, voltage)
        if not integer:
            neuron = CubaLif(float(rng.integers(1, 99)) / 7, current / 4096, voltage / 4096)
            if bias is not None:  # of a current with memory: a leak potential, in 12 digits
                bias = bias / 1024 if current < 4096 else rng.normal(size=shape[0]).astype("f4")
        made = Population(name, shape, neuron, bias)
        populations.append(made)
        return made

    before = populations[0]
    for i in range(draw(st.integers(1, 3))):
        before_last = before
        channels = int(rng.choice([before.shape[0], 2 * before.shape[0]]))
        if rng.random() < 0.6:
            groups = before.shape[0] if rng.random() < 0.4 else 1
            before = population(f"conv{i}", (channels, *before.shape[1:]))
            connect(f"w{i}", before_last, before, Conv((3, 3), padding=(1, 1), groups=groups))
            if before.shape == before_last.shape:
                connect(f"skip{i}", before_last, before, skip(channels), int(rng.integers(3)))
        else:
            before = population(f"dense{i}", (channels, 1, 1))
            connect(f"w{i}", before_last, before, Dense())
            connect(f"rec{i}", before, before, Dense(), int(rng.integers(1, 4)))
    readout = draw(st.sampled_from(["membrane", "spikes"]))
    last = population("out", (2, 1, 1))
    connect("last", before, last, Dense())
    window = draw(st.sampled_from([None, 5]))
    made = Graph("drawn", tuple(populations), tuple(projections), "out", window, readout)
    return verify(made, integer=integer, trained=True)


@settings(max_examples=20, deadline=None)
@given(graphs())
def test_export_and_import_are_the_identity(graph: Graph) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "node .* is no leak at all")
        warnings.filterwarnings("error", ".*subtract")
        file = Path(folder) / "x.nir"
        write_nir(graph, file)
        assert read_nir(file).digest() == graph.digest()
        assert read_nir(nir.read(file, type_check=False)).digest() == graph.digest()


@pytest.mark.parametrize("integer", [False, True])
def test_a_searched_network(integer: bool, tmp_path: Path) -> None:
    graph = trained(dag())
    graph = discretize(graph) if integer else graph
    write_nir(graph, tmp_path / "x.nir")
    assert read_nir(tmp_path / "x.nir").digest() == graph.digest()
    assert read_nir(nir.read(tmp_path / "x.nir")).digest() == graph.digest()  # nir checks types


@pytest.mark.filterwarnings("ignore:.*snnTorch's default")
def test_import_and_export_of_foreign_graphs_are_the_identity(tmp_path: Path) -> None:
    """The first import makes our graph; from then on nothing changes."""
    sources = {
        "maps": chain(
            [2, 8, 8], conv(np.ones((4, 2, 3, 3)), padding=1, bias=np.arange(4.0)), lif((4, 8, 8)),
            pool("AvgPool2d", 2, 2), conv(np.ones((3, 4, 2, 2))), lif((3, 3, 3), leak=0.3),
            nir.Flatten(None, 0, -1), nir.Linear(np.ones((5, 27))), cuba(5),
        ),
        "constant": chain([1], nir.Affine(np.ones((2, 1)), np.array([0.25, 0.5])), cuba(2)),
        "delay": chain([1], nir.Delay(np.full(1, 3 * DT)), linear([0.7]), lif(1, reset=0.05)),
        "row": chain([2, 9], nir.Conv1d(None, np.ones((2, 2, 3)), 2, 1, 1, 1, np.ones(2)), lif(())),
        "silent": chain([3], linear([1.0, 2.0, 3.0]), lif(), linear([1.0]),
                        nir.LI(tau=np.full(1, 3 * DT), r=np.ones(1), v_leak=np.full(1, 0.7))),
    }  # fmt: skip
    for name, source in sources.items():
        first = read_nir(source, weight_bits=5, input_bits=2)
        write_nir(first, tmp_path / name)
        assert read_nir(tmp_path / name).digest() == first.digest(), name


class TestConsumers:
    """What a reader sees who does not know our metadata."""

    def stripped(self, file: Path) -> Graph:
        """The file without metadata, as a float graph."""
        with h5py.File(file, "a") as opened:
            names: list[str] = []
            opened["node"].visit(names.append)
            for name in [n for n in names if n.endswith("metadata")]:
                del opened["node"][name]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read_nir(file)

    def test_integer_networks_fire_the_same_spikes(self, tmp_path: Path) -> None:
        """Without memory in the current, and a membrane that keeps all or half, all is exact."""
        graph = discretize(trained(dag()))
        write_nir(graph, tmp_path / "x.nir")
        read = replace(self.stripped(tmp_path / "x.nir"), timesteps=graph.timesteps)
        source = replace(read.inputs[0], neuron=graph.inputs[0].neuron)
        populations = tuple(source if p is read.inputs[0] else p for p in read.populations)
        read = read.with_parts(populations, read.projections)
        values = np.random.default_rng(0).integers(0, 16, (3, 2, 8, 8))
        theirs, ours = run_float(read, values), reference.run(graph, values)
        for name, fired in ours.spikes.items():
            assert fired.any() or name == "out"
            assert np.array_equal(theirs.spikes[name], fired), name
        assert np.array_equal(theirs.readout.argmax(1), ours.predictions())

    def test_nodes_and_numbers(self, tmp_path: Path) -> None:
        """τ = dt/decay, r = τ/dt: 2e-4 and 2 for a decay of one half; biases at the weights."""
        graph = small(replace(NEURON, threshold=3.0))
        populations = (graph.populations[0], replace(graph.populations[1], bias=np.arange(3.0)))
        graph = graph.with_parts((*populations, graph.populations[2]), graph.projections)
        write_nir(graph, tmp_path / "x.nir", cores={"a": [4, 7]})
        read = nir.read(tmp_path / "x.nir")
        node = read.nodes["a"]
        assert isinstance(node, nir.LIF)
        np.testing.assert_allclose(node.tau, [2e-4] * 3)
        np.testing.assert_allclose(node.r, [2.0] * 3)
        assert (node.v_threshold.tolist(), node.v_reset.tolist()) == ([3.0] * 3, [0.0] * 3)
        assert node.metadata["neurocomp"]["cores"].tolist() == [4, 7]
        assert isinstance(read.nodes["in-a"], nir.Affine)
        assert read.nodes["in-a"].bias.tolist() == [0.0, 1.0, 2.0]
        notes = read.nodes["in-a"].metadata["neurocomp"]
        assert {k: int(v) for k, v in notes.items()} == {
            "index": 0, "weight_bits": 4, "exponent": 0, "delay": 0,
        }  # fmt: skip
        assert set(read.edges) == {("in", "in-a"), ("in-a", "a"), ("a", "a-out"), ("a-out", "out"),
                                   ("out", "output")}  # fmt: skip

    @pytest.mark.parametrize(
        ("current", "voltage", "readout", "kind"),
        [
            (1.0, 0.0, "spikes", nir.IF),
            (1.0, 0.5, "spikes", nir.LIF),
            (0.5, 0.5, "spikes", nir.CubaLIF),
            (1.0, 0.0, "membrane", nir.I),
            (1.0, 0.5, "membrane", nir.LI),
            (0.5, 0.5, "membrane", nir.CubaLI),
        ],
    )
    def test_kinds(
        self, current: float, voltage: float, readout: str, kind: type, tmp_path: Path
    ) -> None:
        graph = small(out=CubaLif(2.5, current, voltage), readout=readout)
        write_nir(graph, tmp_path / "x.nir", dt=1e-3)
        assert type(nir.read(tmp_path / "x.nir").nodes["out"]) is kind
        assert read_nir(tmp_path / "x.nir").digest() == graph.digest()  # at its own dt

    def test_delays(self, tmp_path: Path) -> None:
        """Three steps are a node of 3e-4 s; the single step of a way back needs none."""
        graph = small()
        back = Projection("back", "a", "a", Dense(), 8, np.ones((3, 3)), delay=1)
        late = replace(graph.projections[1], delay=3)
        graph = graph.with_parts(graph.populations, (graph.projections[0], late, back))
        write_nir(graph, tmp_path / "x.nir")
        nodes = nir.read(tmp_path / "x.nir").nodes
        assert [n for n, node in nodes.items() if isinstance(node, nir.Delay)] == ["a-out.delay"]
        np.testing.assert_allclose(nodes["a-out.delay"].delay, [3e-4] * 3)

    def test_delays_of_synapses_become_projections(self, tmp_path: Path) -> None:
        graph = small()
        first = replace(graph.projections[0], delays=np.array([[0, 2]] * 3))
        graph = graph.with_parts(graph.populations, (first, graph.projections[1]))
        write_nir(graph, tmp_path / "x.nir")
        read = read_nir(tmp_path / "x.nir")
        assert {e.name: e.delay for e in read.projections} == {
            "in-a@0": 0, "in-a@2": 2, "a-out": 0,
        }  # fmt: skip

    def test_pruned_weights_are_zeros(self, tmp_path: Path) -> None:
        graph = small()
        mask = np.array([[True, False]] * 3)
        first = replace(graph.projections[0], mask=mask)
        write_nir(
            graph.with_parts(graph.populations, (first, graph.projections[1])), tmp_path / "x.nir"
        )
        assert not nir.read(tmp_path / "x.nir").nodes["in-a"].weight[:, 1].any()
        assert np.array_equal(read_nir(tmp_path / "x.nir").projections[0].mask, mask)

    def test_names_that_meet(self, tmp_path: Path) -> None:
        """A projection, a population and NIR's own output of the same name."""
        graph = small()
        names = (replace(graph.projections[0], name="a"), replace(graph.projections[1], name="out"))
        graph = graph.with_parts(graph.populations, names)
        write_nir(graph, tmp_path / "x.nir")
        assert read_nir(tmp_path / "x.nir").digest() == graph.digest()
        assert {"a", "a_", "out", "out_"} < set(nir.read(tmp_path / "x.nir").nodes)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (
            lambda: small(CubaLif(1.0, 0.5, 0.0)),
            "population 'a': NIR's current-based neurons leak, its current decay is 0.5 and",
        ),
        (lambda: small(CubaLif(1.0, 0.0, 0.5)), "its current decay is 0 and its voltage decay 0.5"),
        (lambda: small(Sigma()), "population 'a': NIR has no neuron like Sigma"),
        (lambda: replace(small(), name="a/b"), "node name 'a/b' is not usable"),
        (lambda: dag(), "has no weights; train the network first"),
    ],
)
def test_what_nir_cannot_hold(graph: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        write_nir(graph(), tmp_path / "x.nir")
    assert list(tmp_path.iterdir()) == []


def test_dense_synapses_onto_maps(tmp_path: Path) -> None:
    populations = (
        Population("in", (2, 1, 1), Input()),
        Population("map", (1, 2, 2), NEURON),
    )
    e = Projection("e", "in", "map", Dense(), 8, np.ones((4, 2)))
    graph = Graph("g", populations, (e,), "map", readout="spikes")
    with pytest.raises(InputError, match=r"projection 'e': NIR has no dense synapses onto maps"):
        write_nir(graph, tmp_path / "x.nir")


def test_a_membrane_that_also_sends_spikes(tmp_path: Path) -> None:
    graph = replace(small(), output="a", readout="membrane")
    with pytest.raises(InputError, match="population 'a': is read as a membrane and sends spikes"):
        write_nir(graph, tmp_path / "x.nir")


def test_unknown_cores_and_dt(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown population 'b'"):
        write_nir(small(), tmp_path / "x.nir", cores={"b": [0]})
    with pytest.raises(InputError, match="dt must be a positive number of seconds, got 0"):
        write_nir(small(), tmp_path / "x.nir", dt=0.0)


def test_bits_of_an_integer_file_are_set(tmp_path: Path) -> None:
    write_nir(discretize(trained(dag())), tmp_path / "x.nir")
    with pytest.raises(InputError, match="holds an integer network, whose weight bits are set"):
        read_nir(tmp_path / "x.nir", weight_bits=4)


def test_a_float_file_can_be_read_at_other_bits(tmp_path: Path) -> None:
    write_nir(small(), tmp_path / "x.nir")
    assert {e.weight_bits for e in read_nir(tmp_path / "x.nir", weight_bits=3).projections} == {3}
