"""Layers that a chip's cores can be configured for at all, whatever their memory holds."""

from __future__ import annotations

from collections.abc import Iterator

from neurocomp.ir import Conv, Op, Shape
from neurocomp.spec.core import Shapes


def misfits(op: Op, source: Shape, own: Shape, shapes: Shapes) -> Iterator[str]:
    """Why no core can take a projection into a layer of shape ``own``; nothing where one can.

    A Dense projection is a convolution whose kernel covers its source.
    """
    conv = op if isinstance(op, Conv) else Conv((source[1], source[2]))
    asked = {
        "channels": max(source[0], own[0]),
        "input_size": max(source[1:]),
        "output_size": max(own[1:]),
        "kernel": max(conv.kernel),
        "padding": max(conv.padding),
        "dilation": max(conv.dilation),
    }
    for name, wanted in asked.items():
        most = getattr(shapes, name).value
        if most is not None and wanted > most:
            yield f"{name.replace('_', ' ')} {wanted}, at most {most} is possible"
    if shapes.square.value and conv.kernel[0] != conv.kernel[1]:
        yield f"kernel {conv.kernel[0]} × {conv.kernel[1]}, kernels must be square"
    if shapes.strides is not None:
        known = shapes.strides.value
        for stride in sorted(set(conv.stride) - set(known)):
            yield f"stride {stride}, possible are {', '.join(map(str, known))}"
