"""The training-free score of one architecture."""

from __future__ import annotations

from neurocomp.ir import Array, Graph
from neurocomp.score.kernel import Kind
from neurocomp.score.scorer import Scorer


def score(
    graph: Graph, values: Array, *, kind: Kind = "paper", seed: int, batches: int = 1
) -> float:
    """Eq. 1 of SpiKernel on fresh random weights, mean over batches; greater is better.

    All populations that fire count, at every step; `Scorer` scores many networks faster.

    Args:
        values: input integers (batches·B, C, H, W) or (batches·B, T, C, H, W); each of the
            ``batches`` equal parts has a kernel of its own. B of 16 to 256.
        kind: normalisation of the Hamming distance, see `kernel`.

    Returns:
        −∞ where two samples of a batch spike alike in every population.

    Raises:
        InputError: a graph that cannot be trained, values of another shape, batches that are not
            equal or of fewer than two samples.
    """
    return Scorer(values, kind=kind, seed=seed, batches=batches)(graph).value
