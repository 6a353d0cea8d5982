"""From which share of sending neurons on the dense form of a kernel beats the event form."""

from __future__ import annotations

import argparse
import time
from unittest.mock import patch

import numpy as np

from neurocomp.backend.emit.program import Synapses
from neurocomp.backend.engine import kernels
from neurocomp.ir import Array, Conv, Dense, Op, Shape, Slice
from neurocomp.ir.shapes import conv_output, weight_shape

SHARES = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.15, 0.2)
CONVOLUTIONS = ((24, 36, 32), (64, 64, 16), (128, 128, 16), (256, 256, 8))  # read, made, map
LAYERS = ((784, 128), (2048, 512), (2048, 1000))
ROWS = (1, 16, 64)  # steps × samples at a time
REPEATS = 5


def crossover(options: argparse.Namespace) -> None:
    """For each layer the share at which both forms cost the same, and what the engine chooses.

    The last column is the worst that the choice costs, at any share, against the better form.
    """
    del options
    kinds = [(Conv((3, 3)), (c, n, n), m) for c, m, n in CONVOLUTIONS]
    kinds += [(Dense(), (read, 1, 1), made) for read, made in LAYERS]
    print("layer, rows: crossover measured; events chosen up to; worst choice against the better")
    for op, source, made in kinds:
        kernel, shape = _kernel(op, source, made)
        for n in ROWS:
            found = [_measured(kernel, n, source, shape, share) for share in SHARES]
            ratios = [events / dense for dense, events, _ in found]
            chosen = [share for share, row in zip(SHARES, found, strict=True) if row[2]]
            worst = max((e if sparse else d) / min(d, e) for d, e, sparse in found)
            print(
                f"{type(op).__name__:5} {source} → {made:4} × {n:3}: {_crossing(ratios):>10}; "
                f"{max(chosen, default=0.0):5.1%}; × {worst:.2f}",
                flush=True,
            )


def _kernel(op: Op, source: Shape, made: int) -> tuple[kernels.Kernel, Shape]:
    """A float32 kernel with random weights, and the shape of its target."""
    shape = conv_output(op, source, made) if isinstance(op, Conv) else (made, 1, 1)
    weight = np.random.default_rng(0).integers(-128, 128, weight_shape(op, source, shape))
    boxes = (Slice(name, (0, 0, 0), size) for name, size in (("t", shape), ("s", source)))
    return kernels.kernel(Synapses(*boxes, None, op, weight, 1, 0, 1, None), np.float32, 1), shape


def _measured(
    kernel: kernels.Kernel, n: int, source: Shape, target: Shape, share: float
) -> tuple[float, float, bool]:
    """Least CPU time of the dense and the event form on n rows, and whether events are chosen."""
    seen = np.random.default_rng(1).random((n, *source[1:], source[0])) < share
    into = np.zeros((n, *target[1:], target[0]), np.float32)
    chosen: list[bool] = []
    choose = kernels.is_sparse

    def noted(*given: object) -> bool:
        chosen.append(choose(*given))  # type: ignore[arg-type]
        return chosen[-1]

    with patch.object(kernels, "is_sparse", noted):
        kernel(seen.view(np.uint8), into, add=False)
    dense, events = (_spent(kernel, seen.view(np.uint8), into, events=e) for e in (False, True))
    return dense, events, chosen[0]


def _spent(kernel: kernels.Kernel, seen: Array, into: Array, *, events: bool) -> float:
    with patch.object(kernels, "is_sparse", lambda *_: events):
        kernel(seen, into, add=False)
        spent = []
        for _ in range(REPEATS):
            start = time.process_time()
            kernel(seen, into, add=False)
            spent.append(time.process_time() - start)
    return min(spent)


def _crossing(ratios: list[float]) -> str:
    """Where events / dense reaches 1, interpolated between the shares that were measured."""
    if ratios[0] > 1:
        return f"< {SHARES[0]:.1%}"
    for i in range(1, len(ratios)):
        if ratios[i] > 1:
            part = (1 - ratios[i - 1]) / (ratios[i] - ratios[i - 1])
            return f"{SHARES[i - 1] + part * (SHARES[i] - SHARES[i - 1]):.1%}"
    return f"> {SHARES[-1]:.0%}"
