"""The table of all experiments, one row each."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.reactive import reactive

from core.records.overview import Overview
from tui_aefit.following.listing import PADDING, cells_of, state_words, titles, widths_of
from tui_aefit.lab.theme import ink
from tui_aefit.lab.widgets.cell_table import CellTable, left, right

NARROW = 110
"""Below this width in cells data sets and dates are shortened."""
AT_THE_RIGHT = ("epsilon", "created")
"""The columns whose cells stand to the right."""


class ExperimentsTable(CellTable):
    """Shows `overviews` in their order; the row under the cursor is `chosen`, `marked` rows bear a mark.

    Enter or a click on the row under the cursor posts `DataTable.RowSelected`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", id="experiments.open", tooltip="Look at this experiment"),
    ]

    overviews: reactive[tuple[Overview, ...]] = reactive((), init=False, layout=False, repaint=False)
    marked: reactive[frozenset[str]] = reactive(frozenset, init=False, layout=False, repaint=False)

    @property
    def chosen(self) -> Overview | None:
        """The experiment under the cursor."""
        key = self.row_under_cursor
        return next((overview for overview in self.overviews if overview.id == key), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be opened where there is nothing."""
        return bool(self.overviews) if action == "select_cursor" else True

    def watch_overviews(self) -> None:
        """Show what changed."""
        self._update_rows()

    def watch_marked(self) -> None:
        """Show the marks."""
        self._update_rows()

    def on_resize(self, event: Resize) -> None:
        """Fit the columns to the new width."""
        self._update_rows()

    def _update_rows(self) -> None:
        narrow = self.size.width < NARROW
        texts = {o.id: cells_of(o, marked=o.id in self.marked, narrow=narrow) for o in self.overviews}
        # Room for the scroll bar, there or not, so that columns do not jump when it appears.
        available = self.size.width - self.styles.scrollbar_size_vertical
        widths = widths_of(list(texts.values()), available=available, narrow=narrow)
        rows = {
            overview.id: [
                _cell(key, texts[overview.id][key], width, self._style_of(key, overview))
                for key, width in widths.items()
            ]
            for overview in self.overviews
        }
        chosen, row = self.row_under_cursor, self.cursor_row
        heads = titles(narrow=narrow)
        self.fill({key: (heads[key], width + PADDING) for key, width in widths.items()}, rows)
        if rows and chosen is not None and chosen not in rows:
            self.move_cursor(row=min(row, len(rows) - 1))

    def _style_of(self, key: str, overview: Overview) -> str:
        style = ""
        if key == "state":
            style = state_words(overview)[2]
        elif key == "name" and not overview.annotations.label:
            style = "dim"
        return ink(self.app, style)


def _cell(key: str, text: str, width: int, style: str) -> Text:
    """A cell that fits its column: long names end in an ellipsis."""
    shown = Text(text)
    shown.truncate(width, overflow="ellipsis")
    return (right if key in AT_THE_RIGHT else left)((shown.plain, style))
