"""Tables, figures and the self-contained HTML report of a run.

The names below load matplotlib only when a report is written.
"""

from neurocomp.report.cores import core_table
from neurocomp.report.paper import limits_table, paper_table
from neurocomp.report.results import RunResults
from neurocomp.report.tables import (
    Table,
    cost_table,
    layer_table,
    legend,
    mismatch_table,
    policy_table,
    ranking_table,
    rejection_table,
)
from neurocomp.report.write import write_core_map, write_report, write_trace_chart

__all__ = [
    "RunResults",
    "Table",
    "core_table",
    "cost_table",
    "layer_table",
    "legend",
    "limits_table",
    "mismatch_table",
    "paper_table",
    "policy_table",
    "ranking_table",
    "rejection_table",
    "write_core_map",
    "write_report",
    "write_trace_chart",
]
