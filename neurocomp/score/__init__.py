"""Training-free scores of architectures (SpiKernel, Eq. 1)."""

from neurocomp.score.kernel import Kind
from neurocomp.score.score import score
from neurocomp.score.scorer import Score, Scorer

__all__ = ["Kind", "Score", "Scorer", "score"]
