"""How accuracy changes from one K to the next: one run's slopes, and why a slope may not exist."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

Reason = Literal[
    "by_construction",
    "zero_denominator",
    "zero_numerator",
    "empty_set",
    "too_few_runs",
    "zero_variance",
    "all_differences_zero",
]

# Every code that stands beside a null, in plain words for the person who reads the table.
REASONS: dict[Reason, str] = {
    "by_construction": (
        "The set was selected so that accuracy at the most general K is 0: dividing by it says nothing."
    ),
    "zero_denominator": "Accuracy at the next more general K is 0, so the ratio does not exist.",
    "zero_numerator": "Accuracy at this K is 0, so the logarithm of the ratio does not exist.",
    "empty_set": "The set has no images, so it has no accuracy.",
    "too_few_runs": "Fewer than 3 completed runs can be used.",
    "zero_variance": "The values do not vary over the runs, so a t statistic does not exist.",
    "all_differences_zero": "The two sets are equal in every run, so there is no difference to rank.",
}

Quantity = Literal["ratio", "difference", "log_ratio"]
QUANTITIES: tuple[Quantity, ...] = get_args(Quantity)

# No set has 1e300 images: a smaller accuracy is a zero that rounding spoilt; dividing by it could overflow.
_SMALLEST_ACCURACY = 1e-300


@dataclass(frozen=True, slots=True)
class Slope:
    """A change of accuracy: a finite `value`, or None and the `reason`, a key of REASONS."""

    value: float | None
    reason: Reason | None = None


def slopes(
    accuracy: Mapping[int, float | None],
    *,
    levels: Sequence[int] | None = None,
    zero_by_construction: bool = False,
) -> dict[int, Slope]:
    """S_j = A_j / A_{j+2} of one run on one set (the paper's Section 4): see `changes`."""
    return changes("ratio", accuracy, levels=levels, zero_by_construction=zero_by_construction)


def changes(
    quantity: Quantity,
    accuracy: Mapping[int, float | None],
    *,
    levels: Sequence[int] | None = None,
    zero_by_construction: bool = False,
) -> dict[int, Slope]:
    """The change of accuracy between neighbouring levels, the most fitted level first (j = 1, 3, ..., Z-2).

    quantity: "ratio" A_j / A_{j+2}, "difference" A_j - A_{j+2}, or "log_ratio" log(A_j / A_{j+2}), where
        j+2 stands for the level just before j in `levels`.
    accuracy: level -> share of right answers, 0 to 1; None (or NaN, a mean over nothing) for an empty set.
    levels: general to fitted, such as (7, 5, 3, 1); by default the keys of `accuracy`, largest first.
    zero_by_construction: the set was selected by the errors at levels[0]; a ratio over that level is then
        undefined by construction, while the difference is an ordinary number.

    Raises KeyError for a level without an entry, ValueError for an accuracy outside [0, 1], or above 0 at
    levels[0] of a set said to be zero there.
    """
    ladder = sorted(accuracy, reverse=True) if levels is None else list(levels)
    share = {level: _share(level, accuracy[level]) for level in ladder}
    if zero_by_construction and ladder and share[ladder[0]]:
        raise ValueError(
            f"accuracy at level {ladder[0]} is {share[ladder[0]]}, but the set was said to be zero there"
        )
    steps = list(zip(ladder[1:], ladder, strict=False))
    return {
        level: Slope(None, "by_construction")
        if zero_by_construction and general == ladder[0] and quantity != "difference"
        else _change(quantity, share[level], share[general])
        for level, general in reversed(steps)
    }


def _share(level: int, accuracy: float | None) -> float | None:
    if accuracy is None or not math.isfinite(accuracy):
        return None
    if not 0 <= accuracy <= 1:
        raise ValueError(f"accuracy at level {level} is {accuracy}; expected a number from 0 to 1, or None")
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
