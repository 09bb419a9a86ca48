"""Journals and results of a shape that nobody expects: what can be shown is shown, and the lab goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.records.experiment import Experiment
from tests.recorded import make_experiment
from tests.stub_coordinator import House, notices, opened, text_of, until
from tui_aefit.lab.app import Lab
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.widgets.runs_table import RunsTable

SMALL, LARGE = (80, 24), (140, 45)
ERASE = "\x1b[2J\x1b]0;title\x07"
TEST = {"quantity": "ratio", "j": "3", "sets": ["adversarial", "misclassified"], "n": 3, "p": None}


def journal(
    experiment: Experiment, kind: str, time: float = 1.8e9, version: int = 1, **fields: object
) -> None:
    path = experiment.journal / "0009-coordinator.jsonl"
    line = {"seq": 1, "time": time, "v": version, "event": kind, **fields}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def statistics(version: int = 1, **fields: object) -> Callable[[Experiment], None]:
    whole = {"runs": [0], "summary": {"accuracy": {}}, "tests": [], **fields}
    return lambda experiment: journal(experiment, "statistics", version=version, **whole)


def notice(time: float) -> Callable[[Experiment], None]:
    return lambda experiment: journal(experiment, "notice", time, text="the clock was set")


def metrics(change: Callable[[dict[str, Any]], object]) -> Callable[[Experiment], None]:
    def write(experiment: Experiment) -> None:
        path = experiment.run_folder(0) / "result" / "metrics.json"
        record = json.loads(path.read_text())
        change(record)
        path.write_text(json.dumps(record))

    return write


STRANGE = {
    "a summary without accuracies": statistics(summary={"other": 1}),
    "a summary of a newer version": statistics(2, summary={"means": {}}),
    "a mean that is a word": statistics(summary={"accuracy": {"test": {"7": {"mean": "x", "ci95": None}}}}),
    "a mean beyond all numbers": statistics(summary={"accuracy": {"test": {"7": {"mean": 10**400}}}}),
    "a test that is a word": statistics(tests=["x"]),
    "a test without a name": statistics(tests=[TEST]),
    "no list of tests": statistics(tests={"test": "welch"}),
    "runs that are no list": statistics(runs=7),
    "no surrogate accuracy": metrics(lambda record: record.update(surrogate_accuracy=None)),
    "counts of one set": metrics(lambda record: record.update(counts={"test": 1})),
    "an accuracy that is a word": metrics(lambda record: record["accuracy"]["test"].update({"7": "x"})),
    "accuracies that are a word": metrics(lambda record: record.update(accuracy="x")),
    "a stage without a duration": metrics(lambda record: record.update(seconds={"split": None})),
    "no durations": metrics(lambda record: record.update(seconds=[1])),
    "a year that no calendar has": notice(1e12),
    "a time beyond all clocks": notice(1e300),
    "a time before all clocks": notice(-1e300),
}


@pytest.mark.parametrize("strange", STRANGE)
async def test_every_pane_and_the_form_show_whatever_is_recorded(house: House, strange: str) -> None:
    experiment = make_experiment(house.home, runs=3)
    STRANGE[strange](experiment)
    lab = house.lab(experiment)
    async with opened(lab, LARGE) as pilot:  # all panes at once
        await until(pilot, lambda: "✓ complete  3/3 runs" in text_of(lab))
        await pilot.press("down", "down", "up")  # run by run
        for pane in "123456":
            await pilot.press(pane)
            await pilot.pause()
            await pilot.press("v", "t", "h", "f", "down")
            await pilot.pause()
        assert isinstance(lab.screen, LiveScreen)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(lab.screen, SetupScreen) and "time: " in text_of(lab))


async def test_a_result_of_another_shape_is_named_and_the_others_are_shown(house: House) -> None:
    experiment = make_experiment(house.home, runs=3)
    STRANGE["counts of one set"](experiment)
    lab = house.lab(experiment)
    async with opened(lab, LARGE) as pilot:
        await until(pilot, lambda: "! 1 unreadable: run 1: its metrics.json" in text_of(lab))
        rows = [line for line in text_of(lab).splitlines() if "✓ complete" in line][1:]
        assert ["result unreadable" in row for row in rows] == [True, False, False]
        found = experiment.results()[1]["counts"]
        assert isinstance(found, dict)
        assert f"M {found['misclassified']:,} D {found['adversarial']:,}" in rows[1]


async def test_durations_of_another_shape_give_no_estimate_and_sound_ones_do(house: House) -> None:
    broken = make_experiment(house.home, runs=3, dataset="digits", epsilon=0.25)
    STRANGE["a stage without a duration"](broken)
    lab = house.lab(dataset="digits")
    async with opened(lab, LARGE) as pilot:
        await until(pilot, lambda: "no past run of this data set" in text_of(lab))
    make_experiment(house.home, runs=3, dataset="digits")
    again = house.lab(dataset="digits")
    async with opened(again, LARGE) as pilot:
        await until(pilot, lambda: "time: about" in text_of(again))


async def test_nothing_that_is_recorded_reaches_the_terminal_as_a_command(house: House) -> None:
    experiment = make_experiment(house.home, state="interrupted", runs=3, complete=1)
    statistics(verdict=[f"{ERASE}said"])(experiment)
    journal(experiment, "coordinator_started", host=ERASE, pid=1, jobs=1, pending=[1, 2])
    journal(experiment, "run_started", run=1, worker=1, attempt=1)
    journal(experiment, "stage_started", run=1, stage=f"{ERASE}split", total=1)
    journal(experiment, "run_failed", run=1, error=f"{ERASE}lost", hint=ERASE, retry=False)
    journal(experiment, "notice", text=f"{ERASE}noted")
    journal(experiment, ERASE)
    journal(experiment, "finished", status="failed", error=f"{ERASE}first\n{ERASE}second", hint=ERASE)
    lab = house.lab(experiment)
    async with opened(lab, LARGE) as pilot:
        for words in ("said", "lost", "noted", "first", "second"):
            await until(pilot, lambda words=words: words in text_of(lab))  # type: ignore[misc]
        assert not set(text_of(lab)) & set("\x1b\x07")
        assert "�[2J" in text_of(lab)


async def test_a_long_error_leaves_room_for_the_panes_and_stands_in_the_log(house: House) -> None:
    lines = [f"line {number} of a long traceback" for number in range(1, 27)]
    experiment = make_experiment(house.home, state="interrupted", runs=3, complete=1)
    for kind, fields in (
        ("run_failed", {"run": 1, "retry": False}),
        ("finished", {"status": "failed"}),
    ):
        journal(experiment, kind, error="\n".join(lines), hint="look\nthere", **fields)
    lab = house.lab(experiment)
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: f"✗ {lines[0]} (the log has the rest)" in text_of(lab))
        assert lab.screen.query_one("#headline").region.height <= 4
        table = lab.screen.query_one(RunsTable)
        assert table.region.height >= 12
        assert table.explanation("1") == " ".join(lines) + "; look there"
        assert lines[1] in table.explanation("all")
        await pilot.press("6")
        await until(pilot, lambda: lines[-1] in text_of(lab))


async def test_a_folder_in_the_place_of_a_lock_is_no_lock(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = make_experiment(house.home, runs=3, complete=1, state="interrupted")
    (broken.folder / "lock").mkdir()
    lab = house.lab(broken)
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: "1/3 runs" in text_of(lab))
        await pilot.press("r")
        await until(pilot, lambda: f"cannot read {broken.folder / 'lock'}" in notices(lab))
        await pilot.press("q")
        await until(pilot, lambda: not lab.is_running)
    assert house.coordinator.started == []


@pytest.mark.parametrize("first", [None, "an experiment"])
async def test_a_home_that_cannot_be_listed_is_said_once_and_can_be_left(
    house: House, monkeypatch: pytest.MonkeyPatch, first: str | None
) -> None:
    experiment = make_experiment(house.home, runs=3)

    def refuse(folder: object) -> list[str]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("core.records.overview.os.listdir", refuse)
    monkeypatch.setattr("tui_aefit.following.home.every", refuse)
    lab: Lab = house.lab(experiment if first else None)
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: "Permission denied" in notices(lab))
        await pilot.pause(2.5)  # looks go on
        assert notices(lab).count("Permission denied") == 1
        await pilot.press("escape", "q")
        await until(pilot, lambda: not lab.is_running)


async def test_an_experiment_whose_files_cannot_be_reached_is_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make_experiment(house.home, state="interrupted", runs=3)
    lab = house.lab(experiment)
    is_dir = Path.is_dir

    def refuse(path: Path) -> bool:
        if path.parent.name == "experiments":
            raise PermissionError(13, "Permission denied", str(path))
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", refuse)
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: "cannot list" in notices(lab))
        await pilot.press("q")
        await until(pilot, lambda: not lab.is_running)
