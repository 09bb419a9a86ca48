"""Statistics over the runs: slopes, summaries and tests, with a reason for whatever cannot be had.

Importing this package, and `slopes`, need neither NumPy nor SciPy.
"""

from core.statistics.comparison import Summary, TestResult, compare, holm, summarise
from core.statistics.over_runs import RunAccuracies, SlopeTest, Statistics, statistics_of
from core.statistics.slopes import QUANTITIES, REASONS, Quantity, Reason, Slope, changes, slopes

__all__ = [
    "QUANTITIES",
    "REASONS",
    "Quantity",
    "Reason",
    "RunAccuracies",
    "Slope",
    "SlopeTest",
    "Statistics",
    "Summary",
    "TestResult",
    "changes",
    "compare",
    "holm",
    "slopes",
    "statistics_of",
    "summarise",
]
