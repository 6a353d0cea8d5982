"""Reading netx files: netx's conventions, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from netx_files import conv, dense, layer, lif, sdnn, write

from neurocomp.formats.netx import read_netx
from neurocomp.formats.netx.weights import grid
from neurocomp.ir import Conv, Delta, Dense, Input, LoihiLif, Sigma, SigmaDelta, skip
from neurocomp.quant import reference
from neurocomp.quant.check import check

EVEN = np.array([[-6, 2, 4], [8, 0, -2]])  # two neurons, three inputs


def spikes(graph, values, name):
    """Spikes (steps, C, H, W) of one population for values (steps, C, H, W)."""
    return reference.run(graph, np.asarray(values)[None]).spikes[name][0]


def test_dense_layers(tmp_path: Path) -> None:
    """Weights −6 to 8 in steps of 2 are levels −3 to 4: 4 bits, exponent 1."""
    neuron = lif(vth=25, i_decay=410, v_decay=300)
    file = write(
        tmp_path / "two.net", dense(EVEN, neuron=neuron, bias=[3.0, -7.0]), dense([[1, 3]])
    )
    graph = read_netx(file)
    assert (graph.name, graph.output, graph.readout, graph.timesteps) == (
        "two", "dense1", "spikes", None,
    )  # fmt: skip
    assert [(p.name, p.shape) for p in graph.populations] == [
        ("in", (3, 1, 1)),
        ("dense0", (2, 1, 1)),
        ("dense1", (1, 1, 1)),
    ]
    first, second = graph.projections
    assert graph.population("in").neuron == Input(bits=1)
    assert graph.population("dense0").neuron == LoihiLif(vth=25, du=409, dv=300)
    assert graph.population("dense0").bias.tolist() == [3, -7]
    assert (first.op, first.weight_bits, first.exponent, first.delay) == (Dense(), 4, 1, 1)
    assert first.weight.tolist() == EVEN.tolist()
    assert (second.weight_bits, second.exponent) == (2, 0)  # 3 is the greatest of one sign


@pytest.mark.parametrize(
    ("weights", "bits", "exponent"),
    [
        ([-98, 130], 8, 1),  # levels −49 to 65
        ([-30, 34], 6, 1),  # −15 to 17
        ([-128, 126], 7, 1),  # −64 to 63
        ([-256, 254], 8, 1),
        ([-127, 127], 8, 0),
        ([-64, 64], 2, 6),  # −1 to 1
        ([1, 255], 8, 0),
        ([36, 36], 4, 2),  # 9
        ([-9, -3], 4, 0),
        ([-512, 512], 2, 9),  # −1 to 1
        ([-3072, 2048], 3, 10),  # −3 to 2
        ([0, 0], 1, 0),
    ],
)
def test_bits_and_exponent(weights: list[int], bits: int, exponent: int) -> None:
    assert grid(np.array(weights, np.int32)) == (bits, exponent)


def test_a_convolution_reads_as_written(tmp_path: Path) -> None:
    """3×5 input, 1×2 kernel [3, 5], stride (2, 1), padding (0, 1), dilation (1, 2).

    Output rows: (3 − 0 − 1)//2 + 1 = 2; columns: (5 + 2 − 2·1 − 1)//1 + 1 = 5. Output (y, x) sums
    3·in[2y, x − 1] + 5·in[2y, x + 1]. With threshold 4 only the 5 fires; v falls back by 3/4.
    """
    file = write(
        tmp_path / "conv.net",
        layer("input", (1, 3, 5)),
        conv((1, 2, 5), [[[[3, 5]]]], stride=[2, 1], padding=[0, 1], dilation=[1, 2],
             neuron=lif(vth=4, kind="LOIHI")),
    )  # fmt: skip
    graph = read_netx(file)
    (e,) = graph.projections
    assert e.op == Conv((1, 2), (2, 1), (0, 1), (1, 2), 1)
    assert e.weight.tolist() == [[[[3, 5]]]]
    values = np.zeros((3, 1, 3, 5), np.int64)
    values[0, 0, 2, 2] = 1
    fired = spikes(graph, values, "conv0")
    assert np.argwhere(fired).tolist() == [[1, 0, 1, 1]]  # a step later, where x + 1 = 2, 2y = 2


def test_groups_and_five_axes(tmp_path: Path) -> None:
    """lava-dl keeps a last axis of one; two groups read one channel each."""
    weight = np.arange(1, 5).reshape(4, 1, 1, 1, 1)
    file = write(
        tmp_path / "g.net",
        layer("input", (2, 3, 3)),
        conv((4, 3, 3), weight, groups=2, stride=1, padding=0, dilation=[1]),
    )
    (e,) = read_netx(file).projections
    assert e.op == Conv((1, 1), groups=2)
    assert e.weight.shape == (4, 1, 1, 1)


def test_input_neurons_get_weight_times_value_plus_bias(tmp_path: Path) -> None:
    """Drive 36·x + 34 per step, x one step late, no decay: 34, then 34 + 34 = 68 > 60."""
    neuron = lif(vth=60, i_decay=100, v_decay=0)
    file = write(
        tmp_path / "in.net", layer("input", (1, 1, 2), weight=[36.0], bias=[34.0], neuron=neuron)
    )
    graph = read_netx(file)
    (e,) = graph.projections
    assert (e.op, e.weight.tolist(), e.weight_bits, e.exponent) == (skip(1), [[[[36]]]], 4, 2)
    assert graph.population("input0").bias.tolist() == [34]
    assert graph.population("input0").neuron == LoihiLif(vth=60, du=4095, dv=0)
    values = np.array([[0, 1], [0, 0], [0, 0], [0, 0]]).reshape(4, 1, 1, 2)
    # left: 34, 68 fires, 34, 68 fires; right: 34, 34 + 70 fires, 34, 68 fires
    assert spikes(graph, values, "input0")[:, 0, 0].tolist() == [
        [False, False],
        [True, True],
        [False, False],
        [True, True],
    ]


def test_the_default_transform_is_64(tmp_path: Path) -> None:
    graph = read_netx(write(tmp_path / "in.net", layer("input", (3,), neuron=lif())))
    assert graph.projections[0].weight.reshape(-1).tolist() == [64] * 3
    assert graph.population("input0").bias is None


def test_flatten_is_channels_rows_columns(tmp_path: Path) -> None:
    """Weight 100 from flat neuron 5 of (2, 1, 3): channel 1, column 2."""
    picked = np.eye(6)[5:6] * 100
    file = write(
        tmp_path / "f.net",
        layer("input", (2, 1, 3)),
        conv((2, 1, 3), [[[[70]], [[0]]], [[[0]], [[70]]]]),
        layer("flatten", (6, 1, 1)),
        dense(picked),
    )
    graph = read_netx(file)
    values = np.zeros((3, 2, 1, 3), np.int64)
    values[0, 1, 0, 2] = 1
    assert spikes(graph, values, "dense1").reshape(3).tolist() == [False, False, True]
    values = np.roll(values, 1, axis=3)
    assert not spikes(graph, values, "dense1").any()


def test_recurrent_layers_share_a_grid(tmp_path: Path) -> None:
    """Forward 70 fires once; the recurrent 66 (over 64) fires the other neuron one step later."""
    file = write(
        tmp_path / "r.net",
        dense([[70], [0]], "dense_rec", weight_rec=np.array([[0, 0], [66.0, 0]])),
    )
    graph = read_netx(file)
    forward, again = graph.projections
    assert (again.source, again.target, again.delay) == ("dense_rec0", "dense_rec0", 1)
    assert (forward.weight_bits, forward.exponent) == (again.weight_bits, again.exponent) == (6, 1)
    values = np.array([1, 0, 0, 0]).reshape(4, 1, 1, 1)
    fired = spikes(graph, values, "dense_rec0").reshape(4, 2)
    assert fired.tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]


@pytest.mark.parametrize(
    ("delay", "steps"),
    [
        (2.0, [[3, 3], [3, 3]]),
        (np.array([1.0, 3.9]), [[2, 2], [4, 4]]),  # as many as neurons: per neuron; 3.9 is cut off
        (np.array([[0, 1], [2, 3]]), [[1, 2], [3, 4]]),
    ],
)
def test_delays(tmp_path: Path, delay: object, steps: list[list[int]]) -> None:
    """Input j reaches neuron i after 1 + delay steps."""
    graph = read_netx(write(tmp_path / "d.net", dense([[70, 80], [90, 100]], delay=delay)))
    for j in range(2):
        values = np.zeros((6, 2, 1, 1), np.int64)
        values[0, j] = 1
        fired = spikes(graph, values, "dense0").reshape(6, 2)
        assert [int(fired[:, i].argmax()) for i in range(2)] == [steps[i][j] for i in range(2)]
    assert (graph.projections[0].delays is None) == np.isscalar(delay)


def test_a_delay_per_input(tmp_path: Path) -> None:
    weight = [[70, 70, 70]] * 2
    graph = read_netx(write(tmp_path / "d.net", dense(weight, delay=np.array([0, 5, 9]))))
    assert graph.projections[0].delays.tolist() == [[0, 5, 9]] * 2


def test_recurrent_delays_lose_the_exponent(tmp_path: Path) -> None:
    """Stock netx shifts weights of at most 20 (6 bits with sign) by 3 and never shifts back."""
    file = write(
        tmp_path / "r.net",
        dense([[20]], "dense_rec", weight_rec=np.array([[-4.0]]), delay=np.array([1])),
    )
    forward, again = read_netx(file).projections
    assert (forward.weight.item(), again.weight.item(), forward.exponent) == (160, -32, 5)
    assert (forward.delay, again.delay) == (2, 2)


def test_clipping_and_clamping_are_told(tmp_path: Path) -> None:
    file = write(tmp_path / "c.net", dense([[300, -2]], delay=np.array([[70, 0]])))
    with pytest.warns(UserWarning, match="netx cl") as told:
        graph = read_netx(file)
    assert graph.projections[0].weight.tolist() == [[254, -2]]
    assert graph.projections[0].delays.tolist() == [[62, 0]]
    assert [str(w.message).partition("layer/0: ")[2] for w in told] == [
        "netx clamps delays to 62",
        "netx clips the weights to −256 to 254",
    ]


def test_a_convolution_drops_its_delay(tmp_path: Path) -> None:
    file = write(
        tmp_path / "c.net", layer("input", (1, 1, 1)), conv((1, 1, 1), [[[[2]]]], delay=[3])
    )
    with pytest.warns(UserWarning, match="layer/1: netx drops the delay of a convolution"):
        assert read_netx(file).projections[0].delay == 1


def test_sigma_delta_layers(tmp_path: Path) -> None:
    file = write(
        tmp_path / "s.net",
        layer("input", (1, 2, 2), neuron=sdnn(6)),
        conv((2, 1, 1), np.ones((2, 1, 2, 2)), neuron=sdnn(7), bias=[1, -2]),
        layer("flatten", (2, 1, 1)),
        dense([[2, -2]], neuron={"type": "SDNN", "sigma_output": True}),
    )
    graph = read_netx(file)
    assert [p.neuron for p in graph.populations] == [
        Input(bits=8), Delta(vth=6), SigmaDelta(vth=7), Sigma(),
    ]  # fmt: skip
    assert graph.readout == "membrane"
    skipped = read_netx(file, skip_layers=1)
    assert [p.name for p in skipped.populations] == ["in", "conv1", "dense2"]
    assert skipped.inputs[0].neuron == Input(bits=16, signed=True)
    assert skipped.inputs[0].shape == (1, 2, 2)
    last = read_netx(file, skip_layers=3)
    assert last.inputs[0].shape == (2, 1, 1)


def test_skipped_spikes_stay_spikes(tmp_path: Path) -> None:
    file = write(tmp_path / "s.net", dense(EVEN), dense([[2, 4]]))
    graph = read_netx(file, skip_layers=1)
    assert [(p.name, p.shape, p.neuron) for p in graph.inputs] == [("in", (2, 1, 1), Input(bits=1))]


def test_a_dense_layer_without_neurons_integrates_and_never_fires(tmp_path: Path) -> None:
    graph = check(read_netx(write(tmp_path / "n.net", dense(EVEN, neuron=None))))
    assert graph.population("dense0").neuron == LoihiLif(vth=131071, du=-1, dv=4096)
    assert graph.readout == "membrane"


def test_weights_stored_flat(tmp_path: Path) -> None:
    fields = dense(EVEN) | {"weight": EVEN.reshape(-1).astype(np.float32)}
    assert read_netx(write(tmp_path / "w.net", fields)).projections[0].weight.tolist() == (
        EVEN.tolist()
    )
