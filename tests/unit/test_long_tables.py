"""The long tables of tests and the Parquet files hold every number of the JSON result, with its type."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.report.columnar.parquet import long_parquet
from core.report.formats import TABLES, TableName
from core.report.result import Result
from core.report.tables.long import (
    ATTACK_COLUMNS,
    CLAIM_COLUMNS,
    COLUMNS,
    COLUMNS_OF,
    DECIDING_COLUMNS,
    SUMMARY_COLUMNS,
    TEST_COLUMNS,
    long_csv,
)
from tests.fakes.corrected import mean_and_half
from tests.fakes.ladders import with_ladder
from tests.fakes.published import MADE, published


@pytest.fixture(scope="module", params=[*MADE, "words"])
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    home = tmp_path_factory.mktemp("home")
    if request.param == "words":
        return with_ladder(published(home, "complete")[1])
    return published(home, request.param)[1]


@pytest.fixture(scope="module")
def printed(result: Result) -> dict[str, Any]:
    """The JSON result as a reader of the file has it."""
    parsed: dict[str, Any] = json.loads(result.to_text())
    return parsed


def read(result: Result, table: TableName) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(io.BytesIO(long_parquet(result, table))).to_pylist()
    return rows


def settings(result: Result, run: int | None = None) -> dict[str, Any]:
    """What stands in every row, with the rates of the attack in one run, or their means over the runs."""
    figures = [one.attack for index, one in result.metrics.items() if run in (None, index)]
    rates = {}
    for name in ("surrogate_fooled", "target_hit"):
        values = [getattr(one, name) for one in figures if getattr(one, name) is not None]
        rates[name] = pytest.approx(np.mean(values), abs=1e-15) if values else None
    return asked(result) | rates


def asked(result: Result) -> dict[str, Any]:
    spec = result.spec
    return {
        "id": result.id, "status": result.status, "dataset": spec.dataset, "attack": spec.attack,
        "epsilon": spec.epsilon, "family": "knn", "knob": result.ladder.knob, "seed": spec.seed,
    }  # fmt: skip


def test_parquet_has_a_row_for_every_run_set_and_level(result: Result) -> None:
    expected = [
        settings(result, run)
        | {
            "run": run,
            "set": name,
            "size": metrics.counts.sets[name],
            "level": level,
            "accuracy": metrics.accuracy[name][level],
            "slope": metrics.slopes[name].get(level),
        }
        for run, metrics in result.metrics.items()
        for name in result.spec.sets
        for level in result.ladder.levels
    ]
    assert read(result, "accuracy") == expected


def test_parquet_has_a_row_for_every_test(result: Result, printed: dict[str, Any]) -> None:
    rows = read(result, "tests")
    assert len(rows) == len(printed["tests"])
    for row, test in zip(rows, printed["tests"], strict=True):
        expected = {name: value for name, value in test.items() if name not in ("sets", "ci95")}
        interval = dict(zip(("ci95_low", "ci95_high"), test["ci95"] or (None, None), strict=True))
        sets = dict(zip(("first_set", "second_set"), test["sets"], strict=True))
        if test["test"] == "wilcoxon" and test["p"] is not None:
            # Its direction is that of its effect; the mean may lie on the other side.
            expected["mean_difference"] = None
        assert row == {**settings(result), **expected, **interval, **sets}


def test_parquet_has_a_row_for_every_summary_with_its_interval(result: Result) -> None:
    rows = read(result, "summary")
    assert [(row["set"], row["level"]) for row in rows] == [
        (name, level) for name in result.spec.sets for level in result.ladder.levels if result.metrics
    ]
    for row in rows:
        accuracies = [metrics.accuracy[row["set"]][row["level"]] for metrics in result.metrics.values()]
        values = np.array([accuracy for accuracy in accuracies if accuracy is not None])
        assert row == settings(result) | {name: row[name] for name in SUMMARY_COLUMNS[9:-1]}
        assert row["n"] == len(values)
        if len(values) == 0:
            assert row["mean"] is None
        else:
            assert row["mean"] == pytest.approx(values.mean(), abs=1e-12)
        if len(values) < 2:
            assert row["sd"] is row["ci95_low"] is row["ci95_high"] is None
            continue
        assert row["sd"] == pytest.approx(values.std(ddof=1), abs=1e-12)
        mean, half = mean_and_half(values.tolist(), result.metrics[0])
        # Older results have intervals that do not allow for overlap, which are not said to.
        ends = mean - half, mean + half
        assert (row["ci95_low"], row["ci95_high"]) == pytest.approx(ends, abs=1e-12)


def test_there_is_a_row_for_every_claim(result: Result, printed: dict[str, Any]) -> None:
    rows = read(result, "claims")
    assert len(rows) == len(printed["claims"])
    for row, claim in zip(rows, printed["claims"], strict=True):
        low, high = claim["ci95"] or (None, None)
        first, second = (*claim["sets"], None)[:2]
        assert row == settings(result) | {
            "quantity": claim["name"], "first_set": first, "second_set": second, "ci95_low": low,
            "ci95_high": high, **{name: claim[name] for name in ("estimate", "margin", "decision", "n", "reason")},
        }  # fmt: skip


def numbers_in(value: Any) -> int:
    """How many numbers, or places of undefined ones, a part of the JSON result has."""
    if isinstance(value, dict | list):
        return sum(numbers_in(one) for one in (value.values() if isinstance(value, dict) else value))
    return 1


def test_every_number_that_decides_is_a_row_of_its_run(result: Result, printed: dict[str, Any]) -> None:
    rows = read(result, "deciding")
    by_run: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        assert row == settings(result, row["run"]) | {name: row[name] for name in DECIDING_COLUMNS[9:-1]}
        by_run.setdefault(row["run"], []).append(row)
    for entry in printed["runs"]:
        found = by_run.get(entry["index"], [])
        keys = [(row["part"], row["rule"], row["set"], row["level"], row["measure"]) for row in found]
        assert len(set(keys)) == len(keys)
        if entry["robustness"] is None:
            assert found == []
            continue
        there = 0
        for row in found:
            level, measure = row["level"], row["measure"]
            if row["part"].startswith("crossfit"):
                part = entry[row["part"]]
                if level is None:
                    expected = part["counts"][row["set"]][int(measure.removeprefix("images_")) - 1]
                elif measure == "own_accuracy":
                    expected = part["own"][row["set"]][level]
                else:
                    assert measure == "accuracy"
                    expected = part[row["set"]][level]
            elif row["part"] == "bias_variance":
                expected = entry["bias_variance"][row["set"]][level][measure]
            else:
                assert row["part"] == "robustness"
                part = entry["noise"] if row["set"] == "noise" else entry
                part = entry["variants"][row["rule"]] if row["rule"] else part
                expected = part["flips"][measure] if level is None else part["robustness"][level][measure]
            assert row["value"] == expected
            there += 1
        crossfits = [
            {name: value for name, value in entry[part].items() if value is not None}
            for part in ("crossfit", "crossfit_fitted")
        ]
        bias = {
            name: value
            for name, value in entry["bias_variance"].items()
            if name != "subsets" and value is not None
        }
        others = [entry["robustness"], entry["flips"], entry["noise"] or {}, entry["variants"]]
        assert there == numbers_in([*crossfits, bias, *others])


def test_there_is_a_row_for_every_attack_of_every_run(result: Result, printed: dict[str, Any]) -> None:
    expected = [
        asked(result) | {"run": run["index"], "set": name, **figures}
        for run in printed["runs"]
        if run["attack"] is not None
        for name, figures in {"adversarial": run["attack"], **run["sets"]}.items()
    ]
    assert read(result, "attacks") == expected


@pytest.mark.parametrize("table", TABLES)
def test_csv_and_parquet_are_the_same_table(result: Result, table: TableName) -> None:
    rows = list(csv.DictReader(io.StringIO(long_csv(result, table))))
    typed = read(result, table)
    assert len(rows) == len(typed)
    for row, other in zip(rows, typed, strict=True):
        assert row == {name: "" if value is None else str(value) for name, value in other.items()}


@pytest.mark.parametrize("table", TABLES)
def test_columns_have_one_type_also_where_there_is_no_row(tmp_path: Path, table: TableName) -> None:
    whole = {"seed", "run", "size", "n"}
    numbers = {"epsilon", "accuracy", "slope", "statistic", "df", "p", "p_holm", "mean_difference", "ci95_low",
               "ci95_high", "effect_size", "mean", "sd", "surrogate_fooled", "target_hit", "estimate", "margin",
               "value", "linf_max", "l2_mean"}  # fmt: skip
    schemas = []
    for name in ("complete", "nothing_yet"):
        result = published(tmp_path / name, name)[1]
        schemas.append(pq.read_schema(io.BytesIO(long_parquet(result, table))))
    assert schemas[0] == schemas[1]
    for column in COLUMNS_OF[table]:
        expected = pa.int64() if column in whole else pa.float64() if column in numbers else pa.string()
        assert schemas[0].field(column).type == expected, column


def test_the_columns_are_those_that_users_were_promised() -> None:
    settings = (
        "id", "dataset", "attack", "surrogate_fooled", "target_hit", "epsilon", "family", "knob", "seed",
    )  # fmt: skip
    assert (*settings, "run", "set", "size", "level", "accuracy", "slope", "status") == COLUMNS
    assert (
        *settings, "quantity", "first_set", "second_set", "estimate", "ci95_low", "ci95_high", "margin", "decision",
        "n", "reason", "status",
    ) == CLAIM_COLUMNS  # fmt: skip
    assert (
        *settings,
        "run",
        "part",
        "rule",
        "set",
        "level",
        "measure",
        "value",
        "status",
    ) == DECIDING_COLUMNS
    assert ATTACK_COLUMNS == (
        "id", "dataset", "attack", "epsilon", "family", "knob", "seed", "run", "set", "surrogate_fooled",
        "target_hit", "linf_max", "l2_mean", "status",
    )  # fmt: skip
    assert (
        *settings, "quantity", "j", "first_set", "second_set",
        "test", "n", "statistic", "df", "p", "p_holm", "mean_difference", "ci95_low", "ci95_high", "effect_size",
        "direction", "reason", "status",
    ) == TEST_COLUMNS  # fmt: skip
    assert (
        *settings, "set", "level", "mean", "sd", "ci95_low",
        "ci95_high", "n", "status",
    ) == SUMMARY_COLUMNS  # fmt: skip


def test_equal_results_give_equal_bytes(result: Result) -> None:
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
