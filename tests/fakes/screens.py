"""One widget, or the experiments screen, in the least app that can hold it, and what tests ask of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Static

from core.records.experiment import Experiment
from tests.fakes.experiments import NOW
from tui_aefit.lab.browsing import Browsing
from tui_aefit.lab.messages import (
    CloneExperiment,
    ExportExperiment,
    ExtendExperiment,
    ExtendSeveral,
    NewExperiment,
    OpenExperiment,
    OpenScreen,
    ResumeExperiment,
    ResumeSeveral,
)
from tui_aefit.lab.screens import experiments
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.widgets.cell_table import CellTable
from tui_aefit.lab.widgets.experiments_table import ExperimentsTable
from tui_aefit.lab.widgets.live.runs_table import RunsTable
from tui_aefit.lab.widgets.live.statistics_table import StatisticsTable

WIDE, NARROW = (80, 20), (60, 18)


class ScreenApp(App[None]):
    """Holds a screen. requests: the messages by which it asked for something; notices: what it notified of."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Message] = []
        self.notices: list[str] = []

    def on_new_experiment(self, message: NewExperiment) -> None:
        self.requests.append(message)

    def on_open_experiment(self, message: OpenExperiment) -> None:
        self.requests.append(message)

    def on_clone_experiment(self, message: CloneExperiment) -> None:
        self.requests.append(message)

    def on_resume_experiment(self, message: ResumeExperiment) -> None:
        self.requests.append(message)

    def on_extend_experiment(self, message: ExtendExperiment) -> None:
        self.requests.append(message)

    def on_resume_several(self, message: ResumeSeveral) -> None:
        self.requests.append(message)

    def on_extend_several(self, message: ExtendSeveral) -> None:
        self.requests.append(message)

    def on_open_screen(self, message: OpenScreen) -> None:
        self.requests.append(message)

    def on_export_experiment(self, message: ExportExperiment) -> None:
        self.requests.append(message)

    def notify(self, message: str, **options: Any) -> None:
        assert options["markup"] is False
        self.notices.append(message)


class Desk:
    """The experiments screen in front of a person: keys go in, what is shown and notified of comes out."""

    def __init__(self, pilot: Pilot[None], lab: ScreenApp) -> None:
        self.pilot = pilot
        self.lab = lab

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(3):
            await self.lab.workers.wait_for_complete()
            await self.pilot.pause()

    async def look(self) -> None:
        screen = self.lab.screen
        assert isinstance(screen, ExperimentsScreen)
        screen.look()
        await self.settle()

    @property
    def table(self) -> ExperimentsTable:
        return self.lab.screen.query_one(ExperimentsTable)

    def rows(self) -> list[list[str]]:
        """Every row as its words."""
        table = self.table
        return [[cell.plain.strip() for cell in table.get_row_at(row)] for row in range(table.row_count)]

    def columns(self, *names: str) -> list[list[str]]:
        """The words of these columns, row by row."""
        keys = [str(key.value) for key in self.table.columns]
        return [[row[keys.index(name)] for name in names] for row in self.rows()]

    def listed(self) -> list[str]:
        """The ids of the rows."""
        return [overview.id for overview in self.table.listing.overviews]

    def marked(self) -> set[str]:
        """The ids of the rows that bear a mark."""
        marks = [mark for (mark,) in self.columns("mark")]
        return {id for id, mark in zip(self.listed(), marks, strict=True) if mark}

    def text(self, selector: str) -> str:
        return str(self.lab.screen.query_one(selector, Static).content)

    def at(self, experiment: Experiment) -> None:
        """Put the cursor on an experiment."""
        self.table.move_cursor(row=self.table.get_row_index(experiment.id))


@asynccontextmanager
async def desk(
    home: Path, size: tuple[int, int] = (118, 30), browsing: Browsing | None = None
) -> AsyncIterator[Desk]:
    """The experiments of a home on the screen while the block lasts; by default as wide as it is without a preview.

    browsing: what is known of an earlier visit. The clock stands: when a minute ends, every age and so every row is
    drawn anew, which must not come into a test by chance.
    """
    lab = ScreenApp()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "clock", lambda: NOW)
        async with lab.run_test(size=size) as pilot:
            await lab.push_screen(ExperimentsScreen(home, browsing))
            here = Desk(pilot, lab)
            await here.settle()
            yield here


class Bench(App[None]):
    """One widget alone on the screen, and every message of its own that it sends."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.messages: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_runs_table_run_selected(self, message: RunsTable.RunSelected) -> None:
        self.messages.append(message)

    def on_statistics_table_pair_changed(self, message: StatisticsTable.PairChanged) -> None:
        self.messages.append(message)


def row_text(table: CellTable, key: str) -> str:
    """A row's words."""
    return " | ".join(cell.plain for cell in table.get_row(key))


async def settled(pilot: Pilot[None]) -> None:
    """Wait until all that was asked for is drawn."""
    await pilot.pause()
    await pilot.pause()


@contextmanager
def updates_of(table: CellTable, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, str]]]:
    """The cells that are drawn anew meanwhile; the table must not be built anew."""
    drawn: list[tuple[str, str]] = []
    update = table.update_cell

    def note(row: Any, column: Any, value: Text, **options: Any) -> None:
        drawn.append((row, column))
        update(row, column, value, **options)

    def never(*arguments: Any, **options: Any) -> None:
        raise AssertionError("the table was built anew")

    with monkeypatch.context() as patch:
        patch.setattr(table, "update_cell", note)
        patch.setattr(table, "clear", never)
        patch.setattr(table, "add_row", never)
        yield drawn
