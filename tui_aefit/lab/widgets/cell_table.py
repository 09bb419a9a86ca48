"""A table that is given all its cells each time, and redraws only those that changed."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.segment import Segment
from rich.style import Style
from rich.text import Text, TextType
from textual.cache import LRUCache
from textual.coordinate import Coordinate
from textual.geometry import Region
from textual.strip import Strip
from textual.widgets import DataTable
from textual.widgets.data_table import Column, Row, RowKey

BORDER = 4
"""Character cells of a border's line that its text cannot use."""
LAID_OUT = 2000
"""How many cells' layouts are cached: those of some screens."""


class CellTable(DataTable[Text]):
    """A table of rows and columns by key; the row under the cursor, or the mouse, can be explained.

    A subclass returns a row's explanation from `explanation`. It is the tooltip of the row under the mouse; for the
    row under the cursor it is in the lower border, or below the rows where it is longer and there is room.
    """

    DEFAULT_CSS = """
    CellTable {
        height: 1fr;
        border: round $foreground 30%;
        border-title-color: $foreground;
        border-subtitle-color: $foreground 70%;
        scrollbar-size-vertical: 1;
        scrollbar-size-horizontal: 1;
        &:focus { border: round $primary; }
    }
    """

    placeholder = ""
    """The text in the lower border while there are no rows."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        self._updating = self._filling = False
        super().__init__(cursor_type="row", cell_padding=0, id=id, classes=classes)
        self._in_border = "", ""
        self._below: list[str] = []
        self._lines = 1
        self._shape: tuple[object, ...] = ()
        self._cells: dict[str, Sequence[Text]] = {}
        self._laid_out: LRUCache[tuple[int, int, int], tuple[Text, list[Segment]]] = LRUCache(LAID_OUT)

    def explanation(self, row: str) -> str:
        """One sentence about a row, "" for none."""
        return ""

    def entitle(self, *titles: str) -> None:
        """Put the first of these titles that fits, else the last, in the upper border."""
        room = self.size.width - BORDER
        title = next((one for one in titles if cell_len(one) <= room), titles[-1])
        if title != self._in_border[0]:
            self._in_border = title, self._in_border[1]
            self.border_title = Text(title)

    def fill(
        self,
        columns: Mapping[str, tuple[str, int]],
        rows: Mapping[str, Sequence[Text]],
        *,
        lines: int = 1,
        arrow: tuple[str, str] = ("", ""),
    ) -> None:
        """Show these rows: key -> one cell a column, each of `lines` lines. The cursor stays on its row's key.

        columns: key -> title and width in character cells, with the gap before the column, which cells made by
        `left` and `right` keep. A title is aligned as the cell of the first row.
        arrow: the column that the rows are sorted by, and the sign for the gap before its title.
        """
        shape = (tuple(columns.items()), tuple(rows), lines, arrow)
        if shape != self._shape:
            self._filling = True
            try:
                if self._holds(columns, rows, lines):
                    self._reorder(columns, rows, arrow)
                else:
                    self._rebuild(columns, rows, lines, arrow)
            finally:
                self._filling = False
        else:
            for number, (key, cells) in enumerate(rows.items()):
                if self._update_row(key, columns, cells):
                    self.refresh_row(number)
        self._shape, self._cells, self._lines = shape, dict(rows), lines
        self._explain()

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Self:
        """Redraw; but not the whole table while cells are updated: `fill` redraws the rows that it changed."""
        if self._updating and not regions:
            return self
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def _update_row(self, key: str, columns: Iterable[str], cells: Sequence[Text]) -> bool:
        """Update the cells of a row that look different; whether there were any."""
        before = self._cells[key]
        if before is cells:
            return False
        changed = [
            (column, new)
            for column, old, new in zip(columns, before, cells, strict=True)
            if old is not new and _look(old) != _look(new)
        ]
        self._updating = True
        for column, cell in changed:
            self.update_cell(key, column, cell)
        self._updating = False
        return bool(changed)

    @property
    def ordered_columns(self) -> list[Column]:
        """The columns from left to right, in the order in which they were added, since none is ever moved."""
        return list(self.columns.values())

    @property
    def row_under_cursor(self) -> str | None:
        """The key of the row under the cursor, None in an empty table."""
        keys = list(self._cells)
        return keys[self.cursor_row] if 0 <= self.cursor_row < len(keys) else None

    def copied(self) -> str:
        """The row under the cursor as text, a tab between cells; "" in an empty table."""
        row = self.row_under_cursor
        return "" if row is None else "\t".join(" ".join(cell.plain.split()) for cell in self._cells[row])

    def _holds(self, columns: Mapping[str, tuple[str, int]], rows: Iterable[str], lines: int) -> bool:
        """Whether the table has these columns and rows, their order and single widths aside."""
        there = {str(column.key.value): column.width for column in self.ordered_columns}
        return (
            list(there) == list(columns)
            and sum(there.values()) == sum(width for _, width in columns.values())
            and bool(self._cells)
            and self._cells.keys() == set(rows)
            and self._lines == lines
        )

    def _reorder(
        self,
        columns: Mapping[str, tuple[str, int]],
        rows: Mapping[str, Sequence[Text]],
        arrow: tuple[str, str],
    ) -> None:
        """Put the present rows into this order, which takes a tenth of the time to make them anew."""
        for key, cells in rows.items():
            self._update_row(key, columns, cells)
        places = {key: place for place, key in enumerate(rows)}
        # DataTable sorts by cells only, which rows may share; but it asks for the rows in the order of adding.
        asked_for = iter([str(key.value) for key in self.rows])
        chosen, x, y = self.row_under_cursor, self.scroll_x, self.scroll_y
        self._cells = {}  # the rows on the screen can no longer be explained
        with self.app.batch_update(), self.prevent(DataTable.RowHighlighted):
            for heading, (key, (title, width)), cell in zip(
                self.ordered_columns, columns.items(), next(iter(rows.values())), strict=True
            ):
                heading.label, heading.width = (
                    _titled(title, cell, arrow[1] if key == arrow[0] else ""),
                    width,
                )
            self.sort(key=lambda _: places[next(asked_for)])
            self.move_cursor(row=places[chosen] if chosen is not None else 0, scroll=False)
            self.scroll_to(x, y, animate=False)

    def _rebuild(
        self,
        columns: Mapping[str, tuple[str, int]],
        rows: Mapping[str, Sequence[Text]],
        lines: int,
        arrow: tuple[str, str],
    ) -> None:
        chosen, x, y = self.row_under_cursor, self.scroll_x, self.scroll_y
        self._cells = {}  # the rows on the screen can no longer be explained
        first = next(iter(rows.values()), [Text()] * len(columns))
        with self.app.batch_update(), self.prevent(DataTable.RowHighlighted):
            self.clear(columns=True)
            for (key, (title, width)), cell in zip(columns.items(), first, strict=True):
                sign = arrow[1] if key == arrow[0] else ""
                self.add_column(_titled(title, cell, sign), key=key, width=width)
            for key, cells in rows.items():
                self.add_row(*cells, key=key, height=lines)
            row = list(rows).index(chosen) if chosen is not None and chosen in rows else 0
            self.move_cursor(row=row, scroll=False)
            self.scroll_to(x, y, animate=False)

    def _update_dimensions(self, new_rows: Iterable[RowKey]) -> None:
        """Find the size of the table without measuring every cell: widths and heights are given."""
        super()._update_dimensions(())

    def add_row(
        self, *cells: Text, height: int | None = 1, key: str | None = None, label: TextType | None = None
    ) -> RowKey:
        """Add a row, faster than DataTable, which searches for the cursor's row after each."""
        if not self.rows:
            return super().add_row(*cells, height=height, key=key, label=label)
        made = RowKey(key)
        self._row_locations[made] = len(self.rows)
        columns = [column.key for column in self.ordered_columns]
        self._data[made] = dict(zip(columns, cells, strict=True))
        self.rows[made] = Row(made, height or 0, None, height is None)
        self._new_rows.add(made)
        self._update_count += 1
        self._require_update_dimensions = True
        return made

    def action_scroll_home(self) -> None:
        """Move the cursor to the first row; DataTable would move it to the first cell of its row."""
        self.action_scroll_top()

    def action_first(self) -> None:
        """Move the cursor to the first row, by a binding of our own that footer, help and palette can name."""
        self.action_scroll_top()

    def action_scroll_end(self) -> None:
        """Move the cursor to the last row."""
        self.action_scroll_bottom()

    def watch_cursor_coordinate(self, old: Coordinate, new: Coordinate) -> None:
        """Explain the row under the cursor, but not while rows are filled in."""
        super().watch_cursor_coordinate(old, new)
        if not self._filling:
            self._explain()

    def watch_hover_coordinate(self, old: Coordinate, value: Coordinate) -> None:
        """Explain the row under the mouse."""
        super().watch_hover_coordinate(old, value)
        keys = list(self._cells)
        text = self.explanation(keys[value.row]) if 0 <= value.row < len(keys) else ""
        self.tooltip = Text(text) if text else None

    def _explain(self) -> None:
        row = self.row_under_cursor
        text = self.explanation(row) if row is not None else self.placeholder
        below = self._lines_below(text)
        if below != self._below:
            self._below = below
            self.refresh()
        if (shown := "" if below else text) != self._in_border[1]:
            self._in_border = self._in_border[0], shown
            self.border_subtitle = Text(shown)

    def _lines_below(self, text: str) -> list[str]:
        """The lines of a text for the empty rows, if the border would cut it and they fit there; else none."""
        width, height = self.size
        if width < 8 or cell_len(text) <= width - BORDER:
            return []
        wrapped = textwrap.wrap(text, width - 2)
        rows = self.header_height + len(self._cells) * self._lines
        return wrapped if rows + len(wrapped) <= height else []

    def render_line(self, y: int) -> Strip:
        """A line of the table, or of the explanation at its lower end."""
        style = self.rich_style
        line = y - self.size.height + len(self._below)
        if 0 <= line < len(self._below):
            strip = Strip([Segment(f" {self._below[line]}", style + Style(dim=True))])
            return strip.adjust_cell_length(self.size.width, style)
        row, line = divmod(y - self.header_height + self.scroll_offset.y, self._lines)
        if y < self.header_height or row >= self.row_count or row in (self.cursor_row, self.hover_row):
            return super().render_line(y)
        return self._plain_line(row, line, style)

    def _plain_line(self, row: int, line: int, style: Style) -> Strip:
        """A line of a row that is neither under the cursor nor under the mouse.

        It equals what DataTable draws, in a fifth of the time: DataTable lays out each cell as any renderable.
        """
        segments: list[Segment] = []
        cells = self.get_row_at(row)
        for place, (column, cell) in enumerate(zip(self.ordered_columns, cells, strict=True)):
            found = self._segments_of(cell, column.width, line)
            segments += Segment.apply_style(found, style + Style.from_meta({"row": row, "column": place}))
        width, x = self.size.width, self.scroll_offset.x
        rest = width - sum(column.width for column in self.ordered_columns)
        if rest > 0:
            beside = Style.from_meta({"row": row, "column": 0, "out_of_bounds": True})
            segments.append(Segment(" " * rest, style + beside))
        return Strip(segments).crop(x, x + width).adjust_cell_length(width, style).simplify()

    def _segments_of(self, cell: Text, width: int, line: int) -> list[Segment]:
        """A line of a cell, as wide as its column; cached, for many rows have the same cell."""
        known = self._laid_out.get((id(cell), width, line))
        if known is None:
            console = self.app.console
            lines = cell.wrap(console, width, no_wrap=True)
            found = list(lines[line].render(console)) if line < len(lines) else []
            # Kept with the cell itself, so that no other object gets its id.
            known = cell, Segment.adjust_line_length(found, width)
            self._laid_out[id(cell), width, line] = known
        return known[1]


def left(*lines: str | tuple[str, str]) -> Text:
    """A cell aligned to the left, after the gap. lines: texts, or texts with their Rich styles."""
    return _cell(lines, gap=" ", justify="left")


def right(*lines: str | tuple[str, str]) -> Text:
    """A cell aligned to the right, for numbers. lines: as in `left`."""
    return _cell(lines, gap="", justify="right")


def _cell(lines: Sequence[str | tuple[str, str]], *, gap: str, justify: JustifyMethod) -> Text:
    parts: list[str | tuple[str, str]] = []
    for line in lines:
        parts += ["\n" if parts else "", gap, line]
    return Text.assemble(*parts, justify=justify, no_wrap=True, overflow="ellipsis")


def _titled(title: str, cell: Text, sign: str) -> Text:
    """A column's title, aligned as `cell`. sign: for the gap before it, "" for none."""
    if cell.justify == "right":
        return right(sign + title)
    return _cell([sign + title], gap="", justify="left") if sign else left(title)


def _look(cell: Text) -> tuple[Any, ...]:
    """What a cell looks like: Text's own equality leaves out its style."""
    return cell.plain, cell.style, cell.spans
