"""How accuracy changes from one level to the next: one run's slopes, and why a slope may not exist."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from core.families.ladder import Ladder
from core.records.statistics import Quantity, Reason

# Every code that stands beside a null, in plain words for the person who reads the table.
REASONS: dict[Reason, str] = {
    "by_construction": (
        "The set was selected so that accuracy at the most general level is 0: dividing by it says nothing."
    ),
    "zero_denominator": "Accuracy at the next more general level is 0, so the ratio does not exist.",
    "zero_numerator": "Accuracy at this level is 0, so the logarithm of the ratio does not exist.",
    "empty_set": "The set has no images, so it has no accuracy.",
    "too_few_runs": "Fewer than 3 completed runs can be used.",
    "zero_variance": "The values do not vary over the runs, so a t statistic does not exist.",
    "all_differences_zero": "The two sets are equal in every run, so there is no difference to rank.",
}

QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)

# No set has 1e300 images: a smaller accuracy is a zero that rounding spoilt; dividing by it could overflow.
_SMALLEST_ACCURACY = 1e-300


@dataclass(frozen=True, slots=True)
class Slope:
    """A change of accuracy: a finite `value`, or None and the `reason`, a key of REASONS."""

    value: float | None
    reason: Reason | None = None


def slopes(
    accuracy: Mapping[str, float | None], ladder: Ladder, *, zero_by_construction: bool = False
) -> dict[str, Slope]:
    """S_j = A_j / A_i of one run on one set, i the level before j (the paper's Section 4): see `changes`."""
    return changes("ratio", accuracy, ladder, zero_by_construction=zero_by_construction)


def changes(
    quantity: Quantity,
    accuracy: Mapping[str, float | None],
    ladder: Ladder,
    *,
    zero_by_construction: bool = False,
) -> dict[str, Slope]:
    """Step -> the change of accuracy over it. A step is named by its fitted level; the most fitted comes first.

    quantity: "ratio" A_j / A_i, "difference" A_j - A_i, or "log_ratio" log(A_j / A_i), i the level before j.
    accuracy: level -> share of right answers, 0 to 1; None (or NaN, a mean over nothing) for an empty set.
    zero_by_construction: the set was selected by the errors at the most general level; a ratio over that level
        is then undefined by construction, while the difference is an ordinary number.

    Raises KeyError for a level without an entry, ValueError for an accuracy outside [0, 1], or above 0 at the
    most general level of a set said to be zero there.
    """
    share = {level: _share(ladder, level, accuracy[level]) for level in ladder.levels}
    if zero_by_construction and share[ladder.general]:
        raise ValueError(
            f"accuracy at {ladder.at(ladder.general)} is {share[ladder.general]}, but the set was said to be zero "
            "there"
        )
    return {
        step.fitted: Slope(None, "by_construction")
        if zero_by_construction and step.general == ladder.general and quantity != "difference"
        else _change(quantity, share[step.fitted], share[step.general])
        for step in reversed(ladder.steps)
    }


def _share(ladder: Ladder, level: str, accuracy: float | None) -> float | None:
    if accuracy is None or not math.isfinite(accuracy):
        return None
    if not 0 <= accuracy <= 1:
        raise ValueError(
            f"accuracy at {ladder.at(level)} is {accuracy}; expected a number from 0 to 1, or None"
        )
    return float(accuracy)


def _change(quantity: Quantity, fitted: float | None, general: float | None) -> Slope:
    if fitted is None or general is None:
        return Slope(None, "empty_set")
    if quantity == "difference":
        return Slope(fitted - general)
    if general < _SMALLEST_ACCURACY:
        return Slope(None, "zero_denominator")
    if quantity == "ratio":
        return Slope(fitted / general)
    return Slope(math.log(fitted / general)) if fitted > 0 else Slope(None, "zero_numerator")
