"""The table of a study's experiments: state, values on the axes, progress and findings of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from tui_aefit.following.study import CELL_STATES, Progress, StudyView, setting_word, state_words_of
from tui_aefit.lab.theme import ink
from tui_aefit.lab.widgets.cell_table import CellTable, left, right
from tui_aefit.lab.widgets.live.progress import bar, percent

GAP = 2
BAR = 8
WIDEST_SETTING, WIDEST_ID = 16, 30
ENDING_RIGHT = ("runs", "value", "left")
"""The columns of numbers, aligned to the right."""

Words = Mapping[str, str]
"""Column key -> its text for one experiment."""


@dataclass(frozen=True)
class Cells:
    """The content of the table. cells: those that fit the filter. axes: the settings in which they differ."""

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
        self._words: dict[str, tuple[tuple[Any, ...], Words]] = {}
        self._look: tuple[Any, ...] = ()
        self._drawn: dict[str, tuple[Words, list[Text]]] = {}
        self._made: dict[tuple[str, str, str], Text] = {}

    def watch_content(self) -> None:
        """Show what changed."""
        self._update_cells()

    def on_resize(self, event: Resize) -> None:
        """Fit the columns to the new width."""
        self._update_cells()

    def explanation(self, row: str) -> str:
        """The experiment's id, with what is wrong with it if anything is."""
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
        before, self._words = self._words, {}
        words = [self._words_of(content, cell, before) for cell in content.cells]
        columns = self._columns(content, words)
        self.fill(columns, self._rows(content, words, tuple(columns)))

    def _words_of(
        self, content: Cells, cell: CellState, before: Mapping[str, tuple[tuple[Any, ...], Words]]
    ) -> Words:
        """The texts of an experiment's columns; cached until something of it has changed."""
        id = cell.cell.id
        progress = content.view.progress.get(id)
        key = cell.status, progress, content.quantity, content.axes
        known = before.get(id)
        # An overview that has not changed is the same object: comparing its parts would take longer.
        if known is None or known[0][0] is not cell.overview or known[0][1:] != key:
            known = (cell.overview, *key), _words(cell, content.quantity, progress, content.axes)
        self._words[id] = known
        return known[1]

    def _columns(self, content: Cells, words: Sequence[Words]) -> dict[str, tuple[str, int]]:
        """As many columns as have room: the id is given up first, then the interval, then progress."""

        def widest(column: str, title: str = "") -> int:
            # Of a column's thousand cells few differ: each text is measured once.
            return max(map(cell_len, {title, *(one[column] for one in words)}))

        title = content.quantity.title
        found: dict[str, tuple[str, int]] = {
            "state": ("state", widest("state", "state")),
            "runs": ("runs", widest("runs", "runs")),
            **{f"={axis}": (axis, min(WIDEST_SETTING, widest(f"={axis}", axis))) for axis in content.axes},
            "value": (title, max(widest("value"), 8)),
            "interval": ("95 %", 14),
        }
        if content.view.progress:
            found["progress"] = ("progress", BAR + 6)
            found["left"] = ("left", 7)
        found["id"] = ("id", WIDEST_ID)
        available = self.size.width - self.styles.scrollbar_size_vertical
        for dispensable in ("id", "interval", "progress", "left"):
            if sum(width + GAP for _, width in found.values()) <= available:
                break
            if dispensable == "interval" and not any(one["interval"] for one in words):
                continue
            found.pop(dispensable, None)
        rest = available - sum(width + GAP for _, width in found.values())
        longer = min(max(0, rest), max(0, cell_len(title) - found["value"][1]))
        found["value"] = (title, found["value"][1] + longer)
        return {key: (title, width + GAP) for key, (title, width) in found.items()}

    def _rows(
        self, content: Cells, words: Sequence[Words], columns: tuple[str, ...]
    ) -> dict[str, Sequence[Text]]:
        """Id -> the drawn row; a row that looks as before is the same object as before."""
        inks = {style: ink(self.app, style) for _, _, style in CELL_STATES.values()}
        look = columns, inks
        before = self._drawn if look == self._look else {}
        self._look, self._drawn = look, {}
        if len(self._made) > len(words) * len(columns):
            self._made.clear()  # most are no longer shown
        for cell, one in zip(content.cells, words, strict=True):
            known = before.get(cell.cell.id)
            if known is None or known[0] is not one:
                state = inks[state_words_of(cell)[2]]
                known = one, [self._text(column, one[column], state) for column in columns]
            self._drawn[cell.cell.id] = known
        return {id: row for id, (_, row) in self._drawn.items()}

    def _text(self, column: str, text: str, state: str) -> Text:
        """A drawn cell; cells that look alike are one object, since of thousands few differ."""
        look = column, text, state if column == "state" else ""
        made = self._made.get(look)
        if made is None:
            made = self._made[look] = right(text) if column in ENDING_RIGHT else left((text, look[2]))
        return made


def _words(cell: CellState, quantity: Quantity, progress: Progress | None, axes: Sequence[str]) -> Words:
    glyph, word, _ = state_words_of(cell)
    value = value_of(cell.overview, quantity) if cell.overview is not None else None
    done = f" {bar(progress.done, BAR)} {percent(progress.done)}" if progress is not None else ""
    left = progress.left if progress is not None else None
    return {
        "state": f"{glyph} {word}",
        "runs": f"{cell.done}/{cell.runs}",
        **{f"={axis}": setting_word(cell, axis) for axis in axes},
        "value": words_of(value, quantity),
        "interval": interval_words(value, quantity) if value is not None else "",
        "progress": done,
        "left": brief_duration(left) if left is not None else "",
        "id": f" {printable(cell.cell.id)}",
    }
