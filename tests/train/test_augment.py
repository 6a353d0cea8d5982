"""Augmentation: what is done to an image, by construction, and that it is drawn from a seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neurocomp.errors import InputError
from neurocomp.spec.train import AugmentSpec
from neurocomp.train.augment import GROUP, augment

POLICIES = ("cifar10", "imagenet", "svhn", "randaugment", "trivial")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def augmented(values: Tensor, spec: AugmentSpec, seed: int = 0, peak: int = 31) -> Tensor:
    return augment(values, spec, torch.Generator().manual_seed(seed), peak)


def ramps(n: int, channels: int = 1) -> Tensor:
    """Images (channels, 4, 5) with the values 1 … 20, row by row."""
    return torch.arange(1, 21, dtype=torch.uint8).view(1, 1, 4, 5).repeat(n, channels, 1, 1)


class TestMoved:
    def test_nothing_asked_nothing_done(self) -> None:
        assert torch.equal(augmented(ramps(3), AugmentSpec()), ramps(3))

    def test_shift_moves_each_image_and_fills_with_zeros(self) -> None:
        padded = np.pad(ramps(1)[0, 0].numpy(), 1)
        shifts = {padded[y : y + 4, x : x + 5].tobytes() for y in range(3) for x in range(3)}
        made = augmented(ramps(200), AugmentSpec(shift=1))
        assert {m[0].numpy().tobytes() for m in made} == shifts  # all nine, and no other

    def test_flip_mirrors_about_half(self) -> None:
        made = augmented(ramps(400), AugmentSpec(flip=True))
        mirrored = (made[:, 0, 0, 0] == 5).sum().item()
        assert torch.equal(made[made[:, 0, 0, 0] == 5][0, 0, 0], torch.tensor([5, 4, 3, 2, 1]))
        assert 150 < mirrored < 250

    def test_cutout_is_a_square_around_any_pixel(self) -> None:
        made = augmented(ramps(400), AugmentSpec(cutout=2))
        gone = (made == 0).sum((1, 2, 3))
        # whole squares of 4 pixels; cut at the upper and left border 2, in the corner 1
        assert sorted(gone.unique().tolist()) == [1, 2, 4]
        assert ((made == 0) | (made == ramps(400))).all()

    def test_rotation_turns_around_the_middle_to_both_sides(self) -> None:
        """A spot eight pixels right of the middle of 21×21 stays on its circle, within 30°."""
        image = torch.zeros(21, 21)
        image[9:12, 17:20] = 15
        made = augmented(image.to(torch.uint8).repeat(40 * GROUP, 1, 1, 1),
                         AugmentSpec(rotate=30.0), peak=15)[:, 0].double()  # fmt: skip
        offset = torch.arange(21).double() - 10
        whole = made.sum((1, 2))
        right = (made.sum(1) * offset).sum(1) / whole
        down = (made.sum(2) * offset).sum(1) / whole
        angle = torch.rad2deg(torch.atan2(down, right))
        assert (torch.hypot(right, down) - 8).abs().max() < 0.5
        assert angle.abs().max() < 31
        assert angle.min() < -15
        assert angle.max() > 15

    def test_steps_of_a_window_are_treated_alike(self) -> None:
        windows = ramps(20)[:, None].repeat(1, 3, 1, 1, 1)
        made = augmented(windows, AugmentSpec(shift=1, flip=True, rotate=20.0, cutout=2))
        assert made.shape == windows.shape
        assert torch.equal(made[:, 0], made[:, 1])
        assert torch.equal(made[:, 0], made[:, 2])


class TestRecoloured:
    def test_jitter_multiplies_a_plain_image(self) -> None:
        """Contrast leaves an image of one value alone; brightness is 0.8 to 1.2 times 100."""
        plain = torch.full((30 * GROUP, 1, 4, 4), 100, dtype=torch.uint8)
        made = augmented(plain, AugmentSpec(jitter=0.2), peak=255)
        assert (made == made[:, :1, :1, :1]).all()
        assert 80 <= made.min() < 90
        assert 110 < made.max() <= 120

    def test_a_group_is_treated_alike_and_groups_are_not(self) -> None:
        made = augmented(ramps(12 * GROUP), AugmentSpec(policy="svhn"))
        groups = made.view(12, GROUP, -1)
        assert (groups == groups[:, :1]).all()
        assert len({group[0].numpy().tobytes() for group in groups}) > 3

    @pytest.mark.parametrize("policy", POLICIES)
    @pytest.mark.parametrize("channels", [1, 3])
    def test_few_bits_are_the_policy_of_eight(self, policy: str, channels: int) -> None:
        """Values of 0 … 15 become 17 times as much, and the result a 17th, rounded."""
        spec = AugmentSpec(policy=policy, rotate=10.0)  # type: ignore[arg-type]
        images = torch.randint(16, (40, channels, 9, 8), dtype=torch.uint8)
        few = augmented(images, spec, peak=15)
        full = augmented(images * 17, spec, peak=255)
        assert torch.equal(few, (full.float() / 17).round().to(torch.uint8))
        assert few.dtype == torch.uint8
        assert not torch.equal(few, images)

    @pytest.mark.parametrize("more", [{"policy": "cifar10"}, {"jitter": 0.1}])
    @pytest.mark.parametrize("shape", [(4, 2, 5, 5), (4, 3, 1, 5, 5)])
    def test_spikes_and_other_channels_are_refused(
        self, more: dict[str, object], shape: tuple[int, ...]
    ) -> None:
        images = torch.zeros(shape, dtype=torch.uint8)
        with pytest.raises(InputError, match="need grey or RGB images, got samples shaped"):
            augmented(images, AugmentSpec.model_validate(more))


@settings(max_examples=25, deadline=None)
@given(
    shift=st.integers(0, 3),
    flip=st.booleans(),
    rotate=st.sampled_from([0.0, 15.0]),
    policy=st.sampled_from([None, *POLICIES]),
    jitter=st.sampled_from([0.0, 0.3]),
    cutout=st.integers(0, 6),
    seed=st.integers(0, 99),
)
def test_same_seed_same_batch_within_the_peak(seed: int, **keys: object) -> None:
    spec = AugmentSpec.model_validate(keys)
    state = torch.get_rng_state()
    first = augmented(ramps(11), spec, seed)
    assert torch.equal(torch.get_rng_state(), state)  # torch's own draws are not disturbed
    torch.rand(3)  # nor do they matter
    assert torch.equal(first, augmented(ramps(11), spec, seed))
    assert first.shape == ramps(11).shape
    assert first.max() <= 31
