"""Every reader of files, with files that are none: what each message says."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from netx_files import dense, write
from nir_graphs import chain, lif, linear
from PIL import Image
from scipy.io import wavfile

from neurocomp.atomic import write_text
from neurocomp.data import pictures, sound
from neurocomp.errors import InputError
from neurocomp.formats.netx import read_netx
from neurocomp.formats.nir import read_nir
from neurocomp.ir import Dense, Graph, Input, LoihiLif, Population, Projection
from neurocomp.ir.archive import archived, mapped_array
from neurocomp.ir.store import load, save
from neurocomp.readable import ZIP, FileKind, content_of
from neurocomp.spec.read import read_yaml

ONE = Graph(
    "one",
    (Population("in", (1, 1, 1), Input()), Population("out", (1, 1, 1), LoihiLif(vth=3))),
    (Projection("e", "in", "out", Dense(), weight=np.array([[4]]), delay=1),),
    "out",
    readout="spikes",
)
SPIKES = FileKind("spikes (.npz)", ZIP, "save them with numpy.savez")


def read_archive(path: Path) -> dict[str, Any]:
    with archived(path, SPIKES) as archive:
        return archive.read_all()


def write_wav(path: Path) -> None:
    wavfile.write(path, 8000, np.arange(800, dtype=np.int16))


READERS: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any], str]] = {
    "x.net": (read_netx, lambda path: write(path, dense([[2, -4]])), "a netx network"),
    "x.nir": (
        read_nir,
        lambda path: nir.write(path, chain([1], linear([0.6]), lif())),
        "a NIR network",
    ),
    "graph.npz": (load, lambda path: save(ONE, path), "a neurocomp graph file"),
    "spikes.npz": (read_archive, lambda path: np.savez(path, a=np.zeros(99)), "spikes"),
    "x.npy": (mapped_array, lambda path: np.save(path, np.zeros(99)), "an array"),
    "x.png": (pictures.picture_file, lambda path: Image.new("L", (9, 9)).save(path), "an image"),
    "x.wav": (sound._read, write_wav, "a wav file"),
}


@pytest.fixture
def forbidden(tmp_path: Path) -> Iterator[Path]:
    """A folder that may not be entered; nor by root, to whom else everything is permitted."""
    (tmp_path / "closed").mkdir(mode=0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield tmp_path / "closed"
    os.seteuid(before)


@pytest.mark.filterwarnings("ignore:.*snnTorch's default", "ignore:Reached EOF")
@pytest.mark.parametrize("name", [*READERS, "x.yaml"])
class TestEveryReader:
    """What stands in the way, what was expected, and what to do."""

    def reader(self, name: str) -> tuple[Callable[[Path], Any], str]:
        if name == "x.yaml":
            return read_yaml, "a YAML file"
        return READERS[name][0], READERS[name][2]

    def test_missing(self, name: str, tmp_path: Path) -> None:
        read, expected = self.reader(name)
        with pytest.raises(InputError, match=f"{name}: no such file; expected {expected}"):
            read(tmp_path / name)
        with pytest.raises(InputError, match="is no file name; expected"):
            read(tmp_path / f"\0{name}")
        with pytest.raises(InputError, match=r"cannot be read \(File name too long\); expected"):
            read(tmp_path / ("x" * 300 + name))

    def test_folder(self, name: str, tmp_path: Path) -> None:
        read, expected = self.reader(name)
        (tmp_path / name).mkdir()
        with pytest.raises(InputError, match=f"{name}: is a folder; expected {expected}.*; name a"):
            read(tmp_path / name)

    def test_empty(self, name: str, tmp_path: Path) -> None:
        read, expected = self.reader(name)
        (tmp_path / name).touch()
        with pytest.raises(InputError, match=f"{name}: is empty; expected {expected}.*; "):
            read(tmp_path / name)

    def test_pipe(self, name: str, tmp_path: Path) -> None:
        read, expected = self.reader(name)
        os.mkfifo(tmp_path / name)
        with pytest.raises(InputError, match=f"{name}: is no regular file; expected {expected}"):
            read(tmp_path / name)

    def test_permission(self, name: str, forbidden: Path) -> None:
        read, expected = self.reader(name)
        with pytest.raises(
            InputError, match=f"{name}: may not be read; expected {expected}.*chmod"
        ):
            read(forbidden / name)

    def test_foreign(self, name: str, tmp_path: Path) -> None:
        """A file of every other kind: its content is named."""
        read, expected = self.reader(name)
        found = {
            "x.net": "an HDF5 file",
            "spikes.npz": "a ZIP archive",
            "x.npy": r"a NumPy array \(.npy\)",
            "x.png": "an image",
            "x.wav": "a wav file",
        }
        for other, content in found.items():
            if READERS[other][2] == expected or (ZIP in content and name.endswith(".npz")):
                continue
            READERS[other][1](tmp_path / other)
            (tmp_path / other).replace(tmp_path / name)
            with pytest.raises(InputError, match=f"holds {content}.*; expected {expected}"):
                read(tmp_path / name)
        if name != "x.yaml":
            (tmp_path / name).write_text("Dear Sir or Madam,\n")
            with pytest.raises(InputError, match=f"{name}: holds text; expected {expected}"):
                read(tmp_path / name)

    def test_cut_short(self, name: str, tmp_path: Path) -> None:
        """Half of a good file; that all of it reads shows that the half is what is refused."""
        read, expected = self.reader(name)
        if name == "x.yaml":
            (tmp_path / name).write_text("key: [1, 2\n")
            with pytest.raises(InputError, match=r"not valid YAML: .*line 2"):
                read(tmp_path / name)
            return
        READERS[name][1](tmp_path / name)
        read(tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        cut = f"is damaged or cut short.*; expected {expected}|declares the shape .* holds less"
        if name == "x.wav":  # a wav file ends where it ends
            read(tmp_path / name)
            (tmp_path / name).write_bytes(whole[:30])
        with pytest.raises(InputError, match=cut):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("head", "content"),
    [
        (b"\x1f\x8b\x08rest", "a gzip archive"),
        (b"\x80\x04\x95rest", "a Python pickle, which is never read"),
        (b"RIFF1234WEBPVP8 ", "an image"),
        (b"RIFF1234WAVEfmt ", "a wav file"),
        (b"RIFF1234AVI ", "text"),
        ("größer: 1\r\n".encode(), "text"),
        (b"\0\1\2\3", "nothing that neurocomp knows"),
    ],
)
def test_contents(head: bytes, content: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(head)
    assert content_of(tmp_path / "x") == content


@pytest.mark.filterwarnings("ignore::scipy.io.wavfile.WavFileWarning")
@pytest.mark.parametrize("kind", ["x.wav", "x.png"])
def test_damaged_sounds_and_pictures(kind: str, tmp_path: Path) -> None:
    """A thousand files with other bytes in their heads: they read, or are refused."""
    read, make, _ = READERS[kind]
    make(tmp_path / kind)
    whole = (tmp_path / kind).read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(1000):
        damaged = bytearray(whole[: rng.integers(20, len(whole) + 1)])
        for i in rng.integers(0, min(60, len(damaged)), 3):
            damaged[i] = rng.integers(256)
        (tmp_path / kind).write_bytes(damaged)
        try:
            read(tmp_path / kind)
        except InputError:
            refused += 1
    assert refused > 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", "the key 'a' stands twice.*line 2"),
        ("a: &x [1, *x]\n", "aliases stand for more than 100,000 values"),
        (
            "".join(
                f"a{i}: &x{i} [{', '.join([f'*x{i - 1}' if i else '1'] * 9)}]\n" for i in range(9)
            ),
            "aliases stand for more than 100,000 values",
        ),
    ],
)
def test_yaml_that_says_too_much(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_yaml(path)


def test_yaml_with_an_alias(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: &x [1]\nb: *x\n")
    assert read_yaml(path) == {"a": [1], "b": [1]}


def test_nothing_but_files_is_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(InputError, match="is there and no regular file; name another"):
            write_text(path, "x")
    with pytest.raises(InputError, match=r"the folder .*none does not exist; make it first"):
        write_text(tmp_path / "none" / "x", "x")
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]
