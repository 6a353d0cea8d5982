"""Trees of images: what is read, what is refused, and the cache of decoded images."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurocomp.data import load
from neurocomp.data.cache import cache_folder
from neurocomp.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "neurocomp"


def picture(file: Path, level: int, size: tuple[int, int] = (3, 2), mode: str = "L") -> None:
    """An image of one value; RGB is (level, 0, 0)."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, level if mode == "L" else (level, 0, 0)).save(file)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Two classes, three images to train (values 0, 17, 255) and one to test."""
    root = tmp_path / "tree"
    picture(root / "train" / "cat" / "1.png", 0)
    picture(root / "train" / "cat" / "2.png", 17)
    picture(root / "train" / "dog" / "1.png", 255)
    picture(root / "test" / "dog" / "9.png", 34)
    (root / "train" / "dog" / "notes.txt").write_text("not an image")
    return root


def test_grey_tree(tree: Path) -> None:
    found = load(f"folder:{tree}")
    assert found.classes == ("cat", "dog")
    assert found.shape == (1, 2, 3)  # (C, H, W) of images 3 wide and 2 high
    assert found.train_labels.tolist() == [0, 0, 1]
    assert found.test_labels.tolist() == [1]
    assert found.train_values[:, 0, 0, 0].tolist() == [0, 1, 15]  # v·15/255
    assert found.test_values[0].tolist() == [[[2, 2, 2], [2, 2, 2]]]


def test_one_colour_image_makes_all_rgb(tree: Path) -> None:
    picture(tree / "train" / "dog" / "2.png", 255, mode="RGB")
    found = load(f"folder:{tree}")
    assert found.shape == (3, 2, 3)
    assert found.train_values[1, :, 0, 0].tolist() == [1, 1, 1]
    assert found.train_values[3, :, 0, 0].tolist() == [15, 0, 0]


def test_relative_path_starts_at_data_dir(tree: Path) -> None:
    assert load("folder:tree", tree.parent).classes == ("cat", "dog")


class TestCache:
    def test_decoded_once(self, tree: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = load(f"folder:{tree}", bits=8)
        assert len(list(cache.iterdir())) == 2  # values, labels and names

        def refuse(*_: object) -> None:
            raise AssertionError("decoded again")

        monkeypatch.setattr("neurocomp.data.folder.decode", refuse)
        again = load(f"folder:{tree}", bits=8)
        assert again.classes == first.classes
        assert np.array_equal(again.train_values, first.train_values)

    def test_changed_tree_is_decoded_anew_and_the_old_dropped(
        self, tree: Path, cache: Path
    ) -> None:
        load(f"folder:{tree}")
        picture(tree / "train" / "cat" / "2.png", 51)
        os.utime(tree / "train" / "cat" / "2.png", ns=(1, 1))
        assert load(f"folder:{tree}").train_values[1, 0, 0, 0] == 3
        assert len(list(cache.iterdir())) == 4  # decoded, and of 4 bits

    def test_damaged_cache_is_decoded_anew(self, tree: Path, cache: Path) -> None:
        load(f"folder:{tree}")
        for file in cache.iterdir():
            file.write_bytes(b"PK\x03\x04 no archive")
        assert load(f"folder:{tree}").train_values[1, 0, 0, 0] == 1

    def test_cache_that_cannot_be_written_warns(self, tree: Path, cache: Path) -> None:
        cache.parent.parent.mkdir(exist_ok=True)
        cache.parent.write_text("a file where the folder should be")
        with pytest.warns(UserWarning, match=r"cannot be kept .*set XDG_CACHE_HOME"):
            assert load(f"folder:{tree}").classes == ("cat", "dog")

    def test_default_is_the_home_cache(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("XDG_CACHE_HOME")
        monkeypatch.setenv("HOME", "/home/someone")
        assert cache_folder() == Path("/home/someone/.cache/neurocomp")


class TestRefused:
    @pytest.mark.parametrize("part", ["train", "test"])
    def test_missing_part(self, tree: Path, part: str) -> None:
        (tree / part).rename(tree / "elsewhere")
        with pytest.raises(InputError, match=rf"tree: has no folder '{part}/'; a tree of"):
            load(f"folder:{tree}")

    def test_no_images(self, tree: Path) -> None:
        for file in (tree / "test" / "dog").iterdir():
            file.rename(file.with_suffix(".txt"))
        with pytest.raises(InputError, match=r"test/dog: class without images; put some there"):
            load(f"folder:{tree}")

    def test_unreadable_image(self, tree: Path) -> None:
        (tree / "train" / "dog" / "3.jpg").write_bytes(b"\xff\xd8\xff no jpeg")
        with pytest.raises(InputError, match=r"dog/3\.jpg: .*; expected an image; remove or mend"):
            load(f"folder:{tree}")

    def test_truncated_image(self, tree: Path) -> None:
        file = tree / "train" / "dog" / "1.png"
        file.write_bytes(file.read_bytes()[:45])
        with pytest.raises(InputError, match=r"dog/1\.png: .*; expected an image; remove or mend"):
            load(f"folder:{tree}")

    def test_another_size(self, tree: Path) -> None:
        picture(tree / "test" / "cat" / "7.png", 0, size=(4, 2))
        with pytest.raises(
            InputError, match=r"test/cat/7\.png: is 4 × 2 pixels, .*train/cat/1\.png is 3 × 2"
        ):
            load(f"folder:{tree}")

    def test_class_without_training_images(self, tree: Path) -> None:
        picture(tree / "test" / "emu" / "1.png", 0)
        with pytest.raises(InputError, match=r"class 'emu' has no images in .*train"):
            load(f"folder:{tree}")

    def test_one_class(self, tree: Path) -> None:
        (tree / "train" / "cat").rename(tree / "cat")
        with pytest.raises(InputError, match="at least two classes are needed, got 1: dog"):
            load(f"folder:{tree}")
