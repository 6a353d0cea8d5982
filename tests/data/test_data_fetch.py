"""Downloads: verified, resumed, refused with what to do; named sets from a local server."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import io
import os
import pickle
import resource
import socket
import struct
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision
from data_server import Served, serving
from PIL import Image

from neurocomp.data import load, speech_commands, tiny_imagenet
from neurocomp.data.fetch import Remote, fetch
from neurocomp.data.unpack import unpack_file, unpack_folder
from neurocomp.errors import InputError
from neurocomp.progress import quiet

BODY = bytes(range(256)) * 4000  # 1,024,000 bytes: four blocks
NAME = "set.bin"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Served]:
    """A server with one file; whatever stands for a proxy is passed by."""
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with serving() as server:
        server.files[f"/{NAME}"] = BODY
        yield server


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def remote(served: Served, *urls: str, checksum: str = md5(BODY)) -> Remote:
    return Remote("some-set", NAME, urls or (f"{served.url}/{NAME}",), checksum)


class TestFetch:
    def test_whole(self, served: Served, tmp_path: Path) -> None:
        told: list[tuple[int, int]] = []
        path = fetch(
            remote(served, checksum=hashlib.sha256(BODY).hexdigest()),
            tmp_path / "new" / "folder",
            lambda stage, done, total, note="": told.append((done, total)),
        )
        assert path.read_bytes() == BODY
        assert os.listdir(path.parent) == [NAME]
        assert told == [(0, 0)] * 4  # MiB: all is less than one

    def test_what_is_there_is_not_fetched(self, served: Served, tmp_path: Path) -> None:
        (tmp_path / NAME).write_bytes(BODY)
        fetch(remote(served), tmp_path, quiet)
        assert served.asked == []

    def test_goes_on_where_it_broke_off(self, served: Served, tmp_path: Path) -> None:
        served.breaks = [300_000, 500_000]
        assert fetch(remote(served), tmp_path, quiet).read_bytes() == BODY
        assert served.asked == ["bytes=0-", "bytes=300000-", "bytes=800000-"]

    def test_the_next_call_goes_on(self, served: Served, tmp_path: Path) -> None:
        served.breaks = [300_000, 0]
        with pytest.raises(
            InputError,
            match=r"'some-set' is not in .*broke off after 300,000 of 1,024,000 bytes; 300,000 "
            r"bytes are kept, the same call goes on\); fetch set\.bin where .* copy it to .*set\.b",
        ):
            fetch(remote(served), tmp_path, quiet)
        assert os.listdir(tmp_path) == [f"{NAME}.part"]
        assert fetch(remote(served), tmp_path, quiet).read_bytes() == BODY
        assert served.asked[2:] == ["bytes=300000-"]
        assert os.listdir(tmp_path) == [NAME]

    def test_a_server_without_ranges_sends_all_again(self, served: Served, tmp_path: Path) -> None:
        served.ranges, served.breaks = False, [300_000]
        assert fetch(remote(served), tmp_path, quiet).read_bytes() == BODY

    def test_a_part_that_is_complete(self, served: Served, tmp_path: Path) -> None:
        (tmp_path / f"{NAME}.part").write_bytes(BODY)
        assert fetch(remote(served), tmp_path, quiet).read_bytes() == BODY

    def test_the_next_mirror(self, served: Served, tmp_path: Path) -> None:
        urls = f"{served.url}/gone/{NAME}", f"{served.url}/{NAME}"
        assert fetch(remote(served, *urls), tmp_path, quiet).read_bytes() == BODY

    def test_not_found(self, served: Served, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"/gone: 404 Not Found\); fetch set\.bin where"):
            fetch(remote(served, f"{served.url}/gone"), tmp_path, quiet)
        assert os.listdir(tmp_path) == []


class TestRefused:
    def test_another_file_is_removed(self, served: Served, tmp_path: Path) -> None:
        with pytest.raises(
            InputError, match=rf"set\.bin: was downloaded, but its md5 is {md5(BODY)}, not 0{{32}}"
        ):
            fetch(remote(served, checksum="0" * 32), tmp_path, quiet)
        assert os.listdir(tmp_path) == []

    def test_another_file_that_was_put_there_stays(self, served: Served, tmp_path: Path) -> None:
        (tmp_path / NAME).write_bytes(b"other")
        with pytest.raises(InputError, match=r"set\.bin: is there, but its md5 is .*; remove it"):
            fetch(remote(served), tmp_path, quiet)
        assert (tmp_path / NAME).read_bytes() == b"other"

    def test_closed_port(self, served: Served, tmp_path: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{free.getsockname()[1]}/{NAME}"
        with pytest.raises(InputError, match=r"Connection refused\); fetch set\.bin where there"):
            fetch(remote(served, url), tmp_path, quiet)

    def test_unknown_host(self, served: Served, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"http://nowhere\.invalid/x: .*; fetch set\.bin"):
            fetch(remote(served, "http://nowhere.invalid/x"), tmp_path, quiet)

    def test_a_server_that_closes_without_a_word(self, tmp_path: Path, served: Served) -> None:
        with socket.create_server(("127.0.0.1", 0)) as mute:
            mute.settimeout(0.0)  # accepts nobody: the connection stays open and silent
            monkey = pytest.MonkeyPatch()
            monkey.setattr("neurocomp.data.fetch.TIMEOUT_S", 0.1)
            url = f"http://127.0.0.1:{mute.getsockname()[1]}/"
            with monkey.context(), pytest.raises(InputError, match=r"timed out\); fetch set\.bin"):
                fetch(remote(served, url), tmp_path, quiet)
            monkey.undo()

    def test_another_process(self, served: Served, tmp_path: Path) -> None:
        with (tmp_path / f"{NAME}.part").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            with pytest.raises(InputError, match=r"set\.bin: another process is downloading it"):
                fetch(remote(served), tmp_path, quiet)

    def test_no_room(self, served: Served, tmp_path: Path) -> None:
        """A limit on the size of files stands for a full disk; what was written goes on later."""
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
        try:
            with pytest.raises(InputError, match=r"cannot be written \(File too large\); make ro"):
                fetch(remote(served), tmp_path, quiet)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert fetch(remote(served), tmp_path, quiet).read_bytes() == BODY
        assert served.asked[1] != "bytes=0-"


class TestUnpack:
    def test_no_room(self, tmp_path: Path) -> None:
        packed = tmp_path / "a.gz"
        packed.write_bytes(gzip.compress(bytes(100_000)))
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
        try:
            with pytest.raises(InputError, match=r"a\.gz: cannot be unpacked to .*File too large"):
                unpack_file(packed, tmp_path / "a")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        assert os.listdir(tmp_path) == ["a.gz"]

    def test_something_is_there(self, tmp_path: Path) -> None:
        with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
            tar.addfile(tarfile.TarInfo("inner/x"))
        (tmp_path / "target").mkdir()
        (tmp_path / "target" / "mine").touch()
        with pytest.raises(InputError, match=r"not empty.*remove what is there"):
            unpack_folder(tmp_path / "a.tar.gz", tmp_path / "target", "inner")
        assert sorted(os.listdir(tmp_path)) == ["a.tar.gz", "target"]


def idx(numbers: np.ndarray[Any, Any]) -> bytes:
    """Bytes in MNIST's format: a magic number with type and axes, sizes, values."""
    head = struct.pack(f">{numbers.ndim + 1}I", 0x0800 + numbers.ndim, *numbers.shape)
    return head + numbers.astype(np.uint8).tobytes()


class TestNamedSets:
    def test_mnist(self, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        kind, resources = torchvision.datasets.MNIST, []
        for part, n in (("train", 3), ("t10k", 2)):
            images = np.full((n, 28, 28), 255)
            for file, values in (("images-idx3", images), ("labels-idx1", np.arange(n))):
                packed = gzip.compress(idx(values))
                served.files[f"/{part}-{file}-ubyte.gz"] = packed
                resources.append((f"{part}-{file}-ubyte.gz", md5(packed)))
        monkeypatch.setattr(kind, "resources", resources)
        monkeypatch.setattr(kind, "mirrors", [f"{served.url}/gone/", f"{served.url}/"])
        found = load("mnist", tmp_path, bits=2)
        assert found.train_values.shape == (3, 1, 28, 28)
        assert (found.train_values.min(), found.test_labels.tolist()) == (3, [0, 1])
        asked = len(served.asked)
        assert load("mnist", tmp_path, bits=2).train_labels.tolist() == [0, 1, 2]
        assert len(served.asked) == asked

    def test_cut_short_by_hand(self, served: Served, tmp_path: Path) -> None:
        raw = tmp_path / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for part in ("train", "t10k"):
            (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(np.zeros((2, 28, 28)))[:-9])
            (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.zeros(2)))
        with pytest.raises(InputError, match=r"raw: files of data set 'mnist' are damaged or cut"):
            load("mnist", tmp_path)

    def test_cifar10_comes_channels_first(
        self, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = np.repeat(np.array([10, 20, 30], np.uint8), 1024)  # red, green, blue planes
        batch = pickle.dumps({"data": np.stack([row, row]), "labels": [1, 0]})
        meta = pickle.dumps({"label_names": ["a", "b"]})
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            for name, body in (("one", batch), ("two", batch), ("names", meta)):
                entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
                entry.size = len(body)
                tar.addfile(entry, io.BytesIO(body))
        kind = torchvision.datasets.CIFAR10
        served.files["/cifar.tgz"] = packed.getvalue()
        monkeypatch.setattr(kind, "url", f"{served.url}/cifar.tgz")
        monkeypatch.setattr(kind, "tgz_md5", md5(packed.getvalue()))
        monkeypatch.setattr(kind, "train_list", [["one", md5(batch)]])
        monkeypatch.setattr(kind, "test_list", [["two", md5(batch)]])
        names = {"filename": "names", "key": "label_names", "md5": md5(meta)}
        monkeypatch.setattr(kind, "meta", names)
        found = load("cifar10", tmp_path, bits=8)
        assert found.shape == (3, 32, 32)
        assert found.classes == ("a", "b")
        assert found.test_values[0, :, 5, 7].tolist() == [10, 20, 30]
        assert found.train_labels.tolist() == [1, 0]

    def test_tiny_imagenet(
        self, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        root = "tiny-imagenet-200"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, level, mode in (
                ("train/n02/images/n02_0.JPEG", (9, 9, 9), "RGB"),
                ("train/n01/images/n01_0.JPEG", 0, "L"),
                ("val/images/val_0.JPEG", 255, "L"),
                ("test/images/test_0.JPEG", 7, "L"),
            ):
                picture = io.BytesIO()
                Image.new(mode, (64, 64), level).save(picture, "JPEG")
                archive.writestr(f"{root}/{name}", picture.getvalue())
            archive.writestr(f"{root}/train/n01/n01_boxes.txt", "n01_0.JPEG\t0\t0\t9\t9\n")
            archive.writestr(f"{root}/val/val_annotations.txt", "val_0.JPEG\tn02\t0\t0\t9\t9\n")
        served.files["/tiny.zip"] = packed.getvalue()
        wanted = Remote(
            "tiny-imagenet", f"{root}.zip", (f"{served.url}/tiny.zip",), md5(packed.getvalue())
        )
        monkeypatch.setattr(tiny_imagenet, "ARCHIVE", wanted)
        found = load("tiny-imagenet", tmp_path, bits=8)
        assert found.classes == ("n01", "n02")
        assert found.shape == (3, 64, 64)
        assert found.train_labels.tolist() == [0, 1]
        assert found.train_values[:, :, 0, 0].tolist() == [[0, 0, 0], [9, 9, 9]]
        assert (found.test_values.min(), found.test_labels.tolist()) == (255, [1])

    def test_speech_commands_is_unpacked_whole(
        self, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            tar.addfile(tarfile.TarInfo("./testing_list.txt"))
        served.files["/speech.tar.gz"] = packed.getvalue()
        url = f"{served.url}/speech.tar.gz"
        wanted = Remote("speech-commands", "speech.tar.gz", (url,), md5(packed.getvalue()))
        monkeypatch.setattr(speech_commands, "ARCHIVE", wanted)
        with pytest.raises(InputError, match="no wav files for 'train'"):
            load("speech-commands", tmp_path)
        held = os.listdir(tmp_path / "SpeechCommands")
        assert held == ["speech_commands_v0.02"]

    def test_nothing_is_fetched_unasked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: Any, **__: Any) -> None:
            raise AssertionError("asked the network")

        monkeypatch.setattr(urllib.request, "urlopen", refuse)
        load("digits", tmp_path)
