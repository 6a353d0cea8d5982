"""Two images in one: mixup and cutmix of a batch, on the device where it lies."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Mixed(NamedTuple):
    """A batch in which each image holds a share of a partner.

    Attributes:
        partners: labels of the partners, (B,). share: what is left of the image itself.
    """

    values: Tensor
    partners: Tensor
    share: float


def mixed(
    values: Tensor, labels: Tensor, mixup: float, cutmix: float, rng: np.random.Generator
) -> Mixed:
    """Each image with another of the batch, in a share drawn from Beta(α, α) for all of them.

    mixup (Zhang et al. 2018, Sec. 2): ``λ·x + (1 − λ)·x'``. cutmix (Yun et al. 2019, Eq. 1): a
    rectangle with 1 − λ of the area, around a random pixel and cropped at the border, is x'.

    Args:
        values: (B, C, H, W) or (B, T, C, H, W).
        mixup, cutmix: α of each, 0 = never; with both, each batch draws one of them.
    """
    order = torch.from_numpy(rng.permutation(len(values))).to(values.device)
    cuts = cutmix > 0 and (mixup == 0 or rng.random() < 0.5)
    alpha = cutmix if cuts else mixup
    share = float(rng.beta(alpha, alpha))
    if not cuts:
        return Mixed(values * share + values[order] * (1 - share), labels[order], share)
    height, width = values.shape[-2:]
    side = math.sqrt(1 - share)
    rows, columns = (_span(size, side, rng) for size in (height, width))
    values, source = values.clone(), values[order]
    values[..., rows, columns] = source[..., rows, columns]
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    return Mixed(values, labels[order], 1 - area / (height * width))


def _span(size: int, side: float, rng: np.random.Generator) -> slice:
    """``side·size`` places around a random one, as many of them as there are."""
    length = round(side * size)
    start = int(rng.integers(size)) - length // 2
    return slice(max(start, 0), min(start + length, size))
