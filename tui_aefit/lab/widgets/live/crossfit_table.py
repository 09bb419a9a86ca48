"""The table of cross-fitted accuracies: of one half's classifier on sets that the other half's selected."""

from __future__ import annotations

from core.records.deciding import UNSELECTED
from core.report.formatting import counted, mean_count
from tui_aefit.following.crossfit import CrossFitMeans, crossfit_means
from tui_aefit.following.snapshot import Snapshot
from tui_aefit.lab.widgets.cell_table import left
from tui_aefit.lab.widgets.chart import palette_of
from tui_aefit.lab.widgets.live.sets_by_level import (
    SET_WIDTH,
    SetsByLevel,
    level_columns,
    name_cell,
    short_titles,
    three_digits,
)

LEVEL_WIDTH = 12
"""The width of a level's column; that of a level with a long name is larger."""


class CrossFitTable(SetsByLevel):
    """Each cell has the accuracy by the half that did not select, and in brackets that by the half that did.

    Both are means over the runs of a `snapshot`.
    """

    def explanation(self, row: str) -> str:
        """How many images a half selected: the mean over the halves and the runs, as in the printed tables."""
        if self.snapshot is None or row == UNSELECTED:
            return ""
        found = [run.crossfit for run in self.snapshot.metrics.values() if run.crossfit is not None]
        images = [sum(one.counts[row]) / 2 for one in found if row in one.counts]
        if not images:
            return ""
        ladder, runs = self.snapshot.ladder, counted(len(images), "run")
        return (
            f"{mean_count(images)} images selected by a half at {ladder.at(ladder.general)}, mean of {runs}"
        )

    def update_cells(self, snapshot: Snapshot) -> None:
        """See `SetsByLevel`."""
        ladder = snapshot.ladder
        means = crossfit_means(snapshot.metrics.values(), ladder)
        palette = palette_of(self.app)
        runs = counted(means.runs if means else 0, "run")
        self.entitle(f"Accuracy by the other half (selecting half), mean of {runs}")
        rows = {}
        if means is not None:
            for name in means.other:
                cells = [left(_accuracy(means, name, level)) for level in ladder.levels]
                rows[name] = [name_cell(name, palette), *cells]
        levels = level_columns(short_titles(ladder, LEVEL_WIDTH), LEVEL_WIDTH)
        self.fill({"set": ("set", SET_WIDTH), **levels}, rows)


def _accuracy(means: CrossFitMeans, name: str, level: str) -> str:
    other = three_digits(means.other[name][level])
    return other if name == UNSELECTED else f"{other} ({three_digits(means.own.get(name, {}).get(level))})"
