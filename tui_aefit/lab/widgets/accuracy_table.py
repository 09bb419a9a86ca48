"""The accuracy of every set at every K: its mean over the runs, and in one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text
from textual.events import Resize
from textual.reactive import reactive
from textual.theme import Theme

from core.sets.catalogue import PAPER_SETS, SETS
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import OTHER_MARKER, SET_MARKERS, series_number
from tui_aefit.lab.charts.drawing import Palette
from tui_aefit.lab.theme import FollowsTheme
from tui_aefit.lab.widgets.cell_table import CellTable, left, right
from tui_aefit.lab.widgets.chart import palette_of

ABSENT = "-"
SET_WIDTH, LEVEL_WIDTH, COUNTS_WIDTH = 17, 11, 15


class AccuracyTable(FollowsTheme, CellTable):
    """Rows are sets, columns K from general to fitted; each cell has the mean over the runs with half its 95 %
    interval, and below it the value of run `run`, of the run completed last for None. The last column, how many
    runs and how many images, is left out where there is no room for it.
    """

    snapshot: reactive[Snapshot | None] = reactive(None, init=False, layout=False, repaint=False)
    run: reactive[int | None] = reactive(None, init=False, layout=False, repaint=False)

    def on_resize(self, event: Resize) -> None:
        """Fit the columns to the new width."""
        self._update_cells()

    def watch_snapshot(self) -> None:
        """Show what changed."""
        self._update_cells()

    def watch_run(self) -> None:
        """Show the values of another run."""
        self._update_cells()

    def explanation(self, row: str) -> str:
        """What is in the set."""
        if row not in SETS:
            return ""
        zero = "; accuracy 0 at the largest K by construction" if SETS[row].wrong_by_construction else ""
        return SETS[row].description + zero

    def theme_changed(self, theme: Theme) -> None:
        """Give the markers the colours that the chart has now."""
        self._update_cells()

    def _update_cells(self) -> None:
        snapshot = self.snapshot
        if snapshot is None or not self.size.width:
            return
        accuracy: Mapping[str, Any] = snapshot.summary["accuracy"] if snapshot.summary else {}
        names = list(accuracy) or [*PAPER_SETS, *snapshot.spec["controls"]]
        levels = [str(k) for k in range(snapshot.spec["z"], 0, -2)]
        tight = self.size.width < SET_WIDTH + LEVEL_WIDTH * len(levels) + COUNTS_WIDTH
        run = _last_run(snapshot) if self.run is None else self.run
        metrics = snapshot.metrics.get(run, {}) if run is not None else {}
        palette = palette_of(self.app)
        rows = {}
        for name in names:
            by_level = accuracy.get(name, {})
            values = metrics.get("accuracy", {}).get(name, {})
            images = metrics.get("counts", {}).get("sets", {}).get(name)
            rows[name] = [
                _name_cell(name, _said(run, last=self.run is None), palette),
                *(_level_cell(by_level.get(k), values.get(k), tight=tight) for k in levels),
                *(() if tight else (_counts_cell(by_level.get(levels[-1]), images),)),
            ]
        columns = {"set": ("set", SET_WIDTH)}
        columns |= {k: (f"K = {k}", LEVEL_WIDTH - tight) for k in levels}
        columns |= {} if tight else {"n": ("n", COUNTS_WIDTH)}
        runs = len(snapshot.statistics_runs)
        self.entitle(f"Accuracy, mean of {runs} run{'s' * (runs != 1)} ± half the 95 % interval")
        self.fill(columns, rows, lines=2)


def _last_run(snapshot: Snapshot) -> int | None:
    """The run that was completed last."""
    finished = {run.index: run.finished or 0.0 for run in snapshot.runs}
    return max(snapshot.metrics, key=lambda run: (finished.get(run, 0.0), run), default=None)


def _said(run: int | None, *, last: bool) -> str:
    if run is None:
        return ""
    return f"last, run {run + 1}" if last else f"run {run + 1}"


def _name_cell(name: str, run: str, palette: Palette | None) -> Text:
    cell = left(f"{SET_MARKERS.get(name, OTHER_MARKER)} {name}", (f"  {run}", "dim"))
    if palette:
        cell.stylize(palette.of(series_number(name)), 1, 2)
    return cell


def _level_cell(summary: Mapping[str, Any] | None, value: float | None, *, tight: bool) -> Text:
    """Both lines of a level; the second stands under the mean of the first."""
    mean, interval = (summary["mean"], summary["ci95"]) if summary else (None, None)
    width = 5 if tight else 6
    half = f"±{_share((interval[1] - interval[0]) / 2)}".rjust(width) if interval else " " * width
    return left(f"{_share(mean)}{half}", (_share(value), "dim"))


def _counts_cell(summary: Mapping[str, Any] | None, images: int | None) -> Text:
    runs = summary["n"] if summary else 0
    return right(
        f"{runs} run{'s' * (runs != 1)}", (ABSENT if images is None else f"{images:,} images", "dim")
    )


def _share(value: float | None) -> str:
    """Three digits in four cells: .573, 1.00; an interval of few runs may be wider than 1."""
    if value is None:
        return f"{ABSENT:>4}"
    return f"{value:.3f}"[1:] if value < 0.9995 else f"{value:.2f}"
