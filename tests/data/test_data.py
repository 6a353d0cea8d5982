"""Data sets by name: the embedded digits, downloads that cannot be had, names and grading."""

from __future__ import annotations

import gzip
import struct
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

from neurocomp.data import known, load
from neurocomp.data.coding import Coding, coded, graded
from neurocomp.data.dataset import Images
from neurocomp.errors import InputError


def images(values: list[int], peak: int, classes: tuple[str, ...] = ("a", "b")) -> Images:
    """One-pixel images, all in the training part, labels 0, 1, 0, 1, …"""
    pixels = np.array(values, np.uint8).reshape(-1, 1, 1, 1)
    labels = np.arange(len(values), dtype=np.int64) % 2
    return Images(classes, pixels, labels, pixels[:1], labels[:1], peak)


class TestGrading:
    def test_sixteen_becomes_fifteen(self) -> None:
        # v·15/16 to the nearest, halves up: 7.5 → 8, 14.0625 → 14
        found = graded(images([0, 1, 8, 15, 16], 16), 4)
        assert found.train_values.ravel().tolist() == [0, 1, 8, 14, 15]

    def test_bytes_at_one_two_and_eight_bits(self) -> None:
        # one bit: 127/255 < ½ ≤ 128/255; two bits: 85·3/255 = 1, 42·3/255 = 0.494 → 0
        assert graded(images([127, 128], 255), 1).train_values.ravel().tolist() == [0, 1]
        two = graded(images([42, 43, 85, 255], 255), 2).train_values.ravel().tolist()
        assert two == [0, 1, 1, 3]
        assert graded(images([7, 255], 255), 8).train_values.ravel().tolist() == [7, 255]

    def test_one_class_is_no_task(self) -> None:
        with pytest.raises(InputError, match=r"'x': at least two classes are needed, got 1: a"):
            coded("x", images([0, 1], 255, ("a",)), Coding())


class TestDigits:
    def test_split_is_fixed_and_stratified(self) -> None:
        found = load("digits")
        assert found.shape == (1, 8, 8)
        assert found.classes == tuple("0123456789")
        assert found.train_values.shape == (1437, 1, 8, 8)
        assert found.test_values.shape == (360, 1, 8, 8)
        assert found.train_values.dtype == np.uint8
        assert (found.train_values.min(), found.train_values.max(), found.bits) == (0, 15, 4)
        # 1797 images of ten classes, 174 to 183 each: a fifth of a class is 35 to 37
        shares = np.bincount(found.test_labels) / np.bincount(
            np.concatenate([found.train_labels, found.test_labels])
        )
        assert np.abs(shares - 360 / 1797).max() < 1 / 174
        assert np.array_equal(load("digits").test_values, found.test_values)

    @pytest.mark.parametrize("bits", [0, 9])
    def test_bits_out_of_range(self, bits: int) -> None:
        with pytest.raises(InputError, match=f"input bits must be 1 to 8, got {bits}"):
            load("digits", bits=bits)


class TestNames:
    def test_unknown_name_lists_the_known(self) -> None:
        with pytest.raises(InputError, match=r"unknown data set 'digit'; did you mean 'digits'"):
            load("digit")

    def test_rows(self) -> None:
        rows = {row.name: row for row in known()}
        assert rows["digits"].source == "embedded"
        assert (rows["cifar100"].shape, rows["cifar100"].n_classes) == ((3, 32, 32), 100)
        assert rows["folder:PATH"].shape is None
        sources = {"embedded", "download", "download with tonic", "folder"}
        assert {row.source for row in rows.values()} == sources


class TestDownloads:
    @pytest.mark.parametrize("name", ["mnist", "cifar10"])
    def test_without_network(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise URLError("no route to host")

        monkeypatch.setattr(urllib.request, "urlopen", refuse)
        with pytest.raises(InputError, match=rf"'{name}' is not in .*cannot be downloaded.*digits"):
            load(name, tmp_path)

    def test_files_that_are_there_are_not_fetched(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        raw = tmp_path / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for part, n in (("train", 3), ("t10k", 2)):
            pixels = struct.pack(">IIII", 2051, n, 28, 28) + bytes([255] * n * 784)
            labels = struct.pack(">II", 2049, n) + bytes(range(n))
            (raw / f"{part}-images-idx3-ubyte").write_bytes(pixels)
            (raw / f"{part}-labels-idx1-ubyte").write_bytes(labels)
            (raw / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(pixels))
        found = load("mnist", tmp_path, bits=2)
        assert found.train_values.shape == (3, 1, 28, 28)
        assert found.train_labels.tolist() == [0, 1, 2]
        assert found.test_values.min() == 3
        assert capsys.readouterr().out == ""
