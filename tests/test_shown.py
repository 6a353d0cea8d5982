"""Values as people read them."""

from __future__ import annotations

from typing import Any

import pytest

from neurocomp.shown import shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (False, "no"),
        (1234567, "1,234,567"),
        (701700.0, "701,700"),
        (-1234.56, "-1,234.6"),
        (99.987, "99.99"),
        (0.97222, "0.9722"),
        (4e-7, "4e-07"),
        (0.0, "0"),
        ("17p101", "17p101"),
    ],
)
def test_of_a_value(value: Any, text: str) -> None:
    assert shown(value) == text
