"""Packing by a hypergraph partitioner, where one is installed: Mt-KaHyPar, extra ``hypergraph``.

Bundles are vertices, nets are hyperedges; the connectivity metric ``Σ messages · (parts − 1)`` is
the number of messages between cores. The partitioner knows one weight per bundle and no kernels
that a core shares, so what does not fit its part is moved to where it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np

from neurocomp.mapping.packing.needs import Core, Needs
from neurocomp.mapping.packing.nets import Net, Savings
from neurocomp.mapping.packing.plan import vector

IMBALANCE = 0.03  # that parts may differ from their mean weight
SCALE = 1000  # weights are integers: shares of a core, and of the heaviest net, in thousandths


def available() -> bool:
    """Whether the partitioner is installed."""
    return find_spec("mtkahypar") is not None


def partitioned(
    bundles: Sequence[Core], needs: Needs, nets: Sequence[Net], saved: Savings, n: int, seed: int
) -> list[Core]:
    """Bundles on about ``n`` cores, every core within its limits; the same for the same seed.

    Args:
        saved: messages that pairs of slices save on one core.
    """
    limits = vector(needs.target.limits)
    share = [float((vector(needs.of(bundle)) / limits).max()) for bundle in bundles]
    part = _parts(bundles, nets, np.array(share), min(n, len(bundles)), seed)
    cores: list[Core] = [[] for _ in range(n)]
    rest = []
    for b in sorted(range(len(bundles)), key=lambda b: (-share[b], b)):
        core = cores[part[b]]
        if not core or needs.fit(core + bundles[b]):
            core.extend(bundles[b])
        else:
            rest.append(b)
    for b in rest:
        _put(bundles[b], cores, needs, saved)
    return [core for core in cores if core]


def _parts(
    bundles: Sequence[Core],
    nets: Sequence[Net],
    share: np.ndarray[tuple[int], np.dtype[np.float64]],
    n: int,
    seed: int,
) -> list[int]:
    """The part of every bundle."""
    import mtkahypar

    if n < 2:
        return [0] * len(bundles)
    bundle_of = {i: b for b, bundle in enumerate(bundles) for i in bundle}
    edges: dict[tuple[int, ...], float] = {}
    for net in nets:
        ends = tuple(sorted({bundle_of[i] for i in net.slices}))
        if len(ends) > 1:
            edges[ends] = edges.get(ends, 0.0) + net.messages
    heaviest = max(edges.values(), default=0.0) or 1.0
    library = mtkahypar.initialize(1, False)
    mtkahypar.set_seed(seed)
    context = library.context_from_preset(mtkahypar.PresetType.DETERMINISTIC)
    context.set_partitioning_parameters(n, IMBALANCE, mtkahypar.Objective.KM1)
    context.logging = False
    hypergraph = library.create_hypergraph(
        context,
        len(bundles),
        len(edges),
        [list(ends) for ends in edges],
        [max(round(s * SCALE), 1) for s in share.tolist()],
        [max(round(sent / heaviest * SCALE), 1) for sent in edges.values()],
    )
    return [int(part) for part in hypergraph.partition(context).get_partition()]


def _put(bundle: Core, cores: list[Core], needs: Needs, saved: Savings) -> None:
    """A bundle onto the core where it saves most and fits, or onto a new one."""
    core_of = {i: number for number, core in enumerate(cores) for i in core}
    gains = dict.fromkeys(range(len(cores)), 0.0)
    for i in bundle:
        for j, gain in saved[i].items():
            if j in core_of:
                gains[core_of[j]] += gain
    for number in sorted(gains, key=lambda c: (-gains[c], c)):
        if needs.fit(cores[number] + bundle):
            cores[number].extend(bundle)
            return
    cores.append(list(bundle))
