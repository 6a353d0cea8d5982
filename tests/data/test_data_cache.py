"""The cache of decoded samples: mapped into memory, shared, never half-written."""

from __future__ import annotations

import multiprocessing
import os
import resource
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurocomp.data import load
from neurocomp.errors import InputWarning


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "neurocomp"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Twelve images of 100 × 100 pixels in two classes; image k has the value 20·k."""
    root = tmp_path / "tree [1]"  # brackets mean something to glob
    for k in range(12):
        file = root / ("test" if k > 9 else "train") / "ab"[k % 2] / f"{k:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (100, 100), 20 * k).save(file)
    return root


def is_mapped(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bool:
    """Whether an array's values are pages of a file, as the kernel says."""
    address = array.__array_interface__["data"][0]
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        first, last = (int(end, 16) for end in fields[0].split("-"))
        if first <= address < last:
            return len(fields) == 6 and ".npy" in fields[5]
    return False


@pytest.mark.parametrize("bits", [4, 8])
def test_values_are_mapped_from_the_file(tree: Path, bits: int) -> None:
    for _ in range(2):  # decoded, and from the cache
        found = load(f"folder:{tree}", bits=bits)
        assert is_mapped(found.train_values)
        assert is_mapped(found.test_values)
        assert found.train_values[:, 0, 0, 0].max() == (20 * 9 * (2**bits - 1) * 2 + 255) // 510


def test_writing_to_the_values_changes_no_file(tree: Path) -> None:
    load(f"folder:{tree}").train_values[:] = 1
    assert load(f"folder:{tree}").train_values[:, 0, 0, 0].max() > 1


def _sum(name: str) -> int:
    return int(load(name).train_values.sum())


def test_two_processes_at_once(tree: Path, cache: Path) -> None:
    # 10,000 pixels of round(20·k·15/255): k = 0 … 9 give 0 1 2 4 5 6 7 8 9 11, together 53
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert pool.map(_sum, [f"folder:{tree}"] * 4, chunksize=1) == [530_000] * 4
    kept = sorted(file.suffix for file in cache.iterdir())
    assert kept == [".npy", ".npy", ".npz", ".npz"]  # decoded, and of 4 bits; nothing half-written


def test_no_room(tree: Path, cache: Path) -> None:
    """A limit on the size of files stands for a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, hard))
    try:
        with pytest.warns(InputWarning, match=r"cannot be kept \(File too large\); .* make room"):
            found = load(f"folder:{tree}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert len(found.train_values) == 10
    assert os.listdir(cache) == []


def test_another_tree_of_that_name_keeps_its_own(tree: Path, tmp_path: Path, cache: Path) -> None:
    other = tmp_path / "other" / tree.name
    other.parent.mkdir()
    load(f"folder:{tree}")
    tree.rename(other)
    load(f"folder:{other}")
    assert len(os.listdir(cache)) == 8
