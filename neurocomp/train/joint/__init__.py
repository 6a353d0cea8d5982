"""LitE-SNN's joint search of architecture, bits and timesteps, for the target that it maps to."""

from neurocomp.train.joint.baselines import sequential, uncompressed, uniform
from neurocomp.train.joint.choices import Given
from neurocomp.train.joint.design import Design, Kept
from neurocomp.train.joint.search import Found, Job, search

__all__ = [
    "Design",
    "Found",
    "Given",
    "Job",
    "Kept",
    "search",
    "sequential",
    "uncompressed",
    "uniform",
]
