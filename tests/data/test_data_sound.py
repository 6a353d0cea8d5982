"""Folders of wav files: layouts, splits, features, Speech Commands' two tasks."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
from scipy.io import wavfile

from neurocomp.data import load
from neurocomp.data.folder import holds
from neurocomp.data.sound import Clip, split_of
from neurocomp.errors import InputError

RATE = 8000


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def tone(path: Path, hertz: float, seconds: float = 0.5, rate: int = RATE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(round(rate * seconds)) / rate
    wavfile.write(path, rate, (8000 * np.sin(2 * np.pi * hertz * t)).astype(np.int16))
    return path


def takes(root: Path) -> Path:
    """fsdd's naming: two words, takes 3 to 6."""
    for take in range(3, 7):
        tone(root / f"low_ann_{take}.wav", 300 + take)
        tone(root / f"high_ann_{take}.wav", 2000 + take)
    return root


def commands(root: Path) -> Path:
    """Speech Commands in small: ten recordings of two keywords and one other word, half tested."""
    base = root / "SpeechCommands" / "speech_commands_v0.02"
    tested = []
    for i in range(10):
        for word, hertz in (("yes", 400), ("no", 900), ("bird", 1500)):
            tone(base / word / f"{i}.wav", hertz + i, 0.2)
            if i % 2:
                tested.append(f"{word}/{i}.wav")
    tone(base / "_background_noise_" / "hum.wav", 50, 61.0)
    (base / "testing_list.txt").write_text("\n".join(tested))
    return root


class TestLayouts:
    def test_takes_0_to_4_are_the_test(self, tmp_path: Path) -> None:
        found = load(f"folder:{takes(tmp_path / 'words')}")
        assert found.classes == ("high", "low")
        # one second of 8 kHz, windows of 2·2^⌈log2 240⌉ = 512 samples every 80:
        # 1 + (8000 − 512)//80 = 94 frames
        assert found.shape == (1, 40, 94)
        assert found.train_labels.tolist() == [0, 0, 1, 1]  # takes 5 and 6
        assert found.test_labels.tolist() == [0, 0, 1, 1]  # takes 3 and 4

    def test_train_and_test_folders(self, tmp_path: Path) -> None:
        for part, n in (("train", 2), ("test", 1)):
            for i in range(n):
                tone(tmp_path / part / "a" / f"{i}.wav", 300)
                tone(tmp_path / part / "b" / f"{i}.wav", 900)
        found = load("folder:.", tmp_path)
        assert (len(found.train_values), len(found.test_values)) == (4, 2)

    def test_listed_files_are_the_test(self, tmp_path: Path) -> None:
        base = commands(tmp_path) / "SpeechCommands" / "speech_commands_v0.02"
        split = split_of(base)
        assert [len(split[part]) for part in ("train", "test")] == [15, 15]
        assert Clip(base / "yes" / "1.wav", "yes") in split["test"]

    def test_images_are_no_sound(self, tmp_path: Path) -> None:
        (tmp_path / "train" / "a").mkdir(parents=True)
        (tmp_path / "train" / "a" / "x.png").write_bytes(b"")
        assert holds(tmp_path) == "images"
        assert holds(takes(tmp_path / "a")) == "sound"


class TestFeatures:
    def test_same_clips_same_values_from_the_cache(self, tmp_path: Path) -> None:
        name = f"folder:{takes(tmp_path / 'words')}"
        first = load(name)
        assert list((tmp_path / "cache" / "neurocomp").glob("words-*.npy"))
        assert np.array_equal(load(name).train_values, first.train_values)

    def test_after_a_short_clip_there_is_silence(self, tmp_path: Path) -> None:
        # 0.5 s: frames from 4000/80 = 50 on hold nothing but padding and are all alike
        values = load(f"folder:{takes(tmp_path / 'words')}", bits=8).train_values[:, 0]
        assert (values[:, :, 50:] == values[:, :, 50:51]).all()
        assert (values[:, :, 10] != values[:, :, 60]).any()

    def test_stereo_and_float_files_are_the_same_sound(self, tmp_path: Path) -> None:
        root = tmp_path / "words"
        for name in ("a_x_7", "b_x_7", "a_x_0"):
            tone(root / f"{name}.wav", 700)
        rate, samples = wavfile.read(root / "a_x_7.wav")
        wavfile.write(root / "b_x_7.wav", rate, np.stack([samples / 2**15] * 2, 1).astype("f4"))
        found = load(f"folder:{root}")
        assert np.array_equal(found.train_values[0], found.train_values[1])


class TestSpeechCommands:
    def test_ten_words(self, tmp_path: Path) -> None:
        found = load("speech-commands-10", commands(tmp_path))
        assert found.classes == ("no", "yes")
        assert (len(found.train_values), len(found.test_values)) == (10, 10)

    def test_twelve_classes_add_a_tenth_of_unknown_and_of_silence(self, tmp_path: Path) -> None:
        found = load("speech-commands", commands(tmp_path))
        assert found.classes == ("no", "silence", "unknown", "yes")
        # a tenth of 10 clips of keywords is 1
        assert np.bincount(found.train_labels).tolist() == [5, 1, 1, 5]
        assert np.bincount(found.test_labels).tolist() == [5, 1, 1, 5]

    def test_without_other_words(self, tmp_path: Path) -> None:
        base = commands(tmp_path) / "SpeechCommands" / "speech_commands_v0.02"
        (base / "_background_noise_" / "hum.wav").unlink()
        with pytest.raises(InputError, match="no recordings in _background_noise_/"):
            load("speech-commands", tmp_path)

    def test_cannot_be_downloaded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(*args: object, **kwargs: object) -> None:
            raise URLError("no network")

        monkeypatch.setattr(urllib.request, "urlopen", refused)
        with pytest.raises(InputError, match=r"'speech-commands' is not in .*: no network\)"):
            load("speech-commands", tmp_path)


class TestFaults:
    def test_a_name_without_label(self, tmp_path: Path) -> None:
        tone(tmp_path / "hello.wav", 300)
        with pytest.raises(InputError, match=r"hello.wav: its name tells no label .*fsdd"):
            load(f"folder:{tmp_path}")

    def test_nothing_for_the_test(self, tmp_path: Path) -> None:
        tone(tmp_path / "a_x_9.wav", 300)
        with pytest.raises(InputError, match="no wav files for 'test'"):
            load(f"folder:{tmp_path}")

    def test_a_class_that_only_the_test_has(self, tmp_path: Path) -> None:
        tone(tmp_path / "b_x_0.wav", 300)
        with pytest.raises(InputError, match=r"b_x_0.wav: class 'b' is not among the training"):
            load(f"folder:{takes(tmp_path)}")

    def test_another_rate(self, tmp_path: Path) -> None:
        tone(tmp_path / "low_ann_9.wav", 300, rate=16000)
        with pytest.raises(InputError, match=r"low_ann_9.wav: is sampled at 16000 Hz, .* 8000 Hz"):
            load(f"folder:{takes(tmp_path)}")

    def test_a_damaged_file(self, tmp_path: Path) -> None:
        takes(tmp_path)
        (tmp_path / "low_ann_9.wav").write_bytes(b"RIFFxxxxnothing")
        with pytest.raises(InputError, match=r"low_ann_9.wav: .*; expected a wav file"):
            load(f"folder:{tmp_path}")
