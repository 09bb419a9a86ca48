"""Pieces of sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ADVERSARIAL, MISCLASSIFIED = "the adversarial images", "the misclassified ones"


def than(direction: str) -> str:
    """A direction as it stands before "than"."""
    return "no different" if direction == "equal" else direction


def by(test: Mapping[str, Any]) -> str:
    """By how much, after a direction: " by 0.123"; "" where nothing differs."""
    return "" if test["direction"] == "equal" else f" by {abs(test['mean_difference']):.3f}"


def written_p(p: float | None) -> str:
    """A p-value with two digits."""
    return "none" if p is None else f"{p:.2g}"


def counted_runs(count: int) -> str:
    """How many runs: "1 run", "2 runs"."""
    return f"{count} run{'s' * (count != 1)}"


def complete_runs(count: int) -> str:
    """How many complete runs."""
    return f"{count} complete run{'s' * (count != 1)}"


def ranging(counts: Sequence[int]) -> str:
    """The least and the most of some counts, one at least: "3 to 1,200"."""
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def plural(counts: Sequence[int]) -> str:
    """The "s" after a noun that is counted so; "" where every count is 1."""
    return "" if max(counts) == min(counts) == 1 else "s"


def listed(items: Sequence[object]) -> str:
    """Words in a row, one at least: "a, b and c"."""
    *others, last = map(str, items)
    return f"{', '.join(others)} and {last}" if others else last
