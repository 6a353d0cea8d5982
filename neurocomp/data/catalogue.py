"""Data sets by name: what there is, and how one is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neurocomp.data.cache import cache_folder
from neurocomp.data.dataset import Dataset, graded, require_bits
from neurocomp.data.digits import digits
from neurocomp.data.download import DOWNLOADS, download
from neurocomp.data.folder import folder
from neurocomp.data.sound import has_sound, sound_folder
from neurocomp.data.speech_commands import NAMES as SPEECH
from neurocomp.data.speech_commands import speech_commands
from neurocomp.errors import InputError

FOLDER = "folder:"


@dataclass(frozen=True, slots=True)
class Known:
    """One row of what can be loaded.

    Attributes:
        shape: (channels, height, width), None where the images decide; so for ``n_classes``.
        source: "embedded", "download" or "folder".
    """

    name: str
    what: str
    shape: tuple[int, int, int] | None
    n_classes: int | None
    source: str


def known() -> tuple[Known, ...]:
    """Every name that `load` takes."""
    return (
        Known("digits", "handwritten digits of scikit-learn", (1, 8, 8), 10, "embedded"),
        *(
            Known(name, row.what, row.shape, row.n_classes, "download")
            for name, row in DOWNLOADS.items()
        ),
        *(
            Known(name, "spoken words as MFCC", (1, 40, 94), n, "download")
            for name, n in SPEECH.items()
        ),
        Known(
            "folder:PATH",
            "images or wav files in train/<class>/ and test/<class>/, or wav files named as in "
            "Speech Commands or fsdd",
            None,
            None,
            "folder",
        ),
    )


def load(name: str, data_dir: Path | None = None, bits: int = 4) -> Dataset:
    """A data set with values of 0 … 2^bits − 1.

    Args:
        name: ``digits``, a named download, or ``folder:PATH`` with an image tree or wav files.
        data_dir: where downloads lie and go, and what a relative PATH starts from; by default the
            user's cache folder and the working folder.
        bits: bits per value, 1 to 8.

    Raises:
        InputError: an unknown name, a set that cannot be had, a tree that is none,
            or a number of bits out of range.
    """
    require_bits(bits)
    if name.startswith(FOLDER):
        path = Path(name.removeprefix(FOLDER)).expanduser()
        root = (data_dir or Path()) / path
        return graded(name, sound_folder(root) if has_sound(root) else folder(root), bits)
    if name == "digits":
        return graded(name, digits(), bits)
    if name in DOWNLOADS:
        return graded(name, download(name, data_dir or cache_folder() / "downloads"), bits)
    if name in SPEECH:
        return graded(name, speech_commands(name, data_dir or cache_folder() / "downloads"), bits)
    raise InputError.unknown("data set", name, [row.name for row in known()])
