"""Journals and results of a shape that nobody expects: what can be shown is shown, and the lab goes on."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.fakes.damage import LINES, METRICS, NOTICE, STATISTICS, append_line, change_metrics
from tests.fakes.experiments import make_experiment
from tests.fakes.lab import House, notices, opened, text_of, until
from tui_aefit.following.feed import PROBLEMS
from tui_aefit.lab.app import Lab
from tui_aefit.lab.live_panes import PANES
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.screens.live import LiveScreen
from tui_aefit.lab.screens.setup import SetupScreen
from tui_aefit.lab.widgets.live.runs_table import RunsTable

SMALL, LARGE = (80, 24), (140, 45)
RUNS, LOG = (str(list(PANES).index(name) + 1) for name in ("runs", "log"))
ERASE = "\x1b[2J\x1b]0;title\x07"


async def runs_of(lab: Lab, pilot: Pilot[None]) -> RunsTable:
    """The table of runs, on the screen."""
    await pilot.press(RUNS)
    table = lab.screen.query_one(RunsTable)
    await until(pilot, lambda: table.row_count and lab.focused is table)
    return table


@pytest.mark.slow
async def test_every_screen_shows_what_is_whole_beside_records_of_every_damage(house: House) -> None:
    """What the parser makes of each damage is tested with the parser."""
    experiment = make_experiment(house.home, runs=len(METRICS) + 1)
    for run, damage in enumerate(METRICS.values()):
        change_metrics(experiment.run_folder(run) / "result", damage)
    for fields in LINES.values():
        append_line(experiment, fields)
    append_line(experiment, {**NOTICE, "time": 1e12, "text": "in a year that no calendar has"})
    # Whole, and of no ladder that the experiment has.
    last = experiment.results()[len(METRICS)]
    foreign = {"mean": 0.5, "sd": None, "ci95": None, "n": 1}
    append_line(
        experiment, {**STATISTICS, "summary": {"accuracy": {"test": {"9": foreign}}}}, "0010-coordinator"
    )
    lab = house.lab(experiment)
    async with opened(lab, LARGE) as pilot:  # all panes at once
        await until(pilot, lambda: f"◐ interrupted  1/{len(METRICS) + 1} runs" in text_of(lab))
        problems = min(PROBLEMS, len(METRICS) + len(LINES)) + 1  # the last says how many more
        assert f"! {problems} unreadable: run 1: its metrics.json is damaged" in text_of(lab)
        table = await runs_of(lab, pilot)
        found = f"M {last.counts.misclassified:,} D {last.counts.adversarial:,}"
        assert table.get_cell(str(len(METRICS)), "progress").plain.strip().startswith(found)
        assert "waiting" in table.get_cell("0", "status").plain
        assert "result unreadable" in table.get_cell("0", "progress").plain
        await pilot.press("down", "down", "up")  # run by run
        await pilot.press("enter")  # its details
        for pane in "123456789":
            for key in (pane, "v", "t", "h", "i", "b", "c", "y", "f", "f", "down", "left", "right"):
                await pilot.press(key)
            await pilot.pause()
        assert isinstance(lab.screen, LiveScreen)
        await pilot.press(LOG, "end")
        await until(pilot, lambda: "in a year that no calendar has" in text_of(lab))
        await pilot.press("e")
        await until(pilot, lambda: f"1/{len(METRICS) + 1}" in text_of(lab))
        assert isinstance(lab.screen, ExperimentsScreen)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(lab.screen, SetupScreen) and "time: " in text_of(lab))


@pytest.mark.slow
async def test_a_result_of_another_shape_is_named_and_the_others_are_shown(house: House) -> None:
    experiment = make_experiment(house.home, runs=3)
    change_metrics(experiment.run_folder(0) / "result", METRICS["counts of one set"])
    lab = house.lab(experiment)
    async with opened(lab, LARGE) as pilot:
        await until(pilot, lambda: "! 1 unreadable: run 1: its metrics.json" in text_of(lab))
        table = await runs_of(lab, pilot)
        shown = [table.get_cell(str(run), "progress").plain.strip() for run in range(3)]
        found = [text.partition(" fooled")[0] for text in shown]
        counts = [metrics.counts for metrics in experiment.results().values()]
        assert found == [
            "result unreadable",
            *(f"M {one.misclassified:,} D {one.adversarial:,}" for one in counts),
        ]
        assert "computed anew" in table.explanation("0")
        await pilot.press("r")
        await until(pilot, lambda: "✓ complete  3/3 runs" in text_of(lab))
        assert "result unreadable" not in text_of(lab)
        assert "its metrics.json" not in text_of(lab)


async def test_nothing_that_is_recorded_reaches_the_terminal_as_a_command(house: House) -> None:
    experiment = make_experiment(house.home, state="interrupted", runs=3, complete=1)
    append_line(experiment, {**STATISTICS, "verdict": [f"{ERASE}said"]})
    append_line(
        experiment, {"event": "coordinator_started", "host": ERASE, "pid": 1, "jobs": 1, "pending": [1, 2]}
    )
    append_line(experiment, {"event": "run_started", "run": 1, "worker": 1, "attempt": 1})
    append_line(experiment, {"event": "stage_started", "run": 1, "stage": f"{ERASE}split", "total": 1})
    append_line(
        experiment, {"event": "run_failed", "run": 1, "error": f"{ERASE}lost", "hint": ERASE, "retry": False}
    )
    append_line(experiment, {"event": "notice", "text": f"{ERASE}noted"})
    append_line(experiment, {"event": ERASE})
    append_line(
        experiment,
        {"event": "finished", "status": "failed", "error": f"{ERASE}first\n{ERASE}second", "hint": ERASE},
    )
    lab = house.lab(experiment)
    async with opened(lab, LARGE) as pilot:
        for pane, words in (("", ("said", "first")), (RUNS, ("lost",)), (LOG, ("noted", "second"))):
            await pilot.press(*pane)
            for word in words:
                await until(pilot, lambda word=word: word in text_of(lab))  # type: ignore[misc]
            assert not set(text_of(lab)) & set("\x1b\x07")
        assert "�[2J" in text_of(lab)


async def test_a_long_error_leaves_room_for_the_panes_and_stands_in_the_log(house: House) -> None:
    lines = [f"line {number} of a long traceback" for number in range(1, 27)]
    experiment = make_experiment(house.home, state="interrupted", runs=3, complete=1)
    for kind, fields in (
        ("run_failed", {"run": 1, "retry": False}),
        ("finished", {"status": "failed"}),
    ):
        append_line(experiment, {"event": kind, "error": "\n".join(lines), "hint": "look\nthere", **fields})
    lab = house.lab(experiment)
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: f"✗ {lines[0]} (the log has the rest)" in text_of(lab))
        assert lab.screen.query_one("#trouble").region.height <= 3
        table = await runs_of(lab, pilot)
        assert table.region.height >= 12
        assert table.explanation("1") == " ".join(lines) + "; look there"
        assert lines[1] in table.explanation("all")
        await pilot.press(LOG)
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
        await until(pilot, lambda: house.coordinator.started)
        assert house.coordinator.started[0]["experiment"].id == broken.id


@pytest.mark.parametrize("first", [None, "an experiment"])
async def test_a_home_that_cannot_be_listed_is_said_once_and_can_be_left(
    house: House, monkeypatch: pytest.MonkeyPatch, first: str | None
) -> None:
    experiment = make_experiment(house.home, runs=3)

    looks: list[object] = []
    scandir = os.scandir

    def refuse(folder: str | Path) -> object:
        if Path(folder) != house.home / "experiments":
            return scandir(folder)
        looks.append(folder)
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("core.records.home.os.scandir", refuse)
    monkeypatch.setattr("tui_aefit.lab.app.WATCH_SECONDS", 0.05)
    lab: Lab = house.lab(experiment if first else None)
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: "Permission denied" in notices(lab))
        before = len(looks)
        await until(pilot, lambda: len(looks) > before + 3)
        assert notices(lab).count("Permission denied") == 1
        await pilot.press("escape", "q")
        await until(pilot, lambda: not lab.is_running)


async def test_an_experiment_whose_files_cannot_be_reached_is_said(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = make_experiment(house.home, state="interrupted", runs=3)
    lab = house.lab(experiment)
    scandir = os.scandir

    class Unreachable:
        name = experiment.id

        def is_dir(self) -> bool:
            raise PermissionError(13, "Permission denied", self.name)

    def give_unreachable(folder: str | Path) -> AbstractContextManager[Iterable[object]]:
        listed = Path(folder) == house.home / "experiments"
        return nullcontext([Unreachable()]) if listed else scandir(folder)

    monkeypatch.setattr("core.records.home.os.scandir", give_unreachable)
    async with opened(lab, SMALL) as pilot:
        await until(pilot, lambda: "cannot list" in notices(lab))
        await pilot.press("q")
        await until(pilot, lambda: not lab.is_running)
