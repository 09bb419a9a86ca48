"""The long tables of tests and the Parquet files hold every number of the JSON result, with its type."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from core.report.formats import TABLES, TableName
from core.report.tables.long import COLUMNS, COLUMNS_OF, SUMMARY_COLUMNS, TEST_COLUMNS, long_csv
from core.report.tables.parquet import long_parquet
from tests.published import MADE, published


@pytest.fixture(scope="module", params=list(MADE))
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return published(tmp_path_factory.mktemp("home"), request.param)[1]


def read(result: dict[str, Any], table: TableName) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(long_parquet(result, table))).to_pylist()
    return rows


def settings(result: dict[str, Any]) -> dict[str, Any]:
    return {"id": result["id"], "status": result["status"]} | {
        name: result["spec"][name] for name in ("dataset", "attack", "epsilon", "z", "seed")
    }


def test_parquet_has_a_row_for_every_run_set_and_level(result: dict[str, Any]) -> None:
    expected = [
        settings(result)
        | {
            "run": run["index"],
            "set": name,
            "size": run["counts"]["sets"][name],
            "k": int(k),
            "accuracy": accuracy,
            "slope": run["slopes"][name].get(k),
        }
        for run in result["runs"]
        if run["status"] == "complete"
        for name, by_k in run["accuracy"].items()
        for k, accuracy in by_k.items()
    ]
    assert read(result, "accuracy") == expected
    assert len(expected) == sum(
        len(by_k) for run in result["runs"] for by_k in (run["accuracy"] or {}).values()
    )


def test_parquet_has_a_row_for_every_test(result: dict[str, Any]) -> None:
    rows = read(result, "tests")
    assert len(rows) == len(result["tests"])
    for row, test in zip(rows, result["tests"], strict=True):
        expected = {name: value for name, value in test.items() if name not in ("sets", "ci95", "j")}
        interval = dict(zip(("ci95_low", "ci95_high"), test["ci95"] or (None, None), strict=True))
        sets = dict(zip(("first_set", "second_set"), test["sets"], strict=True))
        assert row == {**settings(result), **expected, **interval, **sets, "j": int(test["j"])}


def test_parquet_has_a_row_for_every_summary_with_its_interval(result: dict[str, Any]) -> None:
    rows = read(result, "summary")
    complete = [run for run in result["runs"] if run["status"] == "complete"]
    levels = range(result["spec"]["z"], 0, -2)
    names = ("test", "misclassified", "adversarial", *result["spec"]["controls"])
    assert [(row["set"], row["k"]) for row in rows] == [
        (name, k) for name in names for k in levels if complete
    ]
    for row in rows:
        accuracies = [run["accuracy"][row["set"]][str(row["k"])] for run in complete]
        values = np.array([accuracy for accuracy in accuracies if accuracy is not None])
        assert row == settings(result) | {name: row[name] for name in SUMMARY_COLUMNS[6:-1]}
        assert row["n"] == len(values)
        if len(values) == 0:
            assert row["mean"] is None
        else:
            assert row["mean"] == pytest.approx(values.mean(), abs=1e-12)
        if len(values) < 2:
            assert row["sd"] is row["ci95_low"] is row["ci95_high"] is None
            continue
        assert row["sd"] == pytest.approx(values.std(ddof=1), abs=1e-12)
        half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
        ends = values.mean() - half, values.mean() + half
        assert (row["ci95_low"], row["ci95_high"]) == pytest.approx(ends, abs=1e-12)


@pytest.mark.parametrize("table", TABLES)
def test_csv_and_parquet_are_the_same_table(result: dict[str, Any], table: TableName) -> None:
    rows = list(csv.DictReader(io.StringIO(long_csv(result, table))))
    typed = read(result, table)
    assert len(rows) == len(typed)
    for row, other in zip(rows, typed, strict=True):
        assert row == {name: "" if value is None else str(value) for name, value in other.items()}


@pytest.mark.parametrize("table", TABLES)
def test_columns_have_one_type_also_where_there_is_no_row(tmp_path: Path, table: TableName) -> None:
    whole = {"z", "seed", "run", "size", "k", "j", "n"}
    numbers = {"epsilon", "accuracy", "slope", "statistic", "df", "p", "p_holm", "mean_difference", "ci95_low",
               "ci95_high", "effect_size", "mean", "sd"}  # fmt: skip
    schemas = []
    for name in ("complete", "nothing_yet"):
        result = published(tmp_path / name, name)[1]
        schemas.append(pq.read_schema(io.BytesIO(long_parquet(result, table))))
    assert schemas[0] == schemas[1]
    for column in COLUMNS_OF[table]:
        expected = pa.int64() if column in whole else pa.float64() if column in numbers else pa.string()
        assert schemas[0].field(column).type == expected, column


def test_the_columns_are_those_that_users_were_promised() -> None:
    assert COLUMNS == (
        "id", "dataset", "attack", "epsilon", "z", "seed", "run", "set", "size", "k", "accuracy", "slope",
        "status",
    )  # fmt: skip
    assert TEST_COLUMNS == (
        "id", "dataset", "attack", "epsilon", "z", "seed", "quantity", "j", "first_set", "second_set", "test", "n",
        "statistic", "df", "p", "p_holm", "mean_difference", "ci95_low", "ci95_high", "effect_size", "direction",
        "reason", "status",
    )  # fmt: skip
    assert SUMMARY_COLUMNS == (
        "id", "dataset", "attack", "epsilon", "z", "seed", "set", "k", "mean", "sd", "ci95_low", "ci95_high", "n",
        "status",
    )  # fmt: skip


def test_equal_results_give_equal_bytes(result: dict[str, Any]) -> None:
    assert long_parquet(result, "tests") == long_parquet(result, "tests")


def test_undefined_is_null_and_never_nan(tmp_path: Path) -> None:
    for name in ("empty_sets", "no_spread"):
        rows = read(published(tmp_path / name, name)[1], "tests")
        undefined = [row for row in rows if row["p"] is None]
        assert undefined
        assert all(row["reason"] for row in undefined)
        assert not any(
            isinstance(value, float) and math.isnan(value) for row in rows for value in row.values()
        )
