"""The cross-fitted accuracies: by the classifier of one half on what that of the other half selected."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text
from textual.events import Resize
from textual.reactive import reactive
from textual.theme import Theme

from core.report.formatting import ABSENT, counted
from tui_aefit.following.crossfit import UNSELECTED, CrossFitMeans, crossfit_means
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import series_number, set_marker
from tui_aefit.lab.charts.drawing import Palette
from tui_aefit.lab.theme import FollowsTheme
from tui_aefit.lab.widgets.cell_table import CellTable, left
from tui_aefit.lab.widgets.chart import palette_of

SET_WIDTH, LEVEL_WIDTH = 17, 12
"""Cells of the columns; a level whose name is long has more."""


class CrossFitTable(FollowsTheme, CellTable):
    """Rows are sets, columns levels; each cell has the accuracy by the half that did not select, and in brackets
    that by the half that did, as means over the runs of a `snapshot`.
    """

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)

    def on_resize(self, event: Resize) -> None:
        """Fit the columns to the new width."""
        self._update_cells()

    def watch_snapshot(self) -> None:
        """Show what changed."""
        self._update_cells()

    def explanation(self, row: str) -> str:
        """How many images each half selected in the run completed last."""
        if self.snapshot is None:
            return ""
        found = [run.crossfit for run in self.snapshot.metrics.values() if run.crossfit is not None]
        counts = found[-1].counts.get(row) if found else None
        if row == UNSELECTED or counts is None:
            return ""
        ladder = self.snapshot.ladder
        return (
            f"{counts[0]:,} and {counts[1]:,} selected by a half at {ladder.at(ladder.general)}, in one run"
        )

    def theme_changed(self, theme: Theme) -> None:
        """Give the markers the colours that the chart has now."""
        self._update_cells()

    def _update_cells(self) -> None:
        snapshot = self.snapshot
        if snapshot is None or not self.size.width:
            return
        ladder = snapshot.ladder
        words = [ladder.at(level) for level in ladder.levels]
        titles = words if max(map(cell_len, words)) < LEVEL_WIDTH else list(ladder.levels)
        columns = {"set": ("set", SET_WIDTH)} | {
            level: (title, max(LEVEL_WIDTH, cell_len(title) + 2))
            for level, title in zip(ladder.levels, titles, strict=True)
        }
        means = crossfit_means(snapshot.metrics.values(), ladder)
        palette = palette_of(self.app)
        runs = counted(means.runs if means else 0, "run")
        self.entitle(f"Accuracy by the other half (selecting half), mean of {runs}")
        rows = {}
        if means is not None:
            for name in means.other:
                cells = [left(_accuracy(means, name, level)) for level in ladder.levels]
                rows[name] = [_name_cell(name, palette), *cells]
        self.fill(columns, rows)


def _name_cell(name: str, palette: Palette | None) -> Text:
    cell = left(f"{set_marker(name)} {name}")
    if palette:
        cell.stylize(palette.of(series_number(name)), 1, 2)
    return cell


def _accuracy(means: CrossFitMeans, name: str, level: str) -> str:
    other = _share(means.other[name][level])
    return other if name == UNSELECTED else f"{other} ({_share(means.own.get(name, {}).get(level))})"


def _share(value: float | None) -> str:
    if value is None:
        return ABSENT
    return f"{value:.3f}"[1:] if value < 0.9995 else f"{value:.2f}"
