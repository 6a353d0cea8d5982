"""What must be equal: Eq. 1, published parameter counts, distinct cells, feasible shares."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from plain_score import plain_score, plain_spikes
from torch import Tensor

from neurocomp.arch import Task, build
from neurocomp.arch.cell import AVGPOOL3, SKIP, SNASNET, ZEROIZE, Cell, all_cells, canonical, conv
from neurocomp.arch.cell import live as live_cell
from neurocomp.cost import snasnet_parameters
from neurocomp.ir import Graph
from neurocomp.score import Kind, Scorer
from neurocomp.score.fresh import fresh_weight, run
from neurocomp.score.kernel import kernel, log_determinant
from neurocomp.snn.synapses import normalised, value_scale
from search_parts.common import Missing, Values, aim, distinct, snasnet

KINDS: tuple[Kind, ...] = ("paper", "plain", "head")
LIMIT = 10_000_000
SHARES = {(1, 3): 100, (1, 5): 86, (3, 5): 76, (1, 7): 59, (3, 7): 41, (5, 7): 22}
PUBLISHED = (
    # parameters, kernels of the live convolutions, channels, final pooling, outputs
    (38_126_436, [3, 1], 256, 2, 100),
    (5_827_444, [3, 1], 128, 4, 500),
)
EDGES = 6


def equation(options: argparse.Namespace) -> None:
    """Spikes and score of some networks against a plain reading, which is given the weights alone.

    In double precision all must be equal. The search computes in float32: there a membrane within
    its rounding of the threshold may fall on the other side.
    """
    found = list(_read())
    wrong = [sum(int((a != b).sum()) for a, b in zip(n.exact, n.plain, strict=True)) for n in found]
    total = sum(x.numel() for n in found for x in n.plain)
    aim(f"spikes that differ, of {total:,} in {len(found)} networks", sum(wrong), "=", 0)
    for kind in KINDS:
        expected = [plain_score(n.plain, kind) for n in found]
        exact = [_of_spikes(n.exact, kind) for n in found]
        quick = [Scorer(n.values, kind=kind, seed=0)(n.graph).value for n in found]
        double, single = (np.abs(np.subtract(own, expected)) for own in (exact, quick))
        aim(f"|score − Eq. 1|, {kind}, in double precision", float(double.max()), "≤", 5e-5)
        aim(f"the same, in float32 as a search computes it ({sum(single <= 5e-5)} of {len(found)} "
            "networks keep it)", float(single.max()), "≤", 5e-5)  # fmt: skip


class Read(NamedTuple):
    """A network with its input values, its spikes (T, B, N) by layer, and how they are read."""

    graph: Graph
    values: Values
    exact: list[Tensor]
    plain: list[Tensor]


def _read() -> Iterator[Read]:
    """Some networks at C = 8, T = 5, with one and the same weights both ways."""
    task = Task((3, 16, 16), 5, 10)
    values = np.random.default_rng(0).integers(0, 32, (16, *task.shape)).astype(np.uint8)
    space = snasnet(16).model_copy(update={"channels": (8,), "hidden": (64,)})
    for candidate in islice(distinct(space), 12):
        g = build(candidate, task)
        weights = {e.name: fresh_weight(g, e, 0).double() for e in g.projections}
        scaled = torch.from_numpy(values).double() / value_scale(g, g.inputs[0].name)
        with torch.no_grad():
            exact = [x.flatten(2) for _, x in run(g, weights, normalised(g), scaled)]
        plain = plain_spikes(candidate, weights, torch.from_numpy(values) / 2**task.input_bits)
        yield Read(g, values, exact, plain)


def _of_spikes(layers: list[Tensor], kind: Kind) -> float:
    total = torch.stack([kernel(spikes, kind) for spikes in layers]).sum(0)
    return log_determinant(total / (len(layers) * len(layers[0])))


def parameters(options: argparse.Namespace) -> None:
    """Eq. 2 of the published cells, and of every row of SpikeNAS-Bench's sample."""
    for published, kernels, channels, pool, outputs in PUBLISHED:
        found = snasnet_parameters(kernels, channels=channels, final_pool=pool, outputs=outputs)
        aim(f"parameters of SNASNet's cell with kernels {kernels}", found, "=", published)
    if options.table is None:
        raise Missing("SpikeNAS-Bench's parameters: give --table CSV")
    rows = list(csv.DictReader(options.table.read_text().splitlines()))
    counted = [
        snasnet_parameters(_kernels(int(r["arch_id"])), channels=128, final_pool=2, outputs=100)
        for r in rows
    ]
    wrong = sum(n != int(r["parameters"]) for n, r in zip(counted, rows, strict=True))
    aim(f"rows of SpikeNAS-Bench with other parameters, of {len(rows)}", wrong, "=", 0)


def _kernels(arch_id: int) -> list[int]:
    """Convolutions of a cell of SpikeNAS-Bench, dead ones too: it counts them."""
    return [3 for k in range(EDGES) if arch_id // 5**k % 5 >= 2]


def _cells(kernels: tuple[int, int] = (1, 3)) -> list[Cell]:
    """Every genotype without its dead edges, once."""
    ops = (ZEROIZE, SKIP, *(conv(k, 8) for k in kernels), AVGPOOL3)
    return list({live_cell(cell) for cell in all_cells(SNASNET, ops, direct=True)})


def cells(options: argparse.Namespace) -> None:
    """Distinct cells of SNASNet's forward space."""
    found = _cells()
    aim("distinct live forward cells", len(found), "=", 7556)
    print(f"      of these differ by more than nodes' names: {len(set(map(canonical, found))):,}")


def shares(options: argparse.Namespace) -> None:
    """Cells of each set that stay within 10 M parameters at C = 128, p = 4, CIFAR-100."""
    macro = {"channels": 128, "final_pool": 4, "outputs": 500}
    for kernels, percent in SHARES.items():
        sizes = ([op.kernel for op in cell if op.kernel] for cell in _cells(kernels))
        feasible = [snasnet_parameters(found, **macro) <= LIMIT for found in sizes]
        percents = round(100 * float(np.mean(feasible)))
        aim(f"feasible share of {kernels}, %", percents, "=", percent)
