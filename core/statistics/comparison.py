"""One quantity over the runs: its mean and interval, and two sets compared by four tests."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from core.records.statistics import Direction, Interval, Reason, Summary, TestName
from core.statistics.signed_rank import signed_rank
from core.statistics.student_t import critical_value, two_sided_p

# With two values a t-test exists and means nothing: one degree of freedom.
FEWEST_RUNS = 3

# Sums of many values of this size are still finite.
_LARGEST_VALUE = 1e300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one test finds of the first set against the second, whichever sets these are.

    The fields are those of `core.records.statistics.StatisticalTest`, which says what they hold.
    """

    test: TestName
    n: int
    statistic: float | None
    df: float | None
    p: float | None
    mean_difference: float | None
    ci95: Interval | None
    effect_size: float | None
    direction: Direction | None
    reason: Reason | None


def summarise(values: Sequence[float | None], *, overlap: float) -> Summary:
    """Summary of the usable values; None, NaN and infinity are not usable.

    overlap: n_test / n_train. The interval is mean -+ t(0.975; n-1) sd sqrt(1/n + overlap) (Nadeau and Bengio,
    2003), and not clipped to the range of the quantity. Raises ValueError for a finite value beyond 1e300.
    """
    there = [value for value in usable(values) if value is not None]
    if not there:
        return Summary(mean=None, sd=None, ci95=None, n=0)
    sample = Sample.of(there)
    if sample.n == 1:
        return Summary(mean=sample.mean, sd=None, ci95=None, n=1)
    interval = _interval(sample.mean, sample.error(overlap), sample.n - 1)
    return Summary(mean=sample.mean, sd=sample.sd, ci95=interval, n=sample.n)


def corrected_interval(values: Sequence[float], overlap: float) -> Interval | None:
    """The 95 % interval of the mean of two finite values or more, as `summarise` gives it; None without spread."""
    sample = Sample.of(values)
    if sample.sd <= 8 * sys.float_info.epsilon * max(1.0, *map(abs, values)):
        return None
    return _interval(sample.mean, sample.error(overlap), sample.n - 1)


def compare(
    first: Sequence[float | None], second: Sequence[float | None], *, n_test: int, n_train: int
) -> list[Outcome]:
    """Welch's t, paired t, Nadeau-Bengio corrected t and Wilcoxon signed-rank test, in this order, two-sided.

    first, second: one value a run, aligned by run; None, NaN and infinity are not usable. Welch uses the
        usable values of each side, the others the runs in which both sides are usable.
    n_test, n_train: images in a run's two parts, for the corrected test:
        t = mean(d) / (sd(d) sqrt(1/J + n_test/n_train)), df = J - 1 (Nadeau and Bengio, 2003).

    The values are made from accuracies, numbers up to 1, so their rounding errors are those of 1 (of the
    largest value where that is greater): a spread, a mean or a distance up to 8 epsilon of it counts as zero.
    Raises ValueError for sides of different length, parts that are not positive, values beyond 1e300.
    """
    if len(first) != len(second):
        raise ValueError(f"the sides must be aligned by run, but have {len(first)} and {len(second)} values")
    if n_test < 1 or n_train < 1:
        raise ValueError(f"n_test and n_train must be at least 1, not {n_test} and {n_train}")
    sides = usable(first), usable(second)
    ones, twos = ([value for value in side if value is not None] for side in sides)
    pairs = [(a, b) for a, b in zip(*sides, strict=True) if a is not None and b is not None]
    differences = [a - b for a, b in pairs]
    rounding = 8 * sys.float_info.epsilon * max([1.0, *map(abs, ones), *map(abs, twos)])
    overlap = n_test / n_train
    return [
        _welch(ones, twos, rounding),
        _paired("paired", differences, rounding, overlap=0.0),
        _paired("nadeau_bengio", differences, rounding, overlap=overlap),
        _wilcoxon(differences, rounding),
    ]


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's (1979) step-down adjusted p-values, in the order given; None stays None and is not counted.

    Raises ValueError for a p outside [0, 1].
    """
    family = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for place, (p, index) in enumerate(family):
        if not 0 <= p <= 1:
            raise ValueError(f"a p-value lies in [0, 1], but number {index} is {p}")
        largest = max(largest, min(1.0, (len(family) - place) * p))
        adjusted[index] = largest
    return adjusted


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


def _interval(centre: float, standard_error: float, df: float) -> Interval:
    half = critical_value(df) * standard_error
    return centre - half, centre + half


def _welch(first: Sequence[float], second: Sequence[float], rounding: float) -> Outcome:
    n = min(len(first), len(second))
    if n == 0:
        return _without_p("welch", n, None, rounding, "too_few_runs")
    one, two = Sample.of(first), Sample.of(second)
    difference = one.mean - two.mean
    if n < FEWEST_RUNS:
        return _without_p("welch", n, difference, rounding, "too_few_runs")
    if max(one.sd, two.sd) <= rounding:
        return _without_p("welch", n, difference, rounding, "zero_variance")
    standard_error = math.hypot(one.standard_error, two.standard_error)
    df = welch_satterthwaite((one.standard_error, two.standard_error), (one.n, two.n))
    pooled_sd = math.hypot(one.sd, two.sd) / math.sqrt(2)
    return _t_test("welch", n, difference, standard_error, df, difference / pooled_sd, rounding)


def _paired(test: TestName, differences: Sequence[float], rounding: float, *, overlap: float) -> Outcome:
    """The t-test of mean(d) = 0 whose variance is widened by `overlap`: n_test/n_train, or 0 for none."""
    if not differences:
        return _without_p(test, 0, None, rounding, "too_few_runs")
    sample = Sample.of(differences)
    if sample.n < FEWEST_RUNS:
        return _without_p(test, sample.n, sample.mean, rounding, "too_few_runs")
    if sample.sd <= rounding:
        return _without_p(test, sample.n, sample.mean, rounding, "zero_variance")
    standard_error = sample.error(overlap)
    effect_size = sample.mean / sample.sd
    return _t_test(test, sample.n, sample.mean, standard_error, sample.n - 1, effect_size, rounding)


def _wilcoxon(differences: Sequence[float], rounding: float) -> Outcome:
    n = len(differences)
    mean = Sample.of(differences).mean if differences else None
    if n < FEWEST_RUNS:
        return _without_p("wilcoxon", n, mean, rounding, "too_few_runs")
    result = signed_rank(differences, rounding=rounding)
    if result is None:
        return _without_p("wilcoxon", n, mean, rounding, "all_differences_zero")
    return Outcome(
        test="wilcoxon",
        n=n,
        statistic=result.statistic,
        df=None,
        p=result.p,
        mean_difference=mean,
        ci95=None,
        effect_size=result.rank_biserial,
        # Of the ranks, as the p-value: one outlier can turn the mean the other way.
        direction=_direction(result.rank_biserial, 0.0),
        reason=None,
    )


def _t_test(
    test: TestName,
    n: int,
    difference: float,
    standard_error: float,
    df: float,
    effect_size: float,
    rounding: float,
) -> Outcome:
    statistic = difference / standard_error
    return Outcome(
        test=test,
        n=n,
        statistic=statistic,
        df=float(df),
        p=two_sided_p(statistic, df),
        mean_difference=difference,
        ci95=_interval(difference, standard_error, df),
        effect_size=effect_size,
        direction=_direction(difference, rounding),
        reason=None,
    )


def _without_p(test: TestName, n: int, difference: float | None, rounding: float, reason: Reason) -> Outcome:
    return Outcome(
        test=test,
        n=n,
        statistic=None,
        df=None,
        p=None,
        mean_difference=difference,
        ci95=None,
        effect_size=None,
        direction=_direction(difference, rounding),
        reason=reason,
    )


def _direction(difference: float | None, rounding: float) -> Direction | None:
    if difference is None:
        return None
    if abs(difference) <= rounding:
        return "equal"
    return "higher" if difference > 0 else "lower"
