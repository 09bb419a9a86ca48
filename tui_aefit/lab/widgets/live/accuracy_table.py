"""The table of accuracies of every set at every level: the mean over the runs, and the value in one of them."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from rich.text import Text
from textual.reactive import reactive

from core.families.ladder import Ladder
from core.records.statistics import Summary
from core.report.formatting import counted, mean_count, number
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

LEVEL_WIDTH, COUNTS_WIDTH = 11, 9
"""Widths of the columns; that of a level with a long name is larger."""


class AccuracyTable(SetsByLevel):
    """Rows are sets, columns levels from general to fitted. A cell has the mean over the runs with half its 95 %
    interval, and below it the value of run `run`, unless that is None. The last column, how many images a set has
    in a run (mean, and in run `run`), is left out where there is no room for it.
    """

    run: reactive[int | None] = reactive(None, init=False, layout=False, repaint=False)

    def watch_run(self) -> None:
        """Show the values of another run."""
        self.show_cells()

    def explanation(self, row: str) -> str:
        """Which images are in the set."""
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
        names = list(accuracy or snapshot.spec.sets)
        columns = _columns(names, ladder, self.size.width - self.styles.scrollbar_size_vertical)
        tight = "n" not in columns
        palette = palette_of(self.app)
        rows = {}
        for name in names:
            by_level = accuracy.get(name, {})
            rows[name] = [
                name_cell(name, palette),
                *(_level_cell(by_level.get(level), tight=tight) for level in ladder.levels),
                *(() if tight else (_images_cell(snapshot, name),)),
            ]
            if self.run is not None:
                below = _run_line(self.run, snapshot, name, tight=tight)
                rows[name] = [_under(cell, text) for cell, text in zip(rows[name], below, strict=True)]
        runs = counted(len(snapshot.statistics_runs), "run")
        # Older results, which have no claims, have intervals that do not allow for overlapping splits.
        half = "± half of 95 %, for overlapping splits" if snapshot.claims else "± half the 95 % interval"
        self.entitle(f"Accuracy, mean of {runs} {half}", f"Accuracy, mean of {runs} ± half of 95 %")
        self.fill(columns, rows, lines=1 if self.run is None else 2)


def _columns(names: Iterable[str], ladder: Ladder, available: int) -> dict[str, tuple[str, int]]:
    """The columns with titles and widths: levels in words where there is room; without "n" where there is none.

    Names of sets are cut only where all levels would not fit otherwise.
    """
    words = {level: ladder.at(level) for level in ladder.levels}
    short = short_titles(ladder, LEVEL_WIDTH)
    beside_name = 3  # a gap, the marker and another gap
    name_width = max([SET_WIDTH, *(cell_len(name) + beside_name for name in names)])
    for titles, cells, counts in (
        (words, LEVEL_WIDTH, {"n": ("images", COUNTS_WIDTH)}),
        (short, LEVEL_WIDTH, {"n": ("images", COUNTS_WIDTH)}),
        (short, LEVEL_WIDTH - 1, {}),
    ):
        levels = level_columns(titles, cells)
        others = sum(width for _, width in (*levels.values(), *counts.values()))
        if name_width + others <= available:
            break
    name_width = max(SET_WIDTH, min(name_width, available - others))
    return {"set": ("set", name_width), **levels, **counts}


def _level_cell(summary: Summary | None, *, tight: bool) -> Text:
    mean, interval = (summary.mean, summary.ci95) if summary is not None else (None, None)
    width = 5 if tight else 6
    half = f"±{three_digits((interval[1] - interval[0]) / 2)}".rjust(width) if interval else " " * width
    return left(f"{three_digits(mean):>4}{half}")


def _images_cell(snapshot: Snapshot, name: str) -> Text:
    """How many images the set has in a run: the mean over those of the statistics, as in the printed tables."""
    runs = [snapshot.metrics[run] for run in snapshot.statistics_runs if run in snapshot.metrics]
    return right(mean_count([run.counts.sets[name] for run in runs if name in run.counts.sets]))


def _run_line(run: int, snapshot: Snapshot, name: str, *, tight: bool) -> list[str]:
    """The second line of a row: the values of one run; its images beside its name where no column has them."""
    metrics = snapshot.metrics.get(run)
    values = metrics.accuracy.get(name, {}) if metrics is not None else {}
    images = metrics.counts.sets.get(name) if metrics is not None else None
    many = f": {counted(images, 'image')}" if tight and images is not None else ""
    return [
        f"  run {run + 1}{many}",
        *(f"{three_digits(values.get(level)):>4}" for level in snapshot.ladder.levels),
        *(() if tight else (number(images, ",d"),)),
    ]


def _under(cell: Text, text: str) -> Text:
    """A cell with a second line."""
    gap = "" if cell.justify == "right" else " "
    return Text.assemble(
        cell, "\n", (f"{gap}{text}", "dim"), justify=cell.justify, no_wrap=True, overflow="ellipsis"
    )
