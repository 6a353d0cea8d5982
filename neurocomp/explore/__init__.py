"""The search: strategies, evaluators, the study with its storage, and what it found."""

from neurocomp.explore.evaluators import Counted, Learned, Table, Trained, learned, read_table
from neurocomp.explore.evaluators import Scored as ScoreEvaluator
from neurocomp.explore.labels import labels_of_journal, labels_of_table
from neurocomp.explore.outcome import Evaluator, Outcome
from neurocomp.explore.predict import Predictor
from neurocomp.explore.result import Rejected, Scored, SearchResult
from neurocomp.explore.strategies import STRATEGIES
from neurocomp.explore.study import search

__all__ = [
    "STRATEGIES",
    "Counted",
    "Evaluator",
    "Learned",
    "Outcome",
    "Predictor",
    "Rejected",
    "ScoreEvaluator",
    "Scored",
    "SearchResult",
    "Table",
    "Trained",
    "labels_of_journal",
    "labels_of_table",
    "learned",
    "read_table",
    "search",
]
