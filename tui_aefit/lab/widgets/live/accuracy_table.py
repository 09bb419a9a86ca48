"""The accuracy of every set at every level: its mean over the runs, and in one of them."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.text import Text
from textual.events import Resize
from textual.reactive import reactive
from textual.theme import Theme

from core.families.ladder import Ladder
from core.records.metrics import RunMetrics
from core.records.statistics import Summary
from core.report.formatting import ABSENT, counted
from core.sets.registry import SETS, is_known
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.charts.data import series_number, set_marker
from tui_aefit.lab.charts.drawing import Palette
from tui_aefit.lab.theme import FollowsTheme
from tui_aefit.lab.widgets.cell_table import CellTable, left, right
from tui_aefit.lab.widgets.chart import palette_of

SET_WIDTH, LEVEL_WIDTH, COUNTS_WIDTH = 17, 11, 15
"""Cells of the columns; a level whose name is long has more."""


class AccuracyTable(FollowsTheme, CellTable):
    """Rows are sets, columns levels from general to fitted; each cell has the mean over the runs with half its 95 %
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
        if not is_known(row) or self.snapshot is None:
            return ""
        ladder = self.snapshot.ladder
        zero = SETS[row].zero_level(ladder)
        selected = "" if zero is None else f"; accuracy 0 at {ladder.at(zero)} by construction"
        return SETS[row].description + selected

    def theme_changed(self, theme: Theme) -> None:
        """Give the markers the colours that the chart has now."""
        self._update_cells()

    def _update_cells(self) -> None:
        snapshot = self.snapshot
        if snapshot is None or not self.size.width:
            return
        ladder = snapshot.ladder
        accuracy = snapshot.summary.accuracy if snapshot.summary is not None else {}
        run = _last_run(snapshot) if self.run is None else self.run
        metrics = snapshot.metrics.get(run) if run is not None else None
        names = list(accuracy or snapshot.spec.sets)
        columns = _columns(names, ladder, self.size.width - self.styles.scrollbar_size_vertical)
        tight = "n" not in columns
        palette = palette_of(self.app)
        rows = {}
        for name in names:
            by_level = accuracy.get(name, {})
            values = metrics.accuracy.get(name, {}) if metrics is not None else {}
            rows[name] = [
                _name_cell(
                    name,
                    _describe_run(
                        run, last=self.run is None, images=_images(metrics, name) if tight else None
                    ),
                    palette,
                ),
                *(
                    _level_cell(by_level.get(level), values.get(level), tight=tight)
                    for level in ladder.levels
                ),
                *(() if tight else (_counts_cell(by_level.get(ladder.fitted), metrics, name),)),
            ]
        runs = counted(len(snapshot.statistics_runs), "run")
        # Of results without claims, which are older, the intervals did not allow for it.
        half = "± half of 95 %, for overlapping splits" if snapshot.claims else "± half the 95 % interval"
        self.entitle(f"Accuracy, mean of {runs} {half}")
        self.fill(columns, rows, lines=2)


def _columns(names: Iterable[str], ladder: Ladder, available: int) -> dict[str, tuple[str, int]]:
    """The columns with titles and widths: levels in words where there is room; without "n" where there is none.

    Names of sets are whole as long as every level is seen.
    """
    words = {level: ladder.at(level) for level in ladder.levels}
    short = {level: text if cell_len(text) < LEVEL_WIDTH else level for level, text in words.items()}
    name_width = max(
        [SET_WIDTH, *(cell_len(name) + 3 for name in names)]
    )  # a gap, the marker and another gap
    for titles, cells, counts in (
        (words, LEVEL_WIDTH, {"n": ("n", COUNTS_WIDTH)}),
        (short, LEVEL_WIDTH, {"n": ("n", COUNTS_WIDTH)}),
        (short, LEVEL_WIDTH - 1, {}),
    ):
        levels = {level: (title, max(cells, cell_len(title) + 2)) for level, title in titles.items()}
        others = sum(width for _, width in (*levels.values(), *counts.values()))
        if name_width + others <= available:
            break
    name_width = max(SET_WIDTH, min(name_width, available - others))
    return {"set": ("set", name_width), **levels, **counts}


def _last_run(snapshot: Snapshot) -> int | None:
    """The run that was completed last."""
    finished = {run.index: run.finished or 0.0 for run in snapshot.runs}
    return max(snapshot.metrics, key=lambda run: (finished.get(run, 0.0), run), default=None)


def _describe_run(run: int | None, *, last: bool, images: int | None) -> str:
    """Which run the second line is of, and how many images the set has in it where no column says so."""
    if run is None:
        return ""
    if images is not None:
        return f"run {run + 1}: {counted(images, 'image')}"
    return f"last, run {run + 1}" if last else f"run {run + 1}"


def _name_cell(name: str, run: str, palette: Palette | None) -> Text:
    cell = left(f"{set_marker(name)} {name}", (f"  {run}", "dim"))
    if palette:
        cell.stylize(palette.of(series_number(name)), 1, 2)
    return cell


def _level_cell(summary: Summary | None, value: float | None, *, tight: bool) -> Text:
    """Both lines of a level; the second stands under the mean of the first."""
    mean, interval = (summary.mean, summary.ci95) if summary is not None else (None, None)
    width = 5 if tight else 6
    half = f"±{_share((interval[1] - interval[0]) / 2)}".rjust(width) if interval else " " * width
    return left(f"{_share(mean)}{half}", (_share(value), "dim"))


def _counts_cell(summary: Summary | None, metrics: RunMetrics | None, name: str) -> Text:
    """How many runs the mean is over, and how many images the set has in one of them."""
    images = _images(metrics, name)
    return right(
        counted(summary.n if summary is not None else 0, "run"),
        (ABSENT if images is None else counted(images, "image"), "dim"),
    )


def _images(metrics: RunMetrics | None, name: str) -> int | None:
    return metrics.counts.sets.get(name) if metrics is not None else None


def _share(value: float | None) -> str:
    """Three digits in four cells: .573, 1.00; an interval of few runs may be wider than 1."""
    if value is None:
        return f"{ABSENT:>4}"
    return f"{value:.3f}"[1:] if value < 0.9995 else f"{value:.2f}"
