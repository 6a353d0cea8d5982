"""Memory words, worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.errors import FitError
from neurocomp.hw import stored_width
from neurocomp.hw.words import channel_chunks, dense_words, kernel_words, list_words

LOIHI = (1, 2, 3, 4, 5, 6, 8)


@pytest.mark.parametrize(
    ("bits", "stored"), [(1, 2), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 8), (8, 8)]
)
def test_stored_width(bits: int, stored: int) -> None:
    """One bit is ±1 and needs a sign; seven bits have no format of their own."""
    assert stored_width(bits, LOIHI) == stored


def test_a_weight_wider_than_the_chip_stores_is_refused() -> None:
    with pytest.raises(FitError, match="weights of 8 bits: the target stores at most 6"):
        stored_width(8, (2, 4, 6))


@pytest.mark.parametrize(
    ("channels", "chunks"),
    [(1, (1,)), (24, (16, 8)), (36, (32, 4)), (48, (32, 16)), (64, (64,)), (7, (4, 2, 1))],
)
def test_channel_chunks(channels: int, chunks: tuple[int, ...]) -> None:
    assert channel_chunks(channels) == chunks


def test_dense_words() -> None:
    """An axon's list: targets × (weight + 12 index bits) + 4 bits, in 64-bit words."""
    assert dense_words(784, 50, 8) == 784 * 16  # 50·20 + 4 = 1004 bits = 15.7 words
    assert dense_words(128, 64, 8) == 128 * 21  # 64·20 + 4 = 1284 bits = 20.06 words
    assert dense_words(2560, 9, 4) == 2560 * 3  # 9·16 + 4 = 148 bits = 2.3 words
    assert dense_words(2560, 1, 4) == 2560 * 1  # 20 bits


def test_kernel_words() -> None:
    """Per tap and chunk p: p × weight bits + 4 bits, in 64-bit words."""
    assert kernel_words(9 * 3, (16, 8), 6) == 27 * (2 + 1)  # 100 and 52 bits
    assert kernel_words(9 * 24, (32, 4), 5) == 216 * (3 + 1)  # 164 and 24 bits
    assert kernel_words(9 * 64, (64,), 4) == 576 * 5  # 260 bits


def test_list_words() -> None:
    """Loihi 1: blocks of 64 synapses, n × (weight + index) + 10 bits each."""
    assert list_words(64, 8, 0) == 9  # 522 bits = 8.2 words
    assert list_words(128, 8, 0) == 18
    assert list_words(65, 8, 0) == 9 + 1  # one more block of 18 bits
    assert list_words(10, 4, 6) == 2  # 110 bits
    assert list_words(0, 8, 0) == 0


@given(st.integers(1, 500), st.integers(1, 500), st.sampled_from(LOIHI[1:]))
@settings(max_examples=60, deadline=None)
def test_dense_and_list_words_grow_with_everything(sources: int, targets: int, width: int) -> None:
    words = dense_words(sources, targets, width)
    assert words <= dense_words(sources + 1, targets, width)
    assert words <= dense_words(sources, targets + 1, width)
    assert words <= dense_words(sources, targets, width + 1)
    assert list_words(targets, width, 6) <= list_words(targets + 1, width, 6)
    assert list_words(targets, width, 0) <= list_words(targets, width, 6)
