"""`compare` on the command line: what is printed is what the experiments' files say, and SciPy tests."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.records.study import Study
from tests.fakes.experiments import make_experiment
from tests.fakes.study_numbers import RUNS, make_varied_study
from tests.unit.test_latex import tables
from tui_aefit.shell.cli import run


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return make_varied_study(tmp_path_factory.mktemp("home"), {"attack": ["fgsm", "pgd"], "seed": [0, 1]})


def ids(study: Study, **settings: object) -> list[str]:
    return [
        cell.id for cell in study.cells
        if cell.spec is not None and all(cell.spec.values[name] == value for name, value in settings.items())
    ]  # fmt: skip


def bias_falls(study: Study, identity: str) -> tuple[list[float], float]:
    """Of each run, by hand: the fall of bias on adversarial images less that on mistakes; the overlap."""
    folder = study.home / "experiments" / identity / "runs"
    runs = [json.loads((folder / f"{run:04}" / "result" / "metrics.json").read_text()) for run in range(RUNS)]
    falls = []
    for one in runs:
        found: dict[str, Any] = one["bias_variance"]
        fall = {name: found[name]["7"]["bias"] - found[name]["1"]["bias"]
                for name in ("adversarial", "misclassified")}  # fmt: skip
        falls.append(fall["adversarial"] - fall["misclassified"])
    counts = runs[0]["counts"]
    return falls, counts["test"] / counts["train"]


def compare(capsys: pytest.CaptureFixture[str], study: Study, *words: str) -> str:
    assert run(["compare", *words, "--home", str(study.home)]) == 0
    return capsys.readouterr().out


def bias_difference(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = (
        row for row in rows
        if row[name] == "bias_fall"
        and (row.get("sets") or [row.get("first_set"), row.get("second_set")]) == ["adversarial", "misclassified"]
    )  # fmt: skip
    return found


def test_experiments_that_share_splits_are_paired_by_run(
    capsys: pytest.CaptureFixture[str], study: Study
) -> None:
    one, other = ids(study, seed=0)
    found = json.loads(compare(capsys, study, one, other, "--json"))
    assert [entry["id"] for entry in found["experiments"]] == [one, other]
    assert found["experiments"][0]["settings"] == {"attack": "fgsm"}
    (first, overlap), (second, _) = bias_falls(study, one), bias_falls(study, other)
    d = np.subtract(second, first)
    error = d.std(ddof=1) * math.sqrt(1 / RUNS + overlap)
    row = bias_difference(found["differences"], "name")
    assert (row["first"], row["second"], row["test"], row["n"]) == (one, other, "nadeau_bengio", RUNS)
    assert row["estimate"] == pytest.approx(d.mean())
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(d.mean()) / error, RUNS - 1))
    assert row["ci95"] == pytest.approx(stats.t.interval(0.95, RUNS - 1, loc=d.mean(), scale=error))


def test_experiments_of_other_seeds_are_compared_by_welch(
    capsys: pytest.CaptureFixture[str], study: Study
) -> None:
    one, other = ids(study, attack="fgsm")
    rows = list(
        csv.DictReader(
            io.StringIO(compare(capsys, study, one, other, "--format", "csv", "--table", "differences"))
        )
    )
    row = bias_difference(rows, "quantity")
    (first, overlap), (second, _) = bias_falls(study, one), bias_falls(study, other)
    wider = math.sqrt(1 + RUNS * overlap)
    sides = [s for values in (second, first)
             for s in (np.mean(values), np.std(values, ddof=1) * wider, RUNS)]  # fmt: skip
    assert row["test"] == "welch"
    assert float(row["p"]) == pytest.approx(stats.ttest_ind_from_stats(*sides, equal_var=False).pvalue)
    assert float(row["difference"]) == pytest.approx(np.mean(second) - np.mean(first))


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_text_says_what_differs_and_by_how_much(
    capsys: pytest.CaptureFixture[str], study: Study, width: int
) -> None:
    one, other = ids(study, seed=0)
    text = compare(capsys, study, one, other, "--width", str(width))
    assert all(len(line) <= width for line in text.splitlines())
    found = json.loads(compare(capsys, study, one, other, "--json"))
    row = bias_difference(found["differences"], "name")
    low, high = row["ci95"]
    assert f"{row['estimate']:+z.3f} [{low:+z.3f}, {high:+z.3f}]" in text
    for entry in found["experiments"]:
        assert entry["id"] in text
        rise = entry["claims"][0]
        low, high = rise["ci95"]
        assert f"{rise['estimate']:+.3f} [{low:+.3f}, {high:+.3f}] {rise['decision']}" in text
        at_1 = entry["summary"]["accuracy"]["adversarial"]["1"]
        assert f"{at_1['mean']:.4f} ± {(at_1['ci95'][1] - at_1['ci95'][0]) / 2:.4f}" in text
    assert "Paired by run" in " ".join(text.split())


def test_of_three_every_two_are_compared(capsys: pytest.CaptureFixture[str], study: Study) -> None:
    three = [cell.id for cell in study.cells][:3]
    found = json.loads(compare(capsys, study, *three, "--json"))
    pairs = {(row["first"], row["second"]) for row in found["differences"]}
    assert pairs == {(three[0], three[1]), (three[0], three[2]), (three[1], three[2])}


def test_latex_has_the_differences(capsys: pytest.CaptureFixture[str], study: Study, tmp_path: Path) -> None:
    one, other = ids(study, seed=0)
    output = tmp_path / "here.tex"
    assert compare(capsys, study, one, other, "--format", "latex", "--output", str(output)) == ""
    found = {table.label: table for table in tables(output.read_text())}
    assert "comparison-claims" in found
    row = next(r for r in found["comparison-differences"].rows if r[0] == "bias fall, D - M")
    whole = json.loads(compare(capsys, study, one, other, "--json"))
    expected = bias_difference(whole["differences"], "name")
    assert row[1:3] == ["pgd less fgsm", f"${expected['estimate']:+.4f}$"]


def test_settings_and_long_tables_as_csv(capsys: pytest.CaptureFixture[str], study: Study) -> None:
    one, other = ids(study, seed=0)
    settings = compare(capsys, study, one, other, "--format", "csv", "--table", "settings")
    assert [row["attack"] for row in csv.DictReader(io.StringIO(settings))] == ["fgsm", "pgd"]
    claims = compare(capsys, study, one, other, "--format", "csv")
    assert {row["id"] for row in csv.DictReader(io.StringIO(claims))} == {one, other}


def test_one_without_runs_is_not_compared(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = [
        make_experiment(tmp_path, runs=3),
        make_experiment(tmp_path, runs=3, epsilon=0.3, state="created"),
    ]
    assert run(["compare", *(one.id for one in made), "--home", str(tmp_path), "--width", "80"]) == 0
    text = capsys.readouterr().out
    assert "No two of them have complete runs" in text
    assert "there are no numbers yet" in " ".join(text.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "a comparison takes two experiments or more"),
        (["{one}"], "not {one} alone"),
        (["{one}", "{one}"], "not {one} alone"),
        (["{one}", "absent"], "there is no experiment"),
        (["{one}", "{other}", "--table", "claims"], "--format csv --table claims"),
        (["{one}", "{other}", "--json", "--format", "csv"], "exclude each other"),
    ],
)
def test_mistakes_are_refused(
    capsys: pytest.CaptureFixture[str], study: Study, words: list[str], said: str
) -> None:
    one, other = ids(study, seed=0)
    filled = [word.format(one=one, other=other) for word in words]
    assert run(["compare", *filled, "--home", str(study.home)]) == 2
    assert said.format(one=one) in capsys.readouterr().err


def test_options_may_stand_between_the_experiments(capsys: pytest.CaptureFixture[str], study: Study) -> None:
    one, other = ids(study, seed=0)
    assert run(["compare", one, "--home", str(study.home), other, "--json"]) == 0
    assert one in capsys.readouterr().out
