"""One quantity over the runs: its usable values, their mean and spread, and the interval of the mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.records.statistics import Interval, Summary
from core.statistics import plain_t

FEWEST_RUNS = 3
"""With two values a t-test exists and means nothing: one degree of freedom."""

# Sums of many values of this size are still finite.
_LARGEST_VALUE = 1e300

CriticalValue = Callable[[float], float]
"""Degrees of freedom -> the t with P(|T| <= t) = 0.95: of `plain_t`, or of `student_t`, which loads SciPy."""


def summarise(
    values: Sequence[float | None], *, overlap: float, critical_value: CriticalValue = plain_t.critical_value
) -> Summary:
    """Summary of the usable values; None, NaN and infinity are not usable.

    overlap: n_test / n_train. The interval is mean -+ t(0.975; n-1) sd sqrt(1/n + overlap) (Nadeau and Bengio,
    2003), and not clipped to the range of the quantity. critical_value: t(0.975; df); what is kept with all
    its digits, in journals and pages, has SciPy's, whose last bits differ. Raises ValueError for a finite value
    beyond 1e300.
    """
    there = [value for value in usable(values) if value is not None]
    if not there:
        return Summary(mean=None, sd=None, ci95=None, n=0)
    sample = Sample.of(there)
    if sample.n == 1:
        return Summary(mean=sample.mean, sd=None, ci95=None, n=1)
    return Summary(mean=sample.mean, sd=sample.sd, ci95=sample.interval(overlap, critical_value), n=sample.n)


@dataclass(frozen=True, slots=True)
class Sample:
    """n >= 1 values by their mean and standard deviation (0 for a single value)."""

    n: int
    mean: float
    sd: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Sample:
        """Of some finite values, one at least."""
        n = len(values)
        mean = math.fsum(values) / n
        # hypot: squares of very large or very small deviations would overflow or vanish.
        sd = math.hypot(*(value - mean for value in values)) / math.sqrt(n - 1) if n > 1 else 0.0
        return cls(n, mean, sd)

    @property
    def standard_error(self) -> float:
        """Of the mean, for values that have nothing to do with each other."""
        return self.sd / math.sqrt(self.n)

    def error(self, overlap: float) -> float:
        """The standard error of the mean, for runs whose parts overlap so much."""
        return self.sd * math.sqrt(1 / self.n + overlap)

    def interval(self, overlap: float, critical_value: CriticalValue) -> Interval:
        """The 95 % interval of the mean of two values or more, for runs whose parts overlap so much."""
        half = critical_value(self.n - 1) * self.error(overlap)
        return self.mean - half, self.mean + half


def usable(values: Sequence[float | None]) -> list[float | None]:
    """The values as plain floats, with None for what is not finite. Filtered first: SciPy would not."""
    floats = [None if value is None or not math.isfinite(value) else float(value) for value in values]
    if any(abs(value) > _LARGEST_VALUE for value in floats if value is not None):
        raise ValueError(f"values must not exceed {_LARGEST_VALUE:g}: {floats}")
    return floats


def welch_satterthwaite(errors: tuple[float, float], counts: tuple[int, int]) -> float:
    """The degrees of freedom of a difference of two means (Welch, 1947).

    errors: the standard errors of the two means, not both 0. counts: the values of each, two at least.
    """
    # By each side's share of the squared standard error: fourth powers would overflow or vanish.
    combined = math.hypot(*errors)
    first, second = ((error / combined) ** 2 for error in errors)
    return 1 / (first**2 / (counts[0] - 1) + second**2 / (counts[1] - 1))
