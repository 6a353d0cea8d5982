"""The pieces of training: augmentation, order of samples, pruning."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.ir import CubaLif, Dense, Graph, Input, Population, Projection
from neurocomp.spec.train import AugmentSpec
from neurocomp.train.augment import augment
from neurocomp.train.mix import mixed
from neurocomp.train.prune import prune
from neurocomp.train.samples import Shuffled


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramps(n: int) -> torch.Tensor:
    """Images (1, 4, 5) with the values 1 … 20, row by row."""
    return torch.arange(1, 21, dtype=torch.uint8).view(1, 1, 4, 5).repeat(n, 1, 1, 1)


class TestAugment:
    def test_nothing_asked_nothing_done(self) -> None:
        assert torch.equal(augment(ramps(3), AugmentSpec(), generator()), ramps(3))

    def test_shift_moves_each_image_and_fills_with_zeros(self) -> None:
        image = ramps(1)[0, 0].numpy()
        padded = np.pad(image, 1)
        shifts = {padded[y : y + 4, x : x + 5].tobytes() for y in range(3) for x in range(3)}
        made = augment(ramps(200), AugmentSpec(shift=1), generator())
        assert {m[0].numpy().tobytes() for m in made} == shifts  # all nine, and no other

    def test_flip_mirrors_about_half(self) -> None:
        made = augment(ramps(400), AugmentSpec(flip=True), generator())
        mirrored = (made[:, 0, 0, 0] == 5).sum().item()
        assert torch.equal(made[made[:, 0, 0, 0] == 5][0, 0, 0], torch.tensor([5, 4, 3, 2, 1]))
        assert 150 < mirrored < 250

    def test_cutout_is_a_square_around_any_pixel(self) -> None:
        made = augment(ramps(400), AugmentSpec(cutout=2), generator())
        gone = (made == 0).sum((1, 2, 3))
        # whole squares of 4 pixels; cut at the upper and left border 2, in the corner 1
        assert sorted(gone.unique().tolist()) == [1, 2, 4]
        assert ((made == 0) | (made == ramps(400))).all()

    @settings(max_examples=20, deadline=None)
    @given(
        shift=st.integers(0, 3),
        flip=st.booleans(),
        cutout=st.integers(0, 6),
        seed=st.integers(0, 99),
    )
    def test_same_generator_same_batch(
        self, shift: int, flip: bool, cutout: int, seed: int
    ) -> None:  # fmt: skip
        spec = AugmentSpec(shift=shift, flip=flip, cutout=cutout)
        first, again = (augment(ramps(5), spec, generator(seed)) for _ in range(2))
        assert first.shape == ramps(5).shape
        assert torch.equal(first, again)


class TestMix:
    def batch(self, n: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
        """Images whose every pixel is their label."""
        labels = torch.arange(n)
        return labels.float().view(n, 1, 1, 1).expand(n, 2, 6, 4).clone(), labels

    def test_mixup(self) -> None:
        values, labels = self.batch()
        made = mixed(values, labels, 0.4, 0.0, np.random.default_rng(1))
        expected = made.share * labels + (1 - made.share) * made.partners
        torch.testing.assert_close(made.values, expected.view(-1, 1, 1, 1).expand_as(values))
        assert sorted(made.partners.tolist()) == labels.tolist()
        assert 0 < made.share < 1

    @pytest.mark.parametrize("seed", range(8))
    def test_cutmix(self, seed: int) -> None:
        """What is not the image itself is the partner, in one rectangle of 1 − share."""
        values, labels = self.batch()
        made = mixed(values, labels, 0.0, 1.0, np.random.default_rng(seed))
        other = made.partners.float().view(-1, 1, 1, 1)
        apart = (made.partners != labels).nonzero().flatten()
        own = made.values[apart] == values[apart]
        assert torch.equal(own, made.values[apart] != other[apart])
        assert (~own).float().mean().item() == pytest.approx(1 - made.share)
        rows, columns = (~own[0, 0]).any(1), (~own[0, 0]).any(0)
        assert torch.equal(~own[0, 0], rows[:, None] & columns)
        assert torch.equal(values, self.batch()[0])  # what was given stays

    def test_both_take_turns(self) -> None:
        values, labels = self.batch()
        rng = np.random.default_rng(0)
        blended = [
            bool((mixed(values, labels, 0.4, 0.4, rng).values % 1 != 0).any()) for _ in range(40)
        ]
        assert 8 < sum(blended) < 32

    def test_steps_are_treated_alike(self) -> None:
        values, labels = self.batch()
        shown = values[:, None].expand(-1, 3, -1, -1, -1)
        once, many = (
            mixed(x, labels, 0.0, 1.0, np.random.default_rng(3)).values for x in (values, shown)
        )
        assert torch.equal(many, once[:, None].expand_as(shown))


class TestShuffled:
    def test_every_sample_at_most_once_in_another_order_each_epoch(self) -> None:
        order = Shuffled(10, None, 3, 7, 0)
        first = torch.cat(list(order)).tolist()
        order.set_epoch(1)
        second = torch.cat(list(order)).tolist()
        assert len(order) == 3  # the tenth sample of each epoch is left out
        assert len(set(first)) == len(set(second)) == 9
        assert first != second
        order.set_epoch(0)
        assert torch.cat(list(order)).tolist() == first
        assert torch.cat(list(Shuffled(10, None, 3, 7, 1))).tolist() != first

    def test_part_of_the_samples_per_epoch(self) -> None:
        order = Shuffled(10, 4, 3, 7, 0)
        seen: set[int] = set()
        for epoch in range(20):
            order.set_epoch(epoch)
            (batch,) = order  # one batch of 3 of the 4 samples
            seen |= set(batch.tolist())
        assert seen == set(range(10))  # other samples every epoch

    def test_fewer_samples_than_a_batch(self) -> None:
        (only,) = Shuffled(4, None, 100, 0)
        assert sorted(only.tolist()) == [0, 1, 2, 3]


class TestPrune:
    def graph(self, mask: np.ndarray | None = None) -> Graph:
        weight = np.array([[0.5, -0.1, 0.3, -0.4]])
        projections = (
            Projection("e", "in", "n", Dense(), weight=weight, mask=mask),
            Projection("constant", "in", "n", Dense(), weight=weight),
        )
        return Graph(
            "g",
            (Population("in", (4, 1, 1), Input()), Population("n", (1, 1, 1), CubaLif())),
            projections,
            "n",
        )

    def masks(self, share: float, mask: np.ndarray | None = None) -> list[list[bool] | None]:
        pruned = prune(self.graph(mask), share, frozenset({"e"}))
        return [None if e.mask is None else e.mask.ravel().tolist() for e in pruned.projections]

    @pytest.mark.parametrize(
        ("share", "left"),
        [
            (0.25, [True, False, True, True]),
            (0.5, [True, False, False, True]),
            (0.99, [True, False, False, False]),  # round(3.96) = 4 of 4, but one stays
        ],
    )
    def test_weakest_go(self, share: float, left: list[bool]) -> None:
        assert self.masks(share) == [left, None]

    def test_nothing_asked(self) -> None:
        assert self.masks(0.0) == [None, None]

    def test_masked_synapses_count(self) -> None:
        given_mask = np.array([[False, True, True, True]])
        assert self.masks(0.25, given_mask)[0] == [False, True, True, True]
        assert self.masks(0.5, given_mask)[0] == [False, False, True, True]
