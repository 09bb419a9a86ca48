"""The experiments screen in front of a person who presses keys, in the least app that can hold it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.app import App
from textual.message import Message
from textual.pilot import Pilot
from textual.widgets import Static

from core.records.experiment import Experiment
from tests.recorded import make_experiment
from tui_aefit.lab.screens.experiments import ExperimentsScreen
from tui_aefit.lab.screens.requests import (
    CloneExperiment,
    CompareExperiments,
    ExportExperiment,
    NewExperiment,
    OpenExperiment,
    ResumeExperiment,
)
from tui_aefit.lab.widgets.experiments_table import ExperimentsTable


class Lab(App[None]):
    """The least app: it notes what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Message] = []
        self.told: list[str] = []

    def on_new_experiment(self, message: NewExperiment) -> None:
        self.asked.append(message)

    def on_open_experiment(self, message: OpenExperiment) -> None:
        self.asked.append(message)

    def on_clone_experiment(self, message: CloneExperiment) -> None:
        self.asked.append(message)

    def on_resume_experiment(self, message: ResumeExperiment) -> None:
        self.asked.append(message)

    def on_compare_experiments(self, message: CompareExperiments) -> None:
        self.asked.append(message)

    def on_export_experiment(self, message: ExportExperiment) -> None:
        self.asked.append(message)

    def notify(self, message: str, **options: Any) -> None:
        assert options["markup"] is False
        self.told.append(message)


class Desk:
    """A screen in front of a person: keys go in, what is shown and told comes out."""

    def __init__(self, pilot: Pilot[None], lab: Lab) -> None:
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

    def text(self, selector: str) -> str:
        return str(self.lab.screen.query_one(selector, Static).content)

    def at(self, experiment: Experiment) -> None:
        """Put the cursor on an experiment."""
        self.table.move_cursor(row=self.table.get_row_index(experiment.id))


@asynccontextmanager
async def desk(home: Path, size: tuple[int, int] = (120, 30)) -> AsyncIterator[Desk]:
    lab = Lab()
    async with lab.run_test(size=size) as pilot:
        await lab.push_screen(ExperimentsScreen(home))
        here = Desk(pilot, lab)
        await here.settle()
        yield here


def one(home: Path, state: Any, runs: int = 3, **settings: Any) -> Experiment:
    return make_experiment(home, state=state, runs=runs, **settings)


def columns(here: Desk, *names: str) -> list[list[str]]:
    keys = [str(key.value) for key in here.table.columns]
    return [[row[keys.index(name)] for name in names] for row in here.rows()]
