"""Data sets by name: what there is, and how one is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from neurocomp.data.cache import cache_folder
from neurocomp.data.coding import Coding, Kind, coded
from neurocomp.data.dataset import Dataset, Images
from neurocomp.data.digits import digits
from neurocomp.data.download import DOWNLOADS, download
from neurocomp.data.event_sets import EVENT_SETS, event_set
from neurocomp.data.events import event_folder
from neurocomp.data.folder import folder, holds
from neurocomp.data.sound import sound_folder
from neurocomp.data.speech_commands import NAMES as SPEECH
from neurocomp.data.speech_commands import speech_commands
from neurocomp.data.tiny_imagenet import tiny_imagenet
from neurocomp.errors import InputError
from neurocomp.progress import Progress, quiet

FOLDER = "folder:"


@dataclass(frozen=True, slots=True)
class Known:
    """One row of what can be loaded.

    Attributes:
        shape: (channels, height, width), None where the files decide; so for ``n_classes``.
        source: "embedded", "download", "download with tonic" or "folder".
        coding: what it can be coded as; see `neurocomp.data.coding.Coding`.
    """

    name: str
    what: str
    shape: tuple[int, int, int] | None
    n_classes: int | None
    source: str
    coding: tuple[Kind, ...] = ("direct", "rate")


def known() -> tuple[Known, ...]:
    """Every name that `load` takes."""
    return (
        Known("digits", "handwritten digits of scikit-learn", (1, 8, 8), 10, "embedded"),
        *(
            Known(name, row.what, row.shape, row.n_classes, "download")
            for name, row in DOWNLOADS.items()
        ),
        Known("tiny-imagenet", "200 classes of ImageNet in small", (3, 64, 64), 200, "download"),
        *(
            Known(name, "spoken words as MFCC", (1, 10, 47), n, "download")
            for name, n in SPEECH.items()
        ),
        *(
            Known(name, row.what, row.shape, row.n_classes, "download with tonic", ("event",))
            for name, row in EVENT_SETS.items()
        ),
        Known(
            "folder:PATH",
            "images, wav files or events (.npy, .npz) in train/<class>/ and test/<class>/, or wav "
            "files named as in Speech Commands or fsdd",
            None,
            None,
            "folder",
            ("direct", "rate", "event"),
        ),
    )


def load(
    name: str,
    data_dir: Path | None = None,
    bits: int = 4,
    *,
    coding: Kind = "direct",
    steps: int | None = None,
    seed: int = 0,
    progress: Progress = quiet,
) -> Dataset:
    """A data set with values of 0 … 2^bits − 1.

    Args:
        name: ``digits``, a named download, or ``folder:PATH`` with an image tree, wav files or
            recordings of events.
        data_dir: where downloads lie and go, and what a relative PATH starts from; by default the
            user's cache folder and the working folder.
        bits, coding, steps, seed: see `neurocomp.data.coding.Coding`.

    Raises:
        InputError: an unknown name, a set that cannot be had, a tree that is none, or a coding
            that is none or not for this set.
    """
    chosen = Coding(coding, bits, steps, seed)
    make, is_events = _source(name, data_dir, steps)
    if is_events != (coding == "event"):
        right = "'event', and input_bits to 1" if is_events else "'direct' or 'rate'"
        raise InputError(
            f"data set '{name}': coding '{coding}' is not for it; in the recipe, set coding to "
            f"{right}"
        )
    return coded(name, make(progress), chosen)


def _source(
    name: str, data_dir: Path | None, steps: int | None
) -> tuple[Callable[[Progress], Images], bool]:
    """What decodes a set, and whether it holds events."""
    if name.startswith(FOLDER):
        root = (data_dir or Path()) / Path(name.removeprefix(FOLDER)).expanduser()
        kind = holds(root)
        if kind == "events":
            return partial(event_folder, root, steps or 1), True
        return partial(sound_folder if kind == "sound" else folder, root), False
    downloads = data_dir or cache_folder() / "downloads"
    if name == "digits":
        return lambda progress: digits(), False
    if name in DOWNLOADS:
        return partial(download, name, downloads), False
    if name == "tiny-imagenet":
        return partial(tiny_imagenet, downloads), False
    if name in SPEECH:
        return partial(speech_commands, name, downloads), False
    if name in EVENT_SETS:
        return partial(event_set, name, downloads, steps or 1), True
    raise InputError.unknown("data set", name, [row.name for row in known()])
