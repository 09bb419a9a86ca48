"""All completed runs of one experiment: the summary of every accuracy, and every test; loads SciPy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace

import msgspec

from core.families.ladder import Ladder
from core.records.statistics import StatisticalTest, SummaryTable
from core.statistics.comparison import Outcome, compare
from core.statistics.holm import holm
from core.statistics.slopes import QUANTITIES, Slope, changes
from core.statistics.student_t import critical_value
from core.statistics.summary import FEWEST_RUNS, summarise

RunAccuracies = Mapping[str, Mapping[str, float | None]]
"""One run: set -> level -> accuracy, None where the set is empty."""


def statistics_of(
    runs: Sequence[RunAccuracies],
    ladder: Ladder,
    *,
    zero_by_construction: Mapping[str, bool],
    n_test: int,
    n_train: int,
    pairs: Sequence[tuple[str, str]],
    counted: Sequence[RunAccuracies] | None = None,
) -> tuple[SummaryTable, tuple[StatisticalTest, ...]]:
    """Summarise and compare the completed runs (any number, also none).

    runs: the accuracies of each run; a set that a run lacks counts as empty there.
    zero_by_construction: every set of the experiment -> whether it was selected by the errors at the most general
        level. The ratio over that level is then never tested; the difference is.
    n_test, n_train: images in a run's two parts.
    pairs: sets to compare, first against second.
    counted: for each run the accuracies that its changes are computed from, where for some set they stand at
        other levels than in `runs`; by default `runs`.

    The tests come by quantity, then by pair, then by step, the most fitted first, then by test.
    A test that lacks usable runs although enough runs completed names the commonest cause of a missing
    value ("zero_denominator", "zero_numerator", "empty_set") instead of "too_few_runs".
    Raises ValueError for a set that `zero_by_construction` does not list, and as `changes` and `compare` do.
    """
    known = set(zero_by_construction)
    unknown = {*(name for pair in pairs for name in pair), *(name for run in runs for name in run)} - known
    if unknown:
        raise ValueError(f"sets {sorted(unknown)} are not among those of the experiment: {sorted(known)}")

    absent = dict.fromkeys(ladder.levels)
    summary = {
        name: {
            level: summarise(
                [run.get(name, absent)[level] for run in runs],
                overlap=n_test / n_train,
                critical_value=critical_value,
            )
            for level in ladder.levels
        }
        for name in zero_by_construction
    }
    accuracies = {
        name: [run.get(name, absent) for run in (runs if counted is None else counted)]
        for name in zero_by_construction
    }
    tests: list[StatisticalTest] = []
    for quantity in QUANTITIES:
        changes_of = {
            name: [
                changes(quantity, accuracy, ladder, zero_by_construction=zero_by_construction[name])
                for accuracy in by_run
            ]
            for name, by_run in accuracies.items()
        }
        for pair in pairs:
            selected = any(zero_by_construction[name] for name in pair)
            for step in reversed(ladder.steps):
                first, second = ([by_level[step.fitted] for by_level in changes_of[name]] for name in pair)
                excluded = selected and quantity != "difference" and step.general == ladder.general
                tests += [
                    StatisticalTest(quantity=quantity, j=step.fitted, sets=pair, **asdict(outcome))
                    for outcome in _compare_slopes(first, second, excluded, n_test=n_test, n_train=n_train)
                ]
    return SummaryTable(accuracy=summary), tuple(_with_holm(tests))


def _compare_slopes(
    first: Sequence[Slope], second: Sequence[Slope], excluded: bool, *, n_test: int, n_train: int
) -> Iterator[Outcome]:
    """The four tests; where the slope is excluded by construction all are empty, whatever one side may have."""
    values = [None if excluded else slope.value for slope in first], [slope.value for slope in second]
    missing = Counter(slope.reason for slope in (*first, *second) if slope.reason is not None)
    for outcome in compare(*values, n_test=n_test, n_train=n_train):
        reason = outcome.reason
        if excluded:
            reason = "by_construction"
        elif reason == "too_few_runs" and len(first) >= FEWEST_RUNS:
            # Enough runs, too few usable: some value is missing, and its cause tells more than the count.
            reason = missing.most_common(1)[0][0]
        yield replace(outcome, reason=reason)


def _with_holm(tests: Sequence[StatisticalTest]) -> list[StatisticalTest]:
    """The tests in their order, each with p_holm: adjusted over those of equal quantity, sets and kind of test."""
    alike: dict[tuple[str, tuple[str, str], str], list[int]] = {}
    for index, test in enumerate(tests):
        alike.setdefault((test.quantity, test.sets, test.test), []).append(index)
    adjusted: dict[int, float | None] = {}
    for members in alike.values():
        adjusted.update(zip(members, holm([tests[index].p for index in members]), strict=True))
    return [msgspec.structs.replace(test, p_holm=adjusted[index]) for index, test in enumerate(tests)]
