"""Augmentation of a batch of images, in torch, on the device where the batch lies."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from neurocomp.errors import InputError
from neurocomp.spec.train import AugmentSpec

GROUP = 8  # images that torchvision's transforms treat alike; a batch is shuffled
COLOURS = (1, 3)  # channels that it knows as grey and RGB
FULL = 255  # the scale on which its policies are defined


def augment(values: Tensor, spec: AugmentSpec, generator: torch.Generator, peak: float) -> Tensor:
    """Images shifted, mirrored, turned, recoloured and cut out at random, in this order.

    Each image for itself; turned and recoloured are `GROUP` neighbours alike.

    Args:
        values: (B, C, H, W), or (B, T, C, H, W) whose steps are treated alike; what comes in
            from outside an image, and what is cut out, is 0.
        generator: on the device of the values; the same state gives the same batch.
        peak: values lie in 0 … peak, and stay there.

    Raises:
        InputError: other than grey or RGB images are to be recoloured, spikes among them.
    """
    if spec.recolours and (values.dim() == 5 or values.shape[1] not in COLOURS):
        raise InputError(
            f"augment: policy and jitter need grey or RGB images, got samples shaped "
            f"{tuple(values.shape[1:])}; leave them out"
        )
    if values.dim() == 5:
        return augment(values.flatten(1, 2), spec, generator, peak).reshape(values.shape)
    if spec.shift:
        values = _shifted(values, spec.shift, generator)
    if spec.flip:
        mirrored = _random(values, 2, generator).bool().view(-1, 1, 1, 1)
        values = torch.where(mirrored, values.flip(3), values)
    if spec.rotate or spec.recolours:
        values = _in_groups(values, _torchvision(spec), generator, peak)
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


def _torchvision(spec: AugmentSpec) -> list[Callable[[Tensor], Tensor]]:
    """The transforms that torchvision has, for images of 8 bits."""
    from torchvision.transforms import v2  # slow to import

    made: list[Callable[[Tensor], Tensor]] = []
    if spec.rotate:
        made.append(v2.RandomRotation(spec.rotate, v2.InterpolationMode.BILINEAR))
    if spec.policy == "randaugment":
        made.append(v2.RandAugment())
    elif spec.policy == "trivial":
        made.append(v2.TrivialAugmentWide())
    elif spec.policy is not None:
        made.append(v2.AutoAugment(v2.AutoAugmentPolicy(spec.policy)))
    if spec.jitter:
        made.append(v2.ColorJitter(spec.jitter, spec.jitter, spec.jitter))
    return made


def _in_groups(
    values: Tensor,
    transforms: list[Callable[[Tensor], Tensor]],
    generator: torch.Generator,
    peak: float,
) -> Tensor:
    """`GROUP` neighbours at a time through the transforms, on the scale of 8 bits.

    torchvision draws from torch's global generator on the CPU, which is left as it was.
    """
    seed = int(torch.randint(2**31, (1,), generator=generator, device=values.device))
    scaled = (values.float() * (FULL / peak)).round_().to(torch.uint8)
    made = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for group in torch.split(scaled, GROUP):
            for transform in transforms:
                group = transform(group)
            made.append(group)
    return (torch.cat(made).float() * (peak / FULL)).round_().to(values.dtype)


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
