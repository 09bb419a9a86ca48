"""The long tables for other programs to read: a row a run, set and level; a row a test; a row a set and level."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from core.report.formats import TableName
from core.report.result import Result

Cell = str | int | float | None

_SETTINGS = ("id", "dataset", "attack", "epsilon", "family", "knob", "seed")
COLUMNS = (*_SETTINGS, "run", "set", "size", "level", "accuracy", "slope", "status")
"""Of the table "accuracy": the complete runs; run counts from 0, size is the number of images in the set, slope
is S_level = A_level / A_(the level before), status the experiment's: only where it is "complete" are the numbers
final."""
TEST_COLUMNS = (
    *_SETTINGS, "quantity", "j", "first_set", "second_set", "test", "n", "statistic", "df", "p", "p_holm",
    "mean_difference", "ci95_low", "ci95_high", "effect_size", "direction", "reason",
    "status",
)  # fmt: skip
"""Of the table "tests": what they hold is said in `core.records.statistics.StatisticalTest`."""
SUMMARY_COLUMNS = (*_SETTINGS, "set", "level", "mean", "sd", "ci95_low", "ci95_high", "n", "status")
"""Of the table "summary": accuracy over the n runs in which it is defined, as in
`core.records.statistics.Summary`; sd is None below two of them, and so are the ends of the 95 % interval."""
COLUMNS_OF: dict[TableName, tuple[str, ...]] = {
    "accuracy": COLUMNS,
    "tests": TEST_COLUMNS,
    "summary": SUMMARY_COLUMNS,
}
"""The columns of each table."""


def long_rows(result: Result, table: TableName = "accuracy") -> Iterator[list[Cell]]:
    """The rows of a table of a result, in the order of `COLUMNS_OF`; what is undefined is None."""
    spec = result.spec
    settings: list[Cell] = [
        result.id, spec.dataset, spec.attack, spec.epsilon, spec.family, result.ladder.knob, spec.seed,
    ]  # fmt: skip
    rows = {"accuracy": _accuracies, "tests": _tests, "summary": _summaries}[table]
    for row in rows(result):
        yield [*settings, *row, result.status.value]


def long_csv(result: Result, table: TableName = "accuracy") -> str:
    """A table as CSV with a header; what is undefined is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS_OF[table])
    writer.writerows(long_rows(result, table))
    return text.getvalue()


def _accuracies(result: Result) -> Iterator[list[Cell]]:
    for run, metrics in result.metrics.items():
        for name, accuracy in metrics.accuracy.items():
            size, slopes = metrics.counts.sets[name], metrics.slopes.get(name, {})
            for level in metrics.ladder.levels:
                yield [run, name, size, level, accuracy[level], slopes.get(level)]


def _tests(result: Result) -> Iterator[list[Cell]]:
    for test in result.tests:
        low, high = test.ci95 or (None, None)
        yield [
            test.quantity, test.j, *test.sets, test.test, test.n, test.statistic, test.df, test.p, test.p_holm,
            test.mean_difference, low, high, test.effect_size, test.direction, test.reason,
        ]  # fmt: skip


def _summaries(result: Result) -> Iterator[list[Cell]]:
    if result.summary is None:
        return
    for name, by_level in result.summary.accuracy.items():
        for level in result.ladder.levels:
            summary = by_level[level]
            low, high = summary.ci95 or (None, None)
            yield [name, level, summary.mean, summary.sd, low, high, summary.n]
