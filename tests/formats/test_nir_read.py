"""NIR graphs as float graphs: dynamics worked out by hand, and the liberties that files take."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
import torch
from nir_graphs import chain, conv, cuba, full, lif, linear, times

from neurocomp.errors import InputError
from neurocomp.formats.nir import read_nir
from neurocomp.ir import Conv, Input

pytestmark = pytest.mark.filterwarnings("ignore:.*snnTorch's default")


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
