"""The cross-fitted accuracies: by the classifier of one half on what that of the other half selected."""

from __future__ import annotations

from core.report.formatting import counted
from tui_aefit.following.crossfit import UNSELECTED, CrossFitMeans, crossfit_means
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
"""Cells of a level's column; one whose name is long has more."""


class CrossFitTable(SetsByLevel):
    """Each cell has the accuracy by the half that did not select, and in brackets that by the half that did, as
    means over the runs of a `snapshot`.
    """

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
