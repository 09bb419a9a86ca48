"""One quantity of two experiments, run by run: by how much the second's differs from the first's. Without SciPy."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Literal

from core.records.statistics import Decision, Interval, Reason
from core.records.types import Count, Finite, Record, Share
from core.statistics.decision import MARGIN, decision_of
from core.statistics.plain_t import critical_value, two_sided_p
from core.statistics.summary import FEWEST_RUNS, Sample, usable, welch_satterthwaite

ByRun = Mapping[int, float | None]
"""Run -> the value of a quantity; None where it has none."""


class Difference(Record, frozen=True, kw_only=True):
    """The mean of the second experiment less that of the first.

    test: "nadeau_bengio" where the runs divide the images in the same way and are compared one by one, "welch"
    where they do not. n: runs that both have, for Welch the fewer of both sides. estimate: None where a side has
    none. ci95, df, p: None where `reason` says why. margin, decision: as in `core.records.statistics.Claim`.
    """

    test: Literal["nadeau_bengio", "welch"]
    n: Count
    estimate: Finite | None
    ci95: Interval | None = None
    df: Finite | None = None
    p: Share | None = None
    margin: Finite = MARGIN
    decision: Decision = "undecided"
    reason: Reason | None = None

    @property
    def paired(self) -> bool:
        """Whether run was compared with run."""
        return self.test == "nadeau_bengio"

    @property
    def constant(self) -> bool:
        """Whether it is exactly the same in every run: undecided, since without spread there is no interval."""
        return self.reason == "zero_variance"


def paired_difference(first: ByRun, second: ByRun, *, overlap: float) -> Difference:
    """Of experiments whose runs of one number divide the images in the same way.

    The corrected t-test of Nadeau and Bengio (2003) of the J differences d by run: t = mean(d) / (sd(d)
    sqrt(1 / J + overlap)), df = J - 1. overlap: n_test / n_train.
    """
    ones, twos = _usable(first), _usable(second)
    differences = [twos[run] - ones[run] for run in sorted(ones.keys() & twos.keys())]
    reason = _lacking(len(first.keys() & second.keys()))
    if not differences:
        return Difference(test="nadeau_bengio", n=0, estimate=None, reason=reason)
    sample = Sample.of(differences)
    if sample.n < FEWEST_RUNS:
        return Difference(test="nadeau_bengio", n=sample.n, estimate=sample.mean, reason=reason)
    if sample.sd <= _rounding(*ones.values(), *twos.values()):
        return Difference(test="nadeau_bengio", n=sample.n, estimate=sample.mean, reason="zero_variance")
    return _tested("nadeau_bengio", sample.n, sample.mean, sample.error(overlap), sample.n - 1)


def unpaired_difference(first: ByRun, second: ByRun, *, overlaps: tuple[float, float]) -> Difference:
    """Of experiments whose runs divide images in ways that have nothing to do with each other.

    Welch's t-test, in which the variance of each side's mean is that of its own corrected interval,
    sd^2 (1 / n + overlap): the runs of one experiment divide one pool of images. Without overlap it is Welch's own.
    overlaps: n_test / n_train of each side.
    """
    sides = list(_usable(first).values()), list(_usable(second).values())
    n, reason = min(map(len, sides)), _lacking(min(len(first), len(second)))
    if n == 0:
        return Difference(test="welch", n=0, estimate=None, reason=reason)
    one, two = map(Sample.of, sides)
    mean = two.mean - one.mean
    if n < FEWEST_RUNS:
        return Difference(test="welch", n=n, estimate=mean, reason=reason)
    if max(one.sd, two.sd) <= _rounding(*sides[0], *sides[1]):
        return Difference(test="welch", n=n, estimate=mean, reason="zero_variance")
    errors = one.error(overlaps[0]), two.error(overlaps[1])
    df = welch_satterthwaite(errors, (one.n, two.n))
    return _tested("welch", n, mean, math.hypot(*errors), df)


def _tested(
    test: Literal["nadeau_bengio", "welch"], n: int, mean: float, error: float, df: float
) -> Difference:
    half = critical_value(df) * error
    interval = mean - half, mean + half
    return Difference(
        test=test,
        n=n,
        estimate=mean,
        ci95=interval,
        df=float(df),
        p=two_sided_p(mean / error, df),
        decision=decision_of(interval, MARGIN),
    )


def _usable(values: ByRun) -> dict[int, float]:
    found = zip(values, usable(list(values.values())), strict=True)
    return {run: value for run, value in found if value is not None}


def _lacking(runs: int) -> Reason:
    """Why fewer than FEWEST_RUNS of so many complete runs can be used, where that is so."""
    return "too_few_runs" if runs < FEWEST_RUNS else "empty_set"


def _rounding(*values: float) -> float:
    """Below this a spread is that of rounding, as in `core.statistics.comparison.compare`."""
    return 8 * sys.float_info.epsilon * max(1.0, *map(abs, values))
