"""The long tables for other programs to read: a row a run, set and level; a row a test; a row a set and level."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from core.report.formats import TableName

_SETTINGS = ("id", "dataset", "attack", "epsilon", "z", "seed")
COLUMNS = (*_SETTINGS, "run", "set", "size", "k", "accuracy", "slope", "status")
"""Of the table "accuracy": the complete runs; run counts from 0, size is the number of images in the set, slope
is S_k = A_k / A_{k+2}, status the experiment's: only where it is "complete" are the numbers final."""
TEST_COLUMNS = (
    *_SETTINGS, "quantity", "j", "first_set", "second_set", "test", "n", "statistic", "df", "p", "p_holm",
    "mean_difference", "ci95_low", "ci95_high", "effect_size", "direction", "reason",
    "status",
)  # fmt: skip
"""Of the table "tests": what they hold is said in `core.statistics.comparison.TestResult`."""
SUMMARY_COLUMNS = (*_SETTINGS, "set", "k", "mean", "sd", "ci95_low", "ci95_high", "n", "status")
"""Of the table "summary": accuracy over the n runs in which it is defined, as in
`core.statistics.comparison.Summary`; sd is None below two of them, and so are the ends of the 95 % interval."""
COLUMNS_OF: dict[TableName, tuple[str, ...]] = {
    "accuracy": COLUMNS,
    "tests": TEST_COLUMNS,
    "summary": SUMMARY_COLUMNS,
}
"""The columns of each table."""


def long_rows(result: dict[str, Any], table: TableName = "accuracy") -> Iterator[list[Any]]:
    """The rows of a table of a JSON result, in the order of `COLUMNS_OF`; what is undefined is None."""
    spec = result["spec"]
    settings = [result["id"], *(spec[name] for name in _SETTINGS[1:])]
    rows = {"accuracy": _accuracies, "tests": _tests, "summary": _summaries}[table]
    for row in rows(result):
        yield [*settings, *row, result["status"]]


def long_csv(result: dict[str, Any], table: TableName = "accuracy") -> str:
    """A table as CSV with a header; what is undefined is an empty field."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS_OF[table])
    writer.writerows(long_rows(result, table))
    return text.getvalue()


def _accuracies(result: dict[str, Any]) -> Iterator[list[Any]]:
    for run in result["runs"]:
        if run["status"] == "complete":
            for name, by_level in run["accuracy"].items():
                size = run["counts"]["sets"][name]
                slope = run["slopes"][name]
                for level, accuracy in by_level.items():
                    yield [run["index"], name, size, int(level), accuracy, slope.get(level)]


def _tests(result: dict[str, Any]) -> Iterator[list[Any]]:
    for test in result["tests"]:
        low, high = test["ci95"] or (None, None)
        yield [
            test["quantity"], int(test["j"]), *test["sets"], test["test"],
            *(test[name] for name in ("n", "statistic", "df", "p", "p_holm", "mean_difference")),
            low, high, test["effect_size"], test["direction"], test["reason"],
        ]  # fmt: skip


def _summaries(result: dict[str, Any]) -> Iterator[list[Any]]:
    if result["summary"] is None:
        return
    for name, by_level in result["summary"]["accuracy"].items():
        for level, summary in by_level.items():
            low, high = summary["ci95"] or (None, None)
            yield [name, int(level), summary["mean"], summary["sd"], low, high, summary["n"]]
