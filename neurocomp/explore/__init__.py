"""The search: strategies, evaluators, the study with its storage, and what it found."""

from neurocomp.explore.evaluators import Counted, Table, Trained, read_table
from neurocomp.explore.evaluators import Scored as ScoreEvaluator
from neurocomp.explore.outcome import Evaluator, Outcome
from neurocomp.explore.predict import Predictor
from neurocomp.explore.result import Rejected, Scored, SearchResult
from neurocomp.explore.strategies import STRATEGIES
from neurocomp.explore.study import search

__all__ = [
    "STRATEGIES",
    "Counted",
    "Evaluator",
    "Outcome",
    "Predictor",
    "Rejected",
    "ScoreEvaluator",
    "Scored",
    "SearchResult",
    "Table",
    "Trained",
    "read_table",
    "search",
]
