"""Recordings of event cameras: frames, folders, what is refused, and sets that tonic reads."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from neurocomp.data import load
from neurocomp.data.event_sets import EVENT_SETS
from neurocomp.data.events import Recording, frames, read_events
from neurocomp.errors import InputError
from neurocomp.progress import quiet

FIELDS = np.dtype([("x", "i2"), ("y", "i2"), ("p", "?"), ("t", "i8")])


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def events(*rows: tuple[int, int, int, int]) -> np.ndarray[Any, Any]:
    """Events (x, y, p, t) as a structured array."""
    return np.array(list(rows), FIELDS)


def archive(path: Path, **columns: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **columns)
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two classes on a sensor of 3 × 2 (x to 2, y to 1); a recording lasts from t = 10 to 14."""
    root = tmp_path / "camera"
    for name in ("train/left", "train/right", "test/right"):
        (root / name).mkdir(parents=True)
    np.save(root / "train" / "left" / "a.npy", events((0, 0, 1, 10), (2, 1, 0, 14)))
    archive(root / "train" / "right" / "b.npz", x=[1, 1], y=[0, 0], p=[0, 0], t=[0.5, 0.6])
    np.save(root / "test" / "right" / "c.npy", events((1, 1, 1, 7)))
    return root


class TestFrames:
    def test_equal_parts_of_the_recording(self) -> None:
        # from 10 to 18 in four steps of 2: 10, 11 | 13 | – | 16, 18 (the last event is in the last)
        t = np.array([18, 10, 11, 13, 16])
        x = np.arange(5)
        zero = np.zeros(5, np.int64)
        found = frames(iter([Recording(x, zero, zero, t)]), 1, (1, 5), 4, quiet)
        assert found.shape == (1, 4, 2, 1, 5)
        assert found[0, :, 0, 0].tolist() == [
            [0, 1, 1, 0, 0],
            [0, 0, 0, 1, 0],
            [0, 0, 0, 0, 0],
            [1, 0, 0, 0, 1],
        ]
        assert found[0, :, 1].sum() == 0
        parted = frames(iter([Recording(x, zero, zero, t / 4)]), 1, (1, 5), 4, quiet)
        assert np.array_equal(parted, found)  # as floats, in another unit

    def test_many_events_are_one_spike(self) -> None:
        one = np.array([1, 1, 1])
        found = frames(iter([Recording(one, one, one, one)]), 1, (2, 2), 2, quiet)
        assert found[0, 0, 1].tolist() == [[0, 0], [0, 1]]
        assert found.sum() == 1  # all at one time: the first step

    def test_pooled(self) -> None:
        x = np.array([0, 3, 4, 5])
        zero = np.zeros(4, np.int64)
        found = frames(iter([Recording(x, zero, zero, zero)]), 1, (6, 6), 1, quiet, pooled=4)
        assert found[0, 0, 0].tolist() == [[1, 1], [0, 0]]


class TestFolder:
    def test_tree(self, tree: Path) -> None:
        found = load(f"folder:{tree}", bits=1, coding="event", steps=2)
        assert found.classes == ("left", "right")
        assert (found.shape, found.steps, found.bits) == ((2, 2, 3), 2, 1)
        assert found.train_values.shape == (2, 2, 2, 2, 3)
        assert np.argwhere(found.train_values).tolist() == [
            [0, 0, 1, 0, 0],  # sample, step, polarity, y, x
            [0, 1, 0, 1, 2],
            [1, 0, 0, 0, 1],
            [1, 1, 0, 0, 1],
        ]
        assert found.test_labels.tolist() == [1]

    def test_every_window_has_a_cache_of_its_own(self, tree: Path) -> None:
        for steps in (2, 3, 2):
            found = load(f"folder:{tree}", bits=1, coding="event", steps=steps)
            assert found.train_values.shape[1] == steps

    def test_needs_its_coding(self, tree: Path) -> None:
        with pytest.raises(InputError, match=r"coding 'direct' is not for it; .*'event', and inp"):
            load(f"folder:{tree}")

    def test_no_recordings(self, tree: Path) -> None:
        (tree / "test" / "right" / "c.npy").rename(tree / "c.npy")
        with pytest.raises(InputError, match=r"test/right: class without recordings; put some"):
            load(f"folder:{tree}", bits=1, coding="event", steps=2)


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"x": [-1]}, r"'x' must be integers of 0 to 1279, is int64 from -1 to -1"),
            ({"y": [1280]}, r"'y' must be integers of 0 to 1279, is int64 from 1280 to 1280"),
            ({"p": [2]}, r"'p' must be integers of 0 to 1, is int64 from 2 to 2"),
            ({"x": [0.5]}, r"'x' must be integers of 0 to 1279, is float64"),
            ({"t": [np.nan]}, r"'t' must be finite numbers, is float64"),
            ({"t": [1, 2]}, r"its columns are shaped \(1,\), \(2,\); expected events, as arrays"),
            ({"x": [], "y": [], "p": [], "t": []}, r"its columns are shaped \(0,\); .* not empty"),
            ({"t": None}, r"has no 't'; expected events, as arrays x, y, p and t of one length"),
        ],
    )
    def test_columns(self, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
        columns = {"x": [0], "y": [0], "p": [0], "t": [0], **changes}
        given = {name: column for name, column in columns.items() if column is not None}
        path = archive(tmp_path / "e.npz", **given)
        with pytest.raises(InputError, match=rf"e\.npz: {message}"):
            read_events(path)

    def test_a_plain_array(self, tmp_path: Path) -> None:
        np.save(tmp_path / "e.npy", np.zeros((5, 4)))
        with pytest.raises(InputError, match=r"e\.npy: has no 'x'; expected events"):
            read_events(tmp_path / "e.npy")

    def test_cut_short(self, tmp_path: Path) -> None:
        np.save(tmp_path / "e.npy", events(*[(0, 0, 0, k) for k in range(9)]))
        whole = (tmp_path / "e.npy").read_bytes()
        (tmp_path / "e.npy").write_bytes(whole[:-20])
        with pytest.raises(InputError, match=r"e\.npy: is damaged or cut short; expected an arr"):
            read_events(tmp_path / "e.npy")


class Held:
    """What the classes of tonic's sets look like: recordings, targets and files by number."""

    sensor_size = (128, 128, 2)
    classes = ("a", "b")
    train_url = test_url = url = "http://nowhere.invalid/x.zip"
    train_filename = test_filename = filename = "x.zip"
    train_md5 = test_md5 = file_md5 = "0" * 32

    def __init__(self, save_to: str, train: bool | None = None) -> None:
        print("as tonic does")
        place = Path(save_to) / type(self).__name__
        count = {True: 4, False: 2, None: 20}[train]
        self.data = [str(place / f"{train}-{count - k:02}.bin") for k in range(count)]
        self.targets = [k % 2 for k in range(count)]
        for file in self.data:
            Path(file).touch()

    def __getitem__(self, k: int) -> tuple[np.ndarray[Any, Any], int]:
        return events((4 * k, 127, self.targets[k], 0)), self.targets[k]


@pytest.fixture
def tonic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A package of that name with the three sets, whose archives are there."""
    module = ModuleType("tonic.datasets")
    for row in EVENT_SETS.values():
        kind = type(row.tonic_name, (Held,), {})
        setattr(module, row.tonic_name, kind)
        (tmp_path / row.tonic_name).mkdir()
        (tmp_path / row.tonic_name / "x.zip").touch()
    monkeypatch.setitem(sys.modules, "tonic", ModuleType("tonic"))
    monkeypatch.setitem(sys.modules, "tonic.datasets", module)
    return tmp_path


class TestTonic:
    def test_a_set_with_a_split(self, tonic: Path, capsys: pytest.CaptureFixture[str]) -> None:
        found = load("dvs-gesture", tonic, bits=1, coding="event", steps=3)
        assert found.shape == (2, 32, 32)
        assert (len(found.train_values), len(found.test_values)) == (4, 2)
        # in the order of the files' names, which count down: recordings 3, 2, 1, 0
        assert found.train_labels.tolist() == [1, 0, 1, 0]
        assert np.argwhere(found.train_values[0]).tolist() == [[0, 1, 31, 3]]  # y 127 // 4 = 31
        assert capsys.readouterr().out == ""

    def test_a_set_without_one(self, tonic: Path) -> None:
        found = load("cifar10-dvs", tonic, bits=1, coding="event", steps=1)
        assert (len(found.train_values), len(found.test_values)) == (18, 2)
        assert sorted(found.test_labels.tolist()) == [0, 1]  # a tenth of each class

    def test_cannot_be_downloaded(self, tonic: Path) -> None:
        (tonic / "NMNIST" / "x.zip").unlink()
        with pytest.raises(InputError, match=r"'n-mnist' is not in .*NMNIST and cannot be downl"):
            load("n-mnist", tonic, bits=1, coding="event", steps=1)

    def test_cannot_be_read(self, tonic: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any, **__: Any) -> None:
            raise RuntimeError("File not found or corrupted.")

        monkeypatch.setattr(sys.modules["tonic.datasets"].NMNIST, "__init__", broken)
        with pytest.raises(InputError, match=r"files of data set 'n-mnist' cannot be read \(File"):
            load("n-mnist", tonic, bits=1, coding="event", steps=1)

    def test_not_installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "tonic", None)
        with pytest.raises(InputError, match=r"'n-mnist' is read by .* tonic.*neurocomp\[events\]"):
            load("n-mnist", tmp_path, bits=1, coding="event", steps=1)
