"""Folders of wav files as pictures of their mel-frequency cepstral coefficients (MFCC).

LitE-SNN feeds keyword spotting with MFCC; the lengths it printed were lost. Here they are the first
10 coefficients every 20 ms, what small networks for keywords take (Zhang et al. 2017, "Hello
Edge"), of frames of 30 ms in the first second: (1, 10, 47).
"""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from neurocomp.data.cache import decoded
from neurocomp.data.dataset import Images
from neurocomp.data.spikes import Values
from neurocomp.errors import InputError
from neurocomp.progress import Progress, quiet
from neurocomp.readable import WAV, FileKind

WAV_FILE = FileKind("a wav file", WAV, "remove or mend it")
RATES = (1_000, 1_000_000)  # Hz; the header of a damaged file says others
FRAME_S, HOP_S, CLIP_S = 0.03, 0.02, 1.0
COEFFICIENTS, MELS = 10, 40
FRAMES = f"{COEFFICIENTS} of {MELS} mels, {FRAME_S:g} s every {HOP_S:g} s"
SPREAD = 3.0  # values further than this many standard deviations from the mean are clipped
PEAK = 255
TEST_TAKES = range(5)  # of a speaker's recordings of a word: fsdd's usual test split
CHUNK = 256  # clips transformed at a time

_DAMAGE = (  # what scipy's reader stumbles over
    OSError,
    ValueError,
    EOFError,
    struct.error,
    ZeroDivisionError,
    UnboundLocalError,
)
_TAKE = re.compile(r"(?P<label>[^_]+)_(?P<speaker>.+)_(?P<take>\d+)\.wav", re.IGNORECASE)
_LAYOUTS = (
    "a folder of wav files is train/<class>/ and test/<class>/, or <class>/ with testing_list.txt "
    "as in Speech Commands, or {label}_{speaker}_{take}.wav as in fsdd"
)


class Clip(NamedTuple):
    """One second of a recording from ``start``, in seconds, and the class it belongs to."""

    file: Path
    label: str
    start: float = 0.0


Split: TypeAlias = dict[str, list[Clip]]


def sound_folder(root: Path, progress: Progress = quiet) -> Images:
    """All recordings of a folder; its layout says which ones are for the test.

    Raises:
        InputError: no known layout, no recordings, a class that only the test has, an unreadable
            file or one of another sampling rate; the file is named.
    """
    root = root.absolute()
    return pictures_of(root, split_of(root), progress)


def pictures_of(root: Path, split: Split, progress: Progress, what: str = "") -> Images:
    """The clips of a split as pictures, decoded once and kept in the user's cache.

    Args:
        what: tells this split of the folder from others.
    """
    classes = tuple(sorted({clip.label for clip in split["train"]}))
    for clip in split["test"]:
        if clip.label not in classes:
            raise InputError(f"{clip.file}: class '{clip.label}' is not among the training files")
    files = [clip.file for part in split.values() for clip in part]
    return decoded(root, files, lambda: _transform(split, classes, progress), f"{what} {FRAMES}")


def split_of(root: Path) -> Split:
    """Training and test clips of a folder, by the first layout that it has."""
    if (root / "train").is_dir() and (root / "test").is_dir():
        split = {part: _by_folder(root / part) for part in ("train", "test")}
    elif (root / "testing_list.txt").is_file():
        split = _listed(root)
    else:
        split = _by_take(root)
    for part, clips in split.items():
        if not clips:
            raise InputError(f"{root}: no wav files for '{part}'; {_LAYOUTS}")
    return split


def _by_folder(root: Path) -> list[Clip]:
    return [Clip(file, file.parent.name) for file in sorted(root.glob("*/*.wav"))]


def _listed(root: Path) -> Split:
    """Speech Commands: ``testing_list.txt`` names the test files, everything else trains."""
    named = set((root / "testing_list.txt").read_text(encoding="utf-8").split())
    split: Split = {"train": [], "test": []}
    for clip in _by_folder(root):
        if not clip.label.startswith("_"):  # _background_noise_
            part = "test" if clip.file.relative_to(root).as_posix() in named else "train"
            split[part].append(clip)
    return split


def _by_take(root: Path) -> Split:
    """fsdd: ``{label}_{speaker}_{take}.wav``, takes 0 to 4 are the test."""
    split: Split = {"train": [], "test": []}
    for file in sorted(root.rglob("*.wav")):
        found = _TAKE.fullmatch(file.name)
        if found is None:
            raise InputError(f"{file}: its name tells no label and no take; {_LAYOUTS}")
        part = "test" if int(found["take"]) in TEST_TAKES else "train"
        split[part].append(Clip(file, found["label"]))
    return split


def _transform(split: Split, classes: tuple[str, ...], progress: Progress) -> Images:
    clips = [*split["train"], *split["test"]]
    rate = _read(clips[0].file)[0]
    parts = []
    for i in range(0, len(clips), CHUNK):
        progress("decode", i, len(clips), "recordings")
        parts.append(_mfcc(clips[i : i + CHUNK], rate))
    features = np.concatenate(parts)
    n_train = len(split["train"])
    values = _standardised(features, n_train)[:, None]
    labels = np.array([classes.index(clip.label) for clip in clips], np.int64)
    return Images.of(classes, values, labels, n_train, peak=PEAK)


def _standardised(features: npt.NDArray[np.float32], n_train: int) -> Values:
    """Each coefficient to 0 … PEAK: the training clips' mean ± SPREAD standard deviations."""
    known = features[:n_train]
    mean, std = known.mean((0, 2), keepdims=True), known.std((0, 2), keepdims=True)
    unit = np.clip((features - mean) / np.maximum(std, 1e-6) / SPREAD, -1.0, 1.0)
    levels: Values = np.rint((unit + 1.0) * (PEAK / 2)).astype(np.uint8)
    return levels


def _mfcc(clips: list[Clip], rate: int) -> npt.NDArray[np.float32]:
    """(clips, coefficients, frames) of the clips' first second, short ones padded with silence."""
    import torch
    from torchaudio.transforms import MFCC

    window, hop, length = (round(rate * seconds) for seconds in (FRAME_S, HOP_S, CLIP_S))
    waves = np.zeros((len(clips), length), np.float32)
    for row, clip in zip(waves, clips, strict=True):
        found, wave = _read(clip.file)
        if found != rate:
            raise InputError(
                f"{clip.file}: is sampled at {found} Hz, the first file at {rate} Hz; bring all "
                "files to one rate"
            )
        first = round(clip.start * rate)
        cut = wave[first : first + length]
        row[: len(cut)] = cut
    points = 2 * 2 ** (window - 1).bit_length()
    transform = MFCC(
        sample_rate=rate,
        n_mfcc=COEFFICIENTS,
        log_mels=True,
        melkwargs={
            "n_fft": points,
            "win_length": window,
            "hop_length": hop,
            "n_mels": MELS,
            "center": False,
        },
    )
    made: npt.NDArray[np.float32] = transform(torch.from_numpy(waves)).numpy()
    return made


def _read(file: Path) -> tuple[int, npt.NDArray[np.float32]]:
    """Sampling rate and samples −1 … 1, channels averaged."""
    from scipy.io import wavfile

    WAV_FILE.require(file)
    try:
        rate, samples = wavfile.read(file)
    except _DAMAGE as fault:
        raise WAV_FILE.unreadable(file) from fault
    if not RATES[0] <= rate <= RATES[1]:
        raise InputError(
            f"{file}: is sampled at {rate:,} Hz, {RATES[0]:,} to {RATES[1]:,} are read; "
            f"{WAV_FILE.remedy}"
        )
    wave = _floating(samples)
    return int(rate), wave if wave.ndim == 1 else wave.mean(1)


def _floating(samples: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    if samples.dtype.kind == "u":  # 8-bit wav files are unsigned
        return (samples.astype(np.float32) - 128.0) / 128.0
    return samples.astype(np.float32) / -float(np.iinfo(samples.dtype).min)
