"""NIR's neurons and time as float graphs: dynamics worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import nir
import numpy as np
import pytest
from nir_graphs import DT, chain, conv, cuba, full, lif, linear, network, spikes, times

from neurocomp.formats.nir import read_nir
from neurocomp.ir import CubaLif
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
