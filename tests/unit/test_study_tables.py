"""A study's tables hold what its experiments' files say: as CSV, as Parquet and in LaTeX."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats

from core.errors import StudyError
from core.records.experiment import load
from core.records.state import read_state
from core.records.study import Study
from core.report.columnar.parquet import study_parquet
from core.report.formats import STUDY_TABLES, TABLES, TableName
from core.report.quantities_by_run import ACCURACY, FOOLED, HIT, IMAGES, Key
from core.report.result import result_of
from core.report.study.changes import changes
from core.report.study.latex import study_latex
from core.report.study.measures import P_VALUE, chosen_keys, keys_of, measure_title, reading
from core.report.study.result import StudyResult, study_result
from core.report.study.tables import every_key, study_csv, study_long
from core.report.tables.long import COLUMNS_OF, long_csv
from tests.fakes.study_numbers import RUNS, make_varied_study
from tests.unit.test_latex import tables


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    home = tmp_path_factory.mktemp("home")
    return make_varied_study(home, {"attack": ["fgsm", "deepfool"], "z": [3, 5, 7]})


@pytest.fixture(scope="module")
def result(study: Study) -> StudyResult:
    return study_result(study)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def metrics_of(study: Study, identity: str) -> list[dict[str, Any]]:
    folder = study.home / "experiments" / identity / "runs"
    return [json.loads((folder / f"{run:04}" / "result" / "metrics.json").read_text()) for run in range(RUNS)]


def test_no_text_of_the_csv_is_a_formula_or_obeyed_by_a_terminal(study: Study, result: StudyResult) -> None:
    first, *others = result.cells
    forged = replace(first, settings={**first.settings, "attack": "=1+1"}, reason="-cmd|' /C calc'!A0\x1b[2J")
    found = rows_of(study_csv(study, replace(result, cells=(forged, *others)), "cells"))
    assert found[0]["attack"] == "'=1+1"
    assert found[0]["reason"] == "'-cmd|' /C calc'!A0\N{REPLACEMENT CHARACTER}[2J"


@pytest.mark.parametrize("table", TABLES)
def test_the_experiments_tables_stand_below_each_other_with_the_axes(
    study: Study, result: StudyResult, table: TableName
) -> None:
    found = rows_of(study_csv(study, result, table))
    alone = []
    for cell in study.cells:
        assert cell.spec is not None
        own = rows_of(long_csv(result_of(read_state(load(study.folder_of(cell)))), table))
        alone += [{**row, "attack": cell.spec.attack, "z": str(cell.spec.values["z"])} for row in own]
    assert found == alone
    assert list(found[0])[:2] == ["id", "z"]
    assert set(found[0]) == {*COLUMNS_OF[table], "z"}


def test_a_row_an_experiment(study: Study, result: StudyResult) -> None:
    found = rows_of(study_csv(study, result, "cells"))
    assert [row["id"] for row in found] == [cell.id for cell in study.cells]
    for row in found:
        runs = metrics_of(study, row["id"])
        overlap = runs[0]["counts"]["test"] / runs[0]["counts"]["train"]
        z = row["z"]
        rise = [
            run["crossfit"]["adversarial"]["1"] - run["crossfit"]["adversarial"][z]
            - run["crossfit"]["misclassified"]["1"] + run["crossfit"]["misclassified"][z]
            for run in runs
        ]  # fmt: skip
        images = [run["counts"]["sets"]["adversarial"] for run in runs]
        fooled = [run["attack"]["surrogate_fooled"] for run in runs]
        accuracy = [run["accuracy"]["adversarial"]["1"] for run in runs]
        for name, values in {
            "crossfit_rise": rise, "images": images, "surrogate_fooled": fooled, "accuracy": accuracy
        }.items():  # fmt: skip
            low, high = stats.t.interval(
                0.95, RUNS - 1, loc=np.mean(values),
                scale=np.std(values, ddof=1) * np.sqrt(1 / RUNS + overlap),
            )  # fmt: skip
            assert float(row[name]) == pytest.approx(np.mean(values))
            assert float(row[f"{name}_ci95_low"]) == pytest.approx(low)
            assert float(row[f"{name}_ci95_high"]) == pytest.approx(high)
        inside = float(row["crossfit_rise_ci95_low"]), float(row["crossfit_rise_ci95_high"])
        assert row["crossfit_rise_decision"] == (
            "same" if max(-inside[0], inside[1]) < 0.02
            else "higher" if inside[0] > 0 else "lower" if inside[1] < 0 else "undecided"
        )  # fmt: skip
        assert (row["status"], row["complete"], row["statistics_runs"]) == ("complete", "4", "4")


def test_a_row_a_change(study: Study, result: StudyResult) -> None:
    found = rows_of(study_csv(study, result, "changes"))
    expected = [one for axis in result.axes for one in changes(result, axis, every_key(result))]
    assert len(found) == len(expected)
    for row, change in zip(found, expected, strict=True):
        assert (row["axis"], row["first_id"], row["second_id"]) == (change.axis, *change.ids)
        assert row[change.axis] == ""
        assert {name: row[name] for name in change.fixed} == {
            name: str(value) for name, value in change.fixed.items()
        }
        assert row["difference"] == repr(change.difference.estimate)
        assert (row["test"], row["decision"]) == (change.difference.test, change.difference.decision)
        assert row["reason"] == (change.difference.reason or "")
    claims = {(claim.name, claim.sets) for cell in result.cells for claim in cell.claims}
    assert {(key.name, key.sets) for key in every_key(result)} >= claims


@pytest.mark.parametrize("table", STUDY_TABLES)
def test_parquet_holds_the_same_with_types(study: Study, result: StudyResult, table: Any) -> None:
    found = study_long(study, result, table)
    columns, rows = found.columns, list(found.rows)
    content = study_parquet(study_long(study, result, table), result.axes)
    read = pq.read_table(io.BytesIO(content))
    assert tuple(read.column_names) == columns
    assert [list(row.values()) for row in read.to_pylist()] == [list(row) for row in rows]
    assert str(read.schema.field("z").type) == "int64"
    assert str(read.schema.field("attack").type) == "string"


def test_an_axis_called_as_a_column_is_told_apart(tmp_path: Path) -> None:
    study = make_varied_study(tmp_path, {"tie_rule": ["lowest", "nearest"]})
    result = study_result(study)
    renamed = type(result)(
        result.name,
        result.status,
        {"size": ("lowest", "nearest")},
        tuple(
            type(cell)(**{**vars(cell), "settings": {"size": cell.settings["tie_rule"]}})
            for cell in result.cells
        ),
    )
    (first, *_) = rows_of(study_csv(study, renamed, "accuracy"))
    assert first["setting_size"] == "lowest"
    assert first["size"].isdigit()


def test_latex_has_a_row_an_experiment_and_a_row_a_change(study: Study, result: StudyResult) -> None:
    found = {one.label: one for one in tables(study_latex(study, result))}
    assert list(found) == ["ours-cells", "ours-changes-attack", "ours-changes-z", "ours-claims"]
    cells = found["ours-cells"]
    assert cells.header[:4] == ["attack", "z", "runs", "cross-fit rise, D - M"]
    assert len(cells.columns) == len(cells.header) == len(cells.rows[0])
    for cell, row in zip(result.cells, cells.rows, strict=True):
        assert row[:3] == [cell.settings["attack"], str(cell.settings["z"]), "4/4"]
        claim = cell.by_quantity["crossfit_rise", ("adversarial", "misclassified")]
        assert claim.ci95 is not None
        half = (claim.ci95[1] - claim.ci95[0]) / 2
        assert row[3:5] == [f"${claim.estimate:+.3f} \\pm {half:.3f}$", claim.decision]
    along_z = found["ours-changes-z"]
    leading = [one for one in changes(result, "z") if one.leading]
    assert len(along_z.rows) == len(leading)
    for change, row in zip(leading, along_z.rows, strict=True):
        assert row[1:3] == ["7 less 3", change.fixed["attack"]]
        assert row[3] == f"${change.difference.estimate:+.4f}$"
    assert all("%" not in one.caption.replace("\\%", "") for one in found.values())


def test_latex_refuses_what_it_has_not(study: Study, result: StudyResult) -> None:
    with pytest.raises(StudyError, match="no table deciding") as refused:
        study_latex(study, result, "deciding")
    assert "--format csv --table deciding" in refused.value.hint


# Quantities by name


def test_every_quantity_has_a_reading_and_a_title(result: StudyResult) -> None:
    keys = keys_of(result)
    assert len(set(keys)) == len(keys)
    for key in keys:
        assert any(reading(cell, key) is not None for cell in result.cells)
        assert measure_title(key)


def test_readings_are_those_of_the_experiments(study: Study, result: StudyResult) -> None:
    for cell, of_study in zip(result.cells, study.cells, strict=True):
        whole = result_of(read_state(load(study.folder_of(of_study))))
        assert whole.summary is not None
        at_3 = whole.summary.accuracy["noise"]["3"]
        found = reading(cell, Key(ACCURACY, ("noise",), "3"))
        assert found is not None
        assert (found.value, found.ci95, found.n) == (at_3.mean, at_3.ci95, at_3.n)
        p = next(
            t.p for t in whole.tests
            if (t.quantity, t.test, t.sets, t.j)
            == ("ratio", "nadeau_bengio", ("adversarial", "misclassified"), "1")
        )  # fmt: skip
        found = reading(cell, Key(P_VALUE))
        assert (None if found is None else found.value) == p


@pytest.mark.parametrize(
    ("text", "sets", "expected"),
    [
        ("crossfit_rise", None, [Key("crossfit_rise", ("adversarial", "misclassified"))]),
        ("crossfit_rise", ["noise"], [Key("crossfit_rise", ("noise",))]),
        ("accuracy", None, [Key(ACCURACY, ("adversarial",))]),
        ("accuracy@3", ["test", "noise"], [Key(ACCURACY, ("test",), "3"), Key(ACCURACY, ("noise",), "3")]),
        ("images", ["misclassified"], [Key(IMAGES, ("misclassified",))]),
        ("fooled", None, [Key(FOOLED)]),
        ("target_hit", None, [Key(HIT)]),
        ("p@1", None, [Key(P_VALUE, level="1")]),
    ],
)
def test_quantities_are_chosen_by_name(
    result: StudyResult, text: str, sets: list[str] | None, expected: list[Key]
) -> None:
    assert chosen_keys(text, sets, result) == expected


@pytest.mark.parametrize(
    ("text", "sets", "said"),
    [
        ("crossfit_ries", None, "did you mean crossfit_rise"),
        ("accuracy@99", None, "expected one of 3, 1, 5, 7"),
        ("fooled@1", None, "--quantity fooled"),
        ("fooled", ["noise"], "leave --sets out"),
        ("accuracy", ["unheard-of"], "'unheard-of'"),
        ("crossfit_rise", ["noise", "test"], "'noise,test'"),
    ],
)
def test_what_no_experiment_has_measured_is_refused(
    result: StudyResult, text: str, sets: list[str] | None, said: str
) -> None:
    with pytest.raises(StudyError) as refused:
        chosen_keys(text, sets, result)
    assert said in f"{refused.value} {refused.value.hint}"


def test_before_there_are_numbers_it_says_so(tmp_path: Path) -> None:
    result = study_result(make_varied_study(tmp_path, {"epsilon": [0.1, 0.2]}, states={0: None, 1: None}))
    with pytest.raises(StudyError, match="no experiment of ours has measured crossfit_rise yet"):
        chosen_keys("crossfit_rise", None, result)
