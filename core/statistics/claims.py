"""What the runs together say of every quantity that decides the claim; loads SciPy.

The interval of a quantity over the runs is the corrected one of Nadeau and Bengio (2003), which allows for runs
that divide one pool of images.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from core.families.ladder import Ladder
from core.records.metrics import RunMetrics
from core.records.statistics import Claim, Interval, Reason
from core.statistics.decision import MARGIN, decision_of
from core.statistics.quantities import Quantity, quantities
from core.statistics.student_t import critical_value
from core.statistics.summary import FEWEST_RUNS, Sample, usable


def claims(
    runs: Sequence[RunMetrics], ladder: Ladder, controls: Sequence[str], *, n_test: int, n_train: int
) -> tuple[Claim, ...]:
    """What the complete runs say of every quantity; none of those that no run has measured.

    n_test, n_train: images in a run's two parts.
    """
    found = []
    for quantity in quantities(ladder, controls):
        values = usable([quantity.of(run) for run in runs])
        if any(value is not None for value in values):
            found.append(_decide(quantity, values, n_test / n_train))
    return tuple(found)


def corrected_interval(values: Sequence[float], overlap: float) -> Interval | None:
    """The 95 % interval of the mean of two finite values or more, as `summarise` takes it; None without spread."""
    sample = Sample.of(values)
    if sample.sd <= 8 * sys.float_info.epsilon * max(1.0, *map(abs, values)):
        return None
    return sample.interval(overlap, critical_value)


def _decide(quantity: Quantity, values: Sequence[float | None], overlap: float) -> Claim:
    there = [value for value in values if value is not None]
    mean = sum(there) / len(there)
    interval = corrected_interval(there, overlap) if len(there) >= FEWEST_RUNS else None
    reason: Reason | None = None
    if interval is None:
        reason = "too_few_runs" if len(values) < FEWEST_RUNS else "empty_set"
    if interval is None and len(there) >= FEWEST_RUNS:
        reason = "zero_variance"
    return Claim(
        name=quantity.name,
        sets=quantity.sets,
        estimate=mean,
        ci95=interval,
        margin=MARGIN,
        decision=decision_of(interval, MARGIN),
        n=len(there),
        reason=reason,
    )
