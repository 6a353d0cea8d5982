"""Macro-architecture: the stages from the image to the classifier."""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from neurocomp.spec.read import LIST

STAGE = r"(conv\d?[13579]|cell|pool[1-9]|final_pool|hidden)( x[1-9])?( /[1-9])?"
SNASNET_MACRO = ("conv3", "cell", "conv3 x2", "pool2", "cell", "final_pool", "hidden")


class Stage(NamedTuple):
    """A stage of the macro-architecture.

    Attributes:
        kind: conv, cell, pool, final_pool or hidden.
        size: side of a convolution's kernel or of a pooling, else 0.
        widen: factor by which the width grows here.
        stride: factor by which rows and columns shrink here.
    """

    kind: str
    size: int = 0
    widen: int = 1
    stride: int = 1


@cache
def stage(text: str) -> Stage:
    """A stage as it is written: ``conv3``, ``conv3 x2``, ``cell x2 /2``, ``pool2``, ….

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(STAGE, text)
    if found is None:
        raise ValueError(
            f"a stage is convK, cell, poolK, final_pool or hidden, convK and cell with xN (wider) "
            f"and /N (smaller) behind, got {text!r}"
        )
    words = text.split()
    kind = words[0].rstrip("0123456789")
    options = {word[0]: int(word[1:]) for word in words[1:]}
    size = int(words[0][len(kind) :] or 0)
    if options and kind not in ("conv", "cell"):
        raise ValueError(f"{kind} takes neither xN nor /N, got {text!r}")
    return Stage(kind, size, options.get("x", 1), size if kind == "pool" else options.get("/", 1))


def _macro(stages: tuple[str, ...]) -> tuple[str, ...]:
    kinds = [stage(text).kind for text in stages]
    if kinds[:1] != ["conv"] or "cell" not in kinds:
        raise ValueError("a network begins with a convolution and has a cell")
    if kinds.count("final_pool") > 1 or "hidden" in kinds[:-1]:
        raise ValueError("final_pool stands once, hidden at the end")
    return stages


Macro = Annotated[tuple[str, ...], LIST, AfterValidator(_macro)]
