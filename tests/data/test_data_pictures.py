"""What is read of each kind of image, and what is refused by name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neurocomp.data.pictures import picture_file
from neurocomp.errors import InputError


def saved(tmp_path: Path, image: Image.Image, name: str = "x.png", **how: object) -> Path:
    image.save(tmp_path / name, **how)
    return tmp_path / name


def levels(path: Path) -> list[int]:
    """The channels of the first pixel."""
    found: list[int] = picture_file(path)[:, 0, 0].tolist()
    return found


class TestRead:
    def test_bits_and_grey(self, tmp_path: Path) -> None:
        assert levels(saved(tmp_path, Image.new("1", (2, 2), 1))) == [255]
        assert levels(saved(tmp_path, Image.new("L", (2, 2), 77))) == [77]

    def test_the_upper_half_of_sixteen_bits(self, tmp_path: Path) -> None:
        # 0x1234 = 4660: upper byte 0x12 = 18
        deep = Image.fromarray(np.full((2, 2), 0x1234, np.uint16))
        assert levels(saved(tmp_path, deep)) == [0x12]
        assert levels(saved(tmp_path, deep, "x.tif")) == [0x12]

    def test_palette(self, tmp_path: Path) -> None:
        image = Image.new("P", (2, 2), 1)
        image.putpalette([0, 0, 0, 10, 20, 30])
        assert levels(saved(tmp_path, image)) == [10, 20, 30]

    def test_what_is_transparent_lies_on_black(self, tmp_path: Path) -> None:
        # half: 200·128/255 = 100.39 → 100, 100·128/255 = 50.2 → 50
        half = Image.new("RGBA", (2, 2), (200, 100, 0, 128))
        assert levels(saved(tmp_path, half)) == [100, 50, 0]
        assert levels(saved(tmp_path, Image.new("LA", (2, 2), (200, 128)))) == [100]
        assert levels(saved(tmp_path, Image.new("L", (2, 2), 9), transparency=9)) == [0]

    def test_other_colours(self, tmp_path: Path) -> None:
        cmyk = saved(tmp_path, Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "x.tif")
        assert levels(cmyk) == [255, 0, 0]

    def test_the_first_of_several_frames(self, tmp_path: Path) -> None:
        frames = [Image.new("L", (2, 2), level) for level in (5, 250)]
        path = saved(tmp_path, frames[0], "x.gif", save_all=True, append_images=frames[1:])
        assert set(levels(path)) == {5}


def png_head(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and holds nothing."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"")
    chunks = b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (head, body)
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


class TestRefused:
    @pytest.mark.parametrize(
        ("size", "found"),
        [
            ((100_000, 100_000), r"has far more pixels"),
            ((1025, 1024), r"has 1,025 × 1,024 pixels"),
        ],
    )
    def test_bombs(self, tmp_path: Path, size: tuple[int, int], found: str) -> None:
        (tmp_path / "x.png").write_bytes(png_head(*size))
        with pytest.raises(InputError, match=rf"x\.png: {found}; images of at most 1,048,576 are"):
            picture_file(tmp_path / "x.png")

    @pytest.mark.parametrize("mode", ["I", "F"])
    def test_thirty_two_bits(self, tmp_path: Path, mode: str) -> None:
        path = saved(tmp_path, Image.new(mode, (2, 2)), "x.tif")
        with pytest.raises(InputError, match=r"x\.tif: has samples of 32 bits; save it with 8"):
            picture_file(path)

    @pytest.mark.filterwarnings("ignore::UserWarning", "ignore:Image size")
    @pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tif", "webp", "ppm"])
    @pytest.mark.parametrize("damage", ["cut", "turned"])
    def test_damage_everywhere(self, tmp_path: Path, suffix: str, damage: str) -> None:
        """A file that is cut short or has a wrong byte gives an image or an `InputError`."""
        noise = np.random.default_rng(0).integers(256, size=(9, 7, 3), dtype=np.uint8)
        path = saved(tmp_path, Image.fromarray(noise), f"x.{suffix}")
        whole = path.read_bytes()
        broken: Callable[[int], bytes] = {
            "cut": lambda at: whole[:at],
            "turned": lambda at: whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :],
        }[damage]
        refused = 0
        for at in range(0, len(whole), max(len(whole) // 60, 1)):
            path.write_bytes(broken(at))
            try:
                assert picture_file(path).shape[0] in (1, 3)
            except InputError as fault:
                refused += str(path) in str(fault)
        assert refused
