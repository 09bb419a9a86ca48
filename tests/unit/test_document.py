"""The report says what the JSON result says, number by number, and is one page without script or network."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from core.attacks.registry import ATTACKS
from core.errors import ExperimentError
from core.records.state import read_state
from core.report.__main__ import main
from core.report.deciding import has_crossfit, level_tables
from core.report.figures.images import galleries_or_reasons
from core.report.page.document import pictured_sets, report_html
from core.report.refusal import Refusal, refusal_in, refusal_line
from core.report.reproduce import commands
from core.report.result import Result, result_of
from core.report.terms import CLAIMS, SENTENCES, TEST_NAMES
from core.sets.registry import SETS
from core.spec.command import batch_command, format_value
from core.spec.spec import Spec
from core.statistics.student_t import critical_value
from tests.fakes.arrays import add_gallery
from tests.fakes.corrected import (
    bias_cells,
    crossfit_cells,
    mean_and_half,
    net_flips,
    robustness_cells,
)
from tests.fakes.experiments import make_experiment, make_experiment_from_answers
from tests.fakes.ladders import WORDS, with_ladder
from tests.fakes.page import Grid, Page, section_text
from tests.fakes.published import MADE, complete, partly_failed, published
from tui_aefit.shell.options import given_settings, parse
from tui_aefit.shell.settings import Settings

PICTURED = ("misclassified", "adversarial", "noise", "noise-matched", "matched", "reverse")
WHY = {
    None: "",
    "too_few_runs": "too few runs",
    "empty_set": "empty set",
    "zero_variance": "exactly the same in every run",
}
"""Why a claim has no interval, in words."""
LEVELS_OF = {4: ("7", "5", "3", "1"), 3: ("5", "3", "1")}
NONE = dict.fromkeys(PICTURED, "there are no images")


@pytest.fixture(scope="module", params=list(MADE))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Result]:
    """A report and the result that it was made from."""
    experiment, result = published(tmp_path_factory.mktemp("home"), request.param)
    images = galleries_or_reasons(experiment, PICTURED) if request.param == "complete" else NONE
    return report_html(result, images), result


@pytest.fixture(scope="module")
def page(made: tuple[str, Result]) -> Page:
    return Page(made[0])


@pytest.fixture(scope="module")
def result(made: tuple[str, Result]) -> Result:
    return made[1]


def grid(page: Page, name: str) -> list[list[str]]:
    return [[cell.text for cell in row] for _, row in page.tables[name].rows]


def numbers(table: Grid) -> list[list[list[float]]]:
    return [[cell.values for cell in row] for _, row in table.rows]


def shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


# The numbers


@pytest.mark.slow
def test_the_heading_says_what_was_run_and_how_far_it_is(page: Page, result: Result) -> None:
    text = section_text(page, "header")
    done, spec = len(result.metrics), result.spec
    assert f"{result.status}: {done} of {spec.runs} runs, experiment {result.id}" in text
    levels = LEVELS_OF[len(result.ladder.levels)]
    assert f"on {spec.dataset}, epsilon {spec.epsilon:g}, K {levels[0]} to 1" in text


def test_what_is_not_complete_is_marked_as_such(page: Page, result: Result) -> None:
    text = section_text(page, "header")
    assert ("Not complete:" in text) == (result.status != "complete")
    for run in result.runs:
        failure = f"Run {run.index + 1} failed:"
        assert (failure in text) == (run.status == "failed")
        if run.status == "failed":
            assert run.failure is not None
            assert f"{failure} {run.failure.error} ({run.failure.hint})" in text


def test_every_mean_and_interval_stands_in_the_accuracy_table(page: Page, result: Result) -> None:
    if result.summary is None:
        assert "accuracy-table" not in page.tables
        assert "No run is complete yet" in section_text(page, "accuracy")
        return
    accuracy = result.summary.accuracy
    levels = LEVELS_OF[len(result.ladder.levels)]
    table = page.tables["accuracy-table"]
    assert table.header == ["set", *(f"K = {level}" for level in levels), "n", "fooled", "target hit"]
    assert [row[0] for row in grid(page, "accuracy-table")] == list(accuracy)
    for (name, by_level), (_, row) in zip(accuracy.items(), table.rows, strict=True):
        for level, cell in zip(levels, row[1:-3], strict=True):
            summary = by_level[level]
            exact = [value for value in (summary.mean, *(summary.ci95 or ())) if value is not None]
            assert cell.values == exact, name
            ends = f"[{summary.ci95[0]:.4f}, {summary.ci95[1]:.4f}]" if summary.ci95 else ""
            assert cell.text == shown(summary.mean, ".4f") + ends
        assert row[-3].values == [by_level["1"].n]
        assert [cell.values for cell in row[-2:]] == rates_of(result, name)
        assert SETS[name].description in section_text(page, "accuracy")


def rates_of(result: Result, name: str) -> list[Any]:
    """Values of two cells: of what made a set's images, the means over the runs."""
    runs = result.metrics.values()
    figures = [run.attack if name == "adversarial" else run.sets.get(name) for run in runs]
    cells: list[Any] = []
    for field in ("surrogate_fooled", "target_hit"):
        values = [getattr(one, field) for one in figures if one is not None]
        there = [value for value in values if value is not None]
        cells.append([pytest.approx(np.mean(there), abs=1e-15)] if there else [])
    return cells


def test_what_decides_stands_first_after_the_verdict(page: Page, result: Result) -> None:
    sections = [attrs["id"] for tag, attrs in page.tags if tag == "section"]
    decides = ["what-decides"] if result.claims else []
    assert sections[: 1 + len(decides)] == ["verdict", *decides]
    measured = ["cross-fitted", "bias", "robustness"] if has_crossfit(result) else []
    assert sections[1 + len(decides) :][: len(measured) + 1] == [*measured, "accuracy"]


def test_every_claim_is_a_row_with_all_its_digits(page: Page, result: Result) -> None:
    if not result.claims:
        assert "claims-table" not in page.tables
        return
    table = page.tables["claims-table"]
    assert table.header == ["of", "estimate", "95 % interval", "margin", "decision", "n", "reason"]
    assert len(table.rows) == len(result.claims)
    text = section_text(page, "what-decides")
    for (heading, row), claim in zip(table.rows, result.claims, strict=True):
        assert heading == CLAIMS[claim.name].name
        assert CLAIMS[claim.name].definition in text
        low, high = claim.ci95 or (None, None)
        assert [cell.text for cell in row] == [
            " - ".join(claim.sets),
            f"{claim.estimate:+.4f}",
            f"[{low:+.4f}, {high:+.4f}]" if low is not None else "-",
            "0.02",
            claim.decision,
            str(claim.n),
            WHY[claim.reason],
        ]
        exact = [[claim.estimate], list(claim.ci95 or ()), [claim.margin], [], [claim.n], []]
        assert [cell.values for cell in row[1:]] == exact
    assert "The intervals allow for splits that overlap (Nadeau and Bengio, 2003)." in text


def levels_shown(page: Page, name: str) -> list[tuple[str, str, list[list[float]]]]:
    """Of a table of levels: heading, row, and the numbers of every level."""
    rows = page.tables[name].rows
    return [(heading, row[0].text, [cell.values for cell in row[1:-1]]) for heading, row in rows]


def over_runs(cells: list[list[float | None]], result: Result) -> list[Any]:
    """The values of a cell a level: the mean, and where there are runs enough, the ends of its interval."""
    found: list[Any] = []
    for values in cells:
        if len([value for value in values if value is not None]) < 2:
            found.append([value for value in values if value is not None])
            continue
        mean, half = mean_and_half(values, result.metrics[0])
        found.append(pytest.approx([mean, mean - half, mean + half], abs=1e-9))
    return found


def test_intervals_have_the_digits_that_scipys_critical_value_gives(tmp_path: Path) -> None:
    experiment = make_experiment(tmp_path, dataset="digits", runs=3)
    result = result_of(read_state(experiment))
    text = report_html(result, NONE)
    for table in level_tables(result, critical_value):
        for summary in (
            one for group in table.groups for line in group.lines for one in line.by_level.values()
        ):
            assert all(f'<data value="{end!r}">' in text for end in summary.ci95 or ())


def test_cross_fitted_accuracies_bias_and_robustness_are_means_over_the_runs(
    page: Page, result: Result
) -> None:
    if not has_crossfit(result):
        assert not {"crossfit-table", "bias-variance-table", "robustness-table", "flips-table"} & set(
            page.tables
        )
        return
    deciding = [
        name for name in ("test", "misclassified", "adversarial", "noise") if name in result.spec.sets
    ]
    for label, fitted in (("crossfit-table", False), ("crossfit-fitted-table", True)):
        expected: list[tuple[str, str, list[Any]]] = []
        for name in deciding:
            other = over_runs(crossfit_cells(result, name, own=False, fitted=fitted), result)
            own = over_runs(crossfit_cells(result, name, own=True, fitted=fitted), result)
            if name == "test":
                expected.append((name, "each half", other))
            else:
                expected += [(name, "other half", other), (name, "own half", own)]
        found = levels_shown(page, label)
        assert [(heading.partition(" (")[0], *row) for heading, *row in found] == expected
    shares = {claim.sets[0]: claim.estimate for claim in result.claims if claim.name == "selection_share"}
    headings = {heading for heading, *_ in levels_shown(page, "crossfit-table")}
    for subject, share in shares.items():
        assert any(
            re.fullmatch(rf"{subject} \(images .*, selection {share:.3f}\)", text) for text in headings
        )
    assert levels_shown(page, "bias-variance-table") == [
        (name, field, over_runs(bias_cells(result, name, field), result))
        for name in deciding
        for field in ("bias", "variance", "error")
        if any(bias_cells(result, name, field)[0])
    ]
    attack = ATTACKS[result.spec.attack].title
    kinds = {attack: "attack", "the control noise": "noise", f"{attack}, ties: nearest": "ties: nearest"}
    kinds = {title: kind for title, kind in kinds.items() if kind != "noise" or "noise" in deciding}
    found = levels_shown(page, "robustness-table")
    assert [(heading.partition(" (")[0], *row) for heading, *row in found] == [
        (title, field.replace("_", " "), over_runs(robustness_cells(result, kind, field), result))
        for title, kind in kinds.items()
        for field in ("accuracy", "success", "worst_case")
    ]
    rows = page.tables["flips-table"].rows
    for (_, row), (title, kind) in zip(rows, kinds.items(), strict=True):
        counts, net = net_flips(result, kind)
        assert row[0].text == title
        if kind != "noise" or result.metrics[0].sets:
            assert [cell.values for cell in row[1:3]] == rates_of(
                result, "noise" if kind == "noise" else "adversarial"
            )
        assert [cell.values for cell in row[3:6]] == [[sum(column)] for column in zip(*counts, strict=True)]
        (expected_net,) = over_runs([list(net)], result)
        assert row[6].values + row[7].values == expected_net
        assert row[8].values == [len(net)]


def test_every_test_is_a_row_with_all_its_numbers(page: Page, result: Result) -> None:
    pairs = list(dict.fromkeys(test.sets for test in result.tests))
    tables = [table for name, table in page.tables.items() if name.startswith("tests-")]
    assert [table.caption for table in tables] == [f"{first} against {second}" for first, second in pairs]
    headings = {"ratio": "S_j = A_j / A_i", "difference": "A_j - A_i", "log_ratio": "log S_j"}
    if tables:
        assert "slopes S_j = A_j / A_i (i is the level before j)" in section_text(page, "tests")
    for pair, table in zip(pairs, tables, strict=True):
        assert table.header == [
            "j", "test", "n", "statistic", "df", "p", "p, Holm", "difference", "95 % interval", "effect",
            "direction", "reason",
        ]  # fmt: skip
        tests = [test for test in result.tests if test.sets == pair]
        assert len(table.rows) == len(tests)
        for (heading, row), test in zip(table.rows, tests, strict=True):
            ends = test.ci95
            # The direction of Wilcoxon's ranks is that of its effect, not the mean's.
            difference = None if test.test == "wilcoxon" and test.p is not None else test.mean_difference
            assert heading == headings[test.quantity]
            assert [cell.text for cell in row] == [
                test.j,
                TEST_NAMES[test.test],
                str(test.n),
                shown(test.statistic, ".3f"),
                shown(test.df, ".2f"),
                shown(test.p, ".3g"),
                shown(test.p_holm, ".3g"),
                shown(difference, "+.4f"),
                f"[{ends[0]:+.4f}, {ends[1]:+.4f}]" if ends else "-",
                shown(test.effect_size, "+.3f"),
                test.direction or "-",
                (test.reason or "").replace("_", " "),
            ]
            values = (test.n, test.statistic, test.df, test.p, test.p_holm, difference)
            exact = [[] if value is None else [value] for value in values]
            effect = [] if test.effect_size is None else [test.effect_size]
            assert [cell.values for cell in row[2:10]] == [*exact, list(ends or ()), effect]


def test_counts_of_every_run_stand_in_its_row(page: Page, result: Result) -> None:
    table = page.tables["counts-table"]
    assert table.header == [
        "run", "state", "surrogate accuracy", "train", "test", "correct", "misclassified", "candidates",
        "adversarial", "sources", "seconds",
    ]  # fmt: skip
    assert len(table.rows) == len(result.runs)
    for (_, row), run in zip(table.rows, result.runs, strict=True):
        assert row[0].values == [run.index + 1]
        assert row[1].text == run.status
        if run.status != "complete":
            assert [cell.text for cell in row[2:]] == ["-"] * 9
            continue
        assert run.metrics is not None
        counts, stages = run.metrics.counts, run.metrics.seconds
        # The attack, the filter and the parts of the training images are parts of the candidates' time.
        spent = sum(stages.values()) - sum(stages.get(part, 0) for part in ("attack", "filter", "subsets"))
        assert [cell.values[0] for cell in row[2:-1]] == [
            run.metrics.surrogate_accuracy, counts.train, counts.test, counts.correct, counts.misclassified,
            counts.candidates, counts.adversarial, counts.adversarial_sources,
        ]  # fmt: skip
        assert row[-1].values[0] == pytest.approx(spent)
        assert row[7].text == f"{counts.candidates:,}"


def test_every_run_has_the_sizes_of_its_sets(page: Page, result: Result) -> None:
    if not result.metrics:
        assert "sets-table" not in page.tables
        return
    table = page.tables["sets-table"]
    assert table.header == ["run", *result.spec.sets]
    for (_, row), (run, metrics) in zip(table.rows, result.metrics.items(), strict=True):
        sizes = [metrics.counts.sets[name] for name in result.spec.sets]
        assert [cell.values for cell in row] == [[value] for value in (run + 1, *sizes)]


def test_every_attack_has_its_figures_of_every_run(page: Page, result: Result) -> None:
    if not result.metrics:
        assert "attack-table" not in page.tables
        return
    table = page.tables["attack-table"]
    assert table.header == ["run", "fooled", "target hit", "largest change", "mean L2"]
    made_by = ATTACKS[result.spec.attack].title
    expected = [(made_by, run, metrics.attack) for run, metrics in result.metrics.items()]
    expected += [
        (f"the control {name}", run, figures)
        for name in result.spec.sets
        for run, metrics in result.metrics.items()
        if (figures := metrics.sets.get(name)) is not None
    ]
    for (heading, row), (name, run, one) in zip(table.rows, expected, strict=True):
        assert heading == name
        values = (run + 1, one.surrogate_fooled, one.target_hit, one.linf_max, one.l2_mean)
        assert [cell.values for cell in row] == [[] if value is None else [value] for value in values]


def test_settings_and_environment_are_those_of_the_result(page: Page, result: Result) -> None:
    rows = {(title, option): value for title, option, value in grid(page, "settings-table")}
    checksums = {metrics.data_sha256 for metrics in result.metrics.values()}
    assert {rows.pop(("SHA-256 of the data", ""), None)} - {None} == checksums
    spec = result.spec
    assert rows == {
        ("Data set", "--dataset"): spec.dataset,
        ("Attack", "--attack"): spec.attack,
        ("Epsilon", "--epsilon"): str(spec.epsilon),
        **{
            (spec.settings[name].title, "--" + name.replace("_", "-")): format_value(value)
            for name, value in spec.values.items()
            if value is not None
        },
    }
    environment = result.environment
    if environment is None:
        assert "Nothing was computed yet" in section_text(page, "environment")
        return
    cells = {name: value for name, value in grid(page, "environment-table")}
    assert cells == {"device": environment.device, "cpu": environment.cpu, **environment.versions}


@pytest.mark.slow
def test_runs_from_two_machines_have_a_column_each(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    assert result.environment is not None
    other = replace(result.environment, device="cuda", plugins={"attack swirl": "aefit-swirl 1.0"})
    metrics = {
        run: replace(one, environment=other) if run in (1, 2, 4) else one
        for run, one in result.metrics.items()
    }
    table = Page(report_html(replace(result, metrics=metrics), NONE)).tables["environment-table"]
    assert table.header == ["", "Runs 1, 4", "Runs 2-3, 5"]
    cells = {row[0].text: [cell.text for cell in row[1:]] for _, row in table.rows}
    assert cells["device"] == ["cpu", "cuda"]
    assert cells["attack swirl"] == ["-", "aefit-swirl 1.0"]


def test_threads_of_the_first_version_stand_in_its_environment(tmp_path: Path) -> None:
    result = published(tmp_path, "one_run")[1]
    metrics = {0: replace(result.metrics[0], environment=replace(result.metrics[0].environment, threads=4))}
    page = Page(report_html(replace(result, metrics=metrics), NONE))
    assert ["threads", "4"] in grid(page, "environment-table")


@pytest.mark.slow
def test_another_family_has_its_own_words(tmp_path: Path) -> None:
    result = with_ladder(published(tmp_path, "complete")[1])
    page = Page(report_html(result, NONE))
    assert page.problems == []
    assert "tree depth shallow_5% to bottomless" in section_text(page, "header")
    assert section_text(page, "accuracy").startswith("Accuracy against tree depth")
    assert page.tables["crossfit-table"].header[1:-1] == [f"tree depth = {level}" for level in WORDS.levels]
    assert page.tables["accuracy-table"].header[1:-3] == [f"tree depth = {level}" for level in WORDS.levels]
    steps = dict.fromkeys(row[0].text for _, row in page.tables["tests-1"].rows)
    assert set(steps) == set(WORDS.levels[1:])


def test_the_verdict_is_given_sentence_by_sentence(page: Page, result: Result) -> None:
    text = section_text(page, "verdict")
    assert all(sentence in text for sentence in result.verdict)
    assert bool(result.verdict) == ("There is none before a run is complete" not in text)


def test_exactly_the_reasons_that_occur_are_explained(page: Page, result: Result) -> None:
    codes = {str(test.reason) for test in result.tests if test.reason is not None}
    for metrics in result.metrics.values():
        codes |= {reason for by_step in metrics.slope_reasons.values() for reason in by_step.values()}
    text = section_text(page, "reasons")
    for code, sentence in SENTENCES.items():
        assert (f"({code})" in text and sentence in text) == (code in codes), code


@pytest.mark.slow
def test_statistics_that_lag_behind_the_runs_are_said_to(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    lagging = replace(result, statistics_runs=(0, 1, 2))
    text = section_text(Page(report_html(lagging, NONE)), "header")
    assert "Not up to date: means and tests are over runs 1-3 only" in text


# Reproduction


@pytest.mark.parametrize(
    "spec",
    [
        Spec(),
        Spec(
            dataset="mnist",
            attack="deepfool",
            controls=(),
            seed=9,
            options={"norm": "linf", "bound": "project"},
        ),
        Spec(
            dataset="digits",
            attack="pgd",
            test_size=200,
            epsilon=0.03125,
            options={"steps": 7, "z": 3, "tie_rule": "nearest"},
        ),
    ],
)
def test_the_command_asks_for_the_same_experiment(spec: Spec) -> None:
    program, *words = shlex.split(batch_command(spec))
    assert program == "aefit-tui"
    options = parse(words)
    assert options.batch
    assert Settings(given_settings(options), environment={}).spec().digest == spec.digest


def test_a_value_is_written_for_people() -> None:
    found = [format_value(value) for value in ("fgsm", 3, 0.03125, ("noise", "sources"), (), None)]
    assert found == ["fgsm", "3", "0.03125", "noise, sources", "none", "the data set's own"]
    assert format_value(None, "by data set") == "by data set"


def test_a_path_with_blanks_and_quotes_survives_the_shell(tmp_path: Path) -> None:
    path = tmp_path / "it's a $set & more.npz"
    path.touch()
    words = shlex.split(batch_command(Spec(dataset=str(path))))
    asked = Settings(given_settings(parse(words[1:])), environment={}).spec()
    assert asked.dataset == str(path)


def test_every_command_is_one_that_exists_and_stands_in_the_report(page: Page, result: Result) -> None:
    lines = commands(result)
    for line in lines:
        assert re.sub(r"\s+", " ", line) in section_text(page, "reproduce")
        parse(shlex.split(line)[1:])
    fetched = [line for line in lines if "data fetch" in line]
    assert fetched == (["aefit-tui data fetch mnist"] if result.spec.dataset == "mnist" else [])


# The page


def test_the_page_is_well_formed(made: tuple[str, Result], page: Page) -> None:
    text, _ = made
    assert text.startswith("<!DOCTYPE html>\n")
    assert page.problems == []
    assert len(set(page.ids)) == len(page.ids)
    tags = [tag for tag, _ in page.tags]
    assert [tags.count(tag) for tag in ("html", "head", "title", "body", "main", "h1")] == [1] * 6
    assert dict(page.tags[0][1]) == {"lang": "en"}
    references = [value[1:] for _, attrs in page.tags for name, value in attrs.items()
                  if name == "href" and value and value.startswith("#")]  # fmt: skip
    references += re.findall(r"url\(#([^)]*)\)", text)
    references += [str(attrs["aria-labelledby"]) for _, attrs in page.tags if "aria-labelledby" in attrs]
    assert len(references) >= 9
    assert set(references) <= set(page.ids)


def test_nothing_is_loaded_and_nothing_runs(made: tuple[str, Result], page: Page) -> None:
    text, _ = made
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attrs in page.tags:
        for name, value in attrs.items():
            assert not name.startswith("on")
            if name in ("href", "src", "srcset", "poster", "data", "action"):
                assert str(value).startswith(("#", "data:image/png;base64,"))
    assert "http" not in text
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_the_style_serves_print_and_both_schemes(made: tuple[str, Result]) -> None:
    for rule in ("@media print", "@page", "prefers-color-scheme: dark", "color-scheme: light dark"):
        assert rule in made[0]


def test_figures_stand_inline_with_a_name_for_those_who_cannot_see_them(page: Page, result: Result) -> None:
    drawings = {str(attrs["id"]): attrs for tag, attrs in page.tags if tag == "svg"}
    expected = {"accuracy-figure", "p-value-figure"} if result.summary else set()
    if any(run.crossfit is not None for run in result.metrics.values()):
        expected |= {"crossfit-figure"}
    if "target: horse" in page.words["gallery"]:
        expected |= {"gallery-figure"}
    assert set(drawings) == expected
    for attrs in drawings.values():
        assert attrs["role"] == "img"
        assert attrs["aria-label"]
        assert not any(name.startswith("xmlns") for name in attrs)


def test_figures_take_the_colours_of_the_page(made: tuple[str, Result], result: Result) -> None:
    text, _ = made
    assert "#fefefe" not in text
    assert ("currentColor" in text) == (result.summary is not None)


@pytest.mark.slow
def test_the_gallery_is_shown_where_images_are_there(tmp_path: Path) -> None:
    experiment = complete(tmp_path)
    result = result_of(read_state(experiment))
    page = Page(report_html(result, galleries_or_reasons(experiment, PICTURED)))
    assert "Adversarial images of run 1" in section_text(page, "gallery")
    images = [attrs for tag, attrs in page.tags if tag == "image"]
    assert len(images) == 4 * 3
    assert "true label: <b>dog</b> & $5$" in section_text(page, "gallery")
    assert section_text(Page(report_html(result, NONE)), "gallery") == "Gallery there are no images"


@pytest.mark.slow
def test_one_image_of_each_other_set_is_shown_for_comparison(tmp_path: Path) -> None:
    experiment = complete(tmp_path)
    add_gallery(experiment, 1, sets=("matched", "noise", "sources"))
    result = result_of(read_state(experiment))
    page = Page(report_html(result, galleries_or_reasons(experiment, PICTURED)))
    assert "one image of each set: noise (run 2), matched (run 2)." in section_text(page, "gallery")
    assert len([tag for tag, _ in page.tags if tag == "image"]) == (4 + 2) * 3
    # Without an adversarial image the reason stands where they would be, beside the others.
    (experiment.run_folder(0) / "result" / "gallery.npz").unlink()
    page = Page(report_html(result, galleries_or_reasons(experiment, PICTURED)))
    assert "no adversarial images to show" in section_text(page, "gallery")
    assert "For comparison" in section_text(page, "gallery")


def test_what_others_named_is_text_and_never_markup(tmp_path: Path) -> None:
    spec = Spec(
        dataset='/data/<script>alert("1")</script> & \u202eevil.npz', runs=3, controls=(), options={"z": 3}
    )
    failures = {2: ("<img src=x onerror=alert(1)>\x1b[31m", '"><script>')}
    made = make_experiment_from_answers(tmp_path, spec, complete=[0, 1], failures=failures)
    names = ("<script>2</script>", 'b id="x" href="#y', "]]>")
    add_gallery(made.experiment, 0, names=names)
    text = report_html(
        result_of(read_state(made.experiment)), galleries_or_reasons(made.experiment, PICTURED)
    )
    page = Page(text)
    assert page.problems == []
    assert len(set(page.ids)) == len(page.ids)
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert "<img src=x onerror=alert(1)>" in section_text(page, "header")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert all(name in section_text(page, "gallery") for name in names[:2])


@pytest.mark.slow
def test_the_same_result_gives_the_same_page(made: tuple[str, Result]) -> None:
    text, result = made
    if "target: horse" not in text:
        assert report_html(result, NONE) == text


# As a process of its own


@pytest.mark.slow
def test_a_report_is_written_and_replaced_whole(tmp_path: Path) -> None:
    experiment, path = complete(tmp_path), tmp_path / "report.html"
    path.write_text("old")
    assert main([str(experiment.folder), str(path), "--format", "html"]) == 0
    expected = report_html(result_of(read_state(experiment)), galleries_or_reasons(experiment, PICTURED))
    assert path.read_text(encoding="utf-8") == expected
    assert not list(tmp_path.glob(".report*"))


def test_a_damaged_gallery_is_told_in_the_report(tmp_path: Path) -> None:
    experiment, path = partly_failed(tmp_path), tmp_path / "report.html"
    (experiment.run_folder(0) / "result" / "gallery.npz").write_bytes(b"damaged")
    assert main([str(experiment.folder), str(path), "--format", "html"]) == 0
    assert "gallery.npz cannot be read" in section_text(Page(path.read_text(encoding="utf-8")), "gallery")


def test_a_damaged_result_costs_its_run_and_not_the_report(tmp_path: Path) -> None:
    experiment, path = partly_failed(tmp_path), tmp_path / "report.html"
    metrics = experiment.run_folder(0) / "result" / "metrics.json"
    metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"counts": {}}))
    assert main([str(experiment.folder), str(path), "--format", "html"]) == 0
    states = [row[1] for row in grid(Page(path.read_text(encoding="utf-8")), "counts-table")]
    assert states == ["pending", "complete", "failed", "complete", "complete"]


@pytest.mark.parametrize(("break_it", "error"), [("spec", "spec.toml"), ("output", "cannot write")])
def test_what_cannot_be_published_is_told_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], break_it: str, error: str
) -> None:
    experiment, path = partly_failed(tmp_path), tmp_path / "report.html"
    if break_it == "spec":
        (experiment.folder / "spec.toml").write_text("runs = 'many'")
    else:
        path = tmp_path / "absent" / "report.html"
    assert main([str(experiment.folder), str(path), "--format", "html"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert error in json.loads(err)["error"]
    refusal = refusal_in(f"a warning of a library\n{err}")
    assert refusal is not None
    assert error in refusal.error
    assert not path.exists()


@pytest.mark.parametrize(
    "text", ["", "a traceback\nValueError: x", '{"error": 1, "hint": ""}', '{"hint": ""}', "[]"]
)
def test_what_is_no_refusal_is_none(text: str) -> None:
    assert refusal_in(text) is None


def test_a_refusal_survives_any_encoding_of_standard_error() -> None:
    line = refusal_line(ExperimentError("kein Platz für ein Bild ∞", "bytes of a path: \udcff"))
    assert line.isascii()
    assert line.endswith("\n")
    assert refusal_in(line) == Refusal(error="kein Platz für ein Bild ∞", hint="bytes of a path: ?")


def test_the_pictured_sets_are_those_with_images_of_their_own() -> None:
    assert pictured_sets(Spec()) == PICTURED
    assert pictured_sets(Spec(controls=("noise", "sources"))) == ("misclassified", "adversarial", "noise")
