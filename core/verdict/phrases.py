"""Pieces of sentences."""

from __future__ import annotations

from collections.abc import Sequence

from core.declarations.words import counted, enumerate_words
from core.families.ladder import Ladder
from core.records.statistics import Direction, StatisticalTest

ADVERSARIAL, MISCLASSIFIED = "the adversarial images", "the misclassified ones"


def than(direction: Direction | None) -> str:
    """A direction as it stands before "than"; "no different" also where there is none."""
    return direction if direction in ("higher", "lower") else "no different"


def by(test: StatisticalTest) -> str:
    """By how much, after a direction: " by 0.123"; "" where nothing differs."""
    if test.direction == "equal" or test.mean_difference is None:
        return ""
    return f" by {abs(test.mean_difference):.3f}"


def format_p(p: float | None) -> str:
    """A p-value with two digits; "none" where there is none."""
    return "none" if p is None else f"{p:.2g}"


def count_runs(count: int) -> str:
    """How many runs: "1 run", "2 runs"."""
    return counted(count, "run")


def count_complete_runs(count: int) -> str:
    """How many complete runs: "1 complete run"."""
    return counted(count, "complete run")


def format_range(counts: Sequence[int]) -> str:
    """The least and the most of some counts, one at least: "3 to 1,200"."""
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def plural_s(counts: Sequence[int]) -> str:
    """The "s" after a noun that is counted so; "" where every count is 1."""
    return "" if max(counts) == min(counts) == 1 else "s"


def at_levels(ladder: Ladder, levels: Sequence[str]) -> str:
    """Some levels of a ladder, one at least: "depth = 4, 8 and 16"."""
    first, *others = levels
    return enumerate_words([ladder.at(first), *others])


def over_moves(ladder: Ladder, levels: Sequence[str]) -> str:
    """The steps that end at some levels, one at least: "the steps from depth = 8 to 16 and depth = 4 to 8"."""
    return (
        f"the step{'s' * (len(levels) > 1)} from {enumerate_words([ladder.move(level) for level in levels])}"
    )
