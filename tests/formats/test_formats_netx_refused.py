"""What netx would refuse, and damaged or hostile files: a clear error, nothing allocated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from damage import require_clear_errors
from netx_files import conv, dense, layer, lif, sdnn, write

from neurocomp.errors import InputError
from neurocomp.formats.netx import read_netx

ONE = [[2, -4]]
PLANE = layer("input", (1, 2, 2))


def without(fields: dict[str, Any], key: str) -> dict[str, Any]:
    """A layer that lacks a field."""
    return {k: v for k, v in fields.items() if k != key}


@pytest.mark.parametrize(
    "kind", ["pool", "convT", "unpool", "average", "concat", "dense_comp"]
)  # fmt: skip
def test_layers_that_netx_refuses(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path / "x.net", dense(ONE), layer(kind, (1,)))
    with pytest.raises(InputError, match=f"layer/1: layer type '{kind}' .* netx cannot load it"):
        read_netx(file)


CONV = conv((1, 1, 1), [[[[2, 2], [2, 2]]]])
FAULTS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "kind": ([layer("lstm", (1,))], "layer/0: layer type 'lstm' is not supported, unknown to netx"),
    "type": ([{"type": 5}], "layer/0: type: must be a short string, is int64"),
    "neuron type": ([dense(ONE, neuron={**lif(), "type": "RF"})], "neurons 'RF' are not supported"),
    "threshold": (
        [dense(ONE, neuron=without(lif(), "vThMant"))],
        "layer/0/neuron: 'vThMant' is missing",
    ),
    "negative threshold": ([dense(ONE, neuron=sdnn(-1))], "vThMant: must not be negative, got -1"),
    "decay": ([dense(ONE, neuron=lif(i_decay=5000))], "iDecay: must be 0 to 4096, got 5000"),
    "message bits": (
        [dense(ONE, neuron={**lif(), "messageBits": 8})],
        "messageBits: netx cannot load a neuron with it",
    ),
    "no weight": ([without(dense(ONE), "weight")], "layer/0: 'weight' is missing"),
    "no neuron": ([PLANE, conv((1, 2, 2), [[[[2]]]], neuron=None)], "layer/1: 'neuron' is missing"),
    "text weight": ([dense(ONE) | {"weight": "none"}], "'weight|weight: must be"),
    "complex": (
        [without(dense(ONE), "weight") | {"weight/real": ONE, "weight/imag": ONE}],
        "complex weights are not supported",
    ),
    "nan": ([dense([[2.0, np.nan]])], "layer/0: weight: 1 values are not finite"),
    "inf bias": ([dense(ONE, bias=[np.inf])], "bias: 1 values are not finite"),
    "huge number": ([dense([[1e20, 1]])], "weight: numbers must lie within ±2,147,483,647"),
    "rows": ([dense(ONE) | {"shape": [3]}], r"weight: must be shaped \(3, inputs\), is \(1, 2\)"),
    "columns": ([dense(ONE), dense([[2, 4, 6]])], "weight: has 3 columns, the layer before is"),
    "no shape": ([dense(ONE) | {"shape": []}], "shape: sizes must be positive"),
    "negative shape": ([dense(ONE) | {"shape": [-1]}], "shape: sizes must be positive"),
    "zero weights": ([dense([[0, 0]])], "all weights are zero, which netx cannot load"),
    "nine bits": ([dense([[253, -1]])], "weights -1 to 253 in steps of 1 need 9 bits"),
    "beyond": ([dense([[512, 256]])], "weights 256 to 512 lie outside −256 to 255"),
    "minus 256": ([dense([[-64, -2]])], "no weight is positive and the least is -64"),
    "bias shape": ([dense(ONE, bias=[1, 2])], r"bias: must be one value per channel, shape \(1,\)"),
    "sigma bias": (
        [dense(ONE, bias=[1], neuron=sdnn(sigma_output=True))],
        "bias: sigma neurons have none",
    ),
    "delay shape": ([dense(ONE, delay=[1, 2, 3])], r"delay: must be one number, \(1,\), \(2,\) or"),
    "negative delay": ([dense(ONE, delay=-1)], "delay: must not be negative, got -1"),
    "late input": ([dense(ONE), layer("input", (1,))], "an input layer must be the first one"),
    "flat input": ([layer("input", (4, 4))], r"shape: must be \(neurons,\) or \(channels, height"),
    "no input": ([CONV], "layer/0: the input's shape is not known"),
    "flat before conv": (
        [layer("input", (4,)), CONV],
        r"a convolution needs \(channels, height, width\)",
    ),
    "conv shape": ([PLANE, CONV | {"shape": [1]}], r"layer/1: shape: must be \(channels, height"),
    "conv size": ([PLANE, CONV | {"shape": [1, 2, 1]}], "the target population is"),
    "kernel axes": (
        [PLANE, CONV | {"weight": np.ones((1, 4))}],
        r"weight: must be shaped \(out, in, ky, kx\)",
    ),
    "channels": (
        [PLANE, CONV | {"weight": np.ones((2, 1, 2, 2))}],
        r"weight: must be shaped \(1, 1, 2, 2\), is \(2, 1, 2, 2\)",
    ),
    "stride": ([PLANE, CONV | {"stride": [0, 1]}], "kernel, stride, dilation and groups must be"),
    "stride axes": ([PLANE, CONV | {"stride": [1, 1, 1]}], "stride: must be at most 2 numbers"),
    "no stride": (
        [PLANE, CONV | {"stride": np.zeros(0)}],
        r"stride: must be one number or two \(y, x\)",
    ),
    "groups": ([PLANE, CONV | {"groups": [1, 1]}], "groups: must be one number, got 2"),
    "no flatten": (
        [PLANE, conv((1, 2, 2), [[[[2]]]]), dense([[2, 2, 2, 4]])],
        "a dense layer behind a convolution needs a flatten layer",
    ),
    "rec": (
        [dense(ONE, "dense_rec", weight_rec=np.ones((2, 2)))],
        r"weight_rec: must be shaped \(1, inputs\)",
    ),
    "rec columns": (
        [dense(ONE, "dense_rec", weight_rec=np.ones((1, 3)))],
        r"weight_rec: must be shaped \(1, 1\), is \(1, 3\)",
    ),
    "rec delay": (
        [dense(ONE, "dense_rec", weight_rec=np.ones((1, 1)), delay=1)],
        "must have as many inputs as neurons",
    ),
    "rec sigma-delta": (
        [dense([[2]], "dense_rec", weight_rec=np.ones((1, 1)), neuron=sdnn())],
        "recurrent sigma-delta neurons need graded messages",
    ),
    "no neurons": ([PLANE], "no layer with neurons is left"),
    "value bits": (
        [layer("input", (2,), valueBits=40), dense(ONE)],
        "input bits must be 1 to 16, got 40",
    ),
    "absurd": (
        [layer("input", (10**6, 10**6, 1)), CONV],
        "sizes must be positive, at most 4,194,304 channels, 65,536 rows and columns and 2,147,",
    ),
    "overflowing": ([layer("input", (2**31 - 1,) * 3)], "shape: sizes must be positive"),
    "wide": ([layer("input", (1, 1, 10**5))], "65,536 rows and columns"),
    "many": ([layer("input", (10**9,), neuron=lif())], "at most 4,194,304 channels"),
    "long shape": ([layer("input", tuple(range(1, 12)))], "shape: must be at most 8 numbers"),
    "far padding": ([PLANE, CONV | {"padding": [2**40, 0]}], "padding: numbers must lie within"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_are_named(tmp_path: Path, name: str) -> None:
    layers, message = FAULTS[name]
    with pytest.raises(InputError, match=message):
        read_netx(write(tmp_path / "x.net", *layers))


@pytest.mark.parametrize("skip", [-1, 1, 99])
def test_skipping_must_leave_layers(tmp_path: Path, skip: int) -> None:
    file = write(tmp_path / "x.net", dense(ONE))
    with pytest.raises(InputError, match=f"skip_layers must be 0 to 0, got {skip}"):
        read_netx(file, skip_layers=skip)


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.net: no such file"):
        read_netx(tmp_path / "nothing.net")
    with pytest.raises(InputError, match=r"is a folder; expected a netx network .*; name a file"):
        read_netx(tmp_path)
    (tmp_path / "text.net").write_text("no HDF5")
    with pytest.raises(InputError, match=r"text\.net: holds text; expected a netx network"):
        read_netx(tmp_path / "text.net")
    with h5py.File(tmp_path / "empty.net", "w"):
        pass
    with pytest.raises(InputError, match="holds an HDF5 file without netx's group 'layer'"):
        read_netx(tmp_path / "empty.net")
    with h5py.File(tmp_path / "flat.net", "w") as file:
        file["layer"] = 1
    with pytest.raises(InputError, match="'layer' must be a group"):
        read_netx(tmp_path / "flat.net")


def test_every_truncation_and_many_flipped_bytes_end_in_a_clear_error_or_a_network(
    tmp_path: Path,
) -> None:
    whole = write(tmp_path / "x.net", PLANE, CONV, layer("flatten", (1, 1, 1)), dense([[2]]))
    require_clear_errors(read_netx, whole)


def test_a_missing_layer_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "x.net", dense(ONE), dense([[2]]))
    with h5py.File(file, "a") as opened:
        opened.move("layer/1", "layer/..1")
    with pytest.raises(InputError, match=r"x\.net: layer: '1' is missing"):
        read_netx(file)


def test_a_declared_size_is_not_allocated(tmp_path: Path) -> None:
    """10^12 weights, of which the file holds none."""
    file = write(tmp_path / "x.net", without(dense(ONE), "weight") | {"shape": [10**6]})
    with h5py.File(file, "a") as opened:
        opened["layer/0"].create_dataset("weight", (10**6, 10**6), "f4", chunks=(1000, 1000))
    with pytest.raises(InputError, match="weight: at most 33,554,432 values are read"):
        read_netx(file)


def test_many_declared_sizes_are_not_allocated_either(tmp_path: Path) -> None:
    """Three layers of 16,777,216 weights, of which the file holds none."""
    hollow = without(dense(ONE), "weight") | {"shape": [4096]}
    file = write(tmp_path / "x.net", hollow, hollow, hollow)
    with h5py.File(file, "a") as opened:
        for i in range(3):
            opened[f"layer/{i}"].create_dataset(
                "weight", (4096, 4096), "i1", chunks=(64, 64), fillvalue=2
            )
    with pytest.raises(InputError, match="layer/2: weight: at most 33,554,432 values are read"):
        read_netx(file)


def test_nothing_outside_the_file_is_followed(tmp_path: Path) -> None:
    other = write(tmp_path / "other.net", dense(ONE))
    file = write(tmp_path / "x.net", without(dense(ONE), "weight"))
    for link in (h5py.ExternalLink(str(other), "layer/0/weight"), h5py.SoftLink("/layer/0/shape")):
        with h5py.File(file, "a") as opened:
            opened.pop("layer/0/weight", None)
            opened["layer/0/weight"] = link
        with pytest.raises(InputError, match="'weight' is a link, which is not followed"):
            read_netx(file)
    with h5py.File(file, "a") as opened:
        del opened["layer/0/weight"]
        raw = [(str(tmp_path / "raw.bin"), 0, 8)]
        opened["layer/0"].create_dataset("weight", (1, 2), "f4", external=raw)
    with pytest.raises(InputError, match="'weight' lies in another file, which is not followed"):
        read_netx(file)


def test_objects_are_never_read(tmp_path: Path) -> None:
    file = write(tmp_path / "x.net", without(dense(ONE), "weight"))
    with h5py.File(file, "a") as opened:
        opened["layer/0"].create_dataset("weight", (1, 2), h5py.ref_dtype)
    with pytest.raises(InputError, match="weight: must be numbers, is object"):
        read_netx(file)
    with h5py.File(file, "a") as opened:
        del opened["layer/0/weight"]
        opened["layer/0"].create_dataset("weight", data=h5py.Empty("f4"))
    with pytest.raises(InputError, match="'weight' must be a data set"):
        read_netx(file)


def test_too_many_layers(tmp_path: Path) -> None:
    file = tmp_path / "x.net"
    with h5py.File(file, "w") as opened:
        for i in range(4097):
            opened.create_group(f"layer/{i}")
    with pytest.raises(InputError, match="at most 4,096 layers are read, has 4,097"):
        read_netx(file)
