"""The accuracy of every set at every level: its mean over the runs, and in one of them."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.text import Text
from textual.reactive import reactive

from core.families.ladder import Ladder
from core.records.metrics import RunMetrics
from core.records.statistics import Summary
from core.report.formatting import ABSENT, counted
from core.sets.registry import SETS, is_known
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.widgets.cell_table import left, right
from tui_aefit.lab.widgets.chart import palette_of
from tui_aefit.lab.widgets.live.sets_by_level import (
    SET_WIDTH,
    SetsByLevel,
    level_columns,
    name_cell,
    short_titles,
    three_digits,
)

LEVEL_WIDTH, COUNTS_WIDTH = 11, 15
"""Cells of the columns; a level whose name is long has more."""


class AccuracyTable(SetsByLevel):
    """Rows are sets, columns levels from general to fitted; each cell has the mean over the runs with half its 95 %
    interval, and below it the value of run `run`, of the run completed last for None. The last column, how many
    runs and how many images, is left out where there is no room for it.
    """

    run: reactive[int | None] = reactive(None, init=False, layout=False, repaint=False)

    def watch_run(self) -> None:
        """Show the values of another run."""
        self.show_cells()

    def explanation(self, row: str) -> str:
        """What is in the set."""
        if not is_known(row) or self.snapshot is None:
            return ""
        ladder = self.snapshot.ladder
        zero = SETS[row].zero_level(ladder)
        selected = "" if zero is None else f"; accuracy 0 at {ladder.at(zero)} by construction"
        return SETS[row].description + selected

    def update_cells(self, snapshot: Snapshot) -> None:
        """See `SetsByLevel`."""
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
            images = _images(metrics, name) if tight else None
            described = _describe_run(run, last=self.run is None, images=images)
            rows[name] = [
                name_cell(name, palette, (f"  {described}", "dim")),
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
    words, short = {level: ladder.at(level) for level in ladder.levels}, short_titles(ladder, LEVEL_WIDTH)
    name_width = max(
        [SET_WIDTH, *(cell_len(name) + 3 for name in names)]
    )  # a gap, the marker and another gap
    for titles, cells, counts in (
        (words, LEVEL_WIDTH, {"n": ("n", COUNTS_WIDTH)}),
        (short, LEVEL_WIDTH, {"n": ("n", COUNTS_WIDTH)}),
        (short, LEVEL_WIDTH - 1, {}),
    ):
        levels = level_columns(titles, cells)
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


def _level_cell(summary: Summary | None, value: float | None, *, tight: bool) -> Text:
    """Both lines of a level; the second stands under the mean of the first."""
    mean, interval = (summary.mean, summary.ci95) if summary is not None else (None, None)
    width = 5 if tight else 6
    half = f"±{three_digits((interval[1] - interval[0]) / 2)}".rjust(width) if interval else " " * width
    return left(f"{three_digits(mean):>4}{half}", (f"{three_digits(value):>4}", "dim"))


def _counts_cell(summary: Summary | None, metrics: RunMetrics | None, name: str) -> Text:
    """How many runs the mean is over, and how many images the set has in one of them."""
    images = _images(metrics, name)
    return right(
        counted(summary.n if summary is not None else 0, "run"),
        (ABSENT if images is None else counted(images, "image"), "dim"),
    )


def _images(metrics: RunMetrics | None, name: str) -> int | None:
    return metrics.counts.sets.get(name) if metrics is not None else None
