"""The long tables for other programs to read: a row a run, set and level, and a row a test."""

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
COLUMNS_OF: dict[TableName, tuple[str, ...]] = {"accuracy": COLUMNS, "tests": TEST_COLUMNS}
"""The columns of each table."""


def long_rows(result: dict[str, Any], table: TableName = "accuracy") -> Iterator[list[Any]]:
    """The rows of a table of a JSON result, in the order of `COLUMNS_OF`; what is undefined is None."""
    spec = result["spec"]
    settings = [result["id"], *(spec[name] for name in _SETTINGS[1:])]
    for row in _accuracies(result) if table == "accuracy" else _tests(result):
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
