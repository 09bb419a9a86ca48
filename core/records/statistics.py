"""Statistics over the runs as they are stored and shown: summaries of a quantity, and tests between two sets."""

from __future__ import annotations

from typing import Literal

from core.records.types import Count, Finite, Name, Record, Share

TestName = Literal["welch", "paired", "nadeau_bengio", "wilcoxon"]
Direction = Literal["higher", "lower", "equal"]
Quantity = Literal["ratio", "difference", "log_ratio"]
Reason = Literal[
    "by_construction",
    "zero_denominator",
    "zero_numerator",
    "empty_set",
    "too_few_runs",
    "zero_variance",
    "all_differences_zero",
]
Interval = tuple[Finite, Finite]


class Summary(Record, frozen=True, kw_only=True):
    """Mean, standard deviation (ddof 1) and 95 % interval of the mean, over `n` accuracies that are usable.

    With n = 0 all are None; with n = 1 there is only a mean.
    """

    mean: Share | None
    sd: Finite | None
    ci95: Interval | None
    n: Count


class StatisticalTest(Record, frozen=True, kw_only=True):
    """One test of one quantity at the step that ends at level `j`, sets[0] against sets[1].

    None is "cannot be had", and `reason` says why.

    n: usable runs: pairs, or for Welch the smaller side (for Wilcoxon before zero differences are dropped).
    mean_difference: mean(first) - mean(second) over the runs used, given whenever there are any.
    ci95: of the mean difference, from the same standard error and t distribution; None for Wilcoxon.
    effect_size: welch: Cohen's d with the standard deviation sqrt((v1 + v2) / 2); paired, nadeau_bengio:
        d_z = mean(d) / sd(d); wilcoxon: the matched-pairs rank-biserial correlation.
    direction: of the first against the second, from mean_difference; for Wilcoxon from the sums of the ranks.
    p_holm: p adjusted over the levels that have one for the same quantity, sets and test.
    """

    quantity: Quantity
    j: Name
    sets: tuple[Name, Name]
    test: TestName
    n: Count
    statistic: Finite | None
    df: Finite | None
    p: Share | None
    mean_difference: Finite | None
    ci95: Interval | None
    effect_size: Finite | None
    direction: Direction | None
    reason: Reason | None
    p_holm: Share | None = None


class SummaryTable(Record, frozen=True, kw_only=True):
    """accuracy: set -> level -> its summary over the runs."""

    accuracy: dict[Name, dict[Name, Summary]]
