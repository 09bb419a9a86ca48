"""Two sets compared by four tests over the runs; loads SciPy."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from core.records.statistics import Direction, Interval, Reason, TestName
from core.statistics.signed_rank import signed_rank
from core.statistics.student_t import critical_value, two_sided_p
from core.statistics.summary import FEWEST_RUNS, Sample, usable, welch_satterthwaite


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
