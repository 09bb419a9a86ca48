"""The table of a study's experiments: how each stands, where on the axes, how far, and what it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.reactive import reactive

from core.declarations.printable import printable
from core.records.study_state import CellState
from tui_aefit.following.listing import brief_duration
from tui_aefit.following.quantities import Quantity, interval_words, value_of, words_of
from tui_aefit.following.study import Progress, StudyView, setting_word, state_words_of
from tui_aefit.lab.theme import ink
from tui_aefit.lab.widgets.cell_table import CellTable, left, right
from tui_aefit.lab.widgets.live.progress import bar, percent

GAP = 2
BAR = 8
WIDEST_SETTING, WIDEST_ID = 16, 30


@dataclass(frozen=True)
class Cells:
    """What is shown. cells: those that the filter leaves. axes: the settings in which they differ."""

    view: StudyView
    cells: tuple[CellState, ...]
    axes: tuple[str, ...]
    quantity: Quantity


class CellsTable(CellTable):
    """Shows `content`, None before there is one. Enter or a click on the row posts `DataTable.RowSelected`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "enter",
            "select_cursor",
            "Open",
            id="study.open",
            tooltip="Look at the experiment under the cursor",
        ),
    ]
    placeholder = "no experiment matches the filter"

    content: reactive[Cells | None] = reactive(None, init=False, layout=False, repaint=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._rows: dict[str, tuple[tuple[Any, ...], list[Text]]] = {}

    def watch_content(self) -> None:
        """Show what changed."""
        self._update_cells()

    def on_resize(self, event: Resize) -> None:
        """Fit the columns to the new width."""
        self._update_cells()

    def explanation(self, row: str) -> str:
        """Why it is not computed, else its id."""
        cell = next((one for one in self.content.cells if one.cell.id == row), None) if self.content else None
        return printable(f"{row}: {cell.reason}" if cell is not None and cell.reason else row)

    def choose(self, id: str) -> None:
        """Put the cursor on an experiment, if it is listed, and bring it into sight."""
        if id != self.row_under_cursor and id in self._cells:
            self.move_cursor(row=list(self._cells).index(id))

    def _update_cells(self) -> None:
        content = self.content
        if content is None or not self.size.width:
            return
        columns = self._columns(content)
        rows = {cell.cell.id: self._row(content, cell, tuple(columns)) for cell in content.cells}
        self._rows = {id: one for id, one in self._rows.items() if id in rows}
        self.fill(columns, rows)

    def _columns(self, content: Cells) -> dict[str, tuple[str, int]]:
        """As many columns as there is room for: given up first is the id, then the interval, then progress."""
        cells, quantity = content.cells, content.quantity
        states = [" ".join(state_words_of(cell)[:2]) for cell in cells]
        found: dict[str, tuple[str, int]] = {"state": ("state", _widest("state", states))}
        found["runs"] = ("runs", _widest("runs", (f"{cell.done}/{cell.runs}" for cell in cells)))
        for axis in content.axes:
            words = (setting_word(cell, axis) for cell in cells)
            found[f"={axis}"] = (axis, min(WIDEST_SETTING, _widest(axis, words)))
        title = quantity.title
        number = _widest("", (words_of(_value(cell, quantity), quantity) for cell in cells))
        found["value"] = (title, max(number, 8))
        found["interval"] = ("95 %", 14)
        if content.view.progress:
            found["progress"] = ("progress", BAR + 6)
            found["left"] = ("left", 7)
        found["id"] = ("id", WIDEST_ID)
        available = self.size.width - self.styles.scrollbar_size_vertical
        for dispensable in ("id", "interval", "progress", "left"):
            if sum(width + GAP for _, width in found.values()) <= available:
                break
            if dispensable == "interval" and not any(_interval(cell, quantity) for cell in cells):
                continue
            found.pop(dispensable, None)
        rest = available - sum(width + GAP for _, width in found.values())
        longer = min(max(0, rest), max(0, cell_len(title) - found["value"][1]))
        found["value"] = (title, found["value"][1] + longer)
        return {key: (title, width + GAP) for key, (title, width) in found.items()}

    def _row(self, content: Cells, cell: CellState, columns: tuple[str, ...]) -> Sequence[Text]:
        """The cells of a row, the same objects as long as they look the same."""
        progress = content.view.progress.get(cell.cell.id)
        glyph, word, style = state_words_of(cell)
        inked = ink(self.app, style)
        key = (cell.status, cell.overview, progress, content.quantity, columns, inked)
        known = self._rows.get(cell.cell.id)
        if known is not None and known[0] == key:
            return known[1]
        row = [
            _text(column, cell, content.quantity, progress, (f"{glyph} {word}", inked)) for column in columns
        ]
        self._rows[cell.cell.id] = key, row
        return row


def _text(
    column: str, cell: CellState, quantity: Quantity, progress: Progress | None, state: tuple[str, str]
) -> Text:
    if column.startswith("="):
        return left(setting_word(cell, column[1:]))
    match column:
        case "state":
            return left(state)
        case "runs":
            return right(f"{cell.done}/{cell.runs}")
        case "value":
            return right(words_of(_value(cell, quantity), quantity))
        case "interval":
            return left(f" {_interval(cell, quantity)}")
        case "progress":
            return left(
                f" {bar(progress.done, BAR)} {percent(progress.done)}" if progress is not None else ""
            )
        case "left":
            seconds = progress.left if progress is not None else None
            return right("" if seconds is None else brief_duration(seconds))
    return left(f" {printable(cell.cell.id)}")


def _value(cell: CellState, quantity: Quantity) -> Any:
    return value_of(cell.overview, quantity) if cell.overview is not None else None


def _interval(cell: CellState, quantity: Quantity) -> str:
    value = _value(cell, quantity)
    return interval_words(value, quantity).strip() if value is not None else ""


def _widest(title: str, words: Any) -> int:
    return max([cell_len(title), *map(cell_len, words)])
