"""Progress and pace of runs in few cells."""

from __future__ import annotations

import math

from tui_aefit.following.snapshot import RunView

FULL, EMPTY = "█", "░"
LONGEST = 1e12
"""Seconds between two moments, at most."""


def percent(share: float) -> str:
    """A share in whole percent, rounded down."""
    return f"{math.floor(100 * min(max(share, 0.0), 1.0))} %"


def bar(share: float, cells: int) -> str:
    """A bar of so many cells, filled by a share, rounded down."""
    full = math.floor(cells * min(max(share, 0.0), 1.0))
    return FULL * full + EMPTY * (cells - full)


def rate_of(view: RunView, now: float) -> str:
    """Steps a second of a run's present stage; "" where it has none to count."""
    elapsed = seconds_between(view.stage_started, now)
    return f"{short(view.done / elapsed)}/s" if elapsed and view.done and view.total > 1 else ""


def seconds_between(start: float | None, end: float | None) -> float | None:
    """Seconds from one moment to another, None where one has not come."""
    # A journal may hold absurd moments, whose difference would overflow later.
    return None if start is None or end is None else min(max(0.0, end - start), LONGEST)


def short(number: float) -> str:
    """A number in at most four cells: 0.5, 12, 999, 1.2k, 45k, 3.1M."""
    units = ["G", "M", "k", ""]
    while number >= 999.5 and len(units) > 1:
        number /= 1000
        units.pop()
    return f"{number:.1f}{units[-1]}" if number < 9.95 else f"{number:.0f}{units[-1]}"


def clock(seconds: float) -> str:
    """A duration in at most six cells up to a thousand hours: 0:07, 12:34, 1h02m, 250h."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 100:
        return f"{hours}h"
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}:{rest:02}"
