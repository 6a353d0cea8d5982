"""Codings and splits: what values and spikes come of samples, and rate coding as far as Lava."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import neurocomp
from neurocomp.arch import Candidate, Task, build
from neurocomp.arch.cell import EdgeOp
from neurocomp.data import load
from neurocomp.data.coding import Coding, coded
from neurocomp.data.dataset import Images, split, spread
from neurocomp.data.spikes import Spikes
from neurocomp.errors import InputError
from neurocomp.ir import Graph
from neurocomp.score import Scorer
from neurocomp.spec.recipe import Recipe, load_recipe, steps_of
from neurocomp.spec.train import AugmentSpec
from neurocomp.train import train
from neurocomp.train.augment import augment
from neurocomp.train.samples import Samples

RECIPE = """
name: tiny
summary: rate coding in small
source: a test
space: spikernel
narrow: {channels: [8], final_pool: [4], hidden: [32], cell_bits: [4], macro_bits: [8],
         timesteps: [3], neurons: [leaky]}
data: digits
coding: rate
input_bits: 1
search: {candidates: 3, batch: 16}
train: {epochs: 1, qat_epochs: 1, epoch_images: 768, batch: 32, learning_rate: 0.01,
        qat_learning_rate: 0.001}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    torch.set_num_threads(1)
    (tmp_path / "tiny.yaml").write_text(RECIPE)
    return tmp_path / "tiny.yaml"


def network() -> Graph:
    """One path of a convolution and a skip, for spikes of 8 × 8, four steps."""
    ops = [EdgeOp("zeroize")] * 6
    ops[0], ops[2], ops[5] = EdgeOp("conv", 3, 4), EdgeOp("skip"), EdgeOp("skip")
    return build(Candidate(tuple(ops), 8, 2, 32, 8, 4, 1.0, 0.5), Task((1, 8, 8), 1, 10))


def grey(levels: list[int], n: int, peak: int = 16) -> Images:
    """n images of one row with these levels, half of them for the test."""
    values = np.tile(np.array(levels, np.uint8), (n, 1, 1, 1))
    labels = np.arange(n, dtype=np.int64) % 2
    half = n // 2
    return Images(("a", "b"), values[:half], labels[:half], values[half:], labels[half:], peak)


class TestRate:
    def test_fires_as_often_as_the_value_is_of_the_peak(self) -> None:
        found = coded("x", grey([0, 4, 8, 16], 4000), Coding("rate", 1, 5, seed=3))
        assert found.train_values.shape == (2000, 5, 1, 1, 4)
        assert (found.steps, found.bits, found.shape) == (5, 1, (1, 1, 4))
        means = found.train_values[:].mean(axis=(0, 1)).ravel()
        assert (means[0], means[3]) == (0.0, 1.0)  # never, always
        # 10,000 draws with p = 1/4 and 1/2: a standard deviation of 0.0043 and 0.005
        assert np.abs(means[1:3] - [0.25, 0.5]).max() < 0.02

    def test_the_seed_decides(self) -> None:
        images = grey([0, 4, 8, 16], 400)
        one, same, other = (coded("x", images, Coding("rate", 1, 2, seed)) for seed in (1, 1, 2))
        assert np.array_equal(one.test_values[:], same.test_values[:])
        assert not np.array_equal(one.test_values[:], other.test_values[:])
        assert not np.array_equal(one.train_values[:], one.test_values[:])
        halves = one.train_values[:].reshape(2, 100, -1)
        assert not np.array_equal(*halves)  # equal images, but other samples

    @settings(max_examples=20, deadline=None)
    @given(order=st.lists(st.integers(0, 19), min_size=1, max_size=30), start=st.integers(0, 19))
    def test_a_sample_has_its_spikes_in_any_batch(self, order: list[int], start: int) -> None:
        found = coded("x", grey([0, 4, 8, 16], 40), Coding("rate", 1, 3)).train_values
        whole = found[:]
        assert isinstance(found, Spikes)
        assert np.array_equal(found[np.array(order)], whole[order])
        assert np.array_equal(found[start:], whole[start:])
        some = found.of(np.array(order))
        assert some.shape == (len(order), 3, 1, 1, 4)
        assert np.array_equal(some[:2], whole[order[:2]])

    def test_held_out_samples_keep_their_spikes(self) -> None:
        found = coded("x", grey([0, 4, 8, 16], 40), Coding("rate", 1, 3))
        parts = found.held_out(0.25, seed=3)
        learn, judge = split(found.train_labels, 0.25, 3)
        assert np.array_equal(parts.train_values[:], found.train_values[:][learn])
        assert np.array_equal(parts.test_values[:], found.train_values[:][judge])

    def test_batches_of_training_draw_the_same_spikes(self) -> None:
        found = coded("x", grey([0, 4, 8, 16], 40), Coding("rate", 1, 3))
        samples = Samples(found.train_values, found.train_labels, torch.device("cpu"))
        pair = torch.tensor([[3, 1], [0, 19]])
        values, labels = samples[pair]
        assert values.shape == (2, 2, 3, 1, 1, 4)
        assert np.array_equal(values.numpy(), found.train_values[:][pair])
        assert labels.tolist() == [[1, 1], [0, 1]]

    def test_spikes_lie_nowhere(self) -> None:
        """20,000 images of 784 values over 32 steps would be half a gigabyte."""
        values = np.full((20_000, 1, 28, 28), 128, np.uint8)
        labels = np.arange(20_000, dtype=np.int64) % 2
        images = Images(("a", "b"), values, labels, values[:2], labels[:2])
        tracemalloc.start()
        found = coded("x", images, Coding("rate", 1, 32))
        seen = found.train_values[19_000:19_064].mean()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert abs(seen - 128 / 255) < 0.01
        assert peak < 5e6

    def test_score_and_augmentation_take_steps(self) -> None:
        values = torch.arange(2 * 3 * 1 * 2 * 2).reshape(2, 3, 1, 2, 2)
        mirrored = augment(values, AugmentSpec(flip=True), torch.Generator().manual_seed(0), 1)
        for before, after in zip(values, mirrored, strict=True):
            assert torch.equal(after, before) or torch.equal(after, before.flip(3))
        graph = network()
        images = load("digits", bits=1).train_values[:8]
        shown = np.repeat(images[:, None], 4, axis=1)  # the same frame at every step
        assert Scorer(shown, seed=0)(graph) == Scorer(images, seed=0)(graph)
        with pytest.raises(InputError, match=r"has a window of 4 steps, the values have 8"):
            Scorer(shown.repeat(2, axis=1), seed=0)(graph)


class TestRefused:
    @pytest.mark.parametrize(
        ("coding", "message"),
        [
            (("rates", 1, 2), r"unknown coding 'rates'; did you mean 'rate'"),
            (("rate", 4, 2), r"coding 'rate' gives spikes, which have 1 input bit, got 4"),
            (("event", 1, None), r"coding 'event' needs to know the window's length, got None"),
            (("rate", 1, 0), r"coding 'rate' needs to know the window's length, got 0 steps"),
            (("direct", 9, None), r"input bits must be 1 to 8, got 9"),
        ],
    )
    def test_no_coding(self, coding: tuple[str, int, int | None], message: str) -> None:
        kind, bits, steps = coding
        with pytest.raises(InputError, match=message):
            load("digits", bits=bits, coding=kind, steps=steps)  # type: ignore[arg-type]

    def test_images_are_no_events(self) -> None:
        with pytest.raises(InputError, match=r"'digits': coding 'event' is not for it; .*'direct'"):
            load("digits", bits=1, coding="event", steps=2)


class TestRecipe:
    def test_one_window(self, recipe: Path) -> None:
        assert steps_of(load_recipe(str(recipe))) == 3
        assert steps_of(load_recipe("spikernel-digits")) is None
        recipe.write_text(RECIPE.replace("timesteps: [3]", "timesteps: [3, 4]"))
        with pytest.raises(
            InputError, match=r"tiny\.yaml: narrow: coding 'rate' needs one choice of .* 3, 4; nar"
        ):
            load_recipe(str(recipe))

    def test_bits(self, recipe: Path) -> None:
        recipe.write_text(RECIPE.replace("input_bits: 1", "input_bits: 4"))
        with pytest.raises(InputError, match=r"coding 'rate' gives spikes; set input_bits to 1"):
            load_recipe(str(recipe))

    def test_joint_search(self, recipe: Path) -> None:
        given = load_recipe("litesnn-digits").model_dump(mode="json")
        with pytest.raises(ValueError, match="a joint search designs the window too; set coding"):
            Recipe.model_validate({**given, "coding": "rate", "input_bits": 1}, strict=False)

    def test_as_far_as_lava(self, recipe: Path, tmp_path: Path) -> None:
        """The same spikes are trained on, measured and shown to the mapped network in Lava."""
        found = neurocomp.search(recipe=str(recipe), out=tmp_path / "run", samples=8)
        assert found["simulate"]["mismatches"] == 0
        assert (found["simulate"]["samples"], found["simulate"]["steps"]) == (8, 3)
        assert found["simulate"]["spikes"] > 0
        shown = np.load(tmp_path / "run" / "simulate" / "raster.npz")["sample"]
        made = load("digits", bits=1, coding="rate", steps=3, seed=0)
        assert np.array_equal(shown, made.test_values[:1][0])

    def test_another_window(self, recipe: Path, tmp_path: Path) -> None:
        made = load("digits", bits=1, coding="rate", steps=5)
        with pytest.raises(InputError, match=r"of 4 steps, data set 'digits' was made for 5"):
            train(network(), made, load_recipe(str(recipe)).train, tmp_path, seed=0)


class TestSplit:
    @given(
        counts=st.lists(st.integers(0, 30), min_size=1, max_size=5),
        share=st.floats(0.0, 1.0),
        seed=st.integers(0, 9),
    )
    @settings(max_examples=60, deadline=None)
    def test_is_one_and_stratified(self, counts: list[int], share: float, seed: int) -> None:
        labels = np.repeat(np.arange(len(counts)), counts)
        taken = round(share * len(labels))
        if not 0 < taken < len(labels):
            with pytest.raises(InputError, match=rf"of {len(labels)} samples is {taken}; both"):
                split(labels, share, seed)
            return
        learn, judge = split(labels, share, seed)
        assert sorted([*learn, *judge]) == list(range(len(labels)))
        assert len(judge) == taken
        exact = np.array(counts) * taken / len(labels)
        found = np.bincount(labels[judge], minlength=len(counts))
        assert np.abs(found - exact).max() < 1.0 + 1e-9

    def test_held_out_is_of_the_training_part(self) -> None:
        whole = load("digits")
        found = whole.held_out(0.2, seed=1)
        assert (len(found.train_values), len(found.test_values)) == (1150, 287)  # 0.2 · 1437
        learn, judge = split(whole.train_labels, 0.2, 1)
        assert np.array_equal(found.test_values, whole.train_values[judge])
        assert np.array_equal(found.train_labels, whole.train_labels[learn])
        other = whole.held_out(0.2, seed=2)
        assert not np.array_equal(found.test_values, other.test_values)
        assert replace(found, name="y").name == "y"


def test_some_samples_are_spread_over_all() -> None:
    """Three of ten that lie class by class: one of each third."""
    assert spread(10, 3).tolist() == [0, 3, 6]
    assert spread(10, None) == spread(10, 10) == spread(10, 99) == slice(None)
