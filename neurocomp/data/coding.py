"""How samples become the values that a network is shown: direct, rate or event coding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from neurocomp.data.cache import derived
from neurocomp.data.dataset import Dataset, Images
from neurocomp.data.spikes import Spikes, Values
from neurocomp.errors import InputError

Kind: TypeAlias = Literal["direct", "rate", "event"]
KINDS: tuple[Kind, ...] = ("direct", "rate", "event")
MAX_BITS = 8


@dataclass(frozen=True, slots=True)
class Coding:
    """How samples become values.

    Attributes:
        kind: direct: the sample's values at every step of the window; rate: at each step every
            value fires with the probability value/peak; event: events of a camera, counted in
            equal parts of the recording, fire where there is any.
        bits: of direct values, 1 to 8; spikes have one.
        steps: length of the window, for spikes.
        seed: of the spikes that are drawn.
    """

    kind: Kind = "direct"
    bits: int = 4
    steps: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no coding."""
        if self.kind not in KINDS:
            raise InputError.unknown("coding", self.kind, list(KINDS))
        if not 1 <= self.bits <= MAX_BITS:
            raise InputError(f"input bits must be 1 to {MAX_BITS}, got {self.bits}")
        if self.kind != "direct" and self.bits != 1:
            raise InputError(
                f"coding '{self.kind}' gives spikes, which have 1 input bit, got {self.bits}"
            )
        if self.kind != "direct" and (self.steps is None or self.steps < 1):
            raise InputError(
                f"coding '{self.kind}' needs to know the window's length, got {self.steps} steps"
            )


def coded(name: str, images: Images, coding: Coding) -> Dataset:
    """Decoded samples as a data set.

    Raises:
        InputError: there is one class only, or the coding is not for such samples.
    """
    if len(images.classes) < 2:
        raise InputError(
            f"data set '{name}': at least two classes are needed, "
            f"got {len(images.classes)}: {', '.join(images.classes)}"
        )
    if (images.train_values.ndim == 5) != (coding.kind == "event"):
        raise InputError(
            f"data set '{name}': coding '{coding.kind}' is not for it; event data takes 'event', "
            "images and sound take 'direct' or 'rate'"
        )
    if coding.kind == "direct":
        images = graded(images, coding.bits)
    train, test = images.train_values, images.test_values
    channels, height, width = train.shape[-3:]
    return Dataset(
        name=name,
        classes=images.classes,
        shape=(channels, height, width),
        bits=coding.bits,
        train_values=_drawn(train, images.peak, coding, 0) if coding.kind == "rate" else train,
        train_labels=images.train_labels,
        test_values=_drawn(test, images.peak, coding, 1) if coding.kind == "rate" else test,
        test_labels=images.test_labels,
        steps=None if coding.kind == "direct" else coding.steps,
    )


def graded(images: Images, bits: int) -> Images:
    """Values brought from 0 … peak to 0 … 2^bits − 1.

    A value v becomes ``round(v·(2^bits − 1)/peak)``, half rounded up.
    """
    top, peak = 2**bits - 1, images.peak
    if top == peak:
        return images
    table = np.array([(2 * v * top + peak) // (2 * peak) for v in range(peak + 1)], np.uint8)

    def make() -> Images:
        return replace(
            images,
            train_values=table[images.train_values],
            test_values=table[images.test_values],
            peak=top,
            kept=None,
        )

    return derived(images, f"{bits}bit", make)


def _drawn(values: Values, peak: int, coding: Coding, part: int) -> Spikes:
    assert coding.steps is not None  # Coding
    return Spikes(values, peak, coding.steps, coding.seed, part, np.arange(len(values)))
