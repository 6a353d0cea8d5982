"""Eq. 1 of SpiKernel read plainly, for the test and the benchmark that hold the score against it.

From a candidate of SNASNet's forward space to ln |det K| in nothing but torch, in double precision;
the weights and the images are given. Nothing here asks neurocomp how it builds, normalises, fires
or compares.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from neurocomp.arch import Candidate
from neurocomp.arch.cell import EdgeOp

EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))


def plain_spikes(c: Candidate, weights: Mapping[str, Tensor], images: Tensor) -> list[Tensor]:
    """Spikes (T, B, N) of every layer that fires.

    stem → cell → reduction → pooling 2 → cell → pooling p → fully connected, each node a LIF:
    v ← 0.25·v + 0.75·x, above 1 it fires and v ← 0. Every convolution has a batch-norm with the
    statistics of these samples and steps; a layer without one normalises what it gets.

    Args:
        weights: by the projections' names; convolutions (out, in, k, k), fc (out, in).
        images: (B, C, H, W), shown at every step.
    """
    w = {name: weight.double() for name, weight in weights.items()}
    layers: list[Tensor] = []

    def norm(x: Tensor) -> Tensor:
        mean, var = x.mean((0, 2, 3), True), x.var((0, 2, 3), correction=0, keepdim=True)
        return (x - mean) / torch.sqrt(var + 1e-5)

    def conv(name: str, x: Tensor) -> Tensor:
        return norm(F.conv2d(x, w[name], padding=w[name].shape[-1] // 2))

    def lif(x: Tensor) -> Tensor:
        v, fired = torch.zeros(()), []
        for now in x.unflatten(0, (c.timesteps, -1)):
            v = 0.25 * v + 0.75 * now
            fired.append((v > 1).double())
            v = v * (1 - fired[-1])
        layers.append(torch.stack(fired).flatten(2))
        return torch.cat(fired)

    def edge(name: str, op: EdgeOp, x: Tensor) -> Tensor:
        if op.op == "conv":
            return conv(f"{name}.{op.label}", x)
        return x if op.op == "skip" else F.avg_pool2d(x, 3, 1, 1)

    def cell(number: int, x: Tensor) -> Tensor:
        nodes = {0: x}
        for j in (1, 2, 3):
            into = [(i, op) for (i, to), op in zip(EDGES, c.cell, strict=True)
                    if to == j and op.op != "zeroize"]  # fmt: skip
            made = [edge(f"cell{number}.n{i}-n{j}", op, nodes[i]) for i, op in into]
            if into:
                trained = any(op.op == "conv" for _, op in into)
                nodes[j] = lif(sum(made if trained else map(norm, made)))
        return nodes[3]

    x = cell(1, lif(conv("stem.conv3", images.double().repeat(c.timesteps, 1, 1, 1))))
    x = lif(norm(F.avg_pool2d(lif(conv("reduce.conv3", x)), 2)))
    x = lif(norm(F.avg_pool2d(cell(2, x), c.final_pool)))
    lif(norm((x.flatten(1) @ w["fc.dense"].T)[..., None, None]))
    return layers


def plain_score(layers: list[Tensor], kind: str) -> float:
    """``ln |det 1/(L·T) Σ_l Σ_t (N_l − a_ij·d_H(c_i, c_j))|`` with one of the three a."""
    steps, batch, _ = layers[0].shape
    k = torch.zeros((batch, batch), dtype=torch.float64)
    for spikes in layers:
        for c in spikes:
            n, r = c.shape[1], c.mean(1)
            hamming = (c[:, None] != c[None]).sum(2)
            e = r[:, None] * (1 - r) + (1 - r[:, None]) * r
            a = {"plain": e * 0 + 1, "paper": 0.5 / (e + 1e-3), "head": 0.5 / (e * n + 1e-3)}
            k += n - a[kind] * hamming
    return float(torch.linalg.slogdet(k / (len(layers) * steps))[1])
