"""How numbers, durations, moments and what is absent are written, wherever results are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from core.declarations.words import counted, enumerate_words, p_value

__all__ = ["ABSENT", "counted", "duration", "enumerate_words", "mean_count", "moment", "number", "p_value"]

ABSENT = "-"
"""Stands for what is undefined."""


def number(value: float | None, form: str) -> str:
    """A number in a format such as ".3f"; ABSENT for None."""
    return ABSENT if value is None else format(value, form)


def mean_count(counts: Sequence[float]) -> str:
    """The mean of how many there are in each run, to a tenth, or whole: 1,005.7, 920; ABSENT for no run."""
    return f"{sum(counts) / len(counts):,.1f}".removesuffix(".0") if counts else ABSENT


def moment(seconds: float, form: str) -> str:
    """Seconds since 1970 in local time; "?" for a year that no calendar has."""
    try:
        return f"{datetime.fromtimestamp(seconds):{form}}"
    except (OverflowError, ValueError, OSError):
        return "?"


def duration(seconds: float) -> str:
    """Seconds as a person says them: 42 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
