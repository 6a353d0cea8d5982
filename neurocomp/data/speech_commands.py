"""Google Speech Commands (Warden 2018): ten keywords, alone or with "unknown" and "silence"."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurocomp.data.dataset import Images
from neurocomp.data.fetch import Remote, fetch
from neurocomp.data.sound import Clip, pictures_of, split_of
from neurocomp.data.unpack import unpack_folder
from neurocomp.errors import InputError
from neurocomp.progress import Progress

KEYWORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
NOISE = "_background_noise_"
EXTRA_SHARE = 0.1  # clips of "unknown", and of "silence", as a share of the keywords' clips
NOISE_S = 59.0  # of every noise recording that silence is cut from; all last a minute or more
NAMES = {"speech-commands": 12, "speech-commands-10": 10}
ARCHIVE = Remote(  # address and checksum are torchaudio's
    "speech-commands",
    "speech_commands_v0.02.tar.gz",
    ("http://download.tensorflow.org/data/speech_commands_v0.02.tar.gz",),
    "af14739ee7dc311471de98f5f9d2c9191b18aedfe957f4a6ff791c709868ff58",
)


def speech_commands(name: str, folder: Path, progress: Progress) -> Images:
    """The version 2 recordings from a folder, downloaded into it where they are not there yet.

    ``speech-commands`` is LitE-SNN's task of twelve classes: ten keywords, "unknown" (the other
    words) and "silence" (cuts of the noise recordings), a tenth as many clips each as the keywords
    together, drawn with a fixed seed. ``speech-commands-10`` is the keywords alone.

    Raises:
        InputError: it is not there and cannot be downloaded, or a file cannot be read.
    """
    root = _present(folder, progress)
    split = split_of(root)
    rng = np.random.default_rng(0)
    noises = sorted((root / NOISE).glob("*.wav"))
    chosen = {}
    for part, clips in split.items():
        wanted = [clip for clip in clips if clip.label in KEYWORDS]
        if NAMES[name] > len(KEYWORDS):
            n = round(EXTRA_SHARE * len(wanted))
            others = [clip for clip in clips if clip.label not in KEYWORDS]
            if not noises or not others:
                raise InputError(f"{root}: has no other words or no recordings in {NOISE}/")
            picks = rng.choice(len(others), min(n, len(others)), replace=False)
            wanted += [others[i]._replace(label="unknown") for i in sorted(picks)]
            for noise, start in zip(
                rng.integers(len(noises), size=n), rng.uniform(0.0, NOISE_S, n), strict=True
            ):
                wanted.append(Clip(noises[noise], "silence", float(start)))
        chosen[part] = wanted
    return pictures_of(root, chosen, progress, name)


def _present(folder: Path, progress: Progress) -> Path:
    """The folder of the recordings, unpacked where it is not there."""
    root = folder / "SpeechCommands" / "speech_commands_v0.02"
    if root.is_dir():
        return root
    archive = fetch(ARCHIVE, folder, progress)
    progress("unpack", 0, 1, archive.name)
    unpack_folder(archive, root)
    return root
