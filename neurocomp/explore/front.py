"""Pareto fronts and the volume they dominate; every coordinate is the better the smaller."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]


def front(costs: Points) -> list[int]:
    """Rows (N, objectives) that no other beats in all at once, in the order of the first column.

    Of equal rows the first stands for all.
    """
    found: list[int] = []
    for i in np.lexsort(costs.T[::-1]):  # whatever beats a row comes before it
        if not found or not (costs[found] <= costs[i]).all(axis=1).any():
            found.append(int(i))
    return found


def hypervolume(costs: Points, reference: Sequence[float]) -> float:
    """Volume between the rows (N, objectives) and a reference point that they dominate.

    Rows that are not better than the reference everywhere add nothing. Slices along the last
    objective are summed, each the volume of what reaches into it in the objectives before.
    """
    point = np.asarray(reference, dtype=np.float64)
    inside = costs[(costs < point).all(axis=1)]
    if not len(inside):
        return 0.0
    if inside.shape[1] == 1:
        return float(point[0] - inside[:, 0].min())
    rows = inside[front(inside)]
    rows = rows[np.argsort(rows[:, -1], kind="stable")]
    ends = np.append(rows[1:, -1], point[-1])
    volume: float = sum(
        (end - row[-1]) * hypervolume(rows[: k + 1, :-1], point[:-1].tolist())
        for k, (row, end) in enumerate(zip(rows, ends, strict=True))
        if end > row[-1]
    )
    return volume


def scaled(costs: Points) -> Points:
    """Every column brought to 0 (best) … 1 (worst); a constant column to 0."""
    low, high = costs.min(axis=0), costs.max(axis=0)
    unit: Points = (costs - low) / np.where(high > low, high - low, 1.0)
    return unit


def volume_over_time(costs: Points, points: int = 50) -> list[tuple[int, float]]:
    """(evaluations, share of the box between best and worst that is dominated) as a search goes.

    Args:
        costs: in the order of evaluation.
        points: how many of these moments are given, evenly spread, the last among them.
    """
    if not len(costs):
        return []
    unit = scaled(costs)
    reference = np.full(unit.shape[1], 1.0 + 1e-9)
    moments = np.unique(np.linspace(1, len(unit), min(points, len(unit))).round().astype(int))
    return [(int(n), hypervolume(unit[:n], reference.tolist())) for n in moments]
