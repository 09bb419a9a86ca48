"""The table of all experiments, one row each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.message import Message
from textual.reactive import reactive

from core.records.overview import Overview
from tui_aefit.following.listing import (
    COLUMNS,
    QUEUED,
    STATES,
    STOPPING,
    Cells,
    Fitted,
    Widths,
    cells_of,
    fit,
    name_in,
    state_words,
    title_of,
    widths_of,
)
from tui_aefit.following.ordering import NEWEST_FIRST, Order
from tui_aefit.lab.theme import ink
from tui_aefit.lab.widgets.cell_table import CellTable, left, right

ROOMY = 110
"""The width from which columns have two cells between them, not one."""
STYLES = {style for _, _, style in (*STATES.values(), STOPPING, QUEUED)}
"""The Rich styles of cells of states."""


@dataclass(frozen=True)
class Listing:
    """The content of the table. overviews: in the order `order`. marked: ids. telling: see `telling_settings`.

    now: seconds since 1970. many: how many experiments there are, listed or not.
    """

    overviews: tuple[Overview, ...] = ()
    marked: frozenset[str] = field(default_factory=frozenset)
    order: Order = NEWEST_FIRST
    telling: frozenset[str] = field(default_factory=frozenset)
    now: float = 0.0
    many: int = 0


@dataclass(frozen=True, eq=True)
class _Look:
    """What rows look like: how columns are shown, in their order, and the styles of states."""

    fitted: Mapping[str, Fitted]
    inks: Mapping[str, str]


class ExperimentsTable(CellTable):
    """Shows a `listing`; the row under the cursor is `chosen`, marked rows bear a mark.

    Enter or a click on the row under the cursor posts `DataTable.RowSelected`, a click on a heading
    `DataTable.HeaderSelected`.
    """

    class ColumnsChanged(Message):
        """Other columns are shown now."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", id="experiments.open", tooltip="Look at this experiment"),
        Binding("g", "first", "First", id="experiments.first", show=False, tooltip="To the first row"),
    ]

    listing: reactive[Listing] = reactive(Listing(), init=False, layout=False, repaint=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._texts: dict[str, tuple[tuple[Any, ...], Cells]] = {}
        self._measured: tuple[frozenset[int], Sequence[Cells], Widths] = (frozenset(), (), widths_of(()))
        self._look = _Look({}, {})
        self._drawn: dict[str, tuple[Cells, _Look, list[Text]]] = {}
        self._made: dict[tuple[str, str, int, str], Text] = {}

    @property
    def chosen(self) -> Overview | None:
        """The experiment under the cursor."""
        key = self.row_under_cursor
        return next((overview for overview in self.listing.overviews if overview.id == key), None)

    @property
    def shown_columns(self) -> list[str]:
        """The keys of the columns that have room."""
        return [str(key.value) for key in self.columns]

    def choose(self, id: str) -> None:
        """Put the cursor on an experiment, if it is listed, and bring it into sight."""
        ids = [overview.id for overview in self.listing.overviews]
        if id in ids:
            self.move_cursor(row=ids.index(id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the key to open a row only where there is one."""
        return bool(self.listing.overviews) if action == "select_cursor" else True

    def watch_listing(self, before: Listing, listing: Listing) -> None:
        """Show what changed; after a change of order the cursor's row is scrolled into sight."""
        self._update_rows()
        if before.order != listing.order and self.row_count:
            self.move_cursor(row=self.cursor_row)

    def on_resize(self, event: Resize) -> None:
        """Fit the columns to the new width."""
        self._update_rows()

    def _update_rows(self) -> None:
        # Not the content's width, which changes with the scroll bar: columns must not jump when that appears.
        width = self.outer_size.width - self.styles.gutter.width
        if width <= 0:
            return
        listing = self.listing
        texts = [self._cells_of(overview) for overview in listing.overviews]
        available = width - self.styles.scrollbar_size_vertical
        padding = 2 if width >= ROOMY else 1
        fitted = fit(self._widths_of(texts), available=available, padding=padding)
        chosen, row = self.row_under_cursor, self.cursor_row
        columns = {key: (title_of(key, brief=one.brief), one.width + padding) for key, one in fitted.items()}
        rows = self._rows(texts, fitted)
        if len(self._texts) > 2 * max(listing.many, len(rows)):
            # Most are gone; what a filter leaves out for a while is kept.
            self._texts = {id: one for id, one in self._texts.items() if id in rows}
            self._drawn = {id: one for id, one in self._drawn.items() if id in rows}
        before = self.shown_columns
        self.fill(columns, rows, arrow=(listing.order.column, listing.order.arrow))
        if self.shown_columns != before:
            self.post_message(self.ColumnsChanged())
        if rows and chosen is not None and chosen not in rows:
            self.move_cursor(row=min(row, len(rows) - 1))

    def _cells_of(self, overview: Overview) -> Cells:
        """The cells of an experiment as texts; cached until its overview or mark, `now` or `telling` changes."""
        listing = self.listing
        key = (overview, overview.id in listing.marked, listing.now, listing.telling)
        known = self._texts.get(overview.id)
        # An overview that has not changed is the same object: comparing its parts would take longer.
        if known is not None and known[0][0] is overview and known[0][1:] == key[1:]:
            return known[1]
        cells = cells_of(overview, marked=key[1], now=listing.now, telling=listing.telling)
        self._texts[overview.id] = key, cells
        return cells

    def _widths_of(self, texts: Sequence[Cells]) -> Widths:
        """The widths that the columns need; cached for the same cells in any order."""
        those = frozenset(map(id, texts))
        if those != self._measured[0]:
            # Kept with the cells themselves: as long as these live no other objects have their ids.
            self._measured = those, texts, widths_of(texts)
        return self._measured[2]

    def _rows(self, texts: Sequence[Cells], fitted: Mapping[str, Fitted]) -> dict[str, Sequence[Text]]:
        """Id -> the drawn row; a row that looks as before is the same object as before."""
        inks = {style: ink(self.app, style) for style in STYLES}
        look = _Look(fitted, inks)
        if look == self._look and list(fitted) == list(self._look.fitted):
            look = self._look
        self._look = look
        if len(self._made) > len(texts) * len(fitted):
            self._made.clear()  # most are of another width, or another minute
        rows: dict[str, Sequence[Text]] = {}
        for overview, cells in zip(self.listing.overviews, texts, strict=True):
            id = overview.id
            known = self._drawn.get(id)
            if known is None or known[0] is not cells or known[1] is not look:
                of_before = known[1:] if known is not None and known[0] is cells else (_Look({}, {}), [])
                style = inks[state_words(overview)[2]]
                known = self._drawn[id] = cells, look, self._row(cells, look, style, *of_before)
            rows[id] = known[2]
        return rows

    def _row(self, cells: Cells, look: _Look, style: str, before: _Look, row: Sequence[Text]) -> list[Text]:
        """One drawn row. before, row: its former look and cells; those that look the same are used again."""
        if before.inks != look.inks:
            row = []
        known = dict(zip(before.fitted, row, strict=False))
        return [
            known[column]
            if column in known and before.fitted[column] == one
            else self._cell(column, cells, one, style)
            for column, one in look.fitted.items()
        ]

    def _cell(self, column: str, cells: Cells, fitted: Fitted, state: str) -> Text:
        """A drawn cell; cells that look alike are one object, since of thousands few differ."""
        text = name_in(cells, fitted.width) if column == "name" else cells[column][fitted.brief]
        style = state if column == "state" else ""
        look = column, text, min(fitted.width, cell_len(text)), style
        made = self._made.get(look)
        if made is None:
            made = self._made[look] = _drawn(column, text, fitted.width, style)
        return made


def _drawn(column: str, text: str, width: int, style: str) -> Text:
    """A cell cut to its column's width, with an ellipsis where it is too long."""
    if column == "name":
        name, gap, label = text.partition("  ")
        styled = [name, gap, (label, "bold")] if label else [name]
        drawn = Text.assemble(" ", *styled, no_wrap=True, overflow="ellipsis")
        drawn.truncate(width + 1, overflow="ellipsis")
        return drawn
    shown = Text(text)
    shown.truncate(width, overflow="ellipsis")
    return (right if COLUMNS[column].right else left)((shown.plain, style))
