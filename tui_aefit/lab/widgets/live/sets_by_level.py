"""The base of tables whose rows are sets and whose columns are the levels of a ladder."""

from __future__ import annotations

from collections.abc import Mapping

from rich.cells import cell_len
from rich.text import Text
from textual.events import Resize
from textual.reactive import reactive
from textual.theme import Theme

from core.families.ladder import Ladder
from core.report.formatting import ABSENT
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import series_number, set_marker, share
from tui_aefit.lab.charts.palette import Palette
from tui_aefit.lab.theme import FollowsTheme
from tui_aefit.lab.widgets.cell_table import CellTable, left

SET_WIDTH = 17
"""The width of the column of sets."""


class SetsByLevel(FollowsTheme, CellTable):
    """A table of a `snapshot`; its columns follow the width, its markers the theme."""

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)

    def update_cells(self, snapshot: Snapshot) -> None:
        """Show the cells of a snapshot, in the present width."""
        raise NotImplementedError

    def show_cells(self) -> None:
        """Show the cells, once there is a snapshot and a width."""
        if self.snapshot is not None and self.size.width:
            self.update_cells(self.snapshot)

    def on_resize(self, event: Resize) -> None:
        """Fit the columns to the new width."""
        self.show_cells()

    def watch_snapshot(self) -> None:
        """Show what changed."""
        self.show_cells()

    def theme_changed(self, theme: Theme) -> None:
        """Give the markers the colours that the chart has now."""
        self.show_cells()


def short_titles(ladder: Ladder, width: int) -> dict[str, str]:
    """Level -> "K = 7" where that fits into `width` cells with a gap, else "7"."""
    words = {level: ladder.at(level) for level in ladder.levels}
    return {level: text if cell_len(text) < width else level for level, text in words.items()}


def level_columns(titles: Mapping[str, str], width: int) -> dict[str, tuple[str, int]]:
    """Level -> its title and width in cells, `width` or more for a long title."""
    return {level: (title, max(width, cell_len(title) + 2)) for level, title in titles.items()}


def name_cell(name: str, palette: Palette | None, *lines: tuple[str, str]) -> Text:
    """The cell of a set: its marker, in the colour of its curve, and its name; below, lines with their styles."""
    cell = left(f"{set_marker(name)} {name}", *lines)
    if palette:
        cell.stylize(palette.of(series_number(name)), 1, 2)
    return cell


def three_digits(value: float | None) -> str:
    """A share in four cells: .573, 1.00; an interval of few runs may be wider than 1."""
    return ABSENT if value is None else share(value)
