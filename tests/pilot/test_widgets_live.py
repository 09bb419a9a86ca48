"""The widgets that follow runs at work: what they show, what they tell, and how little they draw anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import DataTable

from core.records.status import ExperimentStatus, RunStatus
from core.sets.registry import SETS
from core.spec.spec import Spec
from tests.fakes.experiments import make_experiment, snapshot_of
from tests.fakes.lab import text_of
from tests.fakes.numbers import draw_metrics
from tests.fakes.screens import NARROW, WIDE, Bench, row_text, settled, updates_of
from tests.fakes.timeline import FAILURE
from tui_aefit.following.snapshot import Level, LogLine, RunView, Snapshot
from tui_aefit.lab.widgets.live.accuracy_table import AccuracyTable
from tui_aefit.lab.widgets.live.charts import AccuracyChart, PValueChart
from tui_aefit.lab.widgets.live.decides import DecidesPane
from tui_aefit.lab.widgets.live.log_pane import LogPane
from tui_aefit.lab.widgets.live.runs_table import RunsTable
from tui_aefit.lab.widgets.live.statistics_table import StatisticsTable

SPEC = Spec(dataset="mnist")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return snapshot_of(make_experiment(tmp_path_factory.mktemp("running"), state="running"))


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return snapshot_of(make_experiment(tmp_path_factory.mktemp("failed"), state="failed", runs=6))


@pytest.fixture
def created(tmp_path: Path) -> Snapshot:
    return snapshot_of(make_experiment(tmp_path, state="created"))


def snapshot_with(name: str = "e", **fields: Any) -> Snapshot:
    """A snapshot in which the rest is as it is before anything has happened."""
    return Snapshot(name, SPEC, SPEC.ladder, **fields)


# The runs table


async def test_every_run_is_seen_with_what_it_does_or_found(running: Snapshot) -> None:
    table = RunsTable()
    async with Bench(table).run_test(size=(100, 20)) as pilot:
        table.snapshot = running
        await settled(pilot)
        assert table.row_count == 1 + len(running.runs)
        assert f"{running.complete} of 12" in row_text(table, "all")
        for view in running.runs:
            text = row_text(table, str(view.index))
            if view.status == "complete":
                metrics = running.metrics[view.index]
                assert f"M {metrics.counts.misclassified:,}" in text
                assert f"D {metrics.counts.adversarial:,}" in text
                assert f"net {metrics.surrogate_accuracy:.3f}" in text
            elif view.status == "running":
                assert view.stage in text
                assert f"{100 * view.done // view.total} %" in text
                assert view.stage_started is not None
                rate = view.done / (running.now - view.stage_started)
                assert f"{rate / 1000:.1f}k/s" in text
            else:
                assert "waiting" in text


async def test_how_often_the_attack_fools_the_surrogate_is_said_of_all_runs_and_of_each(
    running: Snapshot,
) -> None:
    table = RunsTable()
    async with Bench(table).run_test(size=(100, 20)) as pilot:
        table.snapshot = running
        await settled(pilot)
        figures = {run: metrics.attack for run, metrics in running.metrics.items()}
        fooled = [one.surrogate_fooled for one in figures.values() if one.surrogate_fooled is not None]
        hit = [one.target_hit for one in figures.values() if one.target_hit is not None]
        mean = f"fooled {100 * sum(fooled) / 4:.2f} %, target hit {100 * sum(hit) / 4:.2f} %"
        assert table.explanation("all").endswith(mean)
        assert f"fooled {100 * fooled[0]:.2f} %, target hit {100 * hit[0]:.2f} %" in table.explanation("0")
        assert row_text(table, "0").count(f"fooled {100 * fooled[0]:.3g} %") == 1
        await pilot.resize_terminal(70, 20)
        await settled(pilot)
        assert "fooled" not in row_text(table, "0")  # there is room for M and D only


async def test_what_a_result_is_made_of_is_said_once_there_is_one(
    running: Snapshot, created: Snapshot
) -> None:
    table = RunsTable()
    async with Bench(table).run_test(size=WIDE) as pilot:
        table.snapshot = created
        await settled(pilot)
        assert "misclassified" not in text_of(pilot.app)
        table.snapshot = running
        await settled(pilot)
        # net 0.991, M 292 D 981, each beside its meaning, in half of a terminal of 140 columns too.
        for width in (WIDE[0], 70):
            await pilot.resize_terminal(width, WIDE[1])
            await settled(pilot)
            border = text_of(pilot.app).splitlines()[0]
            for word, meaning in (
                ("M", "misclassified"),
                ("D", "adversarial"),
                ("net", "surrogate's accuracy"),
            ):
                assert f"{word} {meaning}" in border


async def test_times_are_those_spent_and_those_left() -> None:
    seconds = {"split": 20.0, "surrogate": 80.0}
    complete = RunView(0, RunStatus.COMPLETE, started=0.0, finished=100.0, seconds=seconds)
    at_work = RunView(1, RunStatus.RUNNING, "split", done=1, total=2, stage_started=100.0, started=100.0)
    table = RunsTable()
    snapshot = snapshot_with(
        status=ExperimentStatus.RUNNING,
        now=130.0,
        runs=(complete, at_work),
        metrics={0: draw_metrics(SPEC, 0)},
        remaining=70.0,
        left={1: 70.0},
        worked=130.0,
    )
    async with Bench(table).run_test(size=WIDE) as pilot:
        table.snapshot = snapshot
        await settled(pilot)
        assert table.get_cell("1", "time").plain == "0:30 / 1:10"
        assert table.get_cell("all", "time").plain == "2:10 / 1:10"
        table.snapshot = replace(snapshot, now=5.0 + 2 * 3600)
        assert table.get_cell("1", "time").plain.startswith("1h58m / ")


async def test_a_failed_run_says_why(failed: Snapshot) -> None:
    table = RunsTable()
    app = Bench(table)
    async with app.run_test(size=(100, 20)) as pilot:
        table.snapshot = failed
        table.focus()
        await settled(pilot)
        assert FAILURE[0] in row_text(table, "2")
        assert "failed" in row_text(table, "2")
        await pilot.press("down", "down", "down")
        await settled(pilot)
        assert f"{FAILURE[0]}; {FAILURE[1]}"[:80] in text_of(app)


async def test_going_to_a_row_selects_its_run(running: Snapshot) -> None:
    table = RunsTable()
    app = Bench(table)
    async with app.run_test(size=WIDE) as pilot:
        table.snapshot = running
        table.focus()
        await settled(pilot)
        assert app.messages == []
        await pilot.press("down", "down", "up", "up")
        await settled(pilot)
        assert [message.index for message in app.messages if isinstance(message, RunsTable.RunSelected)] == [
            0,
            1,
            0,
            None,
        ]


async def test_a_run_is_updated_in_place(running: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    table = RunsTable()
    app = Bench(table)
    async with app.run_test(size=WIDE) as pilot:
        table.snapshot = running
        table.focus()
        await settled(pilot)
        table.move_cursor(row=5)
        await settled(pilot)
        app.messages.clear()
        at_work = next(view for view in running.runs if view.status == "running")
        further = replace(at_work, done=at_work.total)
        runs = tuple(further if view is at_work else view for view in running.runs)
        with updates_of(table, monkeypatch) as drawn:
            table.snapshot = replace(running, runs=runs)
        assert drawn
        assert {row for row, _ in drawn} == {str(at_work.index)}
        assert "100 %" in row_text(table, str(at_work.index))
        await settled(pilot)
        assert table.cursor_row == 5
        assert app.messages == []


async def test_the_cursor_stays_on_its_run_when_the_terminal_changes(running: Snapshot) -> None:
    table = RunsTable()
    app = Bench(table)
    async with app.run_test(size=(100, 30)) as pilot:
        table.snapshot = running
        table.focus()
        await settled(pilot)
        table.move_cursor(row=4)
        await settled(pilot)
        app.messages.clear()
        await pilot.resize_terminal(*NARROW)
        await settled(pilot)
        assert table.row_under_cursor == "3"
        assert app.messages == []
        assert table.max_scroll_x == 0


async def test_hundreds_of_runs_are_looked_at_only_where_they_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = tuple(RunView(index) for index in range(600))
    snapshot = snapshot_with(status=ExperimentStatus.RUNNING, now=10.0, runs=runs)
    table = RunsTable()
    async with Bench(table).run_test(size=WIDE) as pilot:
        table.snapshot = snapshot
        await settled(pilot)
        assert table.row_count == 601
        begun = RunView(300, RunStatus.RUNNING, "split", total=1, stage_started=9.0, started=9.0)
        with updates_of(table, monkeypatch) as drawn:
            table.snapshot = replace(snapshot, runs=(*runs[:300], begun, *runs[301:]))
        assert {row for row, _ in drawn} <= {"300", "all"}
        assert table.get_cell("300", "stage").plain.strip() == "split"


# The log


def lines_of(pane: LogPane) -> list[str]:
    return [strip.text.rstrip() for strip in pane.lines]


def log_of(*texts: str, level: Level = "info") -> tuple[LogLine, ...]:
    return tuple(LogLine(60.0 * place, text, level) for place, text in enumerate(texts))


async def test_the_log_adds_only_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    pane = LogPane()
    log = log_of(*(f"line {number}" for number in range(6)))
    async with Bench(pane).run_test(size=WIDE) as pilot:
        await settled(pilot)
        pane.snapshot = snapshot_with(log=log[:4])
        written: list[object] = []
        write = pane.write

        def note(line: object, **options: Any) -> LogPane:
            written.append(line)
            return write(line, **options)

        monkeypatch.setattr(pane, "write", note)
        pane.snapshot = snapshot_with(now=1.0, log=log[:4])
        assert written == []
        pane.snapshot = snapshot_with(log=log[2:])  # the oldest are forgotten
        assert len(written) == 2
        assert [line.split(" ", 1)[1] for line in lines_of(pane)] == [line.text for line in log]
        pane.snapshot = snapshot_with("other", log=log_of("begun"))
        assert len(lines_of(pane)) == 1


async def test_the_log_says_the_level_in_words_and_takes_text_as_it_is() -> None:
    pane = LogPane()
    async with Bench(pane).run_test(size=WIDE) as pilot:
        await settled(pilot)
        log = (*log_of("all is well [red]"), *log_of("slow", level="warning"), *log_of("lost", level="error"))
        pane.snapshot = snapshot_with(log=log)
        assert [line.split(" ", 1)[1] for line in lines_of(pane)] == [
            "all is well [red]",
            "warning: slow",
            "error: lost",
        ]


async def test_the_log_is_wrapped_anew_when_the_width_changes() -> None:
    pane = LogPane()
    words = [f"word{number}" for number in range(40)]
    async with Bench(pane).run_test(size=WIDE) as pilot:
        await settled(pilot)
        pane.snapshot = snapshot_with(log=log_of(" ".join(words)))
        for width in (80, 40):
            await pilot.resize_terminal(width, 20)
            await settled(pilot)
            lines = lines_of(pane)
            assert " ".join(lines).split()[1:] == words
            assert all(len(line) <= width - 3 for line in lines)
            assert all(line.startswith(" " * 9) for line in lines[1:])


async def test_what_the_log_heard_out_of_sight_is_read_when_it_is_seen() -> None:
    pane = LogPane()
    async with Bench(pane).run_test(size=WIDE) as pilot:
        await settled(pilot)
        log = log_of(*(f"the line of number {number}" for number in range(30)))
        for length in (10, 20, 30):
            pane.display = False
            await settled(pilot)
            pane.snapshot = snapshot_with(log=log[:length])
            await settled(pilot)
            pane.display = True
            await settled(pilot)
            assert [line.split(" ", 1)[1] for line in lines_of(pane)] == [line.text for line in log[:length]]
            assert log[length - 1].text in text_of(pilot.app)


async def test_the_log_follows_the_newest_line_until_the_person_scrolls_up() -> None:
    pane = LogPane()
    log = log_of(*(f"line {number}" for number in range(102)))
    async with Bench(pane).run_test(size=WIDE) as pilot:
        await settled(pilot)
        pane.snapshot = snapshot_with(log=log[:100])
        await settled(pilot)
        assert pane.scroll_y == pane.max_scroll_y > 0
        pane.scroll_to(y=10, animate=False)
        await settled(pilot)
        pane.snapshot = snapshot_with(log=log[:101])
        await settled(pilot)
        assert pane.scroll_y == 10
        pane.scroll_end(animate=False)
        await settled(pilot)
        pane.snapshot = snapshot_with(log=log)
        await settled(pilot)
        assert pane.scroll_y == pane.max_scroll_y


# All of them


@pytest.mark.parametrize(
    "make", [AccuracyChart, PValueChart, AccuracyTable, DecidesPane, StatisticsTable, RunsTable, LogPane]
)
async def test_a_widget_takes_snapshots_of_every_state_in_any_order(
    make: Any, created: Snapshot, running: Snapshot, failed: Snapshot
) -> None:
    widget = make("c") if make is AccuracyChart else make()
    async with Bench(widget).run_test(size=NARROW) as pilot:
        for snapshot in (created, running, failed, created):
            widget.snapshot = snapshot
            await settled(pilot)
        if isinstance(widget, DataTable):
            assert widget.row_count == {AccuracyTable: len(SETS), StatisticsTable: 0, RunsTable: 13}[make]
