"""A minimal app around one widget, and what tests ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from rich.text import Text
from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot
from textual.widget import Widget

from tui_aefit.lab.widgets.cell_table import CellTable
from tui_aefit.lab.widgets.runs_table import RunsTable
from tui_aefit.lab.widgets.tests_table import TestsTable

WIDE, NARROW = (80, 20), (60, 18)


class Bench(App[None]):
    """One widget alone on the screen, and every message of its own that it sends."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.told: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_runs_table_run_selected(self, message: RunsTable.RunSelected) -> None:
        self.told.append(message)

    def on_tests_table_pair_changed(self, message: TestsTable.PairChanged) -> None:
        self.told.append(message)


def screen_text(app: App[None]) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def row_text(table: CellTable, key: str) -> str:
    return " | ".join(cell.plain for cell in table.get_row(key))


async def settled(pilot: Pilot[None]) -> None:
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
