"""Estimates with their intervals, as words."""

from __future__ import annotations

from core.records.statistics import Claim
from core.report.formatting import ABSENT
from core.report.terms import brief_reason
from core.statistics.between import Difference


def estimate_words(found: Claim | Difference) -> str:
    """A mean over the runs with its 95 % interval, or why it has none: "-0.157 [-0.284, -0.030]"."""
    if found.estimate is None:
        return f"none ({brief_reason(found.reason)})"
    if found.constant:
        return f"exactly {found.estimate:+z.3f} in every run"
    if found.ci95 is None:
        return f"{found.estimate:+z.3f} ({brief_reason(found.reason)})"
    low, high = found.ci95
    return f"{found.estimate:+z.3f} [{low:+z.3f}, {high:+z.3f}]"


def decided_words(found: Claim | Difference | None) -> str:
    """As `estimate_words`, with what the interval decides: "-0.157 [-0.284, -0.030] lower"; ABSENT for None."""
    if found is None:
        return ABSENT
    words = estimate_words(found)
    return words if found.constant or found.ci95 is None else f"{words} {found.decision}"
