"""Slopes, summaries and tests over the runs equal SciPy, closed forms and brute force, and are never NaN."""

from __future__ import annotations

import itertools
import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from core.engine.statistics import experiment_statistics
from core.families.ladder import Ladder
from core.records.statistics import StatisticalTest, Summary, SummaryTable
from core.records.types import plain, to_json
from core.sets.first_version import by_new_names, new_name
from core.spec.spec import Spec
from core.statistics.comparison import Outcome, compare
from core.statistics.holm import holm
from core.statistics.over_runs import RunAccuracies, statistics_of
from core.statistics.signed_rank import EXACT_UP_TO, signed_rank
from core.statistics.slopes import QUANTITIES, REASONS, Slope, changes, slopes
from core.statistics.student_t import critical_value as scipys_t
from core.statistics.summary import summarise
from tests.fakes.curves import metrics_from_curves

quick = settings(max_examples=60)
ROOT = Path(__file__).parents[2]
RECORDED = Path(__file__).parent / "data" / "statistics.json"
LADDER = Ladder("K", ("7", "5", "3", "1"), (7, 5, 3, 1))
SHORT = Ladder("K", ("5", "3", "1"), (5, 3, 1))
LEVELS = LADDER.levels
PAIR = ("adversarial", "misclassified")
ZERO = {"test": False, "misclassified": True, "adversarial": True}
EXACT = 1e-10

# Whole numbers over 1024: sums and differences are exact, so a reference may compare them for equality.
grid = st.integers(-2048, 2048).map(lambda k: k / 1024)
wild = st.one_of(
    st.none(),
    st.floats(-1e300, 1e300),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 1.0, 5e-324, 1e-160]),
)


def aligned(
    values: st.SearchStrategy[float], low: int = 3, high: int = 12
) -> st.SearchStrategy[list[list[float]]]:
    """Two lists of the same length."""
    return st.integers(low, high).flatmap(
        lambda n: st.lists(st.lists(values, min_size=n, max_size=n), min_size=2, max_size=2)
    )


def by_test(
    first: Sequence[float | None], second: Sequence[float | None], n_test: int = 1, n_train: int = 6
) -> dict[str, Outcome]:
    results = compare(first, second, n_test=n_test, n_train=n_train)
    assert [result.test for result in results] == ["welch", "paired", "nadeau_bengio", "wilcoxon"]
    return {result.test: result for result in results}


def same(value: object, expected: object) -> None:
    assert value == pytest.approx(expected, rel=EXACT, abs=EXACT)


def some(value: float | None) -> float:
    assert value is not None
    return value


# Slopes -------------------------------------------------------------------------------------------------


def test_slopes_divide_by_the_accuracy_at_the_next_more_general_level() -> None:
    found = slopes({"7": 0.25, "5": 0.5, "3": 0.75, "1": 0.375}, LADDER)
    assert found == {"1": Slope(0.5), "3": Slope(1.5), "5": Slope(2.0)}
    assert list(found) == ["1", "3", "5"]


def test_slopes_follow_the_order_of_the_ladder() -> None:
    accuracy = {"deep": 1.0, "middle": 0.5, "shallow": 0.25}
    ladder = Ladder("depth", ("shallow", "middle", "deep"))
    assert slopes(accuracy, ladder) == {"middle": Slope(2.0), "deep": Slope(2.0)}
    rising = Ladder("epoch", ("1", "3", "5"), (1, 3, 5))
    assert slopes({"1": 0.25, "3": 0.5, "5": 1.0}, rising) == {"5": Slope(2.0), "3": Slope(2.0)}


def test_slope_over_the_selecting_level_is_undefined_by_construction() -> None:
    found = slopes({"7": 0.0, "5": 0.25, "3": 0.5, "1": 0.5}, LADDER, zero_by_construction=True)
    assert found == {"5": Slope(None, "by_construction"), "3": Slope(2.0), "1": Slope(1.0)}


def test_zero_below_the_line_and_empty_sets_are_told_apart() -> None:
    assert slopes({"5": 0.0, "3": 0.0, "1": 0.5}, SHORT) == {
        "3": Slope(None, "zero_denominator"),
        "1": Slope(None, "zero_denominator"),
    }
    assert slopes({"5": None, "3": math.nan, "1": None}, SHORT)["1"] == Slope(None, "empty_set")


def test_difference_over_the_selecting_level_is_an_ordinary_number() -> None:
    accuracy = {"5": 0.0, "3": 0.25, "1": 0.0}
    assert changes("difference", accuracy, SHORT, zero_by_construction=True) == {
        "1": Slope(-0.25),
        "3": Slope(0.25),
    }
    assert changes("log_ratio", accuracy, SHORT, zero_by_construction=True) == {
        "1": Slope(None, "zero_numerator"),
        "3": Slope(None, "by_construction"),
    }


def test_accuracies_that_cannot_be_are_refused() -> None:
    two = Ladder("K", ("3", "1"), (3, 1))
    with pytest.raises(ValueError, match=r"K = 3 is 1\.5"):
        slopes({"3": 1.5, "1": 0.5}, two)
    with pytest.raises(ValueError, match="said to be zero"):
        slopes({"3": 0.5, "1": 0.5}, two, zero_by_construction=True)
    with pytest.raises(KeyError):
        slopes({"3": 0.5, "1": 0.5}, SHORT)


@quick
@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1), st.just(0.0), st.just(math.inf)), min_size=4, max_size=4)
)
def test_a_change_is_either_a_finite_number_or_a_documented_reason(shares: list[float | None]) -> None:
    for quantity in QUANTITIES:
        for slope in changes(quantity, dict(zip(LEVELS, shares, strict=True)), LADDER).values():
            assert (slope.value is None) == (slope.reason is not None)
            assert slope.reason in REASONS if slope.value is None else math.isfinite(slope.value)


def test_slopes_and_summaries_need_neither_numpy_nor_scipy() -> None:
    code = (
        "import sys; from core.families.ladder import Ladder\n"
        "from core.statistics.slopes import slopes; from core.statistics.summary import summarise\n"
        "assert summarise([0.5, 0.25], overlap=0.2).ci95\n"
        "assert slopes({'3': 0.5, '1': 0.25}, Ladder('K', ('3', '1')))['1'].value == 0.5\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'numpy', 'scipy', 'torch'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Summaries ----------------------------------------------------------------------------------------------


@quick
@given(st.lists(grid, min_size=2, max_size=15), st.sampled_from([0.0, 1 / 7, 0.2, 1.0]))
def test_summary_equals_numpy_and_scipy(values: list[float], overlap: float) -> None:
    summary = summarise([None, *values, math.nan, math.inf], overlap=overlap)
    same((summary.mean, summary.sd, summary.n), (np.mean(values), np.std(values, ddof=1), len(values)))
    # The variance of a mean of runs that overlap is (1/n + overlap) times a run's; of independent ones, 1/n times.
    widened = math.sqrt(1 + overlap * len(values))
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values) * widened
    same(summary.ci95, (np.mean(values) - half, np.mean(values) + half))


@pytest.mark.parametrize("n", [2, 3, 5, 12, 100])
def test_a_summary_without_scipy_is_printed_as_that_with_scipy(n: int) -> None:
    for values in np.random.default_rng(n).uniform(0, 1, (200, n)).tolist():
        ours = summarise(values, overlap=1 / 6)
        scipys = summarise(values, overlap=1 / 6, critical_value=scipys_t)
        assert ours.ci95 is not None
        assert scipys.ci95 is not None
        assert ours.ci95 == pytest.approx(scipys.ci95, abs=1e-12 * np.ptp(scipys.ci95))
        assert [f"{end:.4f}" for end in ours.ci95] == [f"{end:.4f}" for end in scipys.ci95]


def test_summary_of_none_and_of_one_value() -> None:
    assert summarise([None, math.nan], overlap=0.2) == Summary(mean=None, sd=None, ci95=None, n=0)
    assert summarise([None, 0.5], overlap=0.2) == Summary(mean=0.5, sd=None, ci95=None, n=1)


# t-tests ------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Precision loss:RuntimeWarning")  # SciPy, where one side is constant
@quick
@given(aligned(grid), st.lists(st.sampled_from([None, math.nan, math.inf]), max_size=3))
def test_welch_equals_scipy(sides: list[list[float]], gaps: list[float | None]) -> None:
    first, second = sides
    assume(np.std(first) > 0 or np.std(second) > 0)
    # Values missing on one side only: Welch must still use the other side's.
    result = by_test([*first, *gaps], [*second, *([0.5] * len(gaps))])["welch"]
    second = [*second, *([0.5] * len(gaps))]
    expected = stats.ttest_ind(first, second, equal_var=False)
    interval = expected.confidence_interval(0.95)
    same((result.statistic, result.df, result.p), (expected.statistic, expected.df, expected.pvalue))
    same(result.ci95, (interval.low, interval.high))
    same(result.mean_difference, np.mean(first) - np.mean(second))
    pooled = math.sqrt((np.var(first, ddof=1) + np.var(second, ddof=1)) / 2)
    same(result.effect_size, (np.mean(first) - np.mean(second)) / pooled)
    assert (result.n, result.reason) == (len(first), None)


@quick
@given(aligned(grid))
def test_paired_t_equals_scipy_on_the_runs_where_both_sides_are_usable(sides: list[list[float]]) -> None:
    first, second = sides
    difference = np.subtract(first, second)
    assume(np.std(difference) > 0)
    result = by_test([9.0, *first, math.inf], [None, *second, 9.0])["paired"]
    expected = stats.ttest_rel(first, second)
    interval = expected.confidence_interval(0.95)
    same((result.statistic, result.df, result.p), (expected.statistic, expected.df, expected.pvalue))
    same(result.ci95, (interval.low, interval.high))
    same(result.effect_size, np.mean(difference) / np.std(difference, ddof=1))
    assert (result.n, result.reason) == (len(first), None)


@quick
@given(aligned(grid), st.integers(1, 10_000), st.integers(1, 60_000))
def test_nadeau_bengio_equals_its_formula(sides: list[list[float]], n_test: int, n_train: int) -> None:
    first, second = sides
    difference = np.subtract(first, second)
    count = len(difference)
    assume(np.std(difference) > 0)
    result = by_test(first, second, n_test=n_test, n_train=n_train)["nadeau_bengio"]
    error = np.sqrt((1 / count + n_test / n_train) * np.var(difference, ddof=1))
    same(result.statistic, difference.mean() / error)
    same(result.p, 2 * stats.t(count - 1).sf(abs(difference.mean() / error)))
    same(result.ci95, stats.t(count - 1, difference.mean(), error).interval(0.95))
    assert result.df == count - 1


def test_overlapping_runs_make_the_corrected_test_more_cautious() -> None:
    first, second = [0.57, 0.55, 0.58, 0.60], [0.42, 0.45, 0.41, 0.43]
    tests = by_test(first, second, n_test=10_000, n_train=60_000)
    assert some(tests["nadeau_bengio"].p) > some(tests["paired"].p)
    shrunk = some(tests["paired"].statistic) / some(tests["nadeau_bengio"].statistic)
    same(shrunk, math.sqrt(1 + 4 / 6))


def test_one_constant_side_leaves_welch_defined() -> None:
    first, second = [0.5, 0.5, 0.5, 0.5], [0.25, 0.5, 0.75, 0.25]
    result = by_test(first, second)["welch"]
    # Without any spread the first side is a known mean: Welch becomes the one-sample test.
    expected = stats.ttest_1samp(second, 0.5)
    same((result.statistic, result.p, result.df), (-expected.statistic, expected.pvalue, 3.0))


def test_constant_sides_have_no_welch_p_but_a_difference_and_a_direction() -> None:
    result = by_test([0.25] * 4, [0.5] * 4)["welch"]
    assert (result.p, result.statistic, result.ci95, result.reason) == (None, None, None, "zero_variance")
    assert (result.mean_difference, result.direction, result.n) == (-0.25, "lower", 4)


def test_differences_equal_up_to_rounding_have_no_variance() -> None:
    second = [0.1, 0.2, 0.7, 0.9]
    first = [value + 0.1 for value in second]
    assert len({a - b for a, b in zip(first, second, strict=True)}) > 1
    tests = by_test(first, second)
    for name in ("paired", "nadeau_bengio"):
        assert (tests[name].p, tests[name].reason, tests[name].direction) == (None, "zero_variance", "higher")
        same(tests[name].mean_difference, 0.1)
    # Four equal differences of one sign: all ranks tie, and 2 of the 16 sign assignments are as extreme.
    assert (tests["wilcoxon"].p, tests["wilcoxon"].effect_size) == (2 / 16, 1.0)


def test_equal_sides_are_equal_in_every_test() -> None:
    tests = by_test([0.25, 0.5, 0.75], [0.25, 0.5, 0.75])
    assert {name: result.reason for name, result in tests.items()} == {
        "welch": None,
        "paired": "zero_variance",
        "nadeau_bengio": "zero_variance",
        "wilcoxon": "all_differences_zero",
    }
    assert tests["welch"].p == 1.0
    assert {(result.mean_difference, result.direction) for result in tests.values()} == {(0.0, "equal")}


def test_fewer_than_three_usable_runs_give_the_difference_without_a_p() -> None:
    tests = by_test([0.5, 1.0, None, 0.75], [0.25, 0.5, 0.5, math.nan])
    for name in ("paired", "nadeau_bengio", "wilcoxon"):
        assert (tests[name].n, tests[name].p, tests[name].reason) == (2, None, "too_few_runs")
        assert (tests[name].mean_difference, tests[name].direction) == (0.375, "higher")
    assert (tests["welch"].n, tests["welch"].reason) == (3, None)
    nothing = by_test([None] * 3, [0.5] * 3)
    assert {(r.n, r.mean_difference, r.direction, r.reason) for r in nothing.values()} == {
        (0, None, None, "too_few_runs")
    }


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(ValueError, match="aligned"):
        compare([0.5], [], n_test=1, n_train=1)
    with pytest.raises(ValueError, match="n_train"):
        compare([0.5], [0.5], n_test=1, n_train=0)
    with pytest.raises(ValueError, match="must not exceed"):
        summarise([1e308], overlap=0.2)


@quick
@given(st.lists(st.tuples(wild, wild), max_size=8))
def test_no_result_is_ever_nan_or_infinite(values: list[tuple[float | None, float | None]]) -> None:
    first, second = [a for a, _ in values], [b for _, b in values]
    numbers = [asdict(result) for result in compare(first, second, n_test=1, n_train=6)]
    json.dumps([numbers, plain(summarise(first, overlap=1 / 6))], allow_nan=False)
    for result in compare(first, second, n_test=1, n_train=6):
        assert (result.p is None) == (result.reason is not None)
        assert result.p is None or 0 <= result.p <= 1


# Wilcoxon -----------------------------------------------------------------------------------------------


def brute_force_p(differences: Sequence[float]) -> float:
    """The share of all sign assignments with a rank sum as far from its mean as the one observed."""
    kept = [d for d in differences if d != 0]
    ranks = stats.rankdata(np.abs(kept))
    observed = abs(ranks[np.array(kept) > 0].sum() - ranks.sum() / 2)
    signs = np.array(list(itertools.product([0, 1], repeat=len(kept))))
    return float(np.mean(np.abs(signs @ ranks - ranks.sum() / 2) >= observed))


@quick
@given(st.lists(grid, min_size=3, max_size=25, unique_by=abs))
def test_wilcoxon_without_ties_equals_scipy(differences: list[float]) -> None:
    assume(0 not in differences)
    result = by_test(differences, [0.0] * len(differences))["wilcoxon"]
    expected = stats.wilcoxon(differences, method="exact")
    same((result.statistic, result.p), (expected.statistic, expected.pvalue))
    assert (result.n, result.df, result.ci95) == (len(differences), None, None)


@quick
@given(st.lists(st.integers(-4, 4), min_size=3, max_size=9))
def test_wilcoxon_with_ties_and_zeros_equals_all_sign_assignments(steps: list[int]) -> None:
    assume(any(steps))
    # Tenths differ from their exact values by rounding: ties must survive that.
    second = [0.3 + 0.01 * index for index in range(len(steps))]
    first = [base + step / 10 for base, step in zip(second, steps, strict=True)]
    result = by_test(first, second)["wilcoxon"]
    same(result.p, brute_force_p(steps))
    assert result.n == len(steps)


@quick
@given(st.lists(st.integers(-30, 30), min_size=EXACT_UP_TO + 20, max_size=90))
def test_wilcoxon_of_many_runs_equals_scipys_normal_approximation(differences: list[int]) -> None:
    assume(np.count_nonzero(differences) > EXACT_UP_TO)
    result = signed_rank(differences, rounding=0.0)
    assert result is not None
    expected = stats.wilcoxon(differences, zero_method="wilcox", correction=False, method="approx")
    same((result.statistic, result.p), (expected.statistic, expected.pvalue))


def test_rank_biserial_correlation_is_the_balance_of_the_rank_sums() -> None:
    # Ranks of |d|: 1, 2, 3, 4; the negative one has rank 2: (8 - 2) / 10.
    assert by_test([0.25, -0.5, 0.75, 1.0], [0.0] * 4)["wilcoxon"].effect_size == 0.6


# Holm ---------------------------------------------------------------------------------------------------


def test_holm_of_a_worked_example() -> None:
    # Sorted .01, .03, .04 (None is no member): 3 x .01, 2 x .03, max(2 x .03, 1 x .04).
    same(holm([0.04, None, 0.01, 0.03]), [0.06, None, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([None]) == [None]


@quick
@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=8))
def test_holm_is_the_largest_multiple_over_all_smaller_ps(p_values: list[float | None]) -> None:
    adjusted = holm(p_values)
    known = sorted(p for p in p_values if p is not None)
    for p, found in zip(p_values, adjusted, strict=True):
        if p is None:
            assert found is None
            continue
        # Closed form: at place i of the sorted family of m, the maximum of (m - k) p_k over k <= i.
        places = range(len(known) - known[::-1].index(p))
        same(found, min(1.0, max((len(known) - place) * known[place] for place in places)))
        assert p <= some(found) <= 1
    pairs = sorted((p, some(a)) for p, a in zip(p_values, adjusted, strict=True) if p is not None)
    assert [a for _, a in pairs] == sorted(a for _, a in pairs)


def test_holm_refuses_what_is_no_probability() -> None:
    with pytest.raises(ValueError, match="p-value"):
        holm([0.5, math.nan])


# All runs -----------------------------------------------------------------------------------------------


def run_of(
    adversarial: Sequence[float | None], misclassified: Sequence[float | None]
) -> dict[str, dict[str, float | None]]:
    """Accuracies at K = 7, 5, 3, 1; on the whole test set they are always .97."""
    return {
        "test": dict.fromkeys(LEVELS, 0.97),
        "adversarial": dict(zip(LEVELS, adversarial, strict=True)),
        "misclassified": dict(zip(LEVELS, misclassified, strict=True)),
    }


def protocol_runs(count: int, seed: int = 3) -> list[dict[str, dict[str, float | None]]]:
    """Runs scattered around the FGSM run of the protocol: higher accuracy on D, and yet lower slopes."""
    noise = np.random.default_rng(seed)

    def scattered(centre: Sequence[float]) -> list[float]:
        return [0.0, *(np.array(centre) + 0.01 * noise.standard_normal(3)).tolist()]

    return [run_of(scattered([0.28, 0.45, 0.57]), scattered([0.13, 0.25, 0.42])) for _ in range(count)]


def over(
    runs: Sequence[RunAccuracies], pairs: Sequence[tuple[str, str]] = (PAIR,)
) -> tuple[SummaryTable, tuple[StatisticalTest, ...]]:
    return statistics_of(runs, LADDER, zero_by_construction=ZERO, n_test=10_000, n_train=60_000, pairs=pairs)


def all_tests(
    runs: Sequence[RunAccuracies], pairs: Sequence[tuple[str, str]] = (PAIR,)
) -> tuple[StatisticalTest, ...]:
    _, tests = over(runs, pairs)
    return tests


def test_every_test_is_listed_once_in_the_documented_order() -> None:
    found = [(t.quantity, t.sets, t.j, t.test) for t in all_tests(protocol_runs(4))]
    tests = ("welch", "paired", "nadeau_bengio", "wilcoxon")
    assert found == list(
        itertools.product(("ratio", "difference", "log_ratio"), [PAIR], ("1", "3", "5"), tests)
    )


def test_tests_over_runs_equal_scipy_on_the_same_slopes() -> None:
    runs = protocol_runs(12)
    for test in all_tests(runs):
        if test.test != "welch" or test.p is None:
            continue
        sides = []
        for name in test.sets:
            fitted = np.array([run[name][test.j] for run in runs])
            general = np.array([run[name][str(int(test.j) + 2)] for run in runs])
            if test.quantity == "difference":
                sides.append(fitted - general)
            else:
                sides.append(fitted / general if test.quantity == "ratio" else np.log(fitted / general))
        expected = stats.ttest_ind(*sides, equal_var=False)
        assert test.p == pytest.approx(expected.pvalue, rel=EXACT)


def test_direction_shows_that_slopes_are_lower_where_accuracy_is_higher() -> None:
    summary, tests = over(protocol_runs(12))
    for level in ("1", "3", "5"):
        adversarial, misclassified = (summary.accuracy[name][level].mean for name in PAIR)
        assert some(adversarial) > some(misclassified)
    directions = {t.direction for t in tests if t.quantity == "ratio" and t.j != "5"}
    assert directions == {"lower"}


def test_the_ratio_over_the_selecting_level_is_never_tested_and_the_difference_is() -> None:
    for test in all_tests(protocol_runs(5)):
        if test.j == "5" and test.quantity != "difference":
            assert (test.p, test.n, test.reason) == (None, 0, "by_construction")
            assert test.mean_difference is None
        else:
            assert test.reason is None


def test_one_selected_set_of_a_pair_is_enough_to_exclude_the_ratio() -> None:
    tests = all_tests(protocol_runs(5), pairs=[("test", "adversarial")])
    excluded = {t.reason for t in tests if t.quantity == "ratio" and t.j == "5"}
    assert excluded == {"by_construction"}


def test_holm_families_are_the_levels_of_one_quantity_pair_and_test() -> None:
    runs = protocol_runs(6)
    tests = all_tests(runs, pairs=[PAIR, ("misclassified", "test")])
    for quantity, pair, name in itertools.product(
        QUANTITIES, [PAIR, ("misclassified", "test")], ("welch", "paired", "nadeau_bengio", "wilcoxon")
    ):
        members = [t for t in tests if (t.quantity, t.sets, t.test) == (quantity, pair, name)]
        defined = sorted(t.p for t in members if t.p is not None)
        assert len(defined) == (3 if quantity == "difference" else 2)
        smallest = min((t for t in members if t.p is not None), key=lambda t: some(t.p))
        assert smallest.p_holm == min(1.0, len(defined) * defined[0])
        assert [t.p_holm is None for t in members] == [t.p is None for t in members]


def test_missing_values_name_their_cause_once_enough_runs_completed() -> None:
    dead = run_of([0.0, 0.0, 0.0, 0.5], [0.0, 0.25, 0.5, 0.0])
    reasons = {(t.quantity, t.j): t.reason for t in all_tests([dead] * 4)}
    assert reasons["ratio", "1"] == reasons["ratio", "3"] == "zero_denominator"
    assert reasons["log_ratio", "1"] == "zero_denominator"
    zero_above = run_of([0.0, 0.25, 0.5, 0.0], [0.0, 0.25, 0.5, 0.5])
    assert {t.reason for t in all_tests([zero_above] * 3) if (t.quantity, t.j) == ("log_ratio", "1")} == {
        "zero_numerator"
    }
    empty = run_of([None] * 4, [0.0, 0.25, 0.5, 0.5])
    assert {t.reason for t in all_tests([empty] * 3)} == {"empty_set", "by_construction"}
    assert {t.reason for t in all_tests([empty] * 2)} == {"too_few_runs", "by_construction"}


def test_no_runs_and_one_run_are_summarised_and_not_tested() -> None:
    summary, tests = over([])
    assert summary.accuracy["adversarial"]["1"] == Summary(mean=None, sd=None, ci95=None, n=0)
    assert {t.reason for t in tests} == {"too_few_runs", "by_construction"}
    summary, _ = over(protocol_runs(1))
    assert summary.accuracy["test"]["7"] == Summary(mean=0.97, sd=None, ci95=None, n=1)


def test_a_set_that_a_run_lacks_counts_as_empty_there() -> None:
    runs = protocol_runs(4)
    del runs[2]["adversarial"]
    summary, _ = over(runs)
    found = summary.accuracy
    assert (found["adversarial"]["1"].n, found["misclassified"]["1"].n) == (3, 4)


def test_unlisted_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="nois"):
        over([], pairs=[("adversarial", "nois")])
    with pytest.raises(ValueError, match="extra"):
        over([{"extra": dict.fromkeys(LEVELS, 0.5)}])


def test_json_has_the_contracts_fields_and_string_keys() -> None:
    found = plain(over(protocol_runs(4)))
    summary, tests = json.loads(to_json(over(protocol_runs(4))))
    assert [summary, tests] == json.loads(json.dumps(found, allow_nan=False))
    numbers = {"n", "statistic", "df", "p", "p_holm", "mean_difference", "ci95", "effect_size"}
    assert set(summary["accuracy"]["adversarial"]) == {"7", "5", "3", "1"}
    assert set(summary["accuracy"]["test"]["7"]) == {"mean", "sd", "ci95", "n"}
    assert set(tests[0]) == {"quantity", "j", "sets", "test", "direction", "reason"} | numbers
    assert (tests[0]["j"], tests[0]["sets"]) == ("1", list(PAIR))


share = st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.0, 1.0, 5e-324, math.nan, math.inf]))
selected = st.tuples(st.sampled_from([0.0, None, math.nan]), share, share, share)


@quick
@given(st.lists(st.builds(run_of, selected, selected), max_size=5))
def test_json_never_holds_nan_or_infinity(runs: list[RunAccuracies]) -> None:
    summary, tests = json.loads(to_json(over(runs)))
    json.dumps([summary, tests], allow_nan=False)
    for test in tests:
        assert (test["p"] is None) == (test["reason"] in REASONS)
        assert (test["p"] is None) == (test["p_holm"] is None)


def test_the_direction_of_ranks_is_that_of_their_effect_not_of_an_outlier_s_mean() -> None:
    first, second = [0.9] * 11 + [9.0], [1.0 + place / 100 for place in range(12)]
    wilcoxon = next(r for r in compare(first, second, n_test=1, n_train=6) if r.test == "wilcoxon")
    assert stats.wilcoxon(first, second).pvalue == pytest.approx(wilcoxon.p, rel=1e-10)
    assert wilcoxon.p is not None
    assert wilcoxon.p < 0.05
    assert wilcoxon.mean_difference is not None
    assert wilcoxon.mean_difference > 0
    assert wilcoxon.direction == "lower"


@pytest.mark.parametrize("case", json.loads(RECORDED.read_text()), ids=lambda case: case["name"])
def test_statistics_are_what_the_first_version_made_of_the_same_runs(case: dict[str, Any]) -> None:
    """Recorded once with version 0.1 of this program: the numbers of an experiment have to last.

    What goes through SciPy's t distribution or a logarithm may differ in the last bits between machines and
    versions of SciPy; nothing else may, nor the order. That version took the runs of a summary for independent, and
    compared the adversarial set with the test set nowhere.
    """
    controls = tuple(map(new_name, case["controls"]))
    found = experiment_statistics(
        Spec(controls=controls, runs=len(case["runs"])),
        {
            run: metrics_from_curves(
                LADDER, run, by_new_names(curves), n_test=case["n_test"], n_train=case["n_train"]
            )
            for run, curves in enumerate(case["runs"])
        },
    )
    assert found.runs == tuple(range(len(case["runs"])))
    summaries: list[list[Any]] = [
        [name, level, s.mean, s.sd, s.n, s.ci95]
        for name, by_level in found.summary.accuracy.items()
        for level, s in by_level.items()
    ]
    assert len(summaries) == len(case["summary"])
    for row, recorded in zip(summaries, case["summary"], strict=True):
        assert row[:5] == [new_name(recorded[0]), *recorded[1:5]]
        assert row[5] == near(widened(recorded[5], row[4], case["n_test"] / case["n_train"]))
    tests = [test for test in found.tests if test.sets != ("adversarial", "test")]
    assert len(found.tests) - len(tests) == 3 * 3 * 4, "of 3 quantities at 3 steps, 4 tests"
    assert len(tests) == len(case["tests"])
    for test, recorded in zip(tests, case["tests"], strict=True):
        named = [test.quantity, test.j, *test.sets, test.test, test.n, test.direction, test.reason]
        assert named == [*recorded[:2], *map(new_name, recorded[2:4]), *recorded[4:8]]
        numbers = [test.statistic, test.df, test.mean_difference, test.effect_size]
        assert numbers == [near(n) if test.quantity == "log_ratio" else n for n in recorded[8:12]]
        assert [test.p, test.p_holm, test.ci95] == [near(n) for n in recorded[12:]]


def widened(interval: list[float] | None, n: int, overlap: float) -> list[float] | None:
    """An interval of a mean over independent runs as that over runs that overlap so much."""
    if interval is None:
        return None
    middle, half = (interval[0] + interval[1]) / 2, (interval[1] - interval[0]) / 2
    factor = math.sqrt(1 + n * overlap)
    return [middle - factor * half, middle + factor * half]


def near(recorded: Any) -> Any:
    return None if recorded is None else pytest.approx(recorded, rel=1e-12, abs=1e-15)
