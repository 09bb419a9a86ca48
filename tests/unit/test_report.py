"""What is printed and exported says the same as the runs' images: every number is counted again here."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from core.engine.statistics import experiment_statistics
from core.families.ladder import Ladder
from core.records.metrics import RunMetrics
from core.records.results import publish
from core.records.state import read_state
from core.records.statistics import StatisticalTest, SummaryTable
from core.records.types import convert
from core.report.result import Result, result_of
from core.report.tables.long import COLUMNS, long_csv
from core.report.tables.text import align, tables
from core.sets.registry import PAPER_SETS, SETS
from core.spec.spec import Spec
from core.statistics.slopes import REASONS
from tests.fakes.experiments import (
    AnsweredExperiment,
    append_events,
    make_experiment_from_answers,
    write_no_arrays,
)
from tests.fakes.ladders import WORDS, with_ladder
from tests.fakes.numbers import ENVIRONMENT, accuracy_of, draw_answers, metrics_from_answers, slopes_of
from tests.fakes.published import published

SPEC = Spec(dataset="digits", runs=5, seed=3, epochs=2, controls=("noise", "sources"), options={"z": 7})
LEVELS = ("7", "5", "3", "1")
NAMES = (*PAPER_SETS, *SPEC.controls)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> AnsweredExperiment:
    return make_experiment_from_answers(tmp_path_factory.mktemp("home"), SPEC)


@pytest.fixture(scope="module")
def result(made: AnsweredExperiment) -> Result:
    return result_of(read_state(made.experiment))


@pytest.fixture(scope="module")
def printed(result: Result) -> dict[str, Any]:
    """The JSON result as a reader of the file has it."""
    parsed: dict[str, Any] = json.loads(result.to_text())
    return parsed


@pytest.fixture(scope="module")
def emptied(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """An experiment in which no attack ever succeeded."""
    sizes = {"adversarial": 0, "sources": 0}
    answers = [draw_answers(SPEC, run, sizes) for run in range(SPEC.runs)]
    home = tmp_path_factory.mktemp("emptied")
    return result_of(read_state(make_experiment_from_answers(home, SPEC, answers=answers).experiment))


def accuracies(made: AnsweredExperiment, name: str) -> NDArray[np.float64]:
    """(runs, levels) accuracy, the most general level first."""
    return np.array([answers[name].mean(axis=1) for answers in made.answers.values()])


def cells(text: str) -> list[list[str]]:
    """A table's rows: columns stand two spaces or more apart."""
    return [re.split(r" {2,}", line.strip()) for line in text.splitlines()]


def section(result: Result, header: str) -> str:
    """The block of the printed tables that begins with `header`."""
    (block,) = (part for part in tables(result).split("\n\n") if part.startswith(header))
    return block


# The JSON result


def test_the_result_has_the_members_that_users_were_promised(printed: dict[str, Any]) -> None:
    assert printed.keys() >= {
        "schema_version",
        "id",
        "status",
        "ladder",
        "spec",
        "environment",
        "runs",
        "summary",
        "tests",
    }
    assert (printed["schema_version"], printed["ladder"]["knob"]) == (2, "K")
    assert printed["ladder"]["levels"] == list(LEVELS)
    assert printed["environment"].keys() >= {"versions", "device", "cpu"}
    assert len(printed["runs"]) == SPEC.runs
    for index, run in enumerate(printed["runs"]):
        assert run.keys() >= {
            "index", "status", "counts", "surrogate_accuracy", "attack", "accuracy", "slopes", "seconds",
        }  # fmt: skip
        assert (run["index"], run["status"]) == (index, "complete")
        assert run["counts"].keys() >= {
            "train", "test", "correct", "misclassified", "candidates", "adversarial", "adversarial_sources",
        }  # fmt: skip
        assert run["attack"].keys() == {"surrogate_fooled", "target_hit", "linf_max", "l2_mean"}
        assert set(run["accuracy"]) == set(run["slopes"]) == set(NAMES)
        assert all(set(by_level) == {"1", "3", "5", "7"} for by_level in run["accuracy"].values())
        assert all(set(by_step) == {"1", "3", "5"} for by_step in run["slopes"].values())
    assert set(printed["summary"]["accuracy"]) == set(NAMES)
    for by_level in printed["summary"]["accuracy"].values():
        assert set(by_level) == {"1", "3", "5", "7"}
        assert all(summary.keys() == {"mean", "sd", "ci95", "n"} for summary in by_level.values())
    for test in printed["tests"]:
        assert test.keys() == {
            "quantity", "j", "sets", "test", "n", "statistic", "df", "p", "p_holm", "mean_difference", "ci95",
            "effect_size", "direction", "reason",
        }  # fmt: skip
        assert test["quantity"] in ("ratio", "difference", "log_ratio")
        assert test["test"] in ("welch", "paired", "nadeau_bengio", "wilcoxon")
        assert test["j"] in ("1", "3", "5")


def test_the_result_is_strict_json_and_nothing_is_lost_in_it(result: Result, printed: dict[str, Any]) -> None:
    assert json.loads(json.dumps(result.to_json(), allow_nan=False)) == printed
    assert convert(printed["ladder"], Ladder, "a ladder") == result.ladder
    for entry, run in zip(printed["runs"], result.runs, strict=True):
        assert (entry["index"], entry["status"]) == (run.index, run.status)
        whole = {**entry, "ladder": printed["ladder"], "sha256": result.metrics[run.index].sha256}
        assert convert(whole, RunMetrics, "metrics") == result.metrics[run.index] == run.metrics
    assert convert(printed["summary"], SummaryTable, "a summary") == result.summary
    assert convert(printed["tests"], tuple[StatisticalTest, ...], "tests") == result.tests


def test_the_result_names_the_experiment_its_spec_and_where_it_was_computed(
    made: AnsweredExperiment, result: Result, printed: dict[str, Any]
) -> None:
    assert (printed["id"], printed["status"]) == (made.experiment.id, "complete")
    assert Spec.from_mapping(printed["spec"]) == result.spec == SPEC
    assert result.environment == ENVIRONMENT
    assert result.statistics_runs == (0, 1, 2, 3, 4)


def test_accuracies_and_slopes_of_a_run_are_those_of_its_answers(
    made: AnsweredExperiment, printed: dict[str, Any]
) -> None:
    for run, answers in made.answers.items():
        for name, right in answers.items():
            assert printed["runs"][run]["accuracy"][name] == accuracy_of(SPEC, right)
            assert printed["runs"][run]["slopes"][name] == slopes_of(SPEC, name, right)


def test_the_summary_is_the_mean_over_the_runs_with_students_interval(
    made: AnsweredExperiment, printed: dict[str, Any]
) -> None:
    for name in NAMES:
        for column, level in enumerate(LEVELS):
            values = accuracies(made, name)[:, column]
            summary = printed["summary"]["accuracy"][name][level]
            assert summary["n"] == 5
            assert summary["mean"] == pytest.approx(values.mean(), abs=1e-12)
            assert summary["sd"] == pytest.approx(values.std(ddof=1), abs=1e-12)
            if values.std():
                interval = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
                assert summary["ci95"] == pytest.approx(list(interval), abs=1e-12)


def test_the_tests_compare_the_slopes_of_the_same_runs(
    made: AnsweredExperiment, printed: dict[str, Any]
) -> None:
    first, second = ([slopes_of(SPEC, name, a[name])["1"] for a in made.answers.values()]
                     for name in ("adversarial", "misclassified"))  # fmt: skip
    expected = {
        "welch": stats.ttest_ind(first, second, equal_var=False).pvalue,
        "paired": stats.ttest_rel(first, second).pvalue,
        "wilcoxon": stats.wilcoxon(first, second, method="exact").pvalue,
    }
    found = {
        test["test"]: test["p"]
        for test in printed["tests"]
        if (test["quantity"], test["j"]) == ("ratio", "1")
        and test["sets"] == ["adversarial", "misclassified"]
    }
    for name, p in expected.items():
        assert found[name] == pytest.approx(p, rel=1e-9), name


def test_a_ratio_over_an_accuracy_that_is_zero_by_construction_is_null_with_the_reason(
    printed: dict[str, Any],
) -> None:
    for test in printed["tests"]:
        if test["quantity"] != "difference" and test["j"] == "5":
            assert (test["p"], test["p_holm"], test["reason"]) == (None, None, "by_construction")
    for run in printed["runs"]:
        for name in NAMES:
            if SETS[name].begins_at_zero():
                assert run["slopes"][name]["5"] is None
                assert run["slope_reasons"][name]["5"]


def test_an_empty_set_is_null_everywhere_and_says_why(emptied: Result) -> None:
    printed = json.loads(emptied.to_text())
    for run in printed["runs"]:
        assert run["accuracy"]["adversarial"] == dict.fromkeys(LEVELS)
    nothing = {"mean": None, "sd": None, "ci95": None, "n": 0}
    assert printed["summary"]["accuracy"]["adversarial"] == dict.fromkeys(LEVELS, nothing)
    for test in printed["tests"]:
        assert (test["p"], test["p_holm"]) == (None, None)
        assert test["reason"] in ("empty_set", "by_construction")


def test_runs_without_a_result_are_null_with_their_status(tmp_path: Path) -> None:
    failures = {1: ("the surrogate did not learn", "use more epochs")}
    made = make_experiment_from_answers(tmp_path, SPEC, complete=[0, 3, 4], failures=failures)
    result = result_of(read_state(made.experiment))
    printed = json.loads(result.to_text())
    assert printed["status"] == "failed"
    assert [run["status"] for run in printed["runs"]] == [
        "complete",
        "failed",
        "pending",
        "complete",
        "complete",
    ]
    for run in (1, 2):
        present = {key: value for key, value in printed["runs"][run].items() if value is not None}
        error = {"error": "the surrogate did not learn", "hint": "use more epochs"} if run == 1 else {}
        assert present == {"index": run, "status": ("failed", "pending")[run - 1], **error}
    assert printed["statistics_runs"] == [0, 3, 4]
    assert printed["summary"]["accuracy"]["test"]["1"]["n"] == 3
    assert len(list(csv.reader(io.StringIO(long_csv(result))))) == 1 + 3 * len(NAMES) * 4
    text = tables(result)
    assert "failed  3 of 5 runs" in text
    assert "run 2 failed: the surrogate did not learn" in text
    assert [row[0] for row in cells(section(result, "run  "))] == ["run", "1", "4", "5"]
    assert "mean of 3 runs" in text


def test_before_anything_is_computed_there_is_only_what_was_asked_for(tmp_path: Path) -> None:
    made = make_experiment_from_answers(tmp_path, SPEC, complete=[])
    result = result_of(read_state(made.experiment))
    assert (result.summary, result.tests, result.statistics_runs) == (None, (), ())
    assert long_csv(result) == ",".join(COLUMNS) + "\n"
    assert tables(result).splitlines()[0] == f"{made.experiment.id}  interrupted  0 of 5 runs"
    assert len(tables(result).splitlines()) == 2


def test_statistics_over_a_result_that_was_lost_since_are_shown(tmp_path: Path) -> None:
    made = make_experiment_from_answers(tmp_path, SPEC)
    shutil.rmtree(made.experiment.run_folder(1))
    result = result_of(read_state(made.experiment))
    assert result.statistics_runs == (0, 1, 2, 3, 4)
    assert [row[0] for row in cells(section(result, "run  "))] == ["run", "1", "3", "4", "5"]
    assert "mean of 5 runs" in section(result, "accuracy")


def test_statistics_of_other_levels_than_the_results_are_left_out(tmp_path: Path) -> None:
    made = make_experiment_from_answers(tmp_path, SPEC, complete=[0, 1, 2])
    other = SPEC.changed(z=5)
    metrics = {run: metrics_from_answers(other, run, draw_answers(other, run)) for run in (0, 1, 2)}
    append_events(made.experiment, experiment_statistics(other, metrics))
    result = result_of(read_state(made.experiment))
    assert result.ladder.levels == LEVELS
    assert (result.summary, result.tests, result.statistics_runs) == (None, (), ())
    assert len(tables(result).splitlines()) == 2


def test_a_result_of_other_levels_than_the_specification_is_none(tmp_path: Path) -> None:
    made = make_experiment_from_answers(tmp_path, SPEC, complete=[0, 1])
    other = SPEC.changed(z=5)
    shutil.rmtree(made.experiment.run_folder(1))
    metrics = metrics_from_answers(other, 1, draw_answers(other, 1))
    publish(made.experiment.run_folder(1), metrics, write_no_arrays)
    assert sorted(made.experiment.results()) == [0]


# Tables


def test_the_heading_says_what_was_run_and_how_far_it_is(made: AnsweredExperiment, result: Result) -> None:
    first, second = tables(result).splitlines()[:2]
    assert first == f"{made.experiment.id}  complete  5 of 5 runs"
    assert second == "digits, fgsm, epsilon 0.1, K 7 to 1, seed 3, 2 epochs"


def test_the_accuracy_table_shows_the_mean_and_half_the_interval_of_every_set(
    made: AnsweredExperiment, result: Result
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
    spec = Spec(dataset="digits", runs=3, controls=(), options={"z": 3})
    sizes = [1000, 0, 2351]
    answers = [draw_answers(spec, run, {"adversarial": size}) for run, size in enumerate(sizes)]
    shown = section(
        result_of(read_state(make_experiment_from_answers(tmp_path, spec, answers=answers).experiment)),
        "accuracy",
    )
    images = {row[0]: row[1] for row in cells(shown)[:-1]}
    assert images == {"accuracy": "images", "test": "100", "misclassified": "40", "adversarial": "1,117"}
    answers[0] = draw_answers(spec, 0, {"adversarial": 1001})
    shown = section(
        result_of(read_state(make_experiment_from_answers(tmp_path / "b", spec, answers=answers).experiment)),
        "acc",
    )
    assert cells(shown)[3][1] == "1,117.3"


def test_the_counts_table_has_a_row_a_run_counted_from_one(result: Result) -> None:
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


def test_the_attack_table_has_a_row_for_every_attack(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    header, *rows = cells(section(result, "attack"))
    assert header == ["attack", "fooled", "target hit", "largest change", "mean L2"]
    attacks = {
        "FGSM, targeted": [metrics.attack for metrics in result.metrics.values()],
        "the control noise": [metrics.sets["noise"] for metrics in result.metrics.values()],
    }
    for row, (name, figures) in zip(rows, attacks.items(), strict=False):
        hits = [one.target_hit for one in figures if one.target_hit is not None]
        assert row == [
            name,
            f"{np.mean([one.surrogate_fooled for one in figures]):.4f}",
            f"{np.mean(hits):.4f}" if hits else "-",
            f"{max(one.linf_max or 0 for one in figures):.4g}",
            f"{np.mean([one.l2_mean for one in figures]):.4g}",
        ]


def test_every_p_value_that_is_printed_is_one_of_the_tests(result: Result) -> None:
    compared = [test for test in result.tests if test.sets == ("adversarial", "misclassified")]
    expected = sorted(f"{t.p:.2g} / {t.p_holm:.2g}" for t in compared if t.p is not None)
    number = r"[0-9.]+(?:e-?[0-9]+)?"
    printed = re.findall(rf"{number} / {number}", tables(result))
    assert len(expected) >= 20, "too few to protect anything"
    assert sorted(printed) == expected


def test_every_reason_that_stands_in_the_tables_is_explained_in_words(
    result: Result, emptied: Result
) -> None:
    for one, codes in ((result, ["by_construction"]), (emptied, ["by_construction", "empty_set"])):
        text = " ".join(tables(one).split())
        for code, words in REASONS.items():
            assert (words in text) == (code in codes), code


def test_an_empty_set_is_a_dash_in_the_accuracy_table(emptied: Result) -> None:
    rows = {name: shown for name, *shown in cells(section(emptied, "accuracy"))}
    assert rows["accuracy"][-1] == "runs"
    assert rows["adversarial"] == rows["sources"] == ["0", *["-"] * 4, "0"]
    _, *shown, runs = rows["misclassified"]
    assert all("±" in cell for cell in shown)
    assert emptied.summary is not None
    assert runs == str(emptied.summary.accuracy["misclassified"]["1"].n)
    assert "nan" not in tables(emptied).lower()
    assert "none" not in tables(emptied).lower()


def test_one_run_has_means_and_no_intervals(tmp_path: Path) -> None:
    spec = Spec(dataset="digits", runs=1, controls=(), options={"z": 5})
    made = make_experiment_from_answers(tmp_path, spec)
    result = result_of(read_state(made.experiment))
    header, *rows, note = cells(section(result, "accuracy"))
    assert header == ["accuracy", "images", "K = 5", "K = 3", "K = 1"]
    for name, _, *shown in rows:
        assert shown == [f"{value:.4f}" for value in made.answers[0][name].mean(axis=1)]
    assert note == ["one run"]
    assert all(test.p is None and test.reason for test in result.tests)


def test_levels_of_another_family_have_its_words_in_its_order(result: Result) -> None:
    other = with_ladder(result)
    assert "epsilon 0.1, tree depth shallow_5% to bottomless, seed 3" in tables(other)
    text = tables(other, 200)
    header = next(line for line in text.splitlines() if line.startswith("accuracy"))
    assert cells(header) == [["accuracy", "images", *(f"tree depth = {level}" for level in WORDS.levels)]]
    own = {row[0]: row[1:] for row in cells(tables(result, 200))}
    found = {row[0]: row[1:] for row in cells(text)}
    for name in NAMES:
        assert found[name] == own[name]
    for quantity in ("S", "rise of A", "log S"):
        for level, k in zip(WORDS.levels[1:], LEVELS[1:], strict=True):
            assert found[f"{quantity} at tree depth = {level}"] == own[f"{quantity} at K = {k}"]


def test_a_table_has_aligned_columns_and_no_blanks_at_its_ends() -> None:
    assert align([("name", "n"), ("a", "1,000"), ("longer", "")]) == "name        n\na       1,000\nlonger"


def test_a_table_that_is_too_wide_stands_in_blocks_with_the_first_column_in_each() -> None:
    rows = [("name", "one", "two", "three"), ("a", "1", "2", "3")]
    assert align(rows, 21) == "name  one  two  three\na       1    2      3"
    assert align(rows, 20) == "name  one  two\na       1    2\n\nname  three\na         3"
    assert align(rows, 1) == "name  one\na       1\n\nname  two\na       2\n\nname  three\na         3"


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_wider_than_there_is_room_and_no_cell_is_lost(tmp_path: Path, width: int) -> None:
    spec = Spec(dataset="digits", runs=3, options={"z": 31})
    result = result_of(read_state(make_experiment_from_answers(tmp_path, spec).experiment))
    text = tables(result, width)
    assert max(map(len, text.splitlines())) <= width
    for name in ("accuracy", "noise", "one-per-source"):
        assert text.count(f"\n{name} ") == text.count("\naccuracy ")
    assert text.count("±") == 1 + len(spec.sets) * 16


def test_the_text_ends_without_a_newline(result: Result) -> None:
    assert tables(result) == tables(result).rstrip()


# The long table


def test_the_long_table_has_a_row_for_every_run_set_and_level(
    made: AnsweredExperiment, result: Result
) -> None:
    rows = list(csv.DictReader(io.StringIO(long_csv(result))))
    assert tuple(rows[0]) == COLUMNS
    assert [(row["run"], row["set"], row["level"]) for row in rows] == [
        (str(run), name, level) for run in range(5) for name in NAMES for level in LEVELS
    ]
    for row in rows:
        right = made.answers[int(row["run"])][row["set"]]
        assert int(row["size"]) == right.shape[1]
        assert float(row["accuracy"]) == accuracy_of(SPEC, right)[row["level"]]
        slope = slopes_of(SPEC, row["set"], right).get(row["level"])
        assert row["slope"] == "" if slope is None else float(row["slope"]) == slope
        settings = [made.experiment.id, "digits", "fgsm", "0.1", "knn", "K", "3"]
        assert [row[name] for name in COLUMNS[:7]] == settings
    assert any(row["slope"] for row in rows)


def test_what_is_undefined_is_an_empty_field(emptied: Result) -> None:
    rows = [row for row in csv.DictReader(io.StringIO(long_csv(emptied))) if row["set"] == "adversarial"]
    assert len(rows) == 5 * 4
    assert {(row["size"], row["accuracy"], row["slope"]) for row in rows} == {("0", "", "")}


def test_a_path_with_commas_and_quotes_survives_the_csv(tmp_path: Path) -> None:
    path = '/data/moths, "night"\nand day.npz'
    made = make_experiment_from_answers(tmp_path, Spec(dataset=path, runs=1, controls=(), options={"z": 3}))
    rows = list(csv.DictReader(io.StringIO(long_csv(result_of(read_state(made.experiment))))))
    assert len(rows) == 3 * 2
    assert {row["dataset"] for row in rows} == {path}
