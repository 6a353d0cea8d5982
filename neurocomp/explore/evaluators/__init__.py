"""Evaluators: training-free scores, short training, tables of networks that were trained."""

from neurocomp.explore.evaluators.counted import COUNTS, Counted
from neurocomp.explore.evaluators.scored import Scored
from neurocomp.explore.evaluators.table import Table, read_table
from neurocomp.explore.evaluators.trained import Trained

__all__ = ["COUNTS", "Counted", "Scored", "Table", "Trained", "read_table"]
