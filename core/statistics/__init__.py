"""Statistics over the runs: slopes, summaries and tests, with a reason for whatever cannot be had.

Importing this package needs neither NumPy nor SciPy; SciPy is imported when there are two values to summarise.
"""

from core.statistics.comparison import FEWEST_RUNS, Outcome, compare, holm, summarise
from core.statistics.over_runs import RunAccuracies, statistics_of
from core.statistics.slopes import QUANTITIES, REASONS, Slope, changes, slopes

__all__ = [
    "FEWEST_RUNS",
    "QUANTITIES",
    "REASONS",
    "Outcome",
    "RunAccuracies",
    "Slope",
    "changes",
    "compare",
    "holm",
    "slopes",
    "statistics_of",
    "summarise",
]
