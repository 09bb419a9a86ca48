"""What is printed and exported says the same as the runs' images: every number is counted again here."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.protocol.run import compute_run
from core.report.result import RUN_FIELDS, result_of
from core.report.tables.long import COLUMNS, long_csv
from core.report.tables.text import align, tables
from core.sets.catalogue import PAPER_SETS, SETS
from core.spec.spec import Spec
from core.statistics.slopes import REASONS
from tests.hand_made import (
    ENVIRONMENT,
    HandMade,
    accuracy_of,
    draw_answers,
    make_experiment,
    metrics_of,
    slopes_of,
)
from tests.made_up import made_up_pool

SPEC = Spec(dataset="digits", z=7, runs=5, seed=3, epochs=2, controls=("noise", "sources"))
NAMES = (*PAPER_SETS, *SPEC.controls)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> HandMade:
    return make_experiment(tmp_path_factory.mktemp("home"), SPEC)


@pytest.fixture(scope="module")
def result(made: HandMade) -> dict[str, Any]:
    return result_of(made.experiment.state())


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """An experiment in which no attack ever succeeded."""
    sizes = {"adversarial": 0, "sources": 0}
    answers = [draw_answers(SPEC, run, sizes) for run in range(SPEC.runs)]
    home = tmp_path_factory.mktemp("emptied")
    return result_of(make_experiment(home, SPEC, answers=answers).experiment.state())


def accuracies(made: HandMade, name: str) -> NDArray[np.float64]:
    """(runs, levels) accuracy, the most general level first."""
    return np.array([answers[name].mean(axis=1) for answers in made.answers.values()])


def cells(text: str) -> list[list[str]]:
    """A table's rows: columns stand two spaces or more apart."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


def section(result: dict[str, Any], header: str) -> str:
    """The block of the printed tables that begins with `header`."""
    (block,) = (part for part in tables(result).split("\n\n") if part.startswith(header))
    return block


# The JSON result


def test_the_result_has_the_members_that_users_were_promised(result: dict[str, Any]) -> None:
    assert result.keys() >= {
        "schema_version",
        "id",
        "status",
        "spec",
        "environment",
        "runs",
        "summary",
        "tests",
    }
    assert result["environment"].keys() >= {"versions", "device", "threads", "cpu"}
    assert len(result["runs"]) == SPEC.runs
    for index, run in enumerate(result["runs"]):
        assert run.keys() >= {
            "index", "status", "counts", "surrogate_accuracy", "attack", "accuracy", "slopes", "seconds",
        }  # fmt: skip
        assert (run["index"], run["status"]) == (index, "complete")
        assert run["counts"].keys() >= {
            "train", "test", "correct", "misclassified", "candidates", "adversarial", "adversarial_sources",
        }  # fmt: skip
        assert run["attack"].keys() == {"surrogate_fooled", "target_hit", "linf_max", "l2_mean"}
        assert set(run["accuracy"]) == set(run["slopes"]) == set(NAMES)
        assert all(set(by_k) == {"1", "3", "5", "7"} for by_k in run["accuracy"].values())
        assert all(set(by_j) == {"1", "3", "5"} for by_j in run["slopes"].values())
    assert set(result["summary"]["accuracy"]) == set(NAMES)
    for by_k in result["summary"]["accuracy"].values():
        assert set(by_k) == {"1", "3", "5", "7"}
        assert all(summary.keys() == {"mean", "sd", "ci95", "n"} for summary in by_k.values())
    for test in result["tests"]:
        assert test.keys() == {
            "quantity", "j", "sets", "test", "n", "statistic", "df", "p", "p_holm", "mean_difference", "ci95",
            "effect_size", "direction", "reason",
        }  # fmt: skip
        assert test["quantity"] in ("ratio", "difference", "log_ratio")
        assert test["test"] in ("welch", "paired", "nadeau_bengio", "wilcoxon")
        assert test["j"] in ("1", "3", "5")


def test_the_result_is_strict_json_and_nothing_is_lost_in_it(result: dict[str, Any]) -> None:
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_the_result_names_the_experiment_its_spec_and_where_it_was_computed(
    made: HandMade, result: dict[str, Any]
) -> None:
    assert (result["id"], result["status"]) == (made.experiment.id, "complete")
    assert Spec.from_mapping(result["spec"]) == SPEC
    assert result["environment"] == ENVIRONMENT
    assert result["statistics_runs"] == [0, 1, 2, 3, 4]


def test_accuracies_and_slopes_of_a_run_are_those_of_its_answers(
    made: HandMade, result: dict[str, Any]
) -> None:
    for run, answers in made.answers.items():
        for name, right in answers.items():
            assert result["runs"][run]["accuracy"][name] == accuracy_of(SPEC, right)
            assert result["runs"][run]["slopes"][name] == slopes_of(SPEC, right)


def test_the_summary_is_the_mean_over_the_runs_with_students_interval(
    made: HandMade, result: dict[str, Any]
) -> None:
    for name in NAMES:
        for column, k in enumerate(SPEC.levels):
            values = accuracies(made, name)[:, column]
            summary = result["summary"]["accuracy"][name][str(k)]
            assert summary["n"] == 5
            assert summary["mean"] == pytest.approx(values.mean(), abs=1e-12)
            assert summary["sd"] == pytest.approx(values.std(ddof=1), abs=1e-12)
            if values.std():
                interval = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
                assert summary["ci95"] == pytest.approx(list(interval), abs=1e-12)


def test_the_tests_compare_the_slopes_of_the_same_runs(made: HandMade, result: dict[str, Any]) -> None:
    first, second = ([slopes_of(SPEC, a[name])["1"] for a in made.answers.values()]
                     for name in ("adversarial", "misclassified"))  # fmt: skip
    expected = {
        "welch": stats.ttest_ind(first, second, equal_var=False).pvalue,
        "paired": stats.ttest_rel(first, second).pvalue,
        "wilcoxon": stats.wilcoxon(first, second, method="exact").pvalue,
    }
    found = {
        test["test"]: test["p"]
        for test in result["tests"]
        if (test["quantity"], test["j"]) == ("ratio", "1")
        and test["sets"] == ["adversarial", "misclassified"]
    }
    for name, p in expected.items():
        assert found[name] == pytest.approx(p, rel=1e-9), name


def test_a_ratio_over_an_accuracy_that_is_zero_by_construction_is_null_with_the_reason(
    result: dict[str, Any],
) -> None:
    for test in result["tests"]:
        if test["quantity"] != "difference" and test["j"] == "5":
            assert (test["p"], test["p_holm"], test["reason"]) == (None, None, "by_construction")
    for run in result["runs"]:
        for name, entry in SETS.items():
            if name in NAMES and entry.begins_at_zero:
                assert run["slopes"][name]["5"] is None
                assert run["slope_reasons"][name]["5"]


def test_an_empty_set_is_null_everywhere_and_says_why(emptied: dict[str, Any]) -> None:
    json.dumps(emptied, allow_nan=False)
    for run in emptied["runs"]:
        assert run["accuracy"]["adversarial"] == dict.fromkeys(("7", "5", "3", "1"))
    nothing = {"mean": None, "sd": None, "ci95": None, "n": 0}
    assert emptied["summary"]["accuracy"]["adversarial"] == dict.fromkeys(("7", "5", "3", "1"), nothing)
    for test in emptied["tests"]:
        assert (test["p"], test["p_holm"]) == (None, None)
        assert test["reason"] in ("empty_set", "by_construction")


def test_runs_without_a_result_are_null_with_their_status(tmp_path: Path) -> None:
    failures = {1: ("the surrogate did not learn", "use more epochs")}
    made = make_experiment(tmp_path, SPEC, complete=[0, 3, 4], failures=failures)
    result = result_of(made.experiment.state())
    assert result["status"] == "failed"
    assert [run["status"] for run in result["runs"]] == [
        "complete",
        "failed",
        "pending",
        "complete",
        "complete",
    ]
    for run in (1, 2):
        told = {key: value for key, value in result["runs"][run].items() if value is not None}
        error = {"error": "the surrogate did not learn", "hint": "use more epochs"} if run == 1 else {}
        assert told == {"index": run, "status": ("failed", "pending")[run - 1], **error}
    assert result["statistics_runs"] == [0, 3, 4]
    assert result["summary"]["accuracy"]["test"]["1"]["n"] == 3
    assert len(list(csv.reader(io.StringIO(long_csv(result))))) == 1 + 3 * len(NAMES) * 4
    text = tables(result)
    assert "failed  3 of 5 runs" in text
    assert "run 2 failed: the surrogate did not learn" in text
    assert [row[0] for row in cells(section(result, "run  "))] == ["run", "1", "4", "5"]
    assert "mean of 3 runs" in text


def test_before_anything_is_computed_there_is_only_what_was_asked_for(tmp_path: Path) -> None:
    made = make_experiment(tmp_path, SPEC, complete=[])
    result = result_of(made.experiment.state())
    assert (result["summary"], result["tests"], result["statistics_runs"]) == (None, [], [])
    assert long_csv(result) == ",".join(COLUMNS) + "\n"
    assert tables(result).splitlines()[0] == f"{made.experiment.id}  interrupted  0 of 5 runs"
    assert len(tables(result).splitlines()) == 2


def test_runs_made_by_hand_have_the_members_of_computed_ones() -> None:
    spec = Spec(dataset="/made/up.npz", z=3, runs=1, epochs=1, controls=("sources",))
    computed = compute_run(spec, 0, made_up_pool(images=140)).metrics
    by_hand = metrics_of(spec, 0, draw_answers(spec, 0))
    assert computed.keys() == by_hand.keys() - {"schema_version", "data_sha256", "environment"}
    assert set(RUN_FIELDS) - {"data_sha256", "environment"} <= computed.keys()
    for member, value in computed.items():
        if isinstance(value, dict) and member not in ("seconds", "slope_reasons"):
            expected = by_hand[member]
            assert isinstance(expected, dict)
            assert value.keys() == expected.keys(), member


# Tables


def test_the_heading_says_what_was_run_and_how_far_it_is(made: HandMade, result: dict[str, Any]) -> None:
    first, second = tables(result).splitlines()[:2]
    assert first == f"{made.experiment.id}  complete  5 of 5 runs"
    assert second == "digits, fgsm, epsilon 0.1, Z 7, seed 3, 2 epochs"


def test_the_accuracy_table_shows_the_mean_and_half_the_interval_of_every_set(
    made: HandMade, result: dict[str, Any]
) -> None:
    header, *rows, note = cells(section(result, "accuracy"))
    assert header == ["accuracy", "images", "K = 7", "K = 5", "K = 3", "K = 1"]
    assert [row[0] for row in rows] == list(NAMES)
    for name, images, *shown in rows:
        assert images == ("100" if name == "test" else "40")
        values = accuracies(made, name)
        half = stats.t.ppf(0.975, 4) * values.std(axis=0, ddof=1) / math.sqrt(5)
        assert shown == [f"{mean:.4f} ± {h:.4f}" for mean, h in zip(values.mean(axis=0), half, strict=True)]
    assert note == ["mean of 5 runs ± half the 95 % interval; images a run"]


def test_the_images_of_a_set_are_their_mean_over_the_runs(tmp_path: Path) -> None:
    spec = Spec(dataset="digits", z=3, runs=3, controls=())
    sizes = [1000, 0, 2351]
    answers = [draw_answers(spec, run, {"adversarial": size}) for run, size in enumerate(sizes)]
    shown = section(
        result_of(make_experiment(tmp_path, spec, answers=answers).experiment.state()), "accuracy"
    )
    images = {row[0]: row[1] for row in cells(shown)[:-1]}
    assert images == {"accuracy": "images", "test": "100", "misclassified": "40", "adversarial": "1,117"}
    answers[0] = draw_answers(spec, 0, {"adversarial": 1001})
    shown = section(
        result_of(make_experiment(tmp_path / "b", spec, answers=answers).experiment.state()), "acc"
    )
    assert cells(shown)[3][1] == "1,117.3"


def test_the_counts_table_has_a_row_a_run_counted_from_one(result: dict[str, Any]) -> None:
    header, *rows = cells(section(result, "run  "))
    columns = [
        "run",
        "surrogate",
        "correct",
        "misclassified",
        "candidates",
        "adversarial",
        "sources",
        "seconds",
    ]
    assert header == columns
    assert rows == [
        # 33 s and one more each run: split, surrogate, candidates, not again the parts of the candidates.
        [str(run + 1), f"{0.98 + run / 1000:.4f}", "60", "40", f"9,00{run}", "40", "20", str(33 + run)]
        for run in range(5)
    ]


def test_every_p_value_that_is_printed_is_one_of_the_tests(result: dict[str, Any]) -> None:
    compared = [test for test in result["tests"] if test["sets"] == ["adversarial", "misclassified"]]
    expected = sorted(f"{t['p']:.2g} / {t['p_holm']:.2g}" for t in compared if t["p"] is not None)
    number = r"[0-9.]+(?:e-?[0-9]+)?"
    printed = re.findall(rf"{number} / {number}", tables(result))
    assert len(expected) >= 20, "too few to protect anything"
    assert sorted(printed) == expected


def test_every_reason_that_stands_in_the_tables_is_explained_in_words(
    result: dict[str, Any], emptied: dict[str, Any]
) -> None:
    for one, codes in ((result, ["by_construction"]), (emptied, ["by_construction", "empty_set"])):
        text = " ".join(tables(one).split())
        for code, words in REASONS.items():
            assert (words in text) == (code in codes), code


def test_an_empty_set_is_a_dash_in_the_accuracy_table(emptied: dict[str, Any]) -> None:
    rows = {name: shown for name, *shown in cells(section(emptied, "accuracy"))}
    assert rows["accuracy"][-1] == "runs"
    assert rows["adversarial"] == rows["sources"] == ["0", *["-"] * 4, "0"]
    _, *shown, runs = rows["misclassified"]
    assert all("±" in cell for cell in shown)
    assert runs == str(emptied["summary"]["accuracy"]["misclassified"]["1"]["n"])
    assert "nan" not in tables(emptied).lower()
    assert "none" not in tables(emptied).lower()


def test_one_run_has_means_and_no_intervals(tmp_path: Path) -> None:
    spec = Spec(dataset="digits", z=5, runs=1, controls=())
    made = make_experiment(tmp_path, spec)
    result = result_of(made.experiment.state())
    header, *rows, note = cells(section(result, "accuracy"))
    assert header == ["accuracy", "images", "K = 5", "K = 3", "K = 1"]
    for name, _, *shown in rows:
        assert shown == [f"{value:.4f}" for value in made.answers[0][name].mean(axis=1)]
    assert note == ["one run"]
    assert all(test["p"] is None and test["reason"] for test in result["tests"])


def test_a_table_has_aligned_columns_and_no_blanks_at_its_ends() -> None:
    assert align([("name", "n"), ("a", "1,000"), ("longer", "")]) == "name        n\na       1,000\nlonger"


def test_a_table_that_is_too_wide_stands_in_blocks_with_the_first_column_in_each() -> None:
    rows = [("name", "one", "two", "three"), ("a", "1", "2", "3")]
    assert align(rows, 21) == "name  one  two  three\na       1    2      3"
    assert align(rows, 20) == "name  one  two\na       1    2\n\nname  three\na         3"
    assert align(rows, 1) == "name  one\na       1\n\nname  two\na       2\n\nname  three\na         3"


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_wider_than_there_is_room_and_no_cell_is_lost(tmp_path: Path, width: int) -> None:
    spec = Spec(dataset="digits", z=31, runs=3)
    result = result_of(make_experiment(tmp_path, spec).experiment.state())
    text = tables(result, width)
    assert max(map(len, text.splitlines())) <= width
    for name in ("accuracy", "noise", "one-per-source"):
        assert text.count(f"\n{name} ") == text.count("\naccuracy ")
    assert text.count("±") == 1 + len(SETS) * 16


def test_the_text_ends_without_a_newline(result: dict[str, Any]) -> None:
    assert tables(result) == tables(result).rstrip()


# The long table


def test_the_long_table_has_a_row_for_every_run_set_and_level(made: HandMade, result: dict[str, Any]) -> None:
    rows = list(csv.DictReader(io.StringIO(long_csv(result))))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["run"], row["set"], row["k"]) for row in rows] == [
        (str(run), name, str(k)) for run in range(5) for name in NAMES for k in SPEC.levels
    ]
    for row in rows:
        right = made.answers[int(row["run"])][row["set"]]
        assert int(row["size"]) == right.shape[1]
        assert float(row["accuracy"]) == accuracy_of(SPEC, right)[row["k"]]
        slope = slopes_of(SPEC, right).get(row["k"])
        assert row["slope"] == "" if slope is None else float(row["slope"]) == slope
        assert [row[name] for name in COLUMNS[:6]] == [made.experiment.id, "digits", "fgsm", "0.1", "7", "3"]
    assert any(row["slope"] for row in rows)


def test_what_is_undefined_is_an_empty_field(emptied: dict[str, Any]) -> None:
    rows = [row for row in csv.DictReader(io.StringIO(long_csv(emptied))) if row["set"] == "adversarial"]
    assert len(rows) == 5 * 4
    assert {(row["size"], row["accuracy"], row["slope"]) for row in rows} == {("0", "", "")}


def test_a_path_with_commas_and_quotes_survives_the_csv(tmp_path: Path) -> None:
    path = '/data/moths, "night"\nand day.npz'
    made = make_experiment(tmp_path, Spec(dataset=path, z=3, runs=1, controls=()))
    rows = list(csv.DictReader(io.StringIO(long_csv(result_of(made.experiment.state())))))
    assert len(rows) == 3 * 2
    assert {row["dataset"] for row in rows} == {path}
