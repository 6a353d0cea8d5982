"""Figures: values that carry their origin, as the target files state them.

In YAML a figure is ``{value: 4095, source: "...", confidence: high, inferred: true}`` or, in a
user's own file, the bare value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar

from pydantic import BeforeValidator, model_validator

from neurocomp.spec.read import Spec

OWN = "own figure"
LEAST_QUANTITY = 1e-4  # pJ or ns: no event of a digital chip costs so little
T = TypeVar("T")
Confidence: TypeAlias = Literal["high", "medium", "low"]


class Figure(Spec, Generic[T]):
    """A value and its origin.

    Attributes:
        confidence: high = documented or measured, medium = one secondary source, low = a guess;
            where the file says nothing, medium for what was inferred and high for the rest.
        inferred: fitted to printed tables or derived, not stated by its source.
    """

    value: T
    source: str = OWN
    confidence: Confidence = "high"
    inferred: bool = False

    @model_validator(mode="before")
    @classmethod
    def _inferred_is_never_certain(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("inferred") is True:
            if given.get("confidence") == "high":
                raise ValueError("an inferred figure cannot have the confidence 'high'")
            return {"confidence": "medium", **given}
        return given


def _count(given: object) -> object:
    if given is not None and (type(given) is not int or given < 1):
        raise ValueError("must be a positive integer")
    return given


def _key(given: object) -> object:
    """JSON, in which a run keeps its target, has texts for keys."""
    return int(given) if isinstance(given, str) and given.isdecimal() else given


def _number(given: object) -> object:
    if isinstance(given, str):
        raise ValueError("must be a number (YAML reads 81e-12 as text, 81.0e-12 as a number)")
    if given is None:
        return None
    if type(given) not in (int, float) or not 0 <= float(str(given)) < float("inf"):
        raise ValueError("must be a number that is not negative")
    number = float(str(given))
    if 0 < number < LEAST_QUANTITY:
        raise ValueError("must be in picojoules or nanoseconds; this looks like joules or seconds")
    return number


def _widths(given: object) -> object:
    if not isinstance(given, list | tuple) or not given:
        raise ValueError("must be a list of bit widths")
    if any(type(w) is not int or not 0 <= w <= 32 for w in given) or list(given) != sorted(
        set(given)
    ):
        raise ValueError("must be ascending bit widths from 0 to 32")
    return tuple(given)


def _flag(given: object) -> object:
    if not isinstance(given, bool):
        raise ValueError("must be true or false")
    return given


def _plain(given: object) -> object:
    parts = given if isinstance(given, list | tuple) else [given]
    if not parts or not all(isinstance(part, int | float | str | None) for part in parts):
        raise ValueError("must be a number, words, true, false, null or a list of those")
    return given


def _bare(check: Callable[[object], object]) -> BeforeValidator:
    """Accept a figure's value alone; a faulty one is reported under the figure's own key."""

    def wrapped(given: object) -> object:
        return given if isinstance(given, dict | Figure) else {"value": check(given)}

    return BeforeValidator(wrapped)


Quantity = Annotated[float | None, BeforeValidator(_number)]
PositiveInt = Annotated[int, BeforeValidator(_count)]
CountKey = Annotated[PositiveInt, BeforeValidator(_key)]  # of a mapping
Count = Annotated[Figure[PositiveInt], _bare(_count)]
Limit = Annotated[Figure[Annotated[int | None, BeforeValidator(_count)]], _bare(_count)]
Flag = Annotated[Figure[Annotated[bool, BeforeValidator(_flag)]], _bare(_flag)]
Widths = Annotated[Figure[Annotated[tuple[int, ...], BeforeValidator(_widths)]], _bare(_widths)]
Power = Annotated[Figure[Quantity], _bare(_number)]
Fact = Annotated[Figure[Annotated[Any, BeforeValidator(_plain)]], _bare(_plain)]
