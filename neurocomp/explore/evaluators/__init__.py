"""Evaluators: training-free scores, short training, tables, what was learned from labels."""

from neurocomp.explore.evaluators.counted import COUNTS, Counted
from neurocomp.explore.evaluators.learned import Learned, learned
from neurocomp.explore.evaluators.scored import Scored
from neurocomp.explore.evaluators.table import Table, read_table
from neurocomp.explore.evaluators.trained import Trained

__all__ = ["COUNTS", "Counted", "Learned", "Scored", "Table", "Trained", "learned", "read_table"]
