"""The report says what the JSON result says, number by number, and is one page without script or network."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from core.report.__main__ import main
from core.report.figures.images import galleries_or_reasons
from core.report.page.document import PICTURED, report_html
from core.report.reproduce import batch_command, commands
from core.report.result import result_of
from core.report.terms import SENTENCES, TEST_NAMES
from core.sets.catalogue import SETS
from core.spec.spec import Spec
from tests.hand_made import make_experiment
from tests.published import MADE, Grid, Page, add_gallery, complete, partly_failed, published, told
from tui_aefit.shell.options import given_settings, parse
from tui_aefit.shell.settings import spec_of

NONE = dict.fromkeys(PICTURED, "there are no images")


@pytest.fixture(scope="module", params=list(MADE))
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, Any]]:
    """A report and the result that it was made from."""
    experiment, result = published(tmp_path_factory.mktemp("home"), request.param)
    images = galleries_or_reasons(experiment, PICTURED) if request.param == "complete" else NONE
    return report_html(result, images), result


@pytest.fixture(scope="module")
def page(made: tuple[str, dict[str, Any]]) -> Page:
    return Page(made[0])


@pytest.fixture(scope="module")
def result(made: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return made[1]


def grid(page: Page, name: str) -> list[list[str]]:
    return [[cell.text for cell in row] for _, row in page.tables[name].rows]


def numbers(table: Grid) -> list[list[list[float]]]:
    return [[cell.values for cell in row] for _, row in table.rows]


def shown(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


# The numbers


def test_the_heading_says_what_was_run_and_how_far_it_is(page: Page, result: dict[str, Any]) -> None:
    text = told(page, "header")
    done = sum(run["status"] == "complete" for run in result["runs"])
    assert f"{result['status']}: {done} of {len(result['runs'])} runs, experiment {result['id']}" in text
    spec = result["spec"]
    assert f"on {spec['dataset']}, epsilon {spec['epsilon']:g}, Z = {spec['z']}" in text


def test_what_is_not_complete_is_marked_as_such(page: Page, result: dict[str, Any]) -> None:
    text = told(page, "header")
    assert ("Not complete:" in text) == (result["status"] != "complete")
    for run in result["runs"]:
        failure = f"Run {run['index'] + 1} failed:"
        assert (failure in text) == (run["status"] == "failed")
        if run["status"] == "failed":
            assert f"{failure} {run['error']} ({run['hint']})" in text


def test_every_mean_and_interval_stands_in_the_accuracy_table(page: Page, result: dict[str, Any]) -> None:
    if result["summary"] is None:
        assert "accuracy-table" not in page.tables
        assert "No run is complete yet" in told(page, "accuracy")
        return
    accuracy = result["summary"]["accuracy"]
    levels = [str(k) for k in range(result["spec"]["z"], 0, -2)]
    table = page.tables["accuracy-table"]
    assert table.header == ["set", *(f"K = {k}" for k in levels), "n"]
    assert [row[0] for row in grid(page, "accuracy-table")] == list(accuracy)
    for (name, by_k), (_, row) in zip(accuracy.items(), table.rows, strict=True):
        for k, cell in zip(levels, row[1:-1], strict=True):
            summary = by_k[k]
            exact = [value for value in (summary["mean"], *(summary["ci95"] or ())) if value is not None]
            assert cell.values == exact, name
            ends = f"[{summary['ci95'][0]:.4f}, {summary['ci95'][1]:.4f}]" if summary["ci95"] else ""
            assert cell.text == shown(summary["mean"], ".4f") + ends
        assert row[-1].values == [by_k["1"]["n"]]
        assert SETS[name].description in told(page, "accuracy")


def test_every_test_is_a_row_with_all_its_numbers(page: Page, result: dict[str, Any]) -> None:
    pairs = list(dict.fromkeys(tuple(test["sets"]) for test in result["tests"]))
    tables = [table for name, table in page.tables.items() if name.startswith("tests-")]
    assert [table.caption for table in tables] == [f"{first} against {second}" for first, second in pairs]
    headings = {"ratio": "S_j = A_j / A_j+2", "difference": "A_j - A_j+2", "log_ratio": "log S_j"}
    for pair, table in zip(pairs, tables, strict=True):
        assert table.header == [
            "j", "test", "n", "statistic", "df", "p", "p, Holm", "difference", "95 % interval", "effect",
            "direction", "reason",
        ]  # fmt: skip
        tests = [test for test in result["tests"] if tuple(test["sets"]) == pair]
        assert len(table.rows) == len(tests)
        for (heading, row), test in zip(table.rows, tests, strict=True):
            ends = test["ci95"]
            assert heading == headings[test["quantity"]]
            assert [cell.text for cell in row] == [
                test["j"],
                TEST_NAMES[test["test"]],
                str(test["n"]),
                shown(test["statistic"], ".3f"),
                shown(test["df"], ".2f"),
                shown(test["p"], ".3g"),
                shown(test["p_holm"], ".3g"),
                shown(test["mean_difference"], "+.4f"),
                f"[{ends[0]:+.4f}, {ends[1]:+.4f}]" if ends else "–",
                shown(test["effect_size"], "+.3f"),
                test["direction"] or "–",
                (test["reason"] or "").replace("_", " "),
            ]
            fields = ("n", "statistic", "df", "p", "p_holm", "mean_difference")
            exact = [[] if test[name] is None else [test[name]] for name in fields]
            effect = [] if test["effect_size"] is None else [test["effect_size"]]
            assert [cell.values for cell in row[2:10]] == [*exact, ends or [], effect]


def test_counts_of_every_run_stand_in_its_row(page: Page, result: dict[str, Any]) -> None:
    table = page.tables["counts-table"]
    assert table.header == [
        "run", "state", "surrogate accuracy", "train", "test", "correct", "misclassified", "candidates",
        "adversarial", "sources", "seconds",
    ]  # fmt: skip
    assert len(table.rows) == len(result["runs"])
    for (_, row), run in zip(table.rows, result["runs"], strict=True):
        assert row[0].values == [run["index"] + 1]
        assert row[1].text == run["status"]
        if run["status"] != "complete":
            assert [cell.text for cell in row[2:]] == ["–"] * 9
            continue
        counts, stages = run["counts"], run["seconds"]
        names = (
            "train",
            "test",
            "correct",
            "misclassified",
            "candidates",
            "adversarial",
            "adversarial_sources",
        )
        # The attack and the filter are parts of the candidates' time.
        spent = sum(stages.values()) - stages.get("attack", 0) - stages.get("filter", 0)
        assert [cell.values[0] for cell in row[2:-1]] == [
            run["surrogate_accuracy"],
            *(counts[n] for n in names),
        ]
        assert row[-1].values[0] == pytest.approx(spent)
        assert row[7].text == f"{counts['candidates']:,}"


def test_sizes_of_the_sets_and_the_attack_stand_beside_each_other(page: Page, result: dict[str, Any]) -> None:
    complete = [run for run in result["runs"] if run["status"] == "complete"]
    if not complete:
        assert "sets-table" not in page.tables
        return
    table = page.tables["sets-table"]
    names = list(complete[0]["counts"]["sets"])
    assert table.header == ["run", *names, "fooled", "target hit", "largest change", "mean L2"]
    for (_, row), run in zip(table.rows, complete, strict=True):
        attack = [run["attack"][name] for name in ("surrogate_fooled", "target_hit", "linf_max", "l2_mean")]
        sizes = [run["counts"]["sets"][name] for name in names]
        assert [cell.values for cell in row] == [
            [] if value is None else [value] for value in (run["index"] + 1, *sizes, *attack)
        ]


def test_settings_and_environment_are_those_of_the_result(page: Page, result: dict[str, Any]) -> None:
    rows = dict(grid(page, "settings-table"))  # type: ignore[arg-type]
    for name, value in result["spec"].items():
        if name == "schema_version" or value is None:
            assert name not in rows
        else:
            assert rows[name] == (", ".join(value) or "none" if isinstance(value, list) else str(value))
    checksums = {run["data_sha256"] for run in result["runs"]} - {None}
    assert {rows.get("SHA-256 of the data")} - {None} == checksums
    environment = result["environment"]
    if environment is None:
        assert "Nothing was computed yet" in told(page, "environment")
        return
    told_of = dict(grid(page, "environment-table"))  # type: ignore[arg-type]
    expected = {name: value for name, value in environment.items() if name in ("device", "threads", "cpu")}
    assert {name: told_of[name] for name in expected} == {
        name: str(value) for name, value in expected.items()
    }
    assert {name: told_of[name] for name in environment["versions"]} == environment["versions"]


def test_runs_from_two_machines_have_a_column_each(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    other = {**result["environment"], "device": "cuda", "gpu": "a GPU"}
    for run in (1, 2, 4):
        result["runs"][run]["environment"] = other
    table = Page(report_html(result, NONE)).tables["environment-table"]
    assert table.header == ["", "Runs 1, 4", "Runs 2-3, 5"]
    cells = {row[0].text: [cell.text for cell in row[1:]] for _, row in table.rows}
    assert cells["device"] == ["cpu", "cuda"]
    assert cells["gpu"] == ["–", "a GPU"]


def test_the_verdict_is_given_sentence_by_sentence(page: Page, result: dict[str, Any]) -> None:
    text = told(page, "verdict")
    assert all(sentence in text for sentence in result["verdict"])
    assert bool(result["verdict"]) == ("There is none before a run is complete" not in text)


def test_exactly_the_reasons_that_occur_are_explained(page: Page, result: dict[str, Any]) -> None:
    codes = {test["reason"] for test in result["tests"]}
    for run in result["runs"]:
        codes |= {code for by_j in (run["slope_reasons"] or {}).values() for code in by_j.values()}
    text = told(page, "reasons")
    for code, sentence in SENTENCES.items():
        assert (f"({code})" in text and sentence in text) == (code in codes), code


def test_statistics_that_lag_behind_the_runs_are_said_to(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    text = told(Page(report_html({**result, "statistics_runs": [0, 1, 2]}, NONE)), "header")
    assert "Not up to date: means and tests are over runs 1-3 only" in text


def test_a_code_of_a_newer_version_is_shown_as_it_is(tmp_path: Path) -> None:
    result = published(tmp_path, "complete")[1]
    result["tests"][0] |= {"p": None, "reason": "moon_phase", "test": "moon", "quantity": "tide"}
    page = Page(report_html(result, NONE))
    assert "moon phase (moon_phase)" in told(page, "reasons")
    assert ("tide", "moon") in [(heading, row[1].text) for heading, row in page.tables["tests-1"].rows]


# Reproduction


@pytest.mark.parametrize(
    "spec",
    [
        Spec(),
        Spec(
            dataset="mnist", attack="deepfool", norm="linf", bound="project", controls=(), threads=3, seed=9
        ),
        Spec(
            dataset="digits", attack="pgd", steps=7, test_size=200, z=3, tie_rule="nearest", epsilon=0.03125
        ),
    ],
)
def test_the_command_asks_for_the_same_experiment(spec: Spec) -> None:
    program, *words = shlex.split(batch_command(spec.to_json()))
    assert program == "aefit-tui"
    options = parse(words)
    assert options.batch
    assert spec_of(given_settings(options)).digest == spec.digest


def test_a_path_with_blanks_and_quotes_survives_the_shell(tmp_path: Path) -> None:
    path = tmp_path / "it's a $set & more.npz"
    path.touch()
    words = shlex.split(batch_command(Spec(dataset=str(path)).to_json()))
    assert spec_of(given_settings(parse(words[1:]))).dataset == str(path)


def test_every_command_is_one_that_exists_and_stands_in_the_report(
    page: Page, result: dict[str, Any]
) -> None:
    lines = commands(result)
    for line in lines:
        assert re.sub(r"\s+", " ", line) in told(page, "reproduce")
        parse(shlex.split(line)[1:])
    fetched = [line for line in lines if "data fetch" in line]
    assert fetched == (["aefit-tui data fetch mnist"] if result["spec"]["dataset"] == "mnist" else [])


# The page


def test_the_page_is_well_formed(made: tuple[str, dict[str, Any]], page: Page) -> None:
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


def test_nothing_is_loaded_and_nothing_runs(made: tuple[str, dict[str, Any]], page: Page) -> None:
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


def test_the_style_serves_print_and_both_schemes(made: tuple[str, dict[str, Any]]) -> None:
    for rule in ("@media print", "@page", "prefers-color-scheme: dark", "color-scheme: light dark"):
        assert rule in made[0]


def test_figures_stand_inline_with_a_name_for_those_who_cannot_see_them(
    page: Page, result: dict[str, Any]
) -> None:
    drawings = {str(attrs["id"]): attrs for tag, attrs in page.tags if tag == "svg"}
    expected = {"accuracy-figure", "p-value-figure"} if result["summary"] else set()
    if "target: horse" in page.words["gallery"]:
        expected |= {"gallery-figure"}
    assert set(drawings) == expected
    for attrs in drawings.values():
        assert attrs["role"] == "img"
        assert attrs["aria-label"]
        assert not any(name.startswith("xmlns") for name in attrs)


def test_figures_take_the_colours_of_the_page(
    made: tuple[str, dict[str, Any]], result: dict[str, Any]
) -> None:
    text, _ = made
    assert "#fefefe" not in text
    assert ("currentColor" in text) == (result["summary"] is not None)


def test_the_gallery_is_shown_where_images_are_there(tmp_path: Path) -> None:
    experiment = complete(tmp_path)
    result = result_of(experiment.state())
    page = Page(report_html(result, galleries_or_reasons(experiment, PICTURED)))
    assert "Adversarial images of run 1" in told(page, "gallery")
    images = [attrs for tag, attrs in page.tags if tag == "image"]
    assert len(images) == 4 * 3
    assert "true label: <b>dog</b> & $5$" in told(page, "gallery")
    assert told(Page(report_html(result, NONE)), "gallery") == "Gallery there are no images"


def test_one_image_of_each_other_set_is_shown_for_comparison(tmp_path: Path) -> None:
    experiment = complete(tmp_path)
    add_gallery(experiment, 1, sets=("matched", "noise", "sources"))
    result = result_of(experiment.state())
    page = Page(report_html(result, galleries_or_reasons(experiment, PICTURED)))
    assert "one image of each set: noise (run 2), matched (run 2)." in told(page, "gallery")
    assert len([tag for tag, _ in page.tags if tag == "image"]) == (4 + 2) * 3
    # Without an adversarial image the reason stands where they would be, beside the others.
    (experiment.run_folder(0) / "result" / "gallery.npz").unlink()
    page = Page(report_html(result, galleries_or_reasons(experiment, PICTURED)))
    assert "no adversarial images to show" in told(page, "gallery")
    assert "For comparison" in told(page, "gallery")


def test_what_others_named_is_text_and_never_markup(tmp_path: Path) -> None:
    spec = Spec(dataset='/data/<script>alert("1")</script> & \u202eevil.npz', z=3, runs=3, controls=())
    failures = {2: ("<img src=x onerror=alert(1)>\x1b[31m", '"><script>')}
    made = make_experiment(tmp_path, spec, complete=[0, 1], failures=failures)
    names = ("<script>2</script>", 'b id="x" href="#y', "]]>")
    add_gallery(made.experiment, 0, names=names)
    text = report_html(result_of(made.experiment.state()), galleries_or_reasons(made.experiment, PICTURED))
    page = Page(text)
    assert page.problems == []
    assert len(set(page.ids)) == len(page.ids)
    assert not {tag for tag, _ in page.tags} & {"script", "img"}
    assert "<img src=x onerror=alert(1)>" in told(page, "header")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert all(name in told(page, "gallery") for name in names[:2])


def test_the_same_result_gives_the_same_page(made: tuple[str, dict[str, Any]]) -> None:
    text, result = made
    if "target: horse" not in text:
        assert report_html(json.loads(json.dumps(result)), NONE) == text


# As a process of its own


def test_a_report_is_written_and_replaced_whole(tmp_path: Path) -> None:
    experiment, path = complete(tmp_path), tmp_path / "report.html"
    path.write_text("old")
    assert main([str(experiment.folder), str(path), "--format", "html"]) == 0
    expected = report_html(result_of(experiment.state()), galleries_or_reasons(experiment, PICTURED))
    assert path.read_text(encoding="utf-8") == expected
    assert not list(tmp_path.glob(".report*"))


def test_a_damaged_gallery_is_told_in_the_report(tmp_path: Path) -> None:
    experiment, path = partly_failed(tmp_path), tmp_path / "report.html"
    (experiment.run_folder(0) / "result" / "gallery.npz").write_bytes(b"damaged")
    assert main([str(experiment.folder), str(path), "--format", "html"]) == 0
    assert "gallery.npz cannot be read" in told(Page(path.read_text(encoding="utf-8")), "gallery")


@pytest.mark.parametrize(
    ("break_it", "error"),
    [
        ("metrics", "cannot publish"),
        ("spec", "spec.toml"),
        ("output", "cannot write"),
    ],
)
def test_what_cannot_be_published_is_told_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], break_it: str, error: str
) -> None:
    experiment, path = partly_failed(tmp_path), tmp_path / "report.html"
    if break_it == "metrics":
        metrics = experiment.run_folder(0) / "result" / "metrics.json"
        metrics.write_text(json.dumps(json.loads(metrics.read_text()) | {"counts": {}}))
    elif break_it == "spec":
        (experiment.folder / "spec.toml").write_text("runs = 'many'")
    else:
        path = tmp_path / "absent" / "report.html"
    assert main([str(experiment.folder), str(path), "--format", "html"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert error in json.loads(err)["error"]
    assert not path.exists()
