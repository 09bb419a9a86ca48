"""Statistics over the runs as they are stored and shown: summaries of a quantity, and tests between two sets."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

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
Decision = Literal["higher", "lower", "same", "undecided"]
Interval = tuple[Finite, Finite]
Sets = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=2)]
"""One set, or two of which the first is compared with the second."""

# A list of a thousand experiments holds some hundred thousand of these: gc=False has the garbage collector pass
# over them. What they hold, numbers and words, cannot lead back to them.


class Summary(Record, frozen=True, kw_only=True, gc=False):
    """Mean, standard deviation (ddof 1) and 95 % interval of the mean, over `n` usable accuracies.

    The interval allows for runs that divide one pool of images (Nadeau and Bengio, 2003); in results of version 1,
    which have no claims, it did not.
    With n = 0 all are None; with n = 1 there is only a mean.
    """

    mean: Share | None
    sd: Finite | None
    ci95: Interval | None
    n: Count


class StatisticalTest(Record, frozen=True, kw_only=True, gc=False):
    """One test of one quantity at the step that ends at level `j`, sets[0] against sets[1].

    A number that cannot be computed is None, and `reason` says why.

    n: usable runs: pairs, or for Welch the smaller side (for Wilcoxon before zero differences are dropped).
    mean_difference: mean(first) - mean(second) over the runs used, given whenever there are any.
    ci95: of the mean difference, from the same standard error and t distribution; None for Wilcoxon.
    effect_size: welch: Cohen's d with the standard deviation sqrt((v1 + v2) / 2); paired, nadeau_bengio:
        d_z = mean(d) / sd(d); wilcoxon: the matched-pairs rank-biserial correlation.
    direction: of the first against the second, from mean_difference; for Wilcoxon from the sums of the ranks.
    p_holm: p adjusted by Holm's method over all levels that have a p for this quantity, these sets and this test.
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

    @property
    def tested_difference(self) -> float | None:
        """The mean difference; None where `direction` and `effect_size` are of ranks (Wilcoxon with a p)."""
        return None if self.test == "wilcoxon" and self.p is not None else self.mean_difference


class Claim(Record, frozen=True, kw_only=True, gc=False):
    """One of the quantities that decide the claim, see `core.statistics.quantities.quantities`.

    sets: the set that it is of, or two: then it is that of the first less that of the second. estimate: the mean
    over the `n` runs that have the quantity. ci95: of the mean, allowing for runs that divide one pool; None where
    `reason` says why. margin: differences of less than so much count as the same. decision: "same" where the
    interval lies within the margin, else "higher" or "lower" where it lies on one side of 0, else "undecided".
    """

    name: Name
    sets: Sets
    estimate: Finite
    ci95: Interval | None
    margin: Finite
    decision: Decision
    n: Count
    reason: Reason | None = None

    @property
    def constant(self) -> bool:
        """Whether the quantity is exactly equal in every run: without spread there is no interval, so undecided."""
        return self.reason == "zero_variance"


class SummaryTable(Record, frozen=True, kw_only=True):
    """accuracy: set -> level -> its summary over the runs."""

    accuracy: dict[Name, dict[Name, Summary]]
