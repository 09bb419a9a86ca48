"""What an interval decides, and how many runs would decide what it leaves open."""

from __future__ import annotations

import math
from bisect import bisect_left

from core.records.statistics import Claim, Decision, Interval
from core.statistics.plain_t import critical_value

MARGIN = 0.02
"""Differences of accuracy, success or bias within so much of 0 are called the same."""


def decision_of(interval: Interval | None, margin: float) -> Decision:
    """Inside the margin on both sides of 0: the same. Else by the side of 0 on which the whole interval lies."""
    if interval is None:
        return "undecided"
    low, high = interval
    if -margin < low and high < margin:
        return "same"
    if low > 0:
        return "higher"
    return "lower" if high < 0 else "undecided"


def runs_that_decide(claim: Claim, overlap: float, *, most: int = 1000) -> int | None:
    """How many runs like these would decide an undecided claim, its estimate and spread staying as they are.

    None where `most` would not: runs that divide one pool narrow an interval only so far. overlap: n_test /
    n_train. Raises ValueError for a claim without an interval.
    """
    if claim.ci95 is None:
        raise ValueError(f"{claim.name} has no interval")
    low, high = claim.ci95
    spread = (high - low) / 2 / (critical_value(claim.n - 1) * math.sqrt(1 / claim.n + overlap))
    size = abs(claim.estimate)
    # It is decided as soon as the interval leaves 0 on one side, or lies within the margin on both.
    wanted = max(size, claim.margin - size)
    more = range(claim.n + 1, most + 1)

    def decide(runs: int) -> bool:
        return critical_value(runs - 1) * spread * math.sqrt(1 / runs + overlap) < wanted

    # Each further run narrows the interval: those that decide follow those that do not.
    place = bisect_left(more, True, key=decide)
    return more[place] if place < len(more) else None
