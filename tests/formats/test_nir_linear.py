"""NIR's weights and what stands around them, each against its meaning."""

from __future__ import annotations

from typing import Any

import nir
import numpy as np
import pytest
import torch
from nir_graphs import DT, chain, conv, cuba, full, lif, linear, network, pool, spikes, times

from neurocomp.formats.nir import read_nir
from neurocomp.ir import Conv, Dense, skip
from neurocomp.snn.stepping import run_float

pytestmark = pytest.mark.filterwarnings("ignore:.*snnTorch's default")


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
