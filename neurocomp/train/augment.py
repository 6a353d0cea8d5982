"""Augmentation of a batch of images, in torch, on the device where the batch lies."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from neurocomp.spec.train import AugmentSpec


def augment(values: Tensor, spec: AugmentSpec, generator: torch.Generator) -> Tensor:
    """Each image shifted, mirrored and cut out at random, one by one, in this order.

    Args:
        values: (B, C, H, W), or (B, T, C, H, W) whose steps are treated alike; what comes in
            from outside an image, and what is cut out, is 0.
        generator: on the device of the values; the same state gives the same batch.
    """
    if values.dim() == 5:
        return augment(values.flatten(1, 2), spec, generator).reshape(values.shape)
    if spec.shift:
        values = _shifted(values, spec.shift, generator)
    if spec.flip:
        mirrored = _random(values, 2, generator).bool().view(-1, 1, 1, 1)
        values = torch.where(mirrored, values.flip(3), values)
    if spec.cutout:
        values = _cut(values, spec.cutout, generator)
    return values


def _shifted(values: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Moved by −most … most pixels along both axes."""
    batch, _, height, width = values.shape
    padded = F.pad(values, (most, most, most, most))
    down = _random(values, 2 * most + 1, generator).view(-1, 1, 1)
    right = _random(values, 2 * most + 1, generator).view(-1, 1, 1)
    rows = torch.arange(height, device=values.device).view(1, -1, 1) + down
    columns = torch.arange(width, device=values.device).view(1, 1, -1) + right
    image = torch.arange(batch, device=values.device).view(-1, 1, 1)
    return padded.permute(0, 2, 3, 1)[image, rows, columns].permute(0, 3, 1, 2)


def _cut(values: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """A square of size × size pixels set to 0 around a random pixel, cropped at the border."""
    _, _, height, width = values.shape
    top = _random(values, height, generator).view(-1, 1, 1, 1) - size // 2
    left = _random(values, width, generator).view(-1, 1, 1, 1) - size // 2
    rows = torch.arange(height, device=values.device).view(1, 1, -1, 1)
    columns = torch.arange(width, device=values.device).view(1, 1, 1, -1)
    inside = (rows >= top) & (rows < top + size) & (columns >= left) & (columns < left + size)
    return values.masked_fill(inside, 0)


def _random(values: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """One integer of 0 … n − 1 per image."""
    return torch.randint(n, (len(values),), generator=generator, device=values.device)
