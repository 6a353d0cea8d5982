"""From which share of sending neurons on the dense form of a kernel beats the event form."""

from __future__ import annotations

import argparse
import time
from unittest.mock import patch

import numpy as np

from neurocomp.backend.emit.program import Synapses
from neurocomp.backend.engine import kernels
from neurocomp.backend.engine.events import CONV_CROSSOVER, DENSE_CROSSOVER
from neurocomp.ir import Array, Conv, Dense, Op, Shape, Slice
from neurocomp.ir.shapes import conv_output, weight_shape

SHARES = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2)
CONVOLUTIONS = ((24, 36, 32), (64, 64, 16), (128, 128, 16), (256, 256, 8))  # read, made, map
LAYERS = ((784, 128), (2048, 512), (2048, 1000))
ROWS = {Conv: (1, 16, 64), Dense: (1, 16, 64)}  # steps × samples at a time
REPEATS = 5


def crossover(options: argparse.Namespace) -> None:
    """CPU milliseconds of both forms, and the share at which they cost the same."""
    del options
    kinds = [(Conv((3, 3)), (c, n, n), m) for c, m, n in CONVOLUTIONS]
    kinds += [(Dense(), (read, 1, 1), made) for read, made in LAYERS]
    for op, source, made in kinds:
        limit = CONV_CROSSOVER if isinstance(op, Conv) else DENSE_CROSSOVER
        for n in ROWS[type(op)]:
            kernel, shape = _kernel(op, source, made)
            times = [_both(kernel, n, source, shape, share) for share in SHARES]
            at = _crossing([events / dense for dense, events in times])
            row = " ".join(f"{share:.1%}: {d:.2f}/{e:.2f}" for share, (d, e) in _pick(times))
            print(
                f"{type(op).__name__:5} {source} → {made:4} × {n:3}: crossover {at}, engine "
                f"switches at {limit:.0%}; dense/events in cpu-ms: {row}",
                flush=True,
            )


def _pick(times: list[tuple[float, float]]) -> list[tuple[float, tuple[float, float]]]:
    return [pair for pair in zip(SHARES, times, strict=True) if pair[0] in (0.01, 0.05, 0.1)]


def _kernel(op: Op, source: Shape, made: int) -> tuple[kernels.Kernel, Shape]:
    """A float32 kernel with random weights, and the shape of its target."""
    shape = conv_output(op, source, made) if isinstance(op, Conv) else (made, 1, 1)
    weight = np.random.default_rng(0).integers(-128, 128, weight_shape(op, source, shape))
    boxes = (Slice(name, (0, 0, 0), size) for name, size in (("t", shape), ("s", source)))
    return kernels.kernel(Synapses(*boxes, None, op, weight, 1, 0, 1), np.float32, 1), shape


def _both(
    kernel: kernels.Kernel, n: int, source: Shape, target: Shape, share: float
) -> tuple[float, float]:
    """Least CPU milliseconds of the dense and the event form on n rows."""
    rng = np.random.default_rng(1)
    seen = (rng.random((n, *source[1:], source[0])) < share).astype(np.uint8)
    into = np.zeros((n, *target[1:], target[0]), np.float32)
    dense, events = (_spent(kernel, seen, into, events=forced) for forced in (False, True))
    return dense, events


def _spent(kernel: kernels.Kernel, seen: Array, into: Array, *, events: bool) -> float:
    with patch.object(kernels, "is_sparse", lambda *_: events):
        kernel(seen, into, add=False)
        spent = []
        for _ in range(REPEATS):
            start = time.process_time()
            kernel(seen, into, add=False)
            spent.append(time.process_time() - start)
    return 1e3 * min(spent)


def _crossing(ratios: list[float]) -> str:
    """Where events / dense reaches 1, interpolated between the shares that were measured."""
    if ratios[0] > 1:
        return f"below {SHARES[0]:.1%}"
    for i in range(1, len(ratios)):
        if ratios[i] > 1:
            part = (1 - ratios[i - 1]) / (ratios[i] - ratios[i - 1])
            return f"{SHARES[i - 1] + part * (SHARES[i] - SHARES[i - 1]):.1%}"
    return f"above {SHARES[-1]:.0%}"
