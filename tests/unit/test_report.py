"""What is printed and exported says the same as the runs' images: every number is counted again here."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shutil
from dataclasses import replace as replace_state
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray
from scipy import stats

from core.engine.statistics import experiment_statistics
from core.families.ladder import Ladder
from core.records.events import CoordinatorStarted, RunStarted
from core.records.metrics import RunMetrics
from core.records.results import publish
from core.records.state import read_state
from core.records.statistics import Claim, StatisticalTest, SummaryTable
from core.records.types import convert
from core.report.result import Result, result_of
from core.report.tables.long import COLUMNS, long_csv
from core.report.tables.text import align, tables
from core.sets.registry import PAPER_SETS, SETS, own_controls
from core.spec.spec import Spec
from core.statistics.slopes import REASONS
from tests.fakes.corrected import (
    bias_cells,
    crossfit_cells,
    mean_and_half,
    net_flips,
    robustness_cells,
)
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
        "claims",
        "verdict",
    }
    assert (printed["schema_version"], printed["ladder"]["knob"]) == (2, "K")
    assert printed["ladder"]["levels"] == list(LEVELS)
    assert printed["environment"].keys() >= {"versions", "device", "cpu"}
    assert len(printed["runs"]) == SPEC.runs
    for index, run in enumerate(printed["runs"]):
        assert run.keys() >= {
            "index", "status", "counts", "surrogate_accuracy", "attack", "accuracy", "slopes", "seconds",
            "crossfit", "crossfit_fitted", "bias_variance", "robustness", "flips", "noise", "variants",
        }  # fmt: skip
        assert (run["index"], run["status"]) == (index, "complete")
        assert run["counts"].keys() >= {
            "train", "test", "correct", "misclassified", "candidates", "adversarial", "adversarial_sources",
        }  # fmt: skip
        assert run["attack"].keys() == {"surrogate_fooled", "target_hit", "linf_max", "l2_mean"}
        assert set(run["accuracy"]) == set(run["slopes"]) == set(NAMES)
        assert all(set(by_level) == {"1", "3", "5", "7"} for by_level in run["accuracy"].values())
        assert all(set(by_step) == {"1", "3", "5"} for by_step in run["slopes"].values())
        deciding = {"test", "misclassified", "adversarial", "noise"}
        levels = {"1", "3", "5", "7"}
        for crossfit in (run["crossfit"], run["crossfit_fitted"]):
            assert crossfit.keys() == deciding | {"own", "counts"}
            assert set(crossfit["own"]) == set(crossfit["counts"]) == deciding
            assert all(set(crossfit[name]) == set(crossfit["own"][name]) == levels for name in deciding)
            assert all(len(crossfit["counts"][name]) == 2 for name in deciding)
        assert run["bias_variance"].keys() == deciding | {"subsets"}
        for name in deciding:
            assert set(run["bias_variance"][name]) == levels
            for decomposition in run["bias_variance"][name].values():
                assert decomposition.keys() == {"bias", "variance", "unbiased", "biased", "error"}
        for found in (run, run["noise"], *run["variants"].values()):
            assert set(found["robustness"]) == levels
            assert all(
                one.keys() == {"accuracy", "success", "worst_case"} for one in found["robustness"].values()
            )
            assert found["flips"].keys() == {"gained", "lost", "n"}
    assert len(printed["claims"]) > 20
    for claim in printed["claims"]:
        assert claim.keys() == {
            "name", "sets", "estimate", "ci95", "margin", "decision", "n", "reason",
        }  # fmt: skip
        assert claim["decision"] in ("higher", "lower", "same", "undecided")
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
        found = result.metrics[run.index]
        of_the_file = {name: getattr(found, name) for name in ("sha256", "checksum", "experiment")}
        whole = {**entry, "ladder": printed["ladder"], **of_the_file}
        assert convert(whole, RunMetrics, "metrics") == result.metrics[run.index] == run.metrics
    assert convert(printed["summary"], SummaryTable, "a summary") == result.summary
    assert convert(printed["tests"], tuple[StatisticalTest, ...], "tests") == result.tests
    assert convert(printed["claims"], tuple[Claim, ...], "claims") == result.claims


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


def test_the_summary_is_the_mean_over_the_runs_with_the_corrected_interval(
    made: AnsweredExperiment, printed: dict[str, Any]
) -> None:
    for name in NAMES:
        for column, level in enumerate(LEVELS):
            values = accuracies(made, name)[:, column]
            summary = printed["summary"]["accuracy"][name][level]
            assert summary["n"] == 5
            assert summary["mean"] == pytest.approx(values.mean(), abs=1e-12)
            assert summary["sd"] == pytest.approx(values.std(ddof=1), abs=1e-12)
            # The runs divide one pool: 100 test images against 600 to train on.
            half = stats.t.ppf(0.975, 4) * values.std(ddof=1) * math.sqrt(1 / 5 + 100 / 600)
            ends = [values.mean() - half, values.mean() + half]
            assert summary["ci95"] == pytest.approx(ends, abs=1e-12)


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


@pytest.mark.parametrize("lacking", ["paired", "wilcoxon", "welch"])
def test_a_test_that_a_journal_lacks_is_shown_as_none(tmp_path: Path, lacking: str) -> None:
    made = make_experiment_from_answers(tmp_path, SPEC)
    whole = result_of(read_state(made.experiment))
    pair = ("adversarial", "misclassified")
    gone = [t for t in whole.tests if (t.sets, t.test) == (pair, lacking) and t.p is not None][-1]
    tests = [test for test in whole.tests if test is not gone]
    result = replace(whole, tests=tuple(tests))
    rows, complete = (
        {
            row[0]: row
            for row in cells(next(part for part in tables(one, 300).split("\n\n") if " undefined" in part))
        }
        for one in (result, whole)
    )
    assert rows.keys() == complete.keys()
    changed = [name for name, row in rows.items() if row != complete[name]]
    assert len(changed) == 1
    assert "-" in rows[changed[0]]


def test_statistics_over_a_result_that_was_lost_since_are_shown(tmp_path: Path) -> None:
    made = make_experiment_from_answers(tmp_path, SPEC)
    shutil.rmtree(made.experiment.run_folder(1))
    result = result_of(read_state(made.experiment))
    assert result.statistics_runs == (0, 1, 2, 3, 4)
    assert [row[0] for row in cells(section(result, "run  "))] == ["run", "1", "3", "4", "5"]
    assert "mean of 5 runs" in section(result, "accuracy")


def test_runs_whose_files_are_lost_are_named_with_the_reason_and_what_to_do(tmp_path: Path) -> None:
    made = make_experiment_from_answers(tmp_path, SPEC)
    experiment = made.experiment
    for run in (0, 1, 2):
        (experiment.run_folder(run) / "result" / "arrays.npz").unlink()
    shutil.rmtree(experiment.run_folder(4))
    result = result_of(read_state(experiment))
    text = " ".join(tables(result, 80).split())
    assert (
        "4 runs were complete, and their files are missing or damaged: "
        "runs 1 to 3: its arrays.npz is missing run 5: its result is gone "
        f"To compute them again: aefit-tui resume {experiment.id} "
        "The verdict, what decides, accuracy and tests are as last computed, with runs 1 to 3 and 5; "
    ) in text
    printed = json.loads(result.to_text())["runs"]
    missing = "its arrays.npz is missing"
    assert [run.get("problem") for run in printed] == [missing, missing, missing, None, "its result is gone"]
    # What is read from the files is of the one run that is left, and says so.
    block = next(part for part in tables(result).split("\n\n") if part.startswith("robustness"))
    assert "Robustness without selection: one run." in " ".join(block.split())
    (experiment.run_folder(3) / "result" / "metrics.json").write_text("{")
    nothing = tables(result_of(read_state(experiment)), 80)
    assert "5 runs were complete" in nothing
    assert "run 4: its metrics.json is damaged" in nothing
    assert not any(line.startswith(("run  ", "attack  ")) for line in nothing.splitlines())
    assert section(result_of(read_state(experiment)), "accuracy")


def test_a_run_that_is_computed_again_is_not_called_lost(tmp_path: Path) -> None:
    made = make_experiment_from_answers(tmp_path, SPEC)
    shutil.rmtree(made.experiment.run_folder(1))
    append_events(
        made.experiment,
        CoordinatorStarted(host="h", pid=1, jobs=1, pending=(1,)),
        RunStarted(run=1, worker=1, attempt=1),
    )
    state = read_state(made.experiment)
    assert result_of(state).runs[1].problem == "its result is gone"
    assert result_of(replace_state(state, running=True)).runs[1].problem == ""


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_longer_than_asked_for(tmp_path: Path, width: int) -> None:
    failures = {1: ("the surrogate did not learn " * 8, "use more epochs")}
    spec = SPEC.changed(controls=own_controls())
    made = make_experiment_from_answers(tmp_path, spec, complete=[0, 3, 4], failures=failures)
    (made.experiment.run_folder(3) / "result" / "arrays.npz").unlink()
    text = tables(result_of(read_state(made.experiment)), width)
    assert max(map(len, text.splitlines())) <= width


def test_where_there_is_no_room_the_flips_leave_out_what_the_table_above_says(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    narrow = next(part for part in tables(result, 80).split("\n\n") if part.startswith("flips"))
    wide = section(result, "flips")
    assert cells(narrow)[0] == cells(wide)[0][:5]
    assert [row[:5] for row in cells(wide)[1:4]] == cells(narrow)[1:4]


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
    header, *rows = cells(section(result, "accuracy"))
    rows, notes = rows[: len(NAMES)], rows[len(NAMES) :]
    assert header == ["accuracy", "images", "K = 7", "K = 5", "K = 3", "K = 1"]
    assert [row[0] for row in rows] == list(NAMES)
    for name, images, *shown in rows:
        assert images == ("100" if name == "test" else "40")
        values = accuracies(made, name)
        half = stats.t.ppf(0.975, 4) * values.std(axis=0, ddof=1) * math.sqrt(1 / 5 + 100 / 600)
        assert shown == [f"{mean:.4f} ± {h:.4f}" for mean, h in zip(values.mean(axis=0), half, strict=True)]
    assert " ".join(note[0] for note in notes) == (
        "mean of 5 runs ± half the 95 % interval, which allows for splits that overlap; images a run"
    )


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
        "time",
    ]
    assert header == columns
    assert rows == [
        # 33 s and one more each run: split, surrogate, candidates, not again the parts of the candidates.
        [str(run + 1), f"{0.98 + run / 1000:.4f}", "60", "40", f"9,00{run}", "40", "20", f"{33 + run} s"]
        for run in range(5)
    ]


def test_the_attack_table_has_a_row_for_every_attack(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    header, *rows = cells(section(result, "attack"))
    assert header == ["attack", "fooled", "target hit", "largest change", "mean L2"]
    attacks = {
        "FGSM, targeted": [metrics.attack for metrics in result.metrics.values()],
        "the control noise": [metrics.sets["noise"] for metrics in result.metrics.values()],
        "the control noise-matched": [metrics.sets["noise-matched"] for metrics in result.metrics.values()],
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


def shown_as(values: list[list[float | None]], result: Result, form: str = ".4f") -> list[str]:
    """Cells of the mean over the runs and half its interval, a cell a list of values."""
    found = (mean_and_half(of_runs, result.metrics[0]) for of_runs in values)
    return [f"{mean:{form}} ± {half:.4f}" for mean, half in found]


def test_what_decides_stands_first_after_the_verdict(result: Result) -> None:
    _, verdict, claims, *_ = tables(result).split("\n\n")
    # Lines may break at a hyphen.
    assert "".join(verdict.split()) == "".join("".join(result.verdict).split())
    assert claims.startswith("what decides")


def test_every_claim_is_a_row_below_its_quantity_in_words(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    rows = cells(section(result, "what decides"))
    assert rows[0] == ["what decides", "estimate", "decision"]
    heading, found = "", []
    for row in rows[1:]:
        if row[0].startswith("Estimate: "):
            break
        if len(row) == 1:
            heading = row[0]
        else:
            found.append((heading, *row))
    words = {
        "crossfit_rise": "rise, cross-fitted",
        "selection_share": "share of the rise that is selection",
        "crossfit_fitted_rise": "rise, cross-fitted, selected at the fitted end",
        "bias_fall": "fall of bias",
        "attack_success": "change of the attack's success",
        "worst_case": "change of the worst case",
        "flips": "flips, gained less lost",
        "rise": "rise, as the paper counts",
    }
    assert {claim.name for claim in result.claims} == set(words)
    assert found == [
        (
            words[claim.name],
            " - ".join(claim.sets),
            f"{claim.estimate:+z.3f} [{claim.ci95[0]:+z.3f}, {claim.ci95[1]:+z.3f}]" if claim.ci95 else "",
            claim.decision,
        )
        for claim in result.claims
    ]
    assert {row[3] for row in found} >= {"higher", "lower", "same"}
    note = " ".join(section(result, "what decides").split())
    assert "The intervals allow for splits that overlap (Nadeau and Bengio, 2003)." in note
    assert note.endswith("n = 5 runs. Margin: 0.02.")


def test_a_claim_is_what_the_runs_say_and_its_interval_allows_for_overlap(result: Result) -> None:
    adversarial, mistakes = (
        np.array(crossfit_cells(result, name, own=False)) for name in ("adversarial", "misclassified")
    )
    differences = (adversarial[-1] - adversarial[0]) - (mistakes[-1] - mistakes[0])
    mean, half = mean_and_half(differences.tolist(), result.metrics[0])
    shown = f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"
    decision = "same" if abs(mean) + half < 0.02 else "undecided"
    if abs(mean) > half and decision != "same":
        decision = "higher" if mean > 0 else "lower"
    first = next(
        row for row in cells(section(result, "what decides")) if row[0].startswith("adversarial - m")
    )
    assert first == ["adversarial - misclassified", shown, decision]


def test_margins_and_runs_that_differ_stand_in_the_rows(result: Result) -> None:
    claims = tuple(
        replace(claim, margin=0.05, n=4) if claim.name == "flips" else claim for claim in result.claims
    )
    header, *rows = cells(section(replace(result, claims=claims), "what decides"))
    assert header == ["what decides", "estimate", "decision", "margin", "n"]
    shown = {tuple(row[3:]) for row in rows if len(row) == 5}
    assert shown == {("0.02", "5"), ("0.05", "4")}


def test_a_claim_without_an_interval_says_why(tmp_path: Path) -> None:
    result = published(tmp_path, "one_run")[1]
    rows = [row for row in cells(section(result, "what decides")) if len(row) == 3][1:]
    assert [row[1:] for row in rows] == [
        [f"{claim.estimate:+.3f} (too few runs)", "undecided"] for claim in result.claims
    ]


def test_a_claim_that_is_the_same_in_every_run_says_so_with_its_value(tmp_path: Path) -> None:
    note = "What is exactly the same in every run has no interval that could decide."
    result = published(tmp_path / "same", "no_spread")[1]
    shown = section(result, "what decides")
    rows = [row for row in cells(shown) if len(row) == 3][1:]
    # Only what decides varies a little from run to run in this fake.
    constant = [place for place, claim in enumerate(result.claims) if claim.name == "rise"]
    assert len(constant) > 3
    assert any(result.claims[place].estimate > 0.1 for place in constant)
    for place in constant:
        claim = result.claims[place]
        assert rows[place] == [
            " - ".join(claim.sets),
            f"exactly {claim.estimate:+.3f} in every run",
            "undecided",
        ]
    assert note in " ".join(shown.split())
    other = section(published(tmp_path / "other", "one_run")[1], "what decides")
    assert "exactly" not in " ".join(other.split())


def lines_of(result: Result, header: str) -> dict[str, list[list[str]]]:
    """The rows of a table of levels by the heading they stand under."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for row in cells(section(result, header))[1:]:
        if len(row) > 1:
            found[heading].append(row)
        elif heading and len(found[heading]) == 0:
            break
        else:
            heading = row[0]
            found[heading] = []
    return {heading: rows for heading, rows in found.items() if rows}


@pytest.mark.parametrize("fitted", [False, True])
def test_cross_fitted_accuracies_stand_beside_those_of_the_selecting_half(
    result: Result, fitted: bool
) -> None:
    at_level = f"selected at K = {'1' if fitted else '7'}:"
    (block,) = (
        part
        for part in tables(result).split("\n\n")
        if part.startswith("cross-fitted") and at_level in " ".join(part.split())
    )
    header, *rows = cells(block)
    assert header == ["cross-fitted", "K = 7", "K = 5", "K = 3", "K = 1"]
    expected = []
    for name in ("test", "misclassified", "adversarial", "noise"):
        found = [run.crossfit_fitted if fitted else run.crossfit for run in result.metrics.values()]
        images = np.mean([np.mean(one.counts[name]) for one in found if one is not None])
        others = crossfit_cells(result, name, own=False, fitted=fitted)
        owns = crossfit_cells(result, name, own=True, fitted=fitted)
        other, own = shown_as(others, result), shown_as(owns, result)
        if name == "test":
            expected += [[f"test: images {images:,.1f}"], ["each half", *other]]
            continue
        (general, *_, end), (own_general, *_, own_end) = np.array(others, float), np.array(owns, float)
        share = np.mean(1 - (end - general) / (own_end - own_general))
        selection = "" if fitted else f", selection {share:.3f}"
        expected += [[f"{name}: images {images:,.1f}{selection}"], ["other half", *other], ["own half", *own]]
    assert rows[: len(expected)] == expected
    assert "which allows for splits that overlap" in " ".join(block.split())


def test_bias_variance_and_error_are_shown_for_each_set_and_level(result: Result) -> None:
    found = lines_of(result, "bias ")
    assert list(found) == ["test", "misclassified", "adversarial", "noise"]
    for name, rows in found.items():
        assert rows == [
            [field, *shown_as(bias_cells(result, name, field), result)]
            for field in ("bias", "variance", "error")
        ]
    assert "over 40 random parts" in " ".join(section(result, "bias ").split())


def test_robustness_is_shown_for_the_attack_noise_and_the_other_tie_rule(result: Result) -> None:
    kinds = {
        "FGSM, targeted: fooled 0.5000, target hit 0.2500": "attack",
        "the control noise": "noise",
        "FGSM, targeted, ties: nearest: fooled 0.5000, target hit 0.2500": "ties: nearest",
    }
    found = lines_of(result, "robustness ")
    assert list(found) == list(kinds)
    fields = {"accuracy": "accuracy", "success": "success", "worst case": "worst_case"}
    for heading, rows in found.items():
        assert rows == [
            [words, *shown_as(robustness_cells(result, kinds[heading], field), result)]
            for words, field in fields.items()
        ]


def test_flips_are_counted_over_the_runs_and_their_difference_is_their_mean(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    header, *rows = cells(section(result, "flips"))
    assert header == ["flips", "gained", "lost", "n", "difference", "fooled", "target hit"]
    attacked, noise = [rates_of(result, None), rates_of(result, "noise")]
    kinds = {"FGSM, targeted": "attack", "the control noise": "noise",
             "FGSM, targeted, ties: nearest": "ties: nearest"}  # fmt: skip
    for row, (title, kind) in zip(rows, kinds.items(), strict=False):
        counts, net = net_flips(result, kind)
        (shown,) = shown_as([list(net)], result, "+.4f")
        totals = [f"{sum(column):,}" for column in zip(*counts, strict=True)]
        assert row == [title, *totals, shown, *(noise if kind == "noise" else attacked)]


def rates_of(result: Result, control: str | None) -> list[str]:
    """Fooled and hit as the mean over the runs, of the attack or of a control of its own."""
    figures = [run.sets[control] if control else run.attack for run in result.metrics.values()]
    columns = [[one.surrogate_fooled for one in figures], [one.target_hit for one in figures]]
    return ["-" if None in column else f"{np.array(column, float).mean():.4f}" for column in columns]


def test_a_result_of_an_older_version_shows_nothing_of_what_decides(tmp_path: Path) -> None:
    result = published(tmp_path, "older")[1]
    assert (result.claims, result.metrics[0].crossfit) == ((), None)
    text = tables(result)
    for word in ("what decides", "cross-fitted", "bias", "robustness", "flips", "overlap"):
        assert f"\n{word}" not in text
    assert "mean of 4 runs ± half the 95 % interval; images a run" in text
    printed = json.loads(result.to_text())
    assert printed["claims"] == []
    assert {run[name] for run in printed["runs"] for name in ("crossfit", "bias_variance", "flips")} == {None}


def test_wilcoxon_shows_the_direction_of_its_ranks_beside_their_effect(result: Result) -> None:
    # One run far the other way turns the mean, not the ranks.
    paired = next(
        test
        for test in result.tests
        if (test.quantity, test.j, test.test) == ("difference", "1", "wilcoxon")
        and test.sets == ("adversarial", "misclassified")
    )
    turned = replace(paired, mean_difference=-0.059, effect_size=1 / 3, direction="higher", p=1.0)
    changed = replace(result, tests=tuple(turned if test == paired else test for test in result.tests))
    header, *rows = cells(
        next(
            part
            for part in tables(changed).split("\n\n")
            if part.startswith("D against M") and "ranks" in part
        )
    )
    ranks = header.index("ranks")
    (row,) = (row for row in rows if row[0] == "rise of A at K = 1")
    assert row[ranks] == "+0.333 higher"
    assert turned.tested_difference is None
    assert replace(turned, p=None, effect_size=None, reason="too_few_runs").tested_difference == -0.059
    for test in result.tests:
        assert (test.tested_difference is None) == (
            test.mean_difference is None or (test.test == "wilcoxon" and test.p is not None)
        )


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


def test_a_first_column_that_leaves_no_room_stands_above_the_others() -> None:
    rows = [("a name", "one", "two"), ("heading",), ("  a", "1", "2"), ("  b", "4", "3")]
    assert align(rows, 11).startswith("a name  one\n")
    assert align(rows, 10) == "a name\n  one  two\nheading\n  a\n    1    2\n  b\n    4    3"


def test_a_heading_in_a_table_makes_no_column_wider() -> None:
    rows = [("name", "n"), ("a long heading",), ("  a", "1")]
    assert align(rows) == "name  n\na long heading\n  a   1"
    assert align(rows, 10) == "name  n\na long\n  heading\n  a   1"


@pytest.mark.parametrize("width", [80, 100, 200])
def test_no_line_is_wider_than_there_is_room_and_no_cell_is_lost(tmp_path: Path, width: int) -> None:
    spec = Spec(dataset="digits", runs=3, options={"z": 31})
    result = result_of(read_state(make_experiment_from_answers(tmp_path, spec).experiment))
    text = tables(result, width)
    assert max(map(len, text.splitlines())) <= width
    for name in ("accuracy", "noise", "one-per-source"):
        assert len(re.findall(rf"^{name}  ", text, re.M)) == len(re.findall("^accuracy  ", text, re.M))
    accuracy = len(spec.sets) * 16
    crossfit = 2 * (1 + 2 * 3) * 16
    bias_variance = 4 * 3 * 16
    robustness = (2 + len(result.metrics[0].variants)) * (3 * 16 + 1)
    # And a note of each of the five tables.
    assert text.count("±") == accuracy + crossfit + bias_variance + robustness + 5


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
        settings = [made.experiment.id, "digits", "fgsm", "0.5", "0.25", "0.1", "knn", "K", "3"]
        assert [row[name] for name in COLUMNS[:9]] == settings
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
