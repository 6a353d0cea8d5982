"""Arrays that somebody else wrote: sizes are checked before anything is read or allocated."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from nir_graphs import chain, lif, linear

from neurocomp.errors import InputError
from neurocomp.flow import parity, simulate
from neurocomp.flow.simulate_values import read_values
from neurocomp.formats.nir import read_nir
from neurocomp.ir.archive import archived, mapped_array
from neurocomp.readable import ZIP, FileKind

KIND = FileKind("spikes (.npz)", ZIP, "save them with numpy.savez")
MUCH = 2**20  # bytes that a refusal may take

pytestmark = pytest.mark.filterwarnings("ignore:.*snnTorch's default")


def header(shape: tuple[int, ...], descr: Any = "<f4") -> bytes:
    """A .npy file's header, without the values it declares."""
    made = io.BytesIO()
    fields = {"shape": shape, "fortran_order": False, "descr": descr}
    np.lib.format.write_array_header_1_0(made, fields)
    return made.getvalue()


def zipped(path: Path, **members: bytes) -> Path:
    """An archive of such members, packed."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """One neuron behind one input."""
    nir.write(tmp_path / "net.nir", chain([1], linear([0.6]), lif()))
    np.save(tmp_path / "x.npy", np.ones((6, 1)))
    return tmp_path / "net.nir"


def peak_of(call: Any, match: str) -> int:
    """Bytes that a refusal takes at its most."""
    tracemalloc.start()
    with pytest.raises(InputError, match=match):
        call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


class TestArchives:
    def test_a_bomb_is_refused_in_little_memory(self, network: Path, tmp_path: Path) -> None:
        """A zip of 200 bytes that declares 10^12 values, as spikes of the network."""
        bomb = zipped(tmp_path / "bomb.npz", n1=header((10**12,)))
        assert bomb.stat().st_size < 300
        parity(network, tmp_path / "x.npy", good_spikes(tmp_path), bits=())  # imports are done
        refused = r"array 'n1': declares the shape \(1000000000000,\) and holds less"
        assert peak_of(lambda: parity(network, tmp_path / "x.npy", bomb), refused) < MUCH

    def test_zeros_that_unpack_to_much_are_not_read(self, network: Path, tmp_path: Path) -> None:
        """64 MiB in 64 KiB: all there, but not the shape of this network's spikes."""
        bomb = zipped(tmp_path / "bomb.npz", n1=header((2**26,), "|u1") + bytes(2**26))
        parity(network, tmp_path / "x.npy", good_spikes(tmp_path), bits=())
        refused = r"'n1' is uint8 of shape \(67108864,\), expected \(1, 6, 1, 1, 1\)"
        assert peak_of(lambda: parity(network, tmp_path / "x.npy", bomb), refused) < MUCH

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (header((2, 3), "|O"), "array 'a': must hold numbers, is of type object"),
            (header((2, 3), "<U4"), "array 'a': must hold numbers, is of type <U4"),
            (header((10**18,), "|V0"), "array 'a': must hold numbers, is of type |V0"),
            (header((2,), ("<f4", (3,))), "array 'a': must hold numbers"),
            (header((-1,)), r"array 'a': declares the shape \(-1,\) and holds less"),
            (header((2,))[:20], "is damaged or cut short: array 'a'"),
            (b"\x93NUMPY\x02\x00" + header((2,))[8:], "is damaged or cut short: array 'a'"),
            (b"no array", "is damaged or cut short: array 'a'"),
            (header((2,)).replace(b"'shape'", b"'shap3'"), "is damaged or cut short: array 'a'"),
            (header((2,)).replace(b"{", b"("), "is damaged or cut short: array 'a'"),
        ],
    )
    def test_members_that_are_no_arrays(self, content: bytes, message: str, tmp_path: Path) -> None:
        path = zipped(tmp_path / "x.npz", a=content)
        with pytest.raises(InputError, match=message), archived(path, KIND):
            pass

    def test_too_many_arrays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("neurocomp.ir.archive.MAX_ARRAYS", 2)
        path = zipped(tmp_path / "x.npz", a=header((0,)), b=header((0,)), c=header((0,)))
        with pytest.raises(InputError, match=r"in 3 arrays; at most .* in 2 are read"):
            with archived(path, KIND):
                pass

    def test_a_member_that_is_damaged_inside(self, tmp_path: Path) -> None:
        path = zipped(tmp_path / "x.npz", a=header((4000,)) + np.arange(4000, dtype="f4").tobytes())
        content = bytearray(path.read_bytes())
        for i in range(1000, 1400):
            content[i] ^= 0x55
        path.write_bytes(content)
        with archived(path, KIND) as archive:
            assert archive.declared["a"].shape == (4000,)
            with pytest.raises(InputError, match="is damaged or cut short: array 'a'; expected"):
                archive.read("a")


def good_spikes(folder: Path) -> Path:
    np.savez(folder / "good.npz", n1=np.zeros((6, 1)))
    return folder / "good.npz"


class TestInputFiles:
    """What --input names is a memory map: nothing is read before it is used."""

    def test_a_large_file_takes_no_memory(self, network: Path, tmp_path: Path) -> None:
        """8 GiB of zeros that the disk does not hold; two samples of them are run."""
        path = tmp_path / "large.npy"
        shape = (2**30, 8, 1)
        path.write_bytes(header(shape, "|u1"))
        with path.open("r+b") as file:
            file.truncate(len(header(shape, "|u1")) + 2**33)
        graph = read_nir(network)
        simulate(network, backend="reference", steps=8, samples=1)  # imports are done
        tracemalloc.start()
        values = read_values(path, graph)
        assert values.shape == (2**30, 8, 1, 1, 1)
        row = simulate(network, backend="reference", input_file=path, samples=2)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (row["samples"], row["steps"]) == (2, 8)
        assert peak < 8 * MUCH

    def test_columns_first(self, network: Path, tmp_path: Path) -> None:
        """An array in Fortran's order reads as the same values."""
        values = np.arange(12).reshape(3, 4, 1)
        np.save(tmp_path / "f.npy", np.asfortranarray(values))
        read = read_values(tmp_path / "f.npy", read_nir(network))
        assert np.array_equal(read[..., 0, 0], values)

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (header((10**12, 1)), r"declares the shape \(1000000000000, 1\) and holds less"),
            (header((6, 1), "|O") + b"\x80\x04N.", "must hold numbers, is of type object; save it"),
            (header((6, 1)) + bytes(23), r"declares the shape \(6, 1\) and holds less"),
            (header((0, 1)), r"holds no value, is shaped \(0, 1\)"),
            (header((6, 1))[:40], "is damaged or cut short; expected an array"),
            (b"\x80\x04N.", "holds a Python pickle, which is never read; expected an array"),
            (b"PK\x05\x06" + bytes(18), "holds a ZIP archive; expected an array"),
        ],
    )
    def test_files_that_cannot_be_used(
        self, content: bytes, message: str, network: Path, tmp_path: Path
    ) -> None:
        path = tmp_path / "bad.npy"
        path.write_bytes(content)
        assert peak_of(lambda: mapped_array(path), f"bad.npy: {message}") < MUCH
        with pytest.raises(InputError, match=message):
            simulate(network, backend="reference", input_file=path)
        with pytest.raises(InputError, match=message):
            parity(network, path, tmp_path / "any.npz")
