"""All completed runs of one experiment: the summary of every accuracy and every test, ready for JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from core.statistics.comparison import FEWEST_RUNS, Summary, TestResult, compare, holm, summarise
from core.statistics.slopes import QUANTITIES, Quantity, Reason, Slope, changes

# One run: set -> level -> accuracy, None where the set is empty.
RunAccuracies = Mapping[str, Mapping[int, float | None]]


@dataclass(frozen=True, slots=True)
class SlopeTest:
    """One test of one quantity at level j, `sets[0]` against `sets[1]`.

    p_holm: adjusted over the levels that have a p-value for the same quantity, sets and test.
    """

    quantity: Quantity
    j: int
    sets: tuple[str, str]
    result: TestResult
    p_holm: float | None = None


@dataclass(frozen=True, slots=True)
class Statistics:
    """summary: set -> level -> Summary of the accuracy; tests: by quantity, pair of sets, j, test."""

    summary: dict[str, dict[int, Summary]]
    tests: tuple[SlopeTest, ...]

    def to_json(self) -> dict[str, Any]:
        """The `summary` and `tests` members of the JSON result: plain values, keys are strings, no NaN."""
        accuracy = {
            name: {str(level): _plain(summary) for level, summary in by_level.items()}
            for name, by_level in self.summary.items()
        }
        return {"summary": {"accuracy": accuracy}, "tests": [_test_to_json(test) for test in self.tests]}


def statistics_of(
    runs: Sequence[RunAccuracies],
    *,
    levels: Sequence[int],
    zero_by_construction: Mapping[str, bool],
    n_test: int,
    n_train: int,
    pairs: Sequence[tuple[str, str]],
    counted: Sequence[RunAccuracies] | None = None,
) -> Statistics:
    """Summarise and compare the completed runs (any number, also none).

    runs: the accuracies of each run; a set that a run lacks counts as empty there.
    levels: general to fitted, such as (7, 5, 3, 1).
    zero_by_construction: every set of the experiment -> whether it was selected by the errors at levels[0].
        The ratio over that level is then never tested; the difference is.
    n_test, n_train: images in a run's two parts.
    counted: for each run the accuracies that its changes are computed from, where for some set they stand at
        other levels than in `runs`; by default `runs`.
    pairs: sets to compare, first against second.

    A test that lacks usable runs although enough runs completed names the commonest cause of a missing
    value ("zero_denominator", "zero_numerator", "empty_set") instead of "too_few_runs".
    Raises ValueError for a set that `zero_by_construction` does not list, and as `changes` and `compare` do.
    """
    known = set(zero_by_construction)
    unknown = {*(name for pair in pairs for name in pair), *(name for run in runs for name in run)} - known
    if unknown:
        raise ValueError(f"sets {sorted(unknown)} are not among those of the experiment: {sorted(known)}")

    absent = dict.fromkeys(levels)
    summary = {
        name: {level: summarise([run.get(name, absent)[level] for run in runs]) for level in levels}
        for name in zero_by_construction
    }
    accuracies = {
        name: [run.get(name, absent) for run in (runs if counted is None else counted)]
        for name in zero_by_construction
    }
    tests: list[SlopeTest] = []
    for quantity in QUANTITIES:
        changes_of = {
            name: [
                changes(quantity, accuracy, levels=levels, zero_by_construction=zero_by_construction[name])
                for accuracy in by_run
            ]
            for name, by_run in accuracies.items()
        }
        for pair in pairs:
            for j in reversed(levels[1:]):
                first, second = ([by_level[j] for by_level in changes_of[name]] for name in pair)
                excluded = (
                    quantity != "difference"
                    and j == levels[1]
                    and any(zero_by_construction[name] for name in pair)
                )
                for result in _compare_slopes(first, second, excluded, n_test=n_test, n_train=n_train):
                    tests.append(SlopeTest(quantity, j, pair, result))
    return Statistics(summary, tuple(_with_holm(tests)))


def _compare_slopes(
    first: Sequence[Slope], second: Sequence[Slope], excluded: bool, *, n_test: int, n_train: int
) -> Iterable[TestResult]:
    """The four tests; `excluded` by construction, they are all empty, whatever one side may have."""
    values = [None if excluded else slope.value for slope in first], [slope.value for slope in second]
    missing = Counter(slope.reason for slope in (*first, *second) if slope.reason is not None)
    for result in compare(*values, n_test=n_test, n_train=n_train):
        reason: Reason | None = result.reason
        if excluded:
            reason = "by_construction"
        elif reason == "too_few_runs" and len(first) >= FEWEST_RUNS:
            # Enough runs, too few usable: some value is missing, and its cause tells more than the count.
            reason = missing.most_common(1)[0][0]
        yield replace(result, reason=reason)


def _with_holm(tests: Sequence[SlopeTest]) -> list[SlopeTest]:
    """The same tests in the same order, each adjusted within its family over j."""
    families: dict[tuple[str, tuple[str, str], str], list[int]] = {}
    for index, test in enumerate(tests):
        families.setdefault((test.quantity, test.sets, test.result.test), []).append(index)
    adjusted: dict[int, float | None] = {}
    for members in families.values():
        adjusted.update(zip(members, holm([tests[index].result.p for index in members]), strict=True))
    return [replace(test, p_holm=adjusted[index]) for index, test in enumerate(tests)]


def _plain(record: Summary | TestResult) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(record).items()}


def _test_to_json(test: SlopeTest) -> dict[str, Any]:
    identity = {"quantity": test.quantity, "j": str(test.j), "sets": list(test.sets)}
    return {**identity, **_plain(test.result), "p_holm": test.p_holm}
