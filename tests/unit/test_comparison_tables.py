"""The files of a comparison say what the results of its experiments say, cell by cell."""

from __future__ import annotations

import csv
import dataclasses
import io
from pathlib import Path

import msgspec
import pytest

from core.errors import ExperimentError
from core.records.state import read_state
from core.report.comparison import Compared
from core.report.formats import TableName
from core.report.result import result_of
from core.report.tables.comparison import comparison_latex, long_csv_of, settings_csv
from core.report.tables.long import long_csv
from tests.fakes.experiments import make_experiment
from tests.unit.test_latex import tables
from tui_aefit.lab.exporting import COMPARISONS, export_comparison


@pytest.fixture
def compared(tmp_path: Path) -> list[Compared]:
    made = {
        "paper": make_experiment(tmp_path, runs=4),
        "50 % & more": make_experiment(tmp_path, runs=3, epsilon=0.5, z=5, attack="deepfool", bound="clip"),
        "half": make_experiment(
            tmp_path, state="interrupted", runs=6, complete=3, seed=1, controls=["noise"]
        ),
    }
    return [Compared(name, result_of(read_state(experiment))) for name, experiment in made.items()]


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("table", ["summary", "claims"])
def test_a_long_table_holds_that_of_every_experiment(compared: list[Compared], table: TableName) -> None:
    header, *rows = rows_of(long_csv_of(compared, table))
    alone = [rows_of(long_csv(one.result, table)) for one in compared]
    assert all(found[0] == header for found in alone)
    assert rows == [row for found in alone for row in found[1:]]
    assert {row[0] for row in rows} == {one.result.id for one in compared}


def test_the_settings_that_differ(compared: list[Compared]) -> None:
    header, *rows = rows_of(settings_csv(compared))
    columns = dict(zip(header, zip(*rows, strict=True), strict=True))
    assert columns["name"] == ("paper", "50 % & more", "half")
    assert columns["status"] == ("complete", "complete", "interrupted")
    assert columns["statistics_runs"] == ("4", "3", "3")
    assert columns["epsilon"] == ("0.1", "0.5", "0.1")
    assert columns["bound"] == ("", "clip", "")
    assert columns["controls"][2] == "noise"
    assert "splits" not in columns


def test_latex_holds_settings_accuracies_and_claims(compared: list[Compared]) -> None:
    text = comparison_latex(compared, "here")
    settings, accuracy, claims, differences = tables(text)
    assert [one.label for one in (settings, accuracy, claims, differences)] == [
        "here-settings",
        "here-accuracy",
        "here-claims",
        "here-differences",
    ]
    assert settings.header == ["setting", "paper", r"50 \% \& more", "half"]
    assert ["epsilon", "0.1", "0.5", "0.1"] in settings.rows
    assert accuracy.header == ["set", "experiment", "$K = 7$", "$K = 5$", "$K = 3$", "$K = 1$"]
    at = next(place for place, row in enumerate(accuracy.rows) if row[0] == "adversarial")
    for one, row in zip(compared, accuracy.rows[at:], strict=False):
        assert one.summary is not None
        by_level = one.summary.accuracy["adversarial"]
        for level, cell in zip(("7", "5", "3", "1"), row[2:], strict=True):
            if level not in by_level:
                assert cell == "--"
                continue
            mean, half = (float(part) for part in cell.strip("$").split(r"\pm"))
            found = by_level[level]
            assert found.ci95 is not None
            assert mean == pytest.approx(found.mean, abs=5e-5)
            assert half == pytest.approx((found.ci95[1] - found.ci95[0]) / 2, abs=5e-5)
    assert claims.rows[0][:3] == ["rise, cross-fitted", "adversarial $-$ misclassified", "paper"]
    for one, row in zip(compared, claims.rows, strict=False):
        assert float(row[3].strip("$")) == pytest.approx(one.result.claims[0].estimate, abs=5e-5)
        assert (row[5], row[6]) == (one.result.claims[0].decision, str(one.result.claims[0].n))
    # Of every quantity the first.
    names = [row[0] for row in claims.rows if row[0]]
    assert (
        len(names) == len(set(names)) == len({claim.name for one in compared for claim in one.result.claims})
    )
    assert r"half: Not complete: the numbers are over runs 1-3 of 6 and may change." in accuracy.caption


def test_an_experiment_without_numbers_has_dashes(compared: list[Compared], tmp_path: Path) -> None:
    nothing = make_experiment(tmp_path, state="created", runs=3, seed=5)
    text = comparison_latex([compared[0], Compared("none", result_of(read_state(nothing)))], "x")
    assert [one.label for one in tables(text)] == ["x-settings", "x-accuracy", "x-claims"]
    accuracy = tables(text)[1]
    assert all(set(row[2:]) == {"--"} for row in accuracy.rows if row[1] == "none")


def test_levels_of_another_knob_stand_in_a_table_of_their_own(compared: list[Compared]) -> None:
    first = compared[0].result
    other = msgspec.structs.replace(first, id="other", ladder=dataclasses.replace(first.ladder, knob="Depth"))
    found = {one.label: one for one in tables(comparison_latex([compared[0], Compared("deep", other)], "x"))}
    assert found["x-accuracy"].header[2] == "$K = 7$"
    assert found["x-accuracy-2"].header[2] == "Depth = 7"
    assert {row[1] for row in found["x-accuracy-2"].rows} == {"deep"}


def test_the_files_lie_in_the_home_and_have_one_name_for_the_same_experiments(
    tmp_path: Path, compared: list[Compared]
) -> None:
    said = export_comparison(tmp_path, compared)
    folder = tmp_path / COMPARISONS
    names = sorted(path.name for path in folder.iterdir())
    assert said == f"wrote {names[-1]}, -settings.csv, -summary.csv, -claims.csv to {folder}"
    assert (folder / names[-1]).read_text() == comparison_latex(compared, names[-1].removesuffix(".tex"))
    export_comparison(tmp_path, compared[::-1])
    assert sorted(path.name for path in folder.iterdir()) == names
    export_comparison(tmp_path, compared[:2])
    assert len(list(folder.iterdir())) == 2 * len(names)


def test_a_home_that_cannot_be_written_is_said(tmp_path: Path, compared: list[Compared]) -> None:
    (tmp_path / COMPARISONS).write_text("in the way")
    with pytest.raises(ExperimentError, match="cannot export a comparison"):
        export_comparison(tmp_path, compared)
