"""A difference between two experiments is SciPy's: of the pairs, corrected; of two samples, Welch's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from core.statistics.between import Difference, paired_difference, unpaired_difference
from core.statistics.comparison import compare
from core.statistics.decision import MARGIN
from core.statistics.plain_t import NORMAL_QUANTILE, critical_value, two_sided_p

shares = st.floats(-1, 1).map(lambda value: round(value, 6))
overlaps = st.floats(0, 1)
statistics = st.floats(0.001, 50).flatmap(lambda size: st.sampled_from([size, -size]))
"""Not so small that SciPy calls p exactly 1."""


def by_run(values: list[float]) -> dict[int, float | None]:
    return dict(enumerate(values))


def interval_of(found: Difference) -> tuple[float, float]:
    assert found.ci95 is not None
    return found.ci95


@given(st.floats(0.5, 50), statistics)
def test_the_p_value_is_scipys(df: float, statistic: float) -> None:
    assert two_sided_p(statistic, df) == pytest.approx(2 * stats.t.sf(abs(statistic), df), rel=1e-12)


@given(st.floats(50, 1000), statistics)
def test_the_p_value_is_scipys_for_very_many_runs(df: float, statistic: float) -> None:
    assert two_sided_p(statistic, df) == pytest.approx(2 * stats.t.sf(abs(statistic), df), rel=1e-10)


@given(st.floats(0.5, 1000))
def test_the_critical_value_is_scipys(df: float) -> None:
    assert critical_value(df) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-12)


def test_the_critical_value_for_whole_runs_is_scipys() -> None:
    df = range(1, 1000)
    assert [*map(critical_value, df)] == pytest.approx(stats.t.ppf(0.975, df), rel=1e-12)


def test_the_tails() -> None:
    assert two_sided_p(0, 3) == 1
    assert two_sided_p(3e-9, 1) == pytest.approx(1 - 2 * math.atan(3e-9) / math.pi, rel=1e-15)
    assert two_sided_p(1e200, 3) == 0
    assert stats.norm.ppf(0.975) == pytest.approx(NORMAL_QUANTILE, rel=1e-15)


@given(st.lists(st.tuples(shares, shares), min_size=3, max_size=12), overlaps)
def test_pairs_are_tested_as_scipy_tests_a_mean_with_the_corrected_error(
    pairs: list[tuple[float, float]], overlap: float
) -> None:
    first, second = map(list, zip(*pairs, strict=True))
    d = np.subtract(second, first)
    assume(d.std(ddof=1) > 1e-4)
    found = paired_difference(by_run(first), by_run(second), overlap=overlap)
    error = d.std(ddof=1) * math.sqrt(1 / len(d) + overlap)
    expected = stats.t.interval(0.95, len(d) - 1, loc=d.mean(), scale=error)
    assert interval_of(found) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, len(d) - 1), rel=1e-8)
    assert (found.test, found.n, found.df) == ("nadeau_bengio", len(d), len(d) - 1)
    if overlap == 0:
        plain = stats.ttest_rel(second, first)
        assert found.p == pytest.approx(plain.pvalue, rel=1e-8)


@given(st.lists(st.tuples(shares, shares), min_size=3, max_size=8))
def test_pairs_are_tested_as_sets_within_one_experiment_are(pairs: list[tuple[float, float]]) -> None:
    first, second = map(list, zip(*pairs, strict=True))
    found = paired_difference(by_run(first), by_run(second), overlap=1 / 6)
    within = compare(second, first, n_test=100, n_train=600)[2]
    assert found.reason == within.reason
    assert found.estimate == pytest.approx(within.mean_difference, abs=1e-15)
    assert found.p == (None if within.p is None else pytest.approx(within.p, rel=1e-8))


@given(st.lists(shares, min_size=3, max_size=9), st.lists(shares, min_size=3, max_size=9), overlaps, overlaps)
def test_two_samples_are_tested_as_scipy_tests_them_with_each_sides_own_error(
    first: list[float], second: list[float], one: float, two: float
) -> None:
    assume(min(np.std(first), np.std(second)) > 1e-4)
    found = unpaired_difference(by_run(first), by_run(second), overlaps=(one, two))
    # sd sqrt(1 / n + overlap) is the standard error of a sample whose sd is sqrt(1 + n overlap) times as large.
    sides = [
        stat
        for values, overlap in ((second, two), (first, one))
        for stat in (
            np.mean(values),
            np.std(values, ddof=1) * math.sqrt(1 + len(values) * overlap),
            len(values),
        )
    ]
    expected = stats.ttest_ind_from_stats(*sides, equal_var=False)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-8)
    assert found.test == "welch"


def test_without_overlap_two_samples_are_tested_by_welch() -> None:
    first, second = [0.1, 0.15, 0.4, 0.2], [0.31, 0.36, 0.5]
    found = unpaired_difference(by_run(first), by_run(second), overlaps=(0, 0))
    expected = stats.ttest_ind(second, first, equal_var=False)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)
    assert found.df == pytest.approx(expected.df, rel=1e-12)
    assert interval_of(found) == pytest.approx(tuple(expected.confidence_interval(0.95)), rel=1e-12)
    assert found.n == 3


def test_runs_are_paired_by_their_number() -> None:
    first = {0: 0.1, 2: 0.3, 5: 0.2, 7: 0.9, 8: None}
    second = {7: 1.0, 5: 0.25, 2: 0.36, 1: 0.0, 8: 0.5}
    found = paired_difference(first, second, overlap=0)
    assert found.n == 3
    assert found.estimate == pytest.approx(np.mean([0.06, 0.05, 0.1]))


@pytest.mark.parametrize(
    ("second", "decision"),
    [
        ([0.5, 0.51, 0.49], "same"),
        ([0.9, 0.91, 0.89], "higher"),
        ([0.1, 0.11, 0.09], "lower"),
        ([0.9, 0.1, 0.4], "undecided"),
    ],
)
def test_the_decision_is_by_the_interval_and_the_margin(second: list[float], decision: str) -> None:
    first = [0.5, 0.505, 0.495]
    found = paired_difference(by_run(first), by_run(second), overlap=0)
    low, high = interval_of(found)
    inside = max(-low, high) < MARGIN
    assert decision == ("same" if inside else "higher" if low > 0 else "lower" if high < 0 else "undecided")
    assert (found.decision, found.margin) == (decision, MARGIN)


@pytest.mark.parametrize("paired", [True, False])
def test_what_cannot_be_tested_says_why(paired: bool) -> None:
    def difference(first: dict[int, float | None], second: dict[int, float | None]) -> Difference:
        if paired:
            return paired_difference(first, second, overlap=0.2)
        return unpaired_difference(first, second, overlaps=(0.2, 0.2))

    nothing = difference({}, {})
    assert (nothing.n, nothing.estimate, nothing.reason) == (0, None, "too_few_runs")
    few = difference(by_run([0.1, 0.2]), by_run([0.3, 0.5]))
    assert (few.n, few.reason, few.decision) == (2, "too_few_runs", "undecided")
    assert few.estimate == pytest.approx(0.25)
    empty = difference(by_run([0.1, 0.2, 0.3]), {0: None, 1: None, 2: 0.4})
    assert (empty.n, empty.reason) == (1, "empty_set")
    alike = difference(by_run([0.25] * 3), by_run([0.5] * 3))
    assert (alike.reason, alike.constant, alike.ci95, alike.p) == ("zero_variance", True, None, None)
    assert alike.decision == "undecided"
