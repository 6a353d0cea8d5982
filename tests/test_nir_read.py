"""NIR graphs as float graphs: dynamics worked out by hand, and the liberties that files take."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
import torch
from nir_graphs import DT, chain, conv, cuba, full, lif, linear, network, pool, spikes, times

from neurocomp.errors import InputError
from neurocomp.formats.nir import read_nir
from neurocomp.ir import Conv, CubaLif, Dense, Input, skip
from neurocomp.quant import reference
from neurocomp.quant.discretize import discretize
from neurocomp.snn.stepping import run_float

pytestmark = pytest.mark.filterwarnings("ignore:.*snnTorch's default")


class TestNeurons:
    def test_lif(self) -> None:
        """v = v/2 + 0.6: 0.6, 0.9, 1.05 > 1, so every third step."""
        graph = read_nir(chain([1], linear([0.6]), lif()))
        assert graph.population("n1").neuron == CubaLif(1.0, 1.0, 0.5)
        assert times(graph, *[1] * 9) == [2, 5, 8]

    def test_the_integer_network_fires_the_same(self) -> None:
        graph = read_nir(chain([1], linear([0.6]), lif()))
        integer = discretize(replace(graph, timesteps=9))
        trace = reference.run(integer, np.ones((1, 9, 1, 1, 1), np.int64))
        assert np.flatnonzero(trace.spikes["n1"]).tolist() == [2, 5, 8]

    def test_a_tie_with_the_threshold_is_no_spike(self) -> None:
        """v = 0.5, 0.75, 0.875, … never passes 1."""
        assert times(read_nir(chain([1], linear([0.5]), lif())), *[1] * 30) == []

    def test_resistance_scales_the_input(self) -> None:
        """r·dt/τ = 3·0.5: weight 0.4 counts 0.6."""
        node = lif()
        node.r = full(1, 3.0)
        graph = read_nir(chain([1], linear([0.4]), node))
        np.testing.assert_allclose(graph.projections[0].weight, [[0.6]], rtol=1e-12)

    def test_leak_potential_drives(self) -> None:
        """v = v/2 + 0.4: 0.4, 0.6, 0.7 > 0.65."""
        graph = read_nir(chain([1], linear([1.0]), lif(leak=0.8, threshold=0.65)))
        np.testing.assert_allclose(graph.population("n1").bias, [0.4], rtol=1e-12)
        assert times(graph, *[0] * 6) == [2, 5]

    def test_reset_potential_is_where_v_starts_and_is_measured_from(self) -> None:
        """w = v − 0.1: w/2 + 0.5·(0.7 − 0.1) = 0.3, 0.45, 0.525 > 0.6 − 0.1."""
        graph = read_nir(chain([1], linear([1.0]), lif(leak=0.7, reset=0.1, threshold=0.6)))
        assert graph.population("n1").neuron == CubaLif(0.5, 1.0, 0.5)
        assert times(graph, *[0] * 6) == [2, 5]

    def test_cuba(self) -> None:
        """u = 0.5, 0.75, 0.375, 0.1875; v = 0.5, 1 > 0.9, then 0.375, 0.375."""
        node = cuba(v_threshold=full(1, 0.9))
        graph = read_nir(chain([1], linear([0.5]), node))
        assert graph.population("n1").neuron == CubaLif(0.9, 0.5, 0.5)
        assert times(graph, 1, 1, 0, 0, 0) == [1]

    def test_cuba_input_factor(self) -> None:
        """w_in·dt/τ_syn = 3·0.5 and r·dt/τ_mem = 1."""
        node = cuba()
        node.w_in = full(1, 3.0)
        graph = read_nir(chain([1], linear([1.0]), node))
        np.testing.assert_allclose(graph.projections[0].weight, [[1.5]], rtol=1e-12)

    def test_if_takes_its_input_per_step(self) -> None:
        """v = 1, 2, 3 > 2.5: r·w = 0.5·2, without dt."""
        node = nir.IF(r=full(1, 0.5), v_threshold=full(1, 2.5), v_reset=full(1, 0.0))
        graph = read_nir(chain([1], linear([2.0]), node))
        assert graph.population("n1").neuron == CubaLif(2.5, 1.0, 0.0)
        assert times(graph, *[1] * 7) == [2, 5]

    def test_threshold_has_no_memory(self) -> None:
        node = nir.Threshold(full(1, 1.5))
        graph = read_nir(chain([2], linear([1.0, 1.0]), node))
        assert times(graph, [1, 0], [1, 0], [1, 1], [0, 1], [1, 1]) == [2, 4]

    @pytest.mark.parametrize(
        ("node", "membrane"),
        [
            (nir.LI(tau=full(1, 2 * DT), r=full(1, 2.0), v_leak=full(1, 0.0)), 1.75),
            (nir.I(r=full(1, 2.0)), 6.0),
            (
                nir.CubaLI(
                    tau_syn=full(1, 2 * DT), tau_mem=full(1, DT), r=full(1, 1.0),
                    v_leak=full(1, 0.0), w_in=full(1, 2.0),
                ),
                1.75,
            ),
        ],
    )  # fmt: skip
    def test_readouts(self, node: Any, membrane: float) -> None:
        """Three ones: 1, 1.5, 1.75 with a decay of one half; 2, 4, 6 without, at r = 2."""
        graph = read_nir(chain([1], linear([1.0]), node))
        assert graph.readout == "membrane"
        trace = run_float(graph, np.ones((1, 3, 1, 1, 1), np.int64))
        np.testing.assert_allclose(trace.readout, [[membrane]], rtol=1e-12)
        assert not trace.spikes["n1"].any()

    def test_thresholds_of_channels_become_one(self) -> None:
        """0.6 against 1 is 1.2 against 2: both pass at the second step."""
        node = nir.IF(r=full(2, 1.0), v_threshold=np.array([1.0, 2.0]), v_reset=full(2, 0.0))
        graph = read_nir(chain([1], linear([0.6], [1.2]), node))
        assert graph.population("n1").neuron == CubaLif(2.0, 1.0, 0.0)
        np.testing.assert_allclose(graph.projections[0].weight, [[1.2], [1.2]], rtol=1e-12)
        assert spikes(graph, 1, 1) == [[0, 0], [1, 1]]

    def test_resistances_of_channels_go_into_the_weights(self) -> None:
        node = lif((2, 1, 1))
        node.r = np.array([2.0, 4.0]).reshape(2, 1, 1)
        weight = np.ones((2, 1, 1, 1))
        graph = read_nir(chain([1, 1, 1], conv(weight), node))
        np.testing.assert_allclose(graph.projections[0].weight.reshape(-1), [1.0, 2.0], rtol=1e-12)


class TestTime:
    def test_dt_scales_decays(self) -> None:
        node = lif(decay=0.1)
        graph = chain([1], linear([1.0]), node)
        assert read_nir(graph).population("n1").neuron.voltage_decay == 0.1
        assert read_nir(graph, dt=2 * DT).population("n1").neuron.voltage_decay == 0.2

    def test_single_precision_is_read_as_what_it_means(self) -> None:
        """snnTorch's numbers: τ = dt/(1 − β) and r = τ/dt in single precision, β = 0.9."""
        beta = np.full(3, 0.9, np.float32)
        tau = np.float32(1e-4) / (1 - beta)
        node = nir.LIF(
            tau=tau, r=tau / np.float32(1e-4), v_leak=0 * beta,
            v_threshold=np.ones(3, np.float32), v_reset=0 * beta,
        )  # fmt: skip
        weight = np.array([[0.1], [0.2], [0.3]], np.float32)
        graph = read_nir(chain([1], nir.Linear(weight), node))
        assert graph.population("n1").neuron == CubaLif(1.0, 1.0, 0.1)
        assert graph.projections[0].weight.dtype == np.float32
        assert np.array_equal(graph.projections[0].weight, weight)

    def test_delay(self) -> None:
        graph = read_nir(chain([1], nir.Delay(full(1, 2 * DT)), linear([2.0]), lif()))
        assert graph.projections[0].delay == 2
        assert times(graph, 1, 0, 0, 1, 0, 0) == [2, 5]

    def test_a_way_back_to_the_same_neurons_takes_a_step(self) -> None:
        """One spike from outside, then the neuron keeps itself going."""
        nodes = {
            "in": nir.Input({"input": np.array([1])}),
            "w": linear([2.0]),
            "lif": lif(),
            "rec": linear([2.0]),
            "out": nir.Output({"output": np.array([1])}),
        }
        edges = ("in", "w"), ("w", "lif"), ("lif", "rec"), ("rec", "lif"), ("lif", "out")
        graph = read_nir(network(nodes, *edges))
        assert {e.name: e.delay for e in graph.projections} == {"w": 0, "rec": 1}
        assert times(graph, 0, 1, 0, 0) == [1, 2, 3]

    def test_the_step_of_a_way_back_may_be_stated(self) -> None:
        nodes = {
            "in": nir.Input({"input": np.array([1])}),
            "w": linear([2.0]),
            "lif": lif(),
            "d": nir.Delay(full(1, 3 * DT)),
            "rec": linear([2.0]),
        }
        nodes["out"] = nir.Output({"output": np.array([1])})
        edges = ("in", "w"), ("w", "lif"), ("lif", "d"), ("d", "rec"), ("rec", "lif")
        graph = read_nir(network(nodes, *edges, ("lif", "out")))
        assert times(graph, 1, 0, 0, 0, 0, 0, 0) == [0, 3, 6]

    def test_subgraphs_are_flattened(self) -> None:
        """snnTorch's recurrent layers: a subgraph of Input, LIF, its weights and Output."""
        inner = network(
            {
                "input": nir.Input({"input": np.array([1])}),
                "lif": lif(),
                "w_rec": nir.Affine(np.array([[2.0]]), np.array([0.25])),
                "output": nir.Output({"output": np.array([1])}),
            },
            ("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output"),
        )  # fmt: skip
        graph = read_nir(chain([1], linear([2.0]), inner))
        assert [p.name for p in graph.populations] == ["in", "n1.lif"]
        assert {e.name: (e.source, e.delay) for e in graph.projections} == {
            "n0": ("in", 0),
            "n1.w_rec": ("n1.lif", 1),
        }
        np.testing.assert_array_equal(graph.population("n1.lif").bias, [0.25])


class TestLinear:
    def test_shapes_and_names(self) -> None:
        graph = read_nir(
            chain(
                [2, 6, 6], conv(np.ones((3, 2, 3, 3)), padding=1), lif((3, 6, 6)),
                pool("AvgPool2d", 2, 2), lif((3, 3, 3)), nir.Flatten(None, 0, -1),
                nir.Linear(np.ones((4, 27))), lif(4),
            )
        )  # fmt: skip
        assert [(p.name, p.shape) for p in graph.populations] == [
            ("in", (2, 6, 6)), ("n1", (3, 6, 6)), ("n3", (3, 3, 3)), ("n6", (4, 1, 1)),
        ]  # fmt: skip
        assert [(e.name, e.source, e.target) for e in graph.projections] == [
            ("n0", "in", "n1"), ("n2", "n1", "n3"), ("n5", "n3", "n6"),
        ]  # fmt: skip
        assert graph.projections[0].op == Conv((3, 3), padding=(1, 1))
        assert graph.projections[1].op == Conv((2, 2), (2, 2), groups=3)
        assert (graph.projections[1].weight == 0.25).all()
        assert graph.projections[2].op == Dense()

    def test_neurons_behind_neurons(self) -> None:
        graph = read_nir(chain([2], linear([1.0, 0.0], [0.0, 1.0]), lif(2), lif(2, threshold=0.5)))
        assert graph.projections[1].name == "n1-n2"
        assert graph.projections[1].op == skip(2)

    def test_sum_pooling_before_weights(self) -> None:
        """Windows of 2 × 2, weighted 1 and −1: 2 spikes left, 1 right passes 0.5."""
        graph = read_nir(
            chain(
                [1, 2, 4], pool("SumPool2d", 2, 2), nir.Flatten(None, 0, -1),
                linear([1.0, -1.0]), nir.Threshold(full(1, 0.5)),
            )
        )  # fmt: skip
        (e,) = graph.projections
        assert e.weight.tolist() == [[1, 1, -1, -1, 1, 1, -1, -1]]
        assert times(graph, [1, 1, 1, 0, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0, 0, 0]) == [0]

    def test_conv1d(self) -> None:
        """Kernel (1, −1) over 0 1 1 0: 0 − 1, 1 − 1, 1 − 0."""
        node = nir.Conv1d(None, np.array([[[1.0, -1.0]]]), 1, 0, 1, 1, np.zeros(1))
        graph = read_nir(chain([1, 4], node, nir.Threshold(full((1, 3), 0.5))))
        assert graph.population("n1").shape == (1, 1, 3)
        assert spikes(graph, [0, 1, 1, 0]) == [[0, 0, 1]]

    def test_scale_goes_into_the_weights(self) -> None:
        graph = read_nir(
            chain([2], linear([1.0, 2.0], [3.0, 4.0]), nir.Scale(np.array([2.0, 10.0])), lif(2))
        )
        assert graph.projections[0].weight.tolist() == [[2.0, 4.0], [30.0, 40.0]]

    def test_scale_before_weights(self) -> None:
        graph = read_nir(chain([2], nir.Scale(np.array([2.0, 10.0])), linear([1.0, 2.0]), lif()))
        assert graph.projections[0].weight.tolist() == [[2.0, 20.0]]

    def test_two_weights_in_a_row(self) -> None:
        """(1 2)·((1 0) (0 3)) with the first bias (1 1): weights (1 6), bias 1 + 2 + 0.5."""
        first = nir.Affine(np.array([[1.0, 0.0], [0.0, 3.0]]), np.ones(2))
        second = nir.Affine(np.array([[1.0, 2.0]]), np.array([0.5]))
        graph = read_nir(chain([2], first, second, lif()))
        assert graph.projections[0].weight.tolist() == [[1.0, 6.0]]
        assert graph.population("n2").bias.tolist() == [3.5]

    def test_several_ways_into_one_node_are_summed(self) -> None:
        """Both populations drive the same weights, whose bias counts once."""
        nodes = {
            "in": nir.Input({"input": np.array([2])}),
            "wa": linear([2.0, 0.0]),
            "wb": linear([0.0, 2.0]),
            "a": lif(),
            "b": lif(),
            "w": nir.Affine(np.array([[0.5]]), np.array([0.25])),
            "c": nir.Threshold(full(1, 1.0)),
            "out": nir.Output({"output": np.array([1])}),
        }
        ways = [("in", "wa"), ("in", "wb"), ("wa", "a"), ("wb", "b"), ("a", "w"), ("b", "w")]
        graph = read_nir(network(nodes, *ways, ("w", "c"), ("c", "out")))
        assert [e.name for e in graph.projections] == ["wa", "wb", "a-c", "b-c"]
        assert graph.population("c").bias.tolist() == [0.25]
        assert times(graph, [1, 0], [0, 1], [1, 1]) == [2]  # 0.75, 0.75, 1.25

    def test_parallel_ways_get_numbers(self) -> None:
        nodes = {
            "in": nir.Input({"input": np.array([1])}),
            "w": linear([1.0]),
            "s": nir.Scale(full(1, 2.0)),
            "t": nir.Scale(full(1, 3.0)),
            "lif": lif(),
            "out": nir.Output({"output": np.array([1])}),
        }
        ways = [("in", "w"), ("w", "s"), ("w", "t"), ("w", "lif"), ("s", "lif"), ("t", "lif")]
        graph = read_nir(network(nodes, *ways, ("lif", "out")))
        assert [e.name for e in graph.projections] == ["s", "t", "w"]
        assert [e.weight.item() for e in graph.projections] == [2.0, 3.0, 1.0]

    def test_a_constant_current_comes_from_a_neuron_that_always_fires(self) -> None:
        """u = 0.25, 0.375, 0.4375, 0.46875, …: above 0.4 from the third step on."""
        node = cuba(voltage=1.0, v_threshold=full(1, 0.4))
        affine = nir.Affine(np.array([[1.0]]), np.array([0.25]))
        graph = read_nir(chain([1], affine, node))
        assert [p.name for p in graph.populations] == ["in", "n1", "n1.bias"]
        assert times(graph, *[0] * 5) == [2, 3, 4]

    def test_a_bias_that_differs_within_a_channel(self) -> None:
        """Ones through a padded sum: 4 at the corners, 6 at the edges, 9 inside."""
        first = conv(np.ones((1, 1, 1, 1)), bias=np.ones(1))
        graph = read_nir(
            chain([1, 3, 3], first, pool("SumPool2d", 3, 1, 1), nir.Threshold(full((1, 3, 3), 5.0)))
        )
        assert spikes(graph, np.zeros((1, 3, 3))) == [[0, 1, 0, 1, 1, 1, 0, 1, 0]]

    @pytest.mark.parametrize("seed", range(12))
    def test_chains_equal_torch(self, seed: int) -> None:
        """Convolution, pooling and weights in any order, against torch's own."""
        rng = np.random.default_rng(seed)
        x = torch.tensor(rng.integers(0, 2, (1, 4, 20, 17))).double()
        nodes: list[Any] = []
        made = x
        for kind in rng.choice(["conv", "depthwise", "sum", "avg"], 2):
            if kind in ("sum", "avg"):
                k, s = (int(v) for v in rng.integers(1, 4, 2))
                nodes.append(pool("SumPool2d" if kind == "sum" else "AvgPool2d", k, s))
                made = torch.nn.functional.avg_pool2d(made, k, s) * (k * k if kind == "sum" else 1)
            else:
                groups = made.shape[1] if kind == "depthwise" else 1
                shape = (made.shape[1], made.shape[1] // groups, *rng.integers(1, 4, 2))
                weight, bias = rng.normal(size=shape), rng.normal(size=shape[0])
                stride, dilation = (tuple(int(v) for v in rng.integers(1, 3, 2)) for _ in "sd")
                nodes.append(
                    conv(weight, stride=stride, dilation=dilation, groups=groups, bias=bias)
                )
                made = torch.nn.functional.conv2d(
                    made, torch.tensor(weight), torch.tensor(bias), stride, 0, dilation, groups
                )
        if seed % 2:
            weight = rng.normal(size=(3, made[0].numel()))
            nodes += [nir.Flatten(None, 0, -1), nir.Linear(weight)]
            made = made.reshape(1, -1) @ torch.tensor(weight).T
        out = nir.LI(tau=full((), DT), r=full((), 1.0), v_leak=full((), 0.0))
        graph = read_nir(chain([4, 20, 17], *nodes, out))
        trace = run_float(graph, x[:, None].long().numpy())
        np.testing.assert_allclose(trace.readout, made.reshape(1, -1), atol=1e-9)

    def test_padding_behind_a_pooling_that_fits(self) -> None:
        """A 3 × 3 convolution padded by 1 behind a 2 × 2 pooling of an even map."""
        rng = np.random.default_rng(0)
        weight = rng.normal(size=(2, 1, 3, 3))
        x = torch.tensor(rng.integers(0, 2, (1, 1, 6, 8))).double()
        out = nir.LI(tau=full((), DT), r=full((), 1.0), v_leak=full((), 0.0))
        graph = read_nir(chain([1, 6, 8], pool("AvgPool2d", 2, 2), conv(weight, padding=1), out))
        made = torch.nn.functional.avg_pool2d(x, 2)
        made = torch.nn.functional.conv2d(made, torch.tensor(weight), padding=1)
        trace = run_float(graph, x[:, None].long().numpy())
        np.testing.assert_allclose(trace.readout, made.reshape(1, -1), atol=1e-12)


class TestTolerance:
    def test_parameters_without_axes(self) -> None:
        assert times(read_nir(chain([1], linear([0.6]), lif(()))), *[1] * 3) == [2]

    def test_v_reset_may_be_missing(self, tmp_path: Path) -> None:
        file = tmp_path / "x.nir"
        nir.write(file, chain([1], linear([0.6]), lif()))
        with h5py.File(file, "a") as opened:
            del opened["node/nodes/n1/v_reset"]
        assert times(read_nir(file), *[1] * 3) == [2]

    @pytest.mark.parametrize("shape", [[3], [1, 3], [32, 3], [1, 1, 3]])
    def test_a_batch_in_the_input_of_weights(self, shape: list[int]) -> None:
        graph = read_nir(chain(shape, linear([1.0, 1.0, 1.0]), lif()))
        assert graph.inputs[0].shape == (3, 1, 1)

    @pytest.mark.parametrize("shape", [[1, 2, 2], [1, 1, 2, 2], [7, 1, 2, 2]])
    def test_a_batch_in_the_input_of_maps(self, shape: list[int]) -> None:
        flat = nir.Flatten(None, 0, -1)
        for nodes in ([conv(np.ones((1, 1, 2, 2))), lif(())], [flat, linear([1.0] * 4), lif()]):
            assert read_nir(chain(shape, *nodes)).inputs[0].shape == (1, 2, 2)

    def test_a_batch_before_flatten(self) -> None:
        nodes = nir.Flatten(None, 1, -1), linear([1.0, 1.0]), lif()
        assert read_nir(chain([5, 2], *nodes)).inputs[0].shape == (2, 1, 1)

    def test_a_batch_axis_of_a_one_dimensional_convolution_is_a_channel(self) -> None:
        node = nir.Conv1d(None, np.ones((2, 1, 2)), 1, 0, 1, 1, np.zeros(2))
        assert read_nir(chain([1, 4], node, lif(()))).inputs[0].shape == (1, 1, 4)

    @pytest.mark.parametrize(
        ("padding", "meant"),
        [(1, (1, 1)), ((1, 0), (1, 0)), (np.array([0, 2]), (0, 2)), ("same", (1, 1)),
         ("valid", (0, 0))],
    )  # fmt: skip
    @pytest.mark.parametrize("stored", [False, True])
    def test_padding(
        self, padding: Any, meant: tuple[int, int], stored: bool, tmp_path: Path
    ) -> None:
        shape = (5, 5) if stored else None  # nir cannot write None
        node = conv(np.ones((1, 1, 3, 3)), padding=padding, input_shape=shape)
        source: Any = chain([1, 5, 5], node, lif((1, 1, 1)))
        if stored:
            nir.write(tmp_path / "x.nir", source)
            source = tmp_path / "x.nir"
        op = read_nir(source).projections[0].op
        assert isinstance(op, Conv)
        assert op.padding == meant

    def test_tensors_and_a_convolution_without_bias(self) -> None:
        node = conv(np.ones((1, 1, 1, 1)))
        node.weight, node.bias = torch.ones(1, 1, 1, 1), None
        assert read_nir(chain([1, 2, 2], node, lif(()))).population("n1").bias is None

    def test_numbers_that_are_integers(self) -> None:
        graph = read_nir(chain([1], nir.Linear(np.array([[2]])), lif()))
        assert graph.projections[0].weight.dtype == np.float64

    def test_a_flattened_map_keeps_its_channels(self) -> None:
        """A convolution, flattened, into neurons with a parameter per neuron of a channel."""
        node = lif(8)
        node.r = np.repeat([2.0, 4.0], 4)
        graph = read_nir(
            chain([1, 2, 2], conv(np.ones((2, 1, 1, 1))), nir.Flatten(None, 0, -1), node)
        )
        assert graph.population("n2").shape == (2, 2, 2)
        assert graph.projections[0].weight.reshape(-1).tolist() == [1.0, 2.0]

    def test_bits(self) -> None:
        source = chain([1], linear([0.6]), lif())
        graph = read_nir(source, weight_bits=3, input_bits=4)
        assert graph.projections[0].weight_bits == 3
        assert graph.inputs[0].neuron == Input(bits=4)
        assert read_nir(source).projections[0].weight_bits == 8


class TestWarnings:
    @pytest.mark.filterwarnings("default")
    def test_of_the_reset_by_subtraction(self) -> None:
        with pytest.warns(UserWarning, match=r"resets n1, n2 to v_reset.*'subtract'.*'zero'"):
            read_nir(chain([1], linear([0.6]), lif(), cuba()))

    def test_of_a_leak_below_the_chips(self) -> None:
        with pytest.warns(UserWarning, match="node 'n1': tau is 20,000 time steps of 0.0001 s"):
            read_nir(chain([1], linear([0.6]), lif(decay=1 / 20000)))

    @pytest.mark.filterwarnings("default")
    def test_no_reset_no_warning(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read_nir(chain([1], linear([0.6]), nir.Threshold(full(1, 0.5))))


@pytest.mark.parametrize("dt", [0.0, -1e-4, np.inf, np.nan])
def test_dt_must_be_positive(dt: float) -> None:
    with pytest.raises(InputError, match="dt must be a positive number of seconds"):
        read_nir(chain([1], linear([0.6]), lif()), dt=dt)


def test_files_and_graphs_in_memory_are_the_same(tmp_path: Path) -> None:
    source = chain([1], linear([0.6]), lif())
    nir.write(tmp_path / "nir.nir", source)
    assert read_nir(tmp_path / "nir.nir").digest() == read_nir(source).digest()
    assert read_nir(str(tmp_path / "nir.nir")).name == "nir"
