"""Candidates of a search space: identity, drawing, and the graph they stand for."""

from neurocomp.arch.build import Task, build, for_task
from neurocomp.arch.candidate import Candidate
from neurocomp.arch.draw import Genotype, assemble, cross, draw, mutate, redraw
from neurocomp.arch.enumeration import all_candidates, distinct_cells, n_genotypes
from neurocomp.arch.files import from_dict, load_candidate

__all__ = [
    "Candidate",
    "Genotype",
    "Task",
    "all_candidates",
    "assemble",
    "build",
    "cross",
    "distinct_cells",
    "draw",
    "for_task",
    "from_dict",
    "load_candidate",
    "mutate",
    "n_genotypes",
    "redraw",
]
