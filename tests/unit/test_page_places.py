"""A page that is sent to others does not say where, and under which name, it was made."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.records.state import read_state
from core.report.page.document import report_html
from core.report.places import without_folders, without_places
from core.report.reproduce import commands
from core.report.result import Result, result_of
from core.spec.spec import Spec
from tests.fakes.damage import append_line
from tests.fakes.experiments import make_experiment_from_answers

NONE = {"adversarial": "there are no images"}
HOME = "/home/ada.lovelace/my-data"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("cannot write to /home/ada/lab/experiments/x-1: full", "cannot write to …/x-1: full"),
        ("cannot write '/home/ada/a b.npz'", "cannot write '…/a b.npz'"),
        ("see ~ada/lab/log", "see …/log"),
        ("ratio 1/2, epsilon 8/255, and/or, https://example.org/a", "ratio 1/2, epsilon 8/255, and/or, https://example.org/a"),
        ("/tmp is full", "/tmp is full"),
    ],
)  # fmt: skip
def test_folders_give_way_and_what_is_none_stays(text: str, told: str) -> None:
    assert without_folders(text) == told


@pytest.fixture
def result(tmp_path: Path) -> Result:
    spec = Spec(dataset=f"{HOME}/mnist", runs=2, controls=(), options={"z": 3})
    experiment = make_experiment_from_answers(tmp_path, spec, complete=[0]).experiment
    append_line(
        experiment,
        {"event": "run_failed", "run": 1, "error": f"cannot read {HOME}/mnist/a.png", "hint": f"see {HOME}/x",
         "retry": False},
    )  # fmt: skip
    return result_of(read_state(experiment))


def test_a_page_names_no_folder_and_no_user(result: Result) -> None:
    page = report_html(without_places(result), NONE)
    assert "ada" not in page
    assert HOME not in page
    assert "--dataset ./mnist" in page, "an own data set is no set of the catalogue"
    assert HOME in report_html(result, NONE)


def test_nothing_else_changes(result: Result) -> None:
    shown = without_places(result)
    assert shown.id == result.id
    assert shown.metrics == result.metrics
    before, after = (dict(one.spec.values) for one in (result, shown))
    assert (before.pop("dataset"), after.pop("dataset")) == (f"{HOME}/mnist", "./mnist")
    assert before == after
    assert not any("data fetch" in line for line in commands(shown))
    assert result.spec.dataset == f"{HOME}/mnist"
